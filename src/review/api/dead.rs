//! Jobs that died.

use axum::Json;
use axum::extract::{Query, State};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::limit;
use super::problem::Problem;
use super::shapes::stamp;
use crate::review::Shared;
use crate::review::failure::Failure;
use crate::runs::dead::run_of;
use crate::store::{DeadJob, DeadQuery, Run, State as _, Work};

/// A page of dead jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeadPage {
    /// The jobs, those that died last first.
    items: Vec<DeadItem>,
    /// `cursor` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A job that was tried too often, or could not pass.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeadItem {
    /// Its number.
    id: i64,
    /// Its stage.
    #[schema(example = "fetch")]
    stage: String,
    /// What it was about.
    target: String,
    /// Sort of reason.
    #[schema(example = "network")]
    code: String,
    /// Why it died.
    reason: String,
    /// How often it was tried.
    attempts: i64,
    /// When it died.
    died_at: String,
    /// The run it was of; absent where that is forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<i64>,
    /// Its run goes on.
    is_run_open: bool,
}

impl DeadItem {
    fn new(job: DeadJob, run: Option<Run>) -> Self {
        Self {
            id: job.id,
            stage: job.stage,
            target: job.skipped.target,
            code: job.skipped.code,
            reason: job.skipped.reason,
            attempts: job.attempts,
            died_at: stamp(job.died),
            is_run_open: run.as_ref().is_some_and(|run| run.ended.is_none()),
            run: run.map(|run| run.id),
        }
    }
}

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Stage, e.g. `fetch`, `audit` or `asked`.
    stage: String,
    /// Code of the reason, e.g. `network` or `failed`.
    code: String,
    /// `next` of the page before.
    cursor: String,
    /// Jobs of this page, at most.
    #[param(minimum = 1, maximum = 200)]
    limit: u32,
}

impl Default for Asked {
    fn default() -> Self {
        Self { stage: String::new(), code: String::new(), cursor: String::new(), limit: limit::USUAL }
    }
}

/// Jobs that died, those that died last first. They outlive their run.
#[utoipa::path(
    get,
    path = "/api/v1/dead",
    tag = "runs",
    operation_id = "listDeadJobs",
    params(Asked),
    responses(
        (status = 200, description = "The jobs.", body = DeadPage),
        (status = 400, description = "A parameter cannot be read.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No token, or none of ours.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The client may not.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(site): State<Shared>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<DeadPage>, Failure> {
    caller.must("read")?;
    let most = limit::within(asked.limit)?;
    let after = after(&asked.cursor)?;
    let query = DeadQuery { prefix: String::new(), stage: asked.stage, code: asked.code, after, most };
    let jobs = site.home.state.dead(&query).await?;
    let next = jobs.last().filter(|_| jobs.len() == most as usize).map(cursor);
    let mut items = Vec::new();
    for job in jobs {
        let run = match run_of(&job) {
            Some(id) => site.home.state.run(id).await?,
            None => None,
        };
        items.push(DeadItem::new(job, run));
    }
    Ok(Json(DeadPage { items, next }))
}

/// When a job died, and its number: 16 bytes.
fn cursor(job: &DeadJob) -> String {
    URL_SAFE_NO_PAD.encode([job.died.to_le_bytes(), job.id.to_le_bytes()].concat())
}

fn after(cursor: &str) -> Result<Option<(i64, i64)>, Failure> {
    if cursor.is_empty() {
        return Ok(None);
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    let bytes = bytes.ok_or(Failure::Bad("cursor"))?;
    let number = |at: usize| bytes[at..at + 8].iter().rev().fold(0_i64, |n, byte| n << 8 | i64::from(*byte));
    Ok(Some((number(0), number(8))))
}
