//! How the stores stand: whether their files still fit them, and when each was last swept.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::Shared;
use super::failure::Failure;
use super::page::{Did, Page, html};
use super::session::Visitor;
use crate::report::clean;
use crate::runs::fit::{StoreFit, fits};
use crate::runs::status::status;
use crate::time;

/// Faults told of one store.
const FAULTS: usize = 3;
/// Characters of one.
const FAULT: usize = 300;

#[derive(Template)]
#[template(path = "review/stores.html")]
struct StoresPage {
    page: Page,
    stores: Vec<Row>,
}

struct Row {
    store: String,
    /// `good`, `broken`, `unclear`, or `unchecked`.
    stands: &'static str,
    day: String,
    fitted: String,
    lacks: String,
    faults: Vec<String>,
    swept: String,
}

/// `GET /stores`: those first that do not fit.
pub(super) async fn show(
    State(site): State<Shared>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let page = Page::new(&visitor, "stores", &Did::of(&query.unwrap_or_default()));
    let state = &site.home.state;
    let checked = fits(state).await.map_err(Failure::ours)?;
    let swept = status(state).await.map_err(Failure::ours)?.stores;
    let names: BTreeSet<&String> = checked.keys().chain(swept.keys()).collect();
    let row = |store: &String| {
        let success = swept.get(store).and_then(|store| store.last_success);
        Row { swept: success.map_or_else(String::new, time::told), ..Row::new(store, checked.get(store)) }
    };
    let mut stores: Vec<Row> = names.into_iter().map(row).collect();
    stores.sort_by_key(|row| ["broken", "unclear", "unchecked", "good"].iter().position(|is| *is == row.stands));
    html(&StoresPage { page, stores })
}

impl Row {
    fn new(store: &str, fit: Option<&StoreFit>) -> Self {
        let fit_or_none = fit.cloned().unwrap_or_default();
        let stands = match fit {
            None => "unchecked",
            Some(fit) if fit.is_broken => "broken",
            Some(fit) if fit.is_unclear => "unclear",
            Some(_) => "good",
        };
        Self {
            store: clean(store, 80),
            stands,
            day: clean(&fit_or_none.day, 20),
            fitted: clean(&fit_or_none.fitted, 20),
            lacks: clean(&fit_or_none.lacks.join(", "), FAULT),
            faults: fit_or_none.faults.iter().take(FAULTS).map(|fault| clean(fault, FAULT)).collect(),
            swept: String::new(),
        }
    }
}
