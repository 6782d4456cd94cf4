//! Failures as programs read them: `application/problem+json` (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::report::words::Lang;
use crate::review::failure::Failure;
use crate::review::page::Page;

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
    /// What of the request is wrong, e.g. `cursor`, `limit`, `target`; absent where that is not one thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
}

/// Whether a path is of the API.
pub(in crate::review) fn is_api(path: &str) -> bool {
    path.starts_with("/api/")
}

/// A failure of ours as a problem.
pub(in crate::review) fn of_failure(failure: &Failure, lang: Lang) -> Response {
    failure.log();
    let field = match failure {
        Failure::Bad(field) => Some(*field),
        Failure::NoStore(_) => Some("store"),
        _ => None,
    };
    let mut answer = problem(failure.status(), failure.key().trim_start_matches("e."), failure.told(lang), field);
    let (name, value) = match failure {
        Failure::Token => (header::WWW_AUTHENTICATE, "Bearer"),
        Failure::Busy | Failure::Crowded | Failure::Waiting => (header::RETRY_AFTER, "30"),
        _ => return answer,
    };
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer
}

/// A status that the framework answered with, as a problem.
pub(in crate::review) fn of_status(status: StatusCode, lang: Lang) -> Response {
    let kind = status.canonical_reason().unwrap_or("problem").to_ascii_lowercase().replace(' ', "-");
    let key = match status {
        StatusCode::BAD_REQUEST => "e.parameter",
        StatusCode::METHOD_NOT_ALLOWED => "e.method",
        StatusCode::PAYLOAD_TOO_LARGE => "e.too-large",
        StatusCode::SERVICE_UNAVAILABLE => "e.slow",
        _ => "e.title",
    };
    problem(status, &kind, Page::stranger(lang, "").t(key), None)
}

fn problem(status: StatusCode, kind: &str, detail: String, field: Option<&'static str>) -> Response {
    let problem = Problem {
        kind: format!("urn:xunjian:problem:{kind}"),
        title: status.canonical_reason().unwrap_or_default().to_owned(),
        status: status.as_u16(),
        detail,
        field,
    };
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, kind, Json(problem)).into_response()
}
