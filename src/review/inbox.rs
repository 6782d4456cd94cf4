//! The inbox: one row an app, with its signs.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::failure::Failure;
use super::page::{Did, Page, html};
use super::query::{Asked, PAGE};
use super::session::{Form, Visitor};
use super::{Shared, reasons};
use crate::model::Sign;
use crate::report::words;
use crate::report::{clean, percent};
use crate::store::{Desk, DeskCounts, DeskFinding, DeskRow, People, Tray};
use crate::time;

/// Longest title in a row.
const TITLE: usize = 80;
const STAGES: [&str; 4] = ["preschool", "primary", "junior", "senior"];
const SUBJECTS: [&str; 11] = [
    "ethics",
    "chinese",
    "history",
    "geography",
    "maths",
    "english",
    "japanese",
    "russian",
    "physics",
    "chemistry",
    "biology",
];
const STANDINGS: [&str; 3] = ["listed", "not-listed", "not-checked"];

#[derive(Template)]
#[template(path = "review/inbox.html")]
struct InboxPage {
    page: Page,
    asked: Asked,
    counts: DeskCounts,
    rows: Vec<RowView>,
    views: Vec<(String, String)>,
    pages: u64,
}

/// An app as a row.
struct RowView {
    app: i64,
    audit: i64,
    title: String,
    package: String,
    store: String,
    developer: String,
    stages: String,
    level: String,
    level_id: String,
    assigned: String,
    at: String,
    mend_by: String,
    is_overdue: bool,
    chips: Vec<Chip>,
    /// `#f-ID` of the finding that the filter asks for; empty without one.
    anchor: String,
}

/// A finding in a row.
pub(super) struct Chip {
    pub(super) id: String,
    pub(super) sign: String,
    pub(super) severity: String,
    pub(super) share: String,
    /// Key under `page.is`.
    pub(super) state: &'static str,
    /// Key under `page.is` for how little the latest audit saw of it; empty where it saw it whole.
    pub(super) sight: &'static str,
}

impl Chip {
    /// Nobody has to look at it.
    pub(super) fn is_settled(&self) -> bool {
        matches!(self.state, "dismissed" | "gone" | "reassessed")
    }

    pub(super) fn new(page: &Page, finding: &DeskFinding) -> Self {
        let sign = Sign::from_id(&finding.sign);
        Self {
            id: finding.id.clone(),
            sign: sign.map_or_else(|| finding.sign.clone(), |sign| words::sign(sign).get(page.lang).to_owned()),
            severity: finding.severity.clone(),
            share: percent(finding.probability),
            state: state_of(finding),
            sight: sight_of(finding),
        }
    }
}

/// Key under `page.is` for where a finding stands.
pub(super) fn state_of(finding: &DeskFinding) -> &'static str {
    match finding.verdict.as_str() {
        _ if finding.is_stale() => "stale",
        "confirmed" if finding.is_mended() => "gone",
        "confirmed" if !finding.is_open => "reassessed",
        "confirmed" => "confirmed",
        "dismissed" => "dismissed",
        _ if !finding.is_open => "gone",
        "again" => "again",
        _ if finding.is_fresh => "new",
        _ if finding.is_changed => "changed",
        _ => "waiting",
    }
}

/// Key under `page.is` for how little the latest audit saw of a finding; empty where it saw it whole.
pub(super) fn sight_of(finding: &DeskFinding) -> &'static str {
    match finding.sight.as_str() {
        _ if !finding.is_unseen() => "",
        "part" => "partly",
        _ => "unseen",
    }
}

impl RowView {
    fn new(page: &Page, asked: &Asked, row: DeskRow) -> Self {
        let stages: Vec<String> =
            STAGES.iter().filter(|id| row.stages.iter().any(|s| s == *id)).map(|id| page.named("stage", id)).collect();
        let anchor = row.findings.iter().find(|finding| finding.sign == asked.desk.sign);
        let title = [&row.title, &row.package].into_iter().find(|t| !t.trim().is_empty());
        Self {
            app: row.app,
            audit: row.audit,
            title: title.map_or_else(|| format!("#{}", row.app), |title| clean(title.trim(), TITLE)),
            package: clean(&row.package, TITLE),
            store: clean(&row.store, 40),
            developer: clean(&row.developer, TITLE),
            stages: stages.join(if page.is_zh() { "、" } else { ", " }),
            level: page.named("level", &row.level),
            level_id: row.level,
            assigned: row.assigned,
            at: time::told(row.at),
            is_overdue: !row.mend_by.is_empty() && row.mend_by < asked.desk.today,
            mend_by: row.mend_by,
            anchor: anchor.map_or_else(String::new, |finding| format!("#f-{}", finding.id)),
            chips: row.findings.iter().map(|finding| Chip::new(page, finding)).collect(),
        }
    }
}

impl InboxPage {
    fn trays(&self) -> Vec<(Tray, String, u64)> {
        let count = |tray| self.counts.trays.get(&tray).copied().unwrap_or(0);
        Tray::ALL.into_iter().map(|tray| (tray, self.asked.with(tray, 1), count(tray))).collect()
    }

    /// The filters with a list to pick from: name of the field, and each choice's value and name.
    fn choices(&self) -> Vec<(&'static str, Vec<(String, String)>)> {
        let named = |section: &'static str, ids: &[&str]| {
            ids.iter().map(|id| ((*id).to_owned(), self.page.named(section, id))).collect::<Vec<_>>()
        };
        let signs = Sign::ALL.iter().map(|sign| {
            let count = self.counts.signs.get(sign.id()).copied().unwrap_or(0);
            (sign.id().to_owned(), format!("{} ({count})", words::sign(*sign).get(self.page.lang)))
        });
        let stores = self.counts.stores.iter().map(|store| (store.clone(), clean(store, 40)));
        let mut people = vec![("-".to_owned(), self.page.t("nobody"))];
        people.extend(self.counts.assigned.iter().map(|name| (name.clone(), clean(name, 40))));
        vec![
            ("sign", signs.collect()),
            ("store", stores.collect()),
            ("stage", named("stage", &STAGES)),
            ("subject", named("subject", &SUBJECTS)),
            ("standing", named("standing", &STANDINGS)),
            ("assigned", people),
        ]
    }

    fn chosen(&self, field: &str) -> &str {
        self.asked.filters().into_iter().find(|(name, _)| *name == field).map_or("", |(_, value)| value)
    }

    fn at_page(&self, page: u32) -> String {
        self.asked.with(self.asked.desk.tray, page)
    }

    /// The inbox's address, to come back to from an app.
    fn here(&self) -> String {
        url::form_urlencoded::byte_serialize(self.asked.written().as_bytes()).collect()
    }

    fn has_later(&self) -> bool {
        u64::from(self.asked.page) < self.pages
    }

    fn nothing(&self) -> &'static str {
        if self.counts.trays.get(&Tray::All) == Some(&0) { "empty_all" } else { "empty" }
    }

    fn reasons(&self, verdict: &str) -> &'static [&'static str] {
        reasons::of(verdict)
    }

    fn verdicts(&self) -> [&'static str; 3] {
        reasons::VERDICTS
    }

    fn in_30_days(&self) -> String {
        time::in_days(30)
    }
}

/// `GET /`
pub(super) async fn show(
    State(site): State<Shared>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let asked = Asked::of(&query);
    let page = Page::new(&visitor, "inbox", &Did::of(&query));
    let state = &site.home.state;
    let (rows, counts, views) =
        tokio::try_join!(state.desk(&asked.desk), state.desk_counts(&asked.desk), state.views(&visitor.name))?;
    let rows = rows.into_iter().map(|row| RowView::new(&page, &asked, row)).collect();
    let pages = counts.found.div_ceil(u64::from(PAGE)).max(1);
    html(&InboxPage { page, asked, counts, rows, views, pages })
}

/// Named filters of one person at most.
const VIEWS_MAX: usize = 30;

/// `POST /views`: names the filters of an address, or forgets a name.
pub(super) async fn keep_view(State(site): State<Shared>, form: Form) -> Result<Response, Failure> {
    let name: String = form.fields.get("view").chars().take(40).collect();
    let asked = Asked::of(form.fields.get("query"));
    let is_kept = form.fields.get("forget").is_empty();
    let state = &site.home.state;
    if name.is_empty() || (is_kept && state.views(&form.visitor.name).await?.len() >= VIEWS_MAX) {
        return Err(Failure::Bad("long"));
    }
    // The page is no part of a view, and the first tray without filters still has an address.
    let query = if is_kept { format!("{}&view=1", asked.with(asked.desk.tray, 1)) } else { String::new() };
    state.keep_view(&form.visitor.name, &name, query.trim_start_matches('&')).await?;
    Ok(Redirect::to(&format!("/?{}&did=view", asked.written())).into_response())
}
