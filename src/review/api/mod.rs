//! `/api/v1`: what the page shows, for programs. Read with a token per client; problems are
//! `application/problem+json` (RFC 9457); lists are paged by cursor. The document at
//! `/api/v1/openapi.json` is made from these handlers.

mod apps;
mod audits;
mod caller;
mod dead;
mod events;
mod findings;
mod limit;
mod problem;
mod push;
mod runs;
mod shapes;
mod standings;
mod upload;

use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use tower_http::timeout::TimeoutLayer;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use audits::has_room;
pub(super) use problem::{is_api, of_failure, of_status};
pub(super) use push::Pushes;

use super::Shared;
pub use caller::{RIGHTS, new_token, token_hash};

/// Longest that sending a package may take.
const UPLOAD_TIME: Duration = Duration::from_secs(3_600);
/// Bytes of a form around a package: its listing and the boundaries.
const AROUND: usize = 2 << 20;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "xunjian",
        description = "Findings, apps, decisions and audits on demand. Findings are signs for a person to follow up, never verdicts.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/")),
    modifiers(&Tokens),
    security(("token" = [])),
    tags(
        (name = "apps", description = "Apps with findings, and their reports."),
        (name = "findings", description = "Findings, the decisions about them, and their evidence."),
        (name = "audits", description = "Audits on demand."),
        (name = "runs", description = "What sweeps and other runs did, and the jobs that died."),
        (name = "standings", description = "The case backend's lists, pushed to us.")
    )
)]
struct Document;

/// Every request but the document's carries a token.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// The routes: those that answer at once, and those that take a package.
pub(super) fn routers(package_bytes: u64) -> (Router<Shared>, Router<Shared>) {
    let (quick, document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(apps::list))
        .routes(routes!(apps::one))
        .routes(routes!(findings::one))
        .routes(routes!(audits::one))
        .routes(routes!(audits::progress))
        .routes(routes!(runs::list))
        .routes(routes!(dead::list))
        .routes(routes!(events::list))
        .split_for_parts();
    let (slow, more) = OpenApiRouter::new()
        .routes(routes!(audits::ask))
        .routes(routes!(findings::bag))
        .routes(routes!(standings::push))
        .split_for_parts();
    let document = document.merge_from(more);
    let most = usize::try_from(package_bytes).unwrap_or(usize::MAX).saturating_add(AROUND);
    let slow = slow
        .layer(DefaultBodyLimit::max(most))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, UPLOAD_TIME));
    (quick.route("/api/v1/openapi.json", get(move || async move { Json(document) })), slow)
}
