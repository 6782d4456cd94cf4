//! Standings that the case backend pushes to us, signed.

use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;
use crate::feed::{BYTES_MAX, CLOCK_MAX, StandingsError, Taken, is_signed, take};
use crate::review::failure::Failure;
use crate::review::session::note;
use crate::review::tries::Peer;
use crate::review::{Shared, body, time};

/// Longest that a message may take to come.
const TIME: Duration = Duration::from_secs(120);
/// Longest of its headers, in bytes.
const HEADER_MAX: usize = 4 << 10;

/// What was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StandingsTaken {
    /// Entries kept of each list that was told.
    kept: Vec<ListKept>,
    /// Entries left out, and why: the first thousand.
    left_out: Vec<EntryLeftOut>,
    /// All entries left out.
    left_out_count: usize,
    /// Names beside those of the contract: nothing was done with them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    unknown: Vec<String>,
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
        let (left_out_count, unknown) = (taken.left_out_count, taken.unknown);
        Self { kept: kept.collect(), left_out: left_out.collect(), left_out_count, unknown }
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
        (status = 408, description = "It took too long to come.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Newer ones are known (`standings-older`), or other ones of the same moment (`standings-conflict`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More than 64 MiB.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "They are not what the contract says (`standings-format`), of a moment more than five minutes ahead of our clock (`standings-future`), or no entry of a list can be kept (`standings-nothing`). Nothing was taken.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn push(
    State(site): State<Shared>,
    peer: Peer,
    request: Request,
) -> Result<Json<StandingsTaken>, Failure> {
    let (Some(secret), Some(folder)) = (&site.options.secret, &site.options.registers) else {
        return Err(Failure::NotFound);
    };
    // Before a byte of it is read: whether it could be signed, by one whose clock is right, and there is room.
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (id, signature) = (text("webhook-id"), text("webhook-signature"));
    let timestamp: i64 = text("webhook-timestamp").parse().map_err(|_| Failure::Signature)?;
    let is_of_now = time::now().div_euclid(1_000).saturating_sub(timestamp).saturating_abs() <= CLOCK_MAX;
    let is_short = (1..=HEADER_MAX).contains(&id.len()) && (1..=HEADER_MAX).contains(&signature.len());
    if !is_of_now || !is_short {
        return Err(Failure::Signature);
    }
    body::within(headers, BYTES_MAX as u64)?;
    let _room = site.pushes.room(peer.0, body::told_length(headers))?;
    let bytes = body::read(request, BYTES_MAX, TIME).await?;
    let now = time::now();
    if !is_signed(secret, (&id, timestamp, &bytes), &signature, now.div_euclid(1_000)) {
        return Err(Failure::Signature);
    }
    let _turn = site.pushes.turn.lock().await;
    let taken = take(&site.home.state, folder, &bytes, now).await.map_err(refused)?;
    note(&site, "case-backend", "standings", &id).await?;
    Ok(Json(taken.into()))
}

/// Why lists are not taken, as the case backend is told.
fn refused(error: StandingsError) -> Failure {
    use axum::http::StatusCode;
    let Some(code) = error.code() else { return Failure::ours(error) };
    let status = match error {
        StandingsError::Older { .. } | StandingsError::Conflict { .. } => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Failure::Said { status, code, said: error.to_string() }
}
