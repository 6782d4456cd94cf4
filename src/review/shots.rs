//! Screenshots that a sweep kept: shown from the vault, so that no store learns who looks.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::failure::Failure;
use super::session::Visitor;
use crate::runs::evidence::screenshot;
use crate::store::State as _;

/// `GET /app/ID/screenshot/N`, counted from 0.
pub(super) async fn show(
    State(site): State<Shared>,
    Path((app, number)): Path<(i64, usize)>,
    _visitor: Visitor,
) -> Result<Response, Failure> {
    let latest = site.home.state.history(app, 1).await?.pop().ok_or(Failure::NotFound)?;
    let listing = latest.listing.ok_or(Failure::NotFound)?;
    let row = site.home.state.listing(listing).await?.ok_or(Failure::NotFound)?;
    let places = (&site.home.state, &site.home.vault);
    let shot = screenshot(places, &row.listing, number).await.map_err(Failure::ours)?;
    let (kind, bytes) = shot.ok_or(Failure::NotFound)?;
    let kind = if kind == "jpg" { "image/jpeg".to_owned() } else { format!("image/{kind}") };
    Ok(([(header::CONTENT_TYPE, kind)], bytes).into_response())
}
