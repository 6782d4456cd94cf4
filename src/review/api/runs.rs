//! Runs.

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::limit;
use super::problem::Problem;
use super::shapes::{RunItem, RunPage};
use crate::review::Shared;
use crate::review::failure::Failure;
use crate::store::State as _;

/// How many runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Runs, at most.
    #[param(minimum = 1, maximum = 200)]
    limit: u32,
}

impl Default for Asked {
    fn default() -> Self {
        Self { limit: limit::USUAL }
    }
}

/// The latest runs, latest first.
#[utoipa::path(
    get,
    path = "/api/v1/runs",
    tag = "runs",
    operation_id = "listRuns",
    params(Asked),
    responses(
        (status = 200, description = "The runs.", body = RunPage),
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
) -> Result<Json<RunPage>, Failure> {
    caller.must("read")?;
    let runs = site.home.state.runs(limit::within(asked.limit)?).await?;
    Ok(Json(RunPage { items: runs.into_iter().map(RunItem::from).collect() }))
}
