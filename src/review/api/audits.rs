//! Audits on demand: ask, then look again or follow.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use serde::Deserialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::problem::Problem;
use super::shapes::{AskedAudit, Claimed, SkippedItem, stamp};
use super::upload;
use crate::review::failure::Failure;
use crate::review::listen::Held;
use crate::review::session::note;
use crate::review::{Shared, again, body};
use crate::runs::asked::{KIND, QUEUE, Wish, ask as ask_for, claimed_store, client_of, is_sent};
use crate::runs::sweep::now;
use crate::store::{AuditRow, Desk, People, Run, State as _, Work};

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
/// Longest that it may take to come.
const ASK_TIME: Duration = Duration::from_secs(15);

/// An app of a store to audit: one of `target`, `app`, or `store` and `package`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AskApp {
    /// `STORE:PACKAGE`. Ids of stores may hold colons: the longest known one that fits is meant.
    #[schema(example = "our-store:cn.example.app", min_length = 3, max_length = 300)]
    target: String,
    /// Number of an app that is known here.
    #[schema(value_type = i64, required = false)]
    app: Option<i64>,
    /// Id of a store, as `store` of an app gives it.
    #[schema(required = false)]
    store: String,
    /// The app's package there.
    #[schema(required = false)]
    package: String,
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
        (status = 202, description = "It will be audited; `Location` says where to look. A package becomes an app of a store of the client's own, `file:NAME`, whatever its listing says: it changes nothing about any store's app.", body = AskedAudit),
        (status = 400, description = "The request cannot be read.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No token, or none of ours.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The client may not.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No app of this number is known here.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "It took too long to come.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The package is larger than is taken here.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Neither JSON nor a form with a package.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The target is none.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many audits wait.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too much is sent at once.", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn ask(State(site): State<Shared>, caller: Caller, request: Request) -> Result<Response, Failure> {
    caller.must("audit")?;
    has_room(&site).await?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let wish = match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => wish_of(&site, &caller, request).await?,
        "multipart/form-data" => upload::take(&site, &caller.name, request).await?,
        _ => return Err(Failure::MediaType),
    };
    let run = ask_for(&site.home.state, &wish, now()).await.map_err(Failure::ours)?;
    site.home.state.asks(run.id, &caller.name).await?;
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

async fn wish_of(site: &Shared, caller: &Caller, request: Request) -> Result<Wish, Failure> {
    let bytes = body::read(request, ASK_MAX, ASK_TIME).await?;
    let asked: AskApp = serde_json::from_slice(&bytes).map_err(|_| Failure::Bad("json"))?;
    match (asked.target.as_str(), asked.app, asked.store.as_str()) {
        (target, None, "") if asked.package.is_empty() => wish_of_target(site, target).await,
        ("", Some(app), "") if asked.package.is_empty() => wish_of_number(site, caller, app).await,
        ("", None, store) => again::wish_of_app(site, store, &asked.package).await,
        _ => Err(Failure::Bad("json")),
    }
}

/// A target at whichever colon a known store ends; the longest of those that fit.
async fn wish_of_target(site: &Shared, target: &str) -> Result<Wish, Failure> {
    let mut failure = Failure::Bad("target");
    for (at, _) in target.rmatch_indices(':') {
        match again::wish_of_app(site, &target[..at], &target[at + 1..]).await {
            Ok(wish) => return Ok(wish),
            Err(other) => failure = other,
        }
    }
    Err(failure)
}

async fn wish_of_number(site: &Shared, caller: &Caller, app: i64) -> Result<Wish, Failure> {
    let row = site.home.state.desk_row(app).await?.ok_or(Failure::NotFound)?;
    // What another client sent is not for everybody to read.
    if client_of(&row.store).is_some_and(|client| client != caller.name) {
        caller.must("read")?;
    }
    let latest = site.home.state.audit(row.audit).await?.ok_or(Failure::NotFound)?;
    again::wish_of_row(site, &row, &latest).await?.ok_or(Failure::Bad("store"))
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
        (status = 403, description = "The client did not ask for it, and may not `read`.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such audit was asked for.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn one(
    State(site): State<Shared>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<AskedAudit>, Failure> {
    let run = run_of(&site, &caller, id).await?;
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
        (status = 403, description = "The client did not ask for it, and may not `read`.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such audit was asked for.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn progress(
    State(site): State<Shared>,
    caller: Caller,
    Extension(held): Extension<Held>,
    Path(id): Path<i64>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    run_of(&site, &caller, id).await?;
    held.keep();
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

/// An audit that a client may read: one it asked for, or, with the right to read, any.
async fn run_of(site: &Shared, caller: &Caller, id: i64) -> Result<Run, Failure> {
    if !caller.may("read") {
        caller.must("audit")?;
    }
    let run = site.home.state.run(id).await?.filter(|run| run.kind == KIND).ok_or(Failure::NotFound)?;
    if caller.may("read") || site.home.state.has_asked(id, &caller.name).await? {
        Ok(run)
    } else {
        Err(Failure::Lacks("read"))
    }
}

/// What the listing that came with a package claims.
async fn claimed(site: &Shared, rows: &[AuditRow]) -> Result<Option<Claimed>, Failure> {
    let Some(id) = rows.first().and_then(|row| row.listing) else { return Ok(None) };
    let Some(row) = site.home.state.listing(id).await? else { return Ok(None) };
    let (store, package) = (claimed_store(&row.listing).to_owned(), row.listing.package);
    Ok((!store.is_empty() || !package.is_empty()).then_some(Claimed { store, package }))
}

async fn answer(site: &Shared, run: Run) -> Result<AskedAudit, Failure> {
    let rows = site.home.state.audits(run.id, 0, SHOWN).await?;
    let skips = site.home.state.skips(run.id, 0, SHOWN).await?;
    let audits = rows.iter().map(|row| serde_json::to_value(&row.audit)).collect::<Result<_, _>>();
    Ok(AskedAudit {
        id: run.id,
        target: run.scope.clone(),
        state: if run.ended.is_some() { "done" } else { "open" },
        asked_at: stamp(run.began),
        ended_at: run.ended.map_or_else(String::new, stamp),
        apps: rows.iter().map(|row| row.app).collect(),
        audits: audits.map_err(Failure::ours)?,
        claimed: if is_sent(&run.scope) { claimed(site, &rows).await? } else { None },
        skipped: skips.into_iter().map(SkippedItem::from).collect(),
    })
}
