//! One app: everything a person needs to decide in a minute.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::again;
use super::changes::{self, Change, EvidenceChange};
use super::draft::{self, Draft};
use super::failure::Failure;
use super::inbox::{Chip, sight_of, state_of};
use super::listing::ListingView;
use super::page::{Did, Page, html};
use super::query::Asked;
use super::session::Visitor;
use super::{Shared, lists, reasons};
use crate::report::html::{Markup, article};
use crate::report::{clean, words};
use crate::runs::evidence::screenshots_at_hand;
use crate::store::{AuditRow, Desk, DeskFinding, DeskQuery, DeskRow, People, Review, State as _, Tray};
use crate::time;

/// Audits of an app shown.
const HISTORY: u32 = 20;
/// Copies in other stores shown.
const COPIES: usize = 20;

#[derive(Template)]
#[template(path = "review/app.html")]
struct AppPage {
    page: Page,
    row: DeskRow,
    /// The inbox it was opened from.
    from: String,
    title: String,
    article: Markup,
    /// Findings that the latest audit does not have, seen or gone, with what was decided.
    gone: Vec<(Chip, Markup)>,
    listing: Option<ListingView>,
    /// Numbers of screenshots that a sweep kept.
    shots: Vec<usize>,
    versions: Vec<Version>,
    copies: Vec<(i64, String, String)>,
    changes: Option<Vec<Change>>,
    people: Vec<String>,
    next: Option<i64>,
    /// Lists of the case backend that have it.
    lists: Vec<String>,
    /// It can be audited again from here.
    can_ask: bool,
    /// The latest audit that somebody asked for.
    asked: String,
}

/// One audit in the list of them.
struct Version {
    at: String,
    version: String,
    findings: usize,
    is_this: bool,
}

/// Why a finding was not seen by the latest audit, or went without a change of the app; empty else.
fn why(page: &Page, finding: &DeskFinding) -> String {
    let list = |words: Vec<String>| words.join(if page.is_zh() { "、" } else { ", " });
    if finding.is_unseen() {
        let name = |code: &String| words::because(code).get(page.lang).to_owned();
        return page.n("unseen_why", "why", list(finding.because.iter().map(name).collect()));
    }
    if finding.is_open || finding.cause.is_empty() || finding.cause == "app" {
        return String::new();
    }
    page.n("cause_why", "why", list(finding.cause.split_whitespace().map(|cause| page.of("cause", cause)).collect()))
}

/// What stands below a finding: its state, the decisions about it and the form for another.
#[derive(Template)]
#[template(path = "review/finding.html")]
pub(super) struct Panel {
    pub(super) page: Page,
    pub(super) finding: DeskFinding,
    pub(super) state: &'static str,
    /// Key under `page.is` for how little the latest audit saw of it; empty where it saw it whole.
    pub(super) sight: &'static str,
    /// Why it was not seen, or has gone without a change of the app; empty else.
    pub(super) why: String,
    pub(super) reviews: Vec<ReviewView>,
    pub(super) change: Option<EvidenceChange>,
    pub(super) from: String,
    pub(super) in_30_days: String,
    pub(super) tomorrow: String,
    /// Examples drafted from it, where it was found wrong.
    pub(super) drafts: Vec<Draft>,
    /// For paper: history without forms.
    pub(super) is_printed: bool,
}

impl Panel {
    fn reasons(&self, verdict: &str) -> &'static [&'static str] {
        reasons::of(verdict)
    }

    fn verdicts(&self) -> [&'static str; 3] {
        reasons::VERDICTS
    }
}

/// A decision as people read it.
pub(super) struct ReviewView {
    pub(super) verdict: String,
    pub(super) who: String,
    pub(super) at: String,
    pub(super) reason: String,
    pub(super) note: String,
    pub(super) mend_by: String,
    pub(super) audit: i64,
    pub(super) pack: String,
}

impl ReviewView {
    fn new(page: &Page, review: Review, pack: String) -> Self {
        let reason =
            if review.reason.is_empty() { String::new() } else { page.t(&format!("r.{}", clean(&review.reason, 40))) };
        Self {
            verdict: page.t(&format!("is.{}", review.verdict)),
            who: clean(&review.who, 40),
            at: time::told(review.at),
            reason,
            note: clean(&review.note, 4_000),
            mend_by: review.mend_by,
            audit: review.audit,
            pack,
        }
    }
}

/// Everything the page of an app and its dossier are made from.
pub(super) struct Case {
    pub(super) row: DeskRow,
    pub(super) history: Vec<AuditRow>,
    pub(super) latest: AuditRow,
}

impl Case {
    pub(super) async fn of(site: &Shared, app: i64) -> Result<Self, Failure> {
        let row = site.home.state.desk_row(app).await?.ok_or(Failure::NotFound)?;
        let history = site.home.state.history(app, HISTORY).await?;
        let latest = history.first().cloned().ok_or(Failure::NotFound)?;
        Ok(Self { row, history, latest })
    }

    /// Panels below findings, by id.
    pub(super) async fn panels(
        &self,
        site: &Shared,
        page: &Page,
        from: &str,
        is_printed: bool,
    ) -> Result<BTreeMap<String, Markup>, Failure> {
        let mut panels = BTreeMap::new();
        for finding in &self.row.findings {
            let change =
                if finding.is_stale() { changes::of_evidence(site, finding, &self.latest.audit).await? } else { None };
            let panel = Panel {
                page: page.clone(),
                finding: finding.clone(),
                state: state_of(finding),
                sight: sight_of(finding),
                why: why(page, finding),
                reviews: self.reviews(site, page, finding).await?,
                change,
                from: from.to_owned(),
                in_30_days: time::in_days(30),
                tomorrow: time::in_days(1),
                drafts: self.drafts(finding),
                is_printed,
            };
            panels.insert(finding.id.clone(), Markup::rendered(&panel)?);
        }
        Ok(panels)
    }

    fn drafts(&self, finding: &DeskFinding) -> Vec<Draft> {
        let found = self.latest.audit.findings.iter().find(|found| found.sign.id() == finding.sign);
        let wrong = found.filter(|_| finding.verdict == "dismissed");
        wrong.map_or_else(Vec::new, |wrong| draft::of(&wrong.evidence))
    }

    async fn reviews(&self, site: &Shared, page: &Page, finding: &DeskFinding) -> Result<Vec<ReviewView>, Failure> {
        let mut views = Vec::new();
        for review in site.home.state.reviews(&finding.id).await? {
            let pack = match self.history.iter().find(|row| row.id == review.audit) {
                Some(row) => row.made_by.pack_sha256.clone(),
                None => site.home.state.audit(review.audit).await?.map_or_else(String::new, |a| a.made_by.pack_sha256),
            };
            views.push(ReviewView::new(page, review, pack.chars().take(12).collect()));
        }
        Ok(views)
    }

    pub(super) async fn listing(&self, site: &Shared, page: &Page) -> Result<Option<ListingView>, Failure> {
        let Some(id) = self.latest.listing else { return Ok(None) };
        let row = site.home.state.listing(id).await?;
        Ok(row.map(|row| ListingView::new(page, &row.listing, &self.latest.audit)))
    }

    async fn shots(&self, site: &Shared) -> Result<Vec<usize>, Failure> {
        let Some(id) = self.latest.listing else { return Ok(Vec::new()) };
        let Some(row) = site.home.state.listing(id).await? else { return Ok(Vec::new()) };
        screenshots_at_hand(&site.home.state, &row.listing).await.map_err(Failure::ours)
    }

    pub(super) fn title(&self) -> String {
        let names = [&self.row.title, &self.row.package];
        let name = names.into_iter().find(|name| !name.trim().is_empty());
        name.map_or_else(|| format!("#{}", self.row.app), |name| clean(name.trim(), 160))
    }

    async fn copies(&self, site: &Shared) -> Result<Vec<(i64, String, String)>, Failure> {
        if self.row.package.is_empty() {
            return Ok(Vec::new());
        }
        let all = site.home.state.find("", &self.row.package).await?;
        let others = all.into_iter().filter(|app| app.id != self.row.app).take(COPIES);
        Ok(others.map(|app| (app.id, clean(&app.store, 40), clean(&app.name, 160))).collect())
    }

    fn versions(&self) -> Vec<Version> {
        let version = |row: &AuditRow| Version {
            at: time::told(row.at),
            version: clean(&format!("{} ({})", row.audit.app.version_name, row.audit.app.version_code), 60),
            findings: row.audit.findings.len(),
            is_this: row.id == self.latest.id,
        };
        self.history.iter().map(version).collect()
    }
}

/// `GET /app/ID`
pub(super) async fn show(
    State(site): State<Shared>,
    Path(app): Path<i64>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let from = from_of(&query);
    let page = Page::new(&visitor, "inbox", &Did::of(&query));
    let case = Case::of(&site, app).await?;
    let mut panels = case.panels(&site, &page, &from, false).await?;
    let is_shown = |f: &&DeskFinding| case.latest.audit.findings.iter().any(|found| found.id == f.id);
    let gone = case.row.findings.iter().filter(|f| !is_shown(f));
    let gone = gone.map(|f| (Chip::new(&page, f), panels.remove(&f.id).unwrap_or_default())).collect();
    let people = if page.may_assign() {
        site.home.state.people().await?.into_iter().filter(|p| p.is_active).map(|p| p.name).collect()
    } else {
        Vec::new()
    };
    let wish = again::wish_of_row(&site, &case.row, &case.latest).await?;
    html(&AppPage {
        lists: lists::told(&site, &page, &case.latest.audit).await?,
        can_ask: wish.is_some() && page.may_decide(),
        asked: again::told(&site, &page, wish.as_ref()).await?,
        title: case.title(),
        article: article(&case.latest.audit, &panels)?,
        gone,
        listing: case.listing(&site, &page).await?,
        shots: case.shots(&site).await?,
        versions: case.versions(),
        copies: case.copies(&site).await?,
        changes: changes::of_versions(&site, &page, &case.history).await?,
        next: next(&site, app, &from).await?,
        row: case.row,
        people,
        from,
        page,
    })
}

/// The inbox that an address says a page was opened from.
fn from_of(query: &str) -> String {
    let from = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "from");
    from.map_or_else(String::new, |(_, from)| Asked::of(&from).written())
}

/// The app after this one in the inbox, or its first where this one has left it.
pub(super) async fn next(site: &Shared, app: i64, from: &str) -> Result<Option<i64>, Failure> {
    let rows = site.home.state.desk(&Asked::of(from).desk).await?;
    let after = rows.iter().position(|row| row.app == app).and_then(|at| rows.get(at + 1));
    Ok(after.or_else(|| rows.iter().find(|row| row.app != app)).map(|row| row.app))
}

/// `GET /finding/ID`: its app, at the finding. What the case backend links to.
pub(super) async fn of_finding(
    State(site): State<Shared>,
    Path(id): Path<String>,
    _visitor: Visitor,
) -> Result<Response, Failure> {
    let finding = site.home.state.finding(&id).await?.ok_or(Failure::NotFound)?;
    // By an id that it had before, too.
    Ok(Redirect::to(&format!("/app/{}#f-{}", finding.app, finding.id)).into_response())
}

impl AppPage {
    fn back_query(&self) -> String {
        super::decide::from_query(&self.from)
    }

    /// Filters take plain text only: see `Asked::of`.
    fn has_plain_provider(&self) -> bool {
        !self.row.developer.is_empty() && self.provider() == self.row.developer
    }

    fn provider(&self) -> String {
        clean(&self.row.developer, 80)
    }

    /// The inbox's address for everything of this provider.
    fn of_provider(&self) -> String {
        let desk = DeskQuery { tray: Tray::All, provider: self.row.developer.clone(), ..DeskQuery::default() };
        Asked { desk, page: 1 }.written()
    }

    fn standing(&self) -> String {
        words::find(&format!("standing.{}", self.row.standing))
            .map_or_else(String::new, |phrase| phrase.get(self.page.lang).to_owned())
    }
}
