//! Audits on demand: ask, then look again or follow.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Json, body::Bytes, extract::FromRequest};
use futures_util::Stream;
use serde::Deserialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::problem::Problem;
use super::shapes::{AskedAudit, SkippedItem, stamp};
use super::upload;
use crate::pipeline::asked::{KIND, QUEUE, Wish, ask as ask_for};
use crate::pipeline::sweep::now;
use crate::review::failure::Failure;
use crate::review::session::note;
use crate::review::{Shared, again};
use crate::store::{Run, State as _, Work};

/// Requests that may wait.
const WAITING_MAX: u64 = 1_000;
/// Audits and skips of one request shown.
const SHOWN: u32 = 100;
/// Time between looks at a request that is followed.
const LOOK: Duration = Duration::from_millis(500);
/// Looks at most: an hour.
const LOOKS: u32 = 7_200;
/// Longest request without a package.
const ASK_MAX: usize = 64 << 10;

/// An app of a store to audit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AskApp {
    /// `STORE:PACKAGE`.
    #[schema(example = "our-store:cn.example.app", min_length = 3, max_length = 300)]
    target: String,
}

/// A package to audit.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "the shape of a form that is read field by field")]
pub(super) struct AskPackage {
    /// The package file.
    #[schema(value_type = String, format = Binary)]
    package: Vec<u8>,
    /// The listing that belongs to it, as a line of `listings.jsonl`.
    #[schema(value_type = Option<String>)]
    listing: Option<String>,
}

/// Asks for an audit of an app of a store, or of a package sent along. Who asks for the same again
/// while it waits is told of the same audit.
#[utoipa::path(
    post,
    path = "/api/v1/audits",
    tag = "audits",
    operation_id = "askForAudit",
    request_body(content((AskApp = "application/json"), (AskPackage = "multipart/form-data"))),
    responses(
        (status = 202, description = "It will be audited; `Location` says where to look.", body = AskedAudit),
        (status = 400, description = "The request cannot be read.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No token, or none of ours.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The client may not.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The package is larger than is taken here.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Neither JSON nor a form with a package.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The target is none.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many audits wait.", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn ask(State(site): State<Shared>, caller: Caller, request: Request) -> Result<Response, Failure> {
    caller.must("audit")?;
    has_room(&site).await?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let wish = match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => wish_of(&site, request).await?,
        "multipart/form-data" => upload::take(&site, request).await?,
        _ => return Err(Failure::MediaType),
    };
    let run = ask_for(&site.home.state, &wish, now()).await.map_err(Failure::ours)?;
    note(&site, &caller.name, "asked", &wish.target()).await?;
    let place = [(header::LOCATION, format!("/api/v1/audits/{}", run.id))];
    Ok((StatusCode::ACCEPTED, place, Json(answer(&site, run).await?)).into_response())
}

/// Fails where too many wait already.
pub(in crate::review) async fn has_room(site: &Shared) -> Result<(), Failure> {
    let counts = site.home.state.counts(QUEUE).await?;
    let waiting: u64 = counts.iter().filter(|count| count.state == "ready").map(|count| count.count).sum();
    if waiting < WAITING_MAX { Ok(()) } else { Err(Failure::Waiting) }
}

async fn wish_of(site: &Shared, request: Request) -> Result<Wish, Failure> {
    let bytes = Bytes::from_request(request, &()).await.map_err(|_| Failure::TooLarge)?;
    if bytes.len() > ASK_MAX {
        return Err(Failure::TooLarge);
    }
    let asked: AskApp = serde_json::from_slice(&bytes).map_err(|_| Failure::Bad("json"))?;
    let (store, package) = asked.target.split_once(':').ok_or(Failure::Bad("target"))?;
    again::wish_of_app(site, store, package)
}

/// What became of an audit that was asked for.
#[utoipa::path(
    get,
    path = "/api/v1/audits/{id}",
    tag = "audits",
    operation_id = "getAudit",
    params(("id" = i64, Path, description = "The number it was answered with.")),
    responses(
        (status = 200, description = "The audit.", body = AskedAudit),
        (status = 400, description = "No number.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No token, or none of ours.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The client may not.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such audit was asked for.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn one(
    State(site): State<Shared>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<AskedAudit>, Failure> {
    caller.must("audit")?;
    let run = run_of(&site, id).await?;
    Ok(Json(answer(&site, run).await?))
}

/// Follows an audit that was asked for: an event `state` each time something changed, `done` at the end.
#[utoipa::path(
    get,
    path = "/api/v1/audits/{id}/progress",
    tag = "audits",
    operation_id = "followAudit",
    params(("id" = i64, Path, description = "The number it was answered with.")),
    responses(
        (status = 200, description = "Server-sent events with counts as JSON; `done` is the last.", content_type = "text/event-stream", body = String),
        (status = 400, description = "No number.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No token, or none of ours.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The client may not.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such audit was asked for.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn progress(
    State(site): State<Shared>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    caller.must("audit")?;
    run_of(&site, id).await?;
    let follow = Follow { site, id, last: None, looks: 0, is_over: false };
    let events = futures_util::stream::unfold(follow, |mut follow| async move {
        let event = follow.next().await?;
        Some((Ok(event), follow))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// Looks until an audit is done.
struct Follow {
    site: Shared,
    id: i64,
    last: Option<String>,
    looks: u32,
    is_over: bool,
}

impl Follow {
    async fn next(&mut self) -> Option<Event> {
        while !self.is_over && self.looks < LOOKS {
            if self.looks > 0 {
                tokio::time::sleep(LOOK).await;
            }
            self.looks += 1;
            // A state that cannot be read now may be read at the next look.
            let Ok(Some(run)) = self.site.home.state.run(self.id).await else { continue };
            let Ok(counts) = self.site.home.state.tally(self.id).await else { continue };
            let told = serde_json::json!({ "id": self.id, "counts": counts }).to_string();
            if run.ended.is_some() {
                self.is_over = true;
                return Some(Event::default().event("done").data(told));
            }
            if self.last.as_ref() != Some(&told) {
                self.last = Some(told.clone());
                return Some(Event::default().event("state").data(told));
            }
        }
        None
    }
}

async fn run_of(site: &Shared, id: i64) -> Result<Run, Failure> {
    site.home.state.run(id).await?.filter(|run| run.kind == KIND).ok_or(Failure::NotFound)
}

async fn answer(site: &Shared, run: Run) -> Result<AskedAudit, Failure> {
    let rows = site.home.state.audits(run.id, 0, SHOWN).await?;
    let skips = site.home.state.skips(run.id, 0, SHOWN).await?;
    let audits = rows.iter().map(|row| serde_json::to_value(&row.audit)).collect::<Result<_, _>>();
    Ok(AskedAudit {
        id: run.id,
        target: run.scope,
        state: if run.ended.is_some() { "done" } else { "open" },
        asked_at: stamp(run.began),
        ended_at: run.ended.map_or_else(String::new, stamp),
        apps: rows.iter().map(|row| row.app).collect(),
        audits: audits.map_err(Failure::ours)?,
        skipped: skips.into_iter().map(SkippedItem::from).collect(),
    })
}
