//! Standings that the case backend pushes to us, signed.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;
use crate::feed::{StandingsError, Taken, is_signed, take};
use crate::review::failure::Failure;
use crate::review::session::note;
use crate::review::{Shared, time};

/// What was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StandingsTaken {
    /// Entries kept of each list that was told.
    kept: Vec<ListKept>,
    /// Entries left out, and why.
    left_out: Vec<EntryLeftOut>,
}

/// Entries of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListKept {
    /// `white`, `grey` or `black`.
    list: String,
    /// How many.
    entries: usize,
}

/// An entry that was left out.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EntryLeftOut {
    /// The list.
    list: String,
    /// Its place there, from 1.
    entry: usize,
    /// Why.
    reason: String,
}

impl From<Taken> for StandingsTaken {
    fn from(taken: Taken) -> Self {
        let kept = taken.kept.into_iter().map(|(list, entries)| ListKept { list: list.into(), entries });
        let left_out = taken.left_out.into_iter();
        let left_out = left_out.map(|out| EntryLeftOut { list: out.list.into(), entry: out.entry, reason: out.reason });
        Self { kept: kept.collect(), left_out: left_out.collect() }
    }
}

/// Takes the case backend's lists. The body is as `docs/feed/standings.schema.json` says; it carries
/// the headers of the Standard Webhooks specification, signed with the secret of the feed.
#[utoipa::path(
    post,
    path = "/api/v1/standings",
    tag = "standings",
    operation_id = "pushStandings",
    security(()),
    params(
        ("webhook-id" = String, Header, description = "Id of the message."),
        ("webhook-timestamp" = i64, Header, description = "Seconds since 1970 UTC; at most five minutes off."),
        ("webhook-signature" = String, Header, description = "`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`."),
    ),
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 200, description = "Taken; each list told replaced the one before.", body = StandingsTaken),
        (status = 401, description = "No signature, or a wrong one, or a wrong clock.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No secret was set up here.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Newer ones are known.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More than 64 MiB.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "They are not what the contract says.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn push(
    State(site): State<Shared>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<StandingsTaken>, Failure> {
    let (Some(secret), Some(folder)) = (&site.options.secret, &site.options.registers) else {
        return Err(Failure::NotFound);
    };
    let body = body.map_err(|_| Failure::TooLarge)?;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let timestamp = text("webhook-timestamp").parse().map_err(|_| Failure::Signature)?;
    let now = time::now().div_euclid(1_000);
    if !is_signed(secret, (text("webhook-id"), timestamp, &body), text("webhook-signature"), now) {
        return Err(Failure::Signature);
    }
    let taken = take(&site.home.state, folder, &body).await.map_err(|error| match error {
        StandingsError::Format(_) => Failure::Bad("standings"),
        StandingsError::Older { .. } => Failure::Moved,
        error => Failure::ours(error),
    })?;
    note(&site, "case-backend", "standings", text("webhook-id")).await?;
    Ok(Json(taken.into()))
}
