//! Findings and their evidence.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;

use super::caller::Caller;
use super::problem::Problem;
use super::shapes::{DecisionItem, FindingItem, FindingReport};
use crate::review::failure::Failure;
use crate::review::{Shared, bag};
use crate::store::{Desk, State as _};

/// One finding, its evidence and the decisions about it.
#[utoipa::path(
    get,
    path = "/api/v1/findings/{finding}",
    tag = "findings",
    operation_id = "getFinding",
    params(("finding" = String, Path, description = "The finding's id.")),
    responses(
        (status = 200, description = "The finding.", body = FindingReport),
        (status = 400, description = "No id.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No token, or none of ours.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The client may not.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such finding.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn one(
    State(site): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<FindingReport>, Failure> {
    caller.must("read")?;
    let known = site.home.state.finding(&id).await?.ok_or(Failure::NotFound)?;
    let row = site.home.state.desk_row(known.app).await?.ok_or(Failure::NotFound)?;
    let finding = row.findings.iter().find(|finding| finding.id == known.id).ok_or(Failure::NotFound)?;
    let audit = site.home.state.audit(finding.last_audit).await?;
    let report = audit.and_then(|row| row.audit.findings.into_iter().find(|finding| finding.id == known.id));
    let reviews = site.home.state.reviews(&known.id).await?;
    Ok(Json(FindingReport {
        finding: FindingItem::from(finding),
        report: report.map(serde_json::to_value).transpose().map_err(Failure::ours)?,
        decisions: reviews.into_iter().map(DecisionItem::from).collect(),
    }))
}

/// What a finding rests on: a BagIt bag as a ZIP archive.
#[utoipa::path(
    get,
    path = "/api/v1/findings/{finding}/bag",
    tag = "findings",
    operation_id = "getBag",
    params(("finding" = String, Path, description = "The finding's id.")),
    responses(
        (status = 200, description = "The bag; `xunjian evidence verify` checks it.", content_type = "application/zip"),
        (status = 400, description = "No id.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No token, or none of ours.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The client may not.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such finding.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Something it rested on is not kept any more.", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "The timestamp authority gave no valid timestamp; ask again later.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn bag(
    State(site): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    caller.must("read")?;
    bag::of_finding(&site, &id, &caller.name).await
}
