//! After a finding was confirmed: is it gone, still there, or there with other evidence?

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::failure::Failure;
use super::inbox::Chip;
use super::page::{Did, Page, html};
use super::session::Visitor;
use super::{Shared, changes};
use crate::report::clean;
use crate::store::{Desk, DeskFinding, DeskQuery, DeskRow, State as _, Tray};
use crate::time;

/// Apps of one page.
const APPS: u32 = 50;

#[derive(Template)]
#[template(path = "review/mending.html")]
struct MendingPage {
    page: Page,
    apps: Vec<Mending>,
}

/// An app with confirmed findings.
struct Mending {
    app: i64,
    title: String,
    store: String,
    at: String,
    findings: Vec<Followed>,
}

/// A confirmed finding, then and now.
struct Followed {
    chip: Chip,
    outcome: &'static str,
    mend_by: String,
    is_overdue: bool,
    was: Vec<String>,
    is: Vec<String>,
}

/// `GET /mending`: apps with confirmed findings, those first whose day comes first.
pub(super) async fn show(
    State(site): State<Shared>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let page = Page::new(&visitor, "mending", &Did::of(&query.unwrap_or_default()));
    let mut rows: Vec<DeskRow> = Vec::new();
    for tray in [Tray::Overdue, Tray::Confirmed, Tray::Mended, Tray::Reassessed] {
        let asked = DeskQuery { tray, today: time::today(), most: APPS, ..DeskQuery::default() };
        for row in site.home.state.desk(&asked).await? {
            if rows.iter().all(|seen| seen.app != row.app) {
                rows.push(row);
            }
        }
    }
    let due = |row: &DeskRow| (row.mend_by.is_empty(), row.mend_by.clone());
    rows.sort_by_key(due);
    let mut apps = Vec::new();
    for row in rows {
        apps.push(follow(&site, &page, row).await?);
    }
    html(&MendingPage { page, apps })
}

async fn follow(site: &Shared, page: &Page, row: DeskRow) -> Result<Mending, Failure> {
    let latest = site.home.state.audit(row.audit).await?.ok_or(Failure::NotFound)?;
    let mut findings = Vec::new();
    for finding in row.findings.iter().filter(|finding| finding.verdict == "confirmed") {
        let (was, is) = changes::then_and_now(site, finding, &latest.audit).await?;
        findings.push(Followed {
            chip: Chip::new(page, finding),
            outcome: outcome(finding),
            is_overdue: finding.is_open && !finding.mend_by.is_empty() && finding.mend_by < time::today(),
            mend_by: finding.mend_by.clone(),
            was,
            is,
        });
    }
    let names = [&row.title, &row.package];
    let title = names.into_iter().find(|name| !name.trim().is_empty()).map_or("", |name| name.trim());
    Ok(Mending {
        app: row.app,
        title: clean(title, 160),
        store: clean(&row.store, 40),
        at: time::told(row.at),
        findings,
    })
}

fn outcome(finding: &DeskFinding) -> &'static str {
    match (finding.is_open, finding.is_stale()) {
        // What could not be looked at is neither mended nor still there.
        _ if finding.is_unseen() => "unseen",
        (false, _) if !finding.is_mended() => "reassessed",
        (false, _) => "gone",
        (true, true) => "still_moved",
        (true, false) => "still",
    }
}
