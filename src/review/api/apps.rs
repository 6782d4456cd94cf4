//! Apps.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::limit;
use super::problem::Problem;
use super::shapes::{AppItem, AppPage, AppReport, after, cursor};
use crate::review::Shared;
use crate::review::failure::Failure;
use crate::store::{Desk, DeskQuery, State as _, Tray};
use crate::time;

/// Which apps.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// `waiting`, `new`, `changed`, `stale`, `overdue`, `confirmed`, `dismissed`, `mended`, `unseen`, `reassessed`, `all` or `audited`.
    tray: String,
    /// Id of a sign.
    sign: String,
    /// Store.
    store: String,
    /// Id of a stage of schooling.
    stage: String,
    /// Id of a subject.
    subject: String,
    /// The provider, as stores name it.
    provider: String,
    /// `listed`, `not-listed` or `not-checked`.
    standing: String,
    /// Name of the person it is assigned to; `-` for nobody's.
    assigned: String,
    /// Part of title, package or provider.
    search: String,
    /// `next` of the page before.
    cursor: String,
    /// Apps of this page, at most.
    #[param(minimum = 1, maximum = 200)]
    limit: u32,
}

impl Default for Asked {
    fn default() -> Self {
        let none = String::new;
        Self {
            tray: Tray::All.id().into(),
            sign: none(),
            store: none(),
            stage: none(),
            subject: none(),
            provider: none(),
            standing: none(),
            assigned: none(),
            search: none(),
            cursor: none(),
            limit: limit::USUAL,
        }
    }
}

impl Asked {
    fn query(self) -> Result<DeskQuery, Failure> {
        Ok(DeskQuery {
            tray: Tray::from_id(&self.tray).ok_or(Failure::Bad("tray"))?,
            after: Some(after(&self.cursor)?),
            sign: self.sign,
            store: self.store,
            stage: self.stage,
            subject: self.subject,
            provider: self.provider,
            standing: self.standing,
            assigned: self.assigned,
            search: self.search,
            today: time::today(),
            skip: 0,
            most: limit::within(self.limit)?,
        })
    }
}

/// Apps with findings, by number.
#[utoipa::path(
    get,
    path = "/api/v1/apps",
    tag = "apps",
    operation_id = "listApps",
    params(Asked),
    responses(
        (status = 200, description = "A page of apps.", body = AppPage),
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
) -> Result<Json<AppPage>, Failure> {
    caller.must("read")?;
    let query = asked.query()?;
    let rows = site.home.state.desk(&query).await?;
    let next = (rows.len() == query.most as usize).then(|| rows.last().map(|row| cursor(row.app))).flatten();
    Ok(Json(AppPage { items: rows.into_iter().map(AppItem::from).collect(), next }))
}

/// One app with its latest audit.
#[utoipa::path(
    get,
    path = "/api/v1/apps/{app}",
    tag = "apps",
    operation_id = "getApp",
    params(("app" = i64, Path, description = "The app's number.")),
    responses(
        (status = 200, description = "The app.", body = AppReport),
        (status = 400, description = "No number.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No token, or none of ours.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The client may not.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such app has findings.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn one(
    State(site): State<Shared>,
    caller: Caller,
    Path(app): Path<i64>,
) -> Result<Json<AppReport>, Failure> {
    caller.must("read")?;
    let row = site.home.state.desk_row(app).await?.ok_or(Failure::NotFound)?;
    let latest = site.home.state.audit(row.audit).await?.ok_or(Failure::NotFound)?;
    Ok(Json(AppReport {
        app: row.into(),
        made_by: serde_json::to_value(&latest.made_by).map_err(Failure::ours)?,
        audit: serde_json::to_value(&latest.audit).map_err(Failure::ours)?,
    }))
}
