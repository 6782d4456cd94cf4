//! What the case backend was told and is to be told, to be read again: for one that lost what it had.

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::limit;
use super::problem::Problem;
use crate::feed::event;
use crate::review::Shared;
use crate::review::failure::Failure;
use crate::store::Outbox;

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventPage {
    /// The events as the feed sends them, by `sequence`.
    #[schema(value_type = Vec<Object>)]
    items: Vec<Value>,
    /// `after` of the next page; absent where nothing more is there yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// `sequence` of the last event that is known; 0 for all.
    #[param(minimum = 0)]
    after: i64,
    /// Events of this page, at most.
    #[param(minimum = 1, maximum = 200)]
    limit: u32,
}

impl Default for Asked {
    fn default() -> Self {
        Self { after: 0, limit: limit::USUAL }
    }
}

/// Events after an event, in the order they were written, sent or not. Their ids are those of the feed: a
/// receiver that keeps each once can fill what it lost.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "findings",
    operation_id = "listEvents",
    params(Asked),
    responses(
        (status = 200, description = "A page of events (`docs/feed/event.schema.json`).", body = EventPage),
        (status = 400, description = "A parameter cannot be read.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No token, or none of ours.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The client may not `read`.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(site): State<Shared>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<EventPage>, Failure> {
    caller.must("read")?;
    let most = limit::within(asked.limit)?;
    let letters = site.home.state.letters_after(asked.after, most).await?;
    let next = letters.last().filter(|_| letters.len() == most as usize).map(|letter| letter.id);
    let mut items = Vec::new();
    for letter in &letters {
        items.push(event(&site.home.state, letter, &site.options.source, &site.options.page).await?);
    }
    Ok(Json(EventPage { items, next }))
}
