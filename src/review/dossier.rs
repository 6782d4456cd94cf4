//! An app on paper: everything known and decided, without forms.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::Shared;
use super::app::Case;
use super::failure::Failure;
use super::listing::ListingView;
use super::page::{Did, Page, html};
use super::session::Visitor;
use crate::report::html::{Markup, article};
use crate::report::{law, words};
use crate::time;

#[derive(Template)]
#[template(path = "review/dossier.html")]
struct Dossier {
    page: Page,
    title: String,
    printed: String,
    audited: String,
    audit: i64,
    pack: String,
    policy: String,
    version: String,
    not_a_verdict: String,
    article: Markup,
    listing: Option<ListingView>,
}

/// `GET /app/ID/dossier`
pub(super) async fn show(
    State(site): State<Shared>,
    Path(app): Path<i64>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let page = Page::new(&visitor, "inbox", &Did::default());
    let case = Case::of(&site, app).await?;
    let panels = case.panels(&site, &page, "", true).await?;
    let made_by = case.latest.made_by.clone();
    html(&Dossier {
        title: case.title(),
        printed: time::told(time::now()),
        audited: time::told(case.latest.at),
        audit: case.latest.id,
        pack: made_by.pack_sha256,
        policy: law::names(&case.latest.audit.basis, &made_by.policy).get(page.lang).to_owned(),
        version: made_by.version,
        not_a_verdict: words::not_a_verdict().get(page.lang).to_owned(),
        article: article(&case.latest.audit, &panels)?,
        listing: case.listing(&site, &page).await?,
        page,
    })
}
