//! How well recognition does, as people's decisions say.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::Shared;
use super::failure::Failure;
use super::page::{Did, Page, html};
use super::session::Visitor;
use crate::report::clean;
use crate::store::{Agreement, Desk, RunCount, TwoReviewers};
use crate::time;

/// Runs shown.
const RUNS: u32 = 20;

#[derive(Template)]
#[template(path = "review/results.html")]
struct ResultsPage {
    page: Page,
    signatures: Vec<Bar>,
    runs: Vec<RunBar>,
    two: TwoReviewers,
}

/// Share of a signature's findings that people confirmed.
struct Bar {
    id: String,
    /// It speaks against its sign.
    is_counter: bool,
    right: u64,
    wrong: u64,
    share: String,
    /// Per cent, for the drawing.
    width: u64,
}

/// What a run did.
struct RunBar {
    run: i64,
    began: String,
    audited: u64,
    skipped: u64,
    /// Per cent of the largest run.
    width: u64,
    skipped_width: u64,
}

fn per_cent(part: u64, whole: u64) -> u64 {
    (part * 100 + whole / 2).checked_div(whole).unwrap_or(0)
}

impl Bar {
    fn new(told: Agreement) -> Self {
        let width = per_cent(told.right, told.right + told.wrong);
        Self {
            id: clean(&told.id, 80),
            is_counter: told.is_counter,
            right: told.right,
            wrong: told.wrong,
            share: format!("{width} %"),
            width,
        }
    }
}

impl RunBar {
    fn new(run: &RunCount, most: u64) -> Self {
        Self {
            run: run.run,
            began: time::told(run.began),
            audited: run.audited,
            skipped: run.skipped,
            width: per_cent(run.audited, most),
            skipped_width: per_cent(run.skipped, most),
        }
    }
}

impl ResultsPage {
    fn two_told(&self) -> String {
        if self.two.decided == 0 {
            return self.page.t("two_none");
        }
        let share = format!("{} %", per_cent(self.two.same, self.two.decided));
        let (n, same) = (self.two.decided.to_string(), self.two.same.to_string());
        self.page.with("two_told", &[("n", &n), ("same", &same), ("share", &share)])
    }
}

/// `GET /results`
pub(super) async fn show(
    State(site): State<Shared>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let page = Page::new(&visitor, "results", &Did::of(&query.unwrap_or_default()));
    let state = &site.home.state;
    let (mut agreements, two, runs) =
        tokio::try_join!(state.by_signature(), state.two_reviewers(), state.run_counts(RUNS))?;
    // What people disagree with most is what its author wants to see first.
    agreements.sort_by_key(|told| (per_cent(told.right, told.right + told.wrong), told.id.clone()));
    let most = runs.iter().map(|run| run.audited + run.skipped).max().unwrap_or(0);
    html(&ResultsPage {
        page,
        signatures: agreements.into_iter().map(Bar::new).collect(),
        runs: runs.iter().map(|run| RunBar::new(run, most)).collect(),
        two,
    })
}
