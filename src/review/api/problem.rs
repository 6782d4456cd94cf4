//! Failures as programs read them: `application/problem+json` (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::report::words::Lang;
use crate::review::failure::Failure;

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// Sort of problem, as `urn:xunjian:problem:not-found`.
    #[serde(rename = "type")]
    #[schema(example = "urn:xunjian:problem:not-found")]
    kind: String,
    /// The status in words.
    title: String,
    /// HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What to do about it, in the language asked for.
    detail: String,
}

/// Whether a path is of the API.
pub(in crate::review) fn is_api(path: &str) -> bool {
    path.starts_with("/api/")
}

/// A failure of ours as a problem.
pub(in crate::review) fn of_failure(failure: &Failure, lang: Lang) -> Response {
    failure.log();
    let mut answer = problem(failure.status(), failure.key().trim_start_matches("e."), failure.told(lang));
    if matches!(failure, Failure::Token) {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

/// A status that the framework answered with, as a problem; what it said is the detail.
pub(in crate::review) fn of_status(status: StatusCode, said: String) -> Response {
    let kind = status.canonical_reason().unwrap_or("problem").to_ascii_lowercase().replace(' ', "-");
    problem(status, &kind, said)
}

fn problem(status: StatusCode, kind: &str, detail: String) -> Response {
    let problem = Problem {
        kind: format!("urn:xunjian:problem:{kind}"),
        title: status.canonical_reason().unwrap_or_default().to_owned(),
        status: status.as_u16(),
        detail,
    };
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, kind, Json(problem)).into_response()
}
