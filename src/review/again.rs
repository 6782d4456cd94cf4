//! Another audit, asked for by a person.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::failure::Failure;
use super::page::Page;
use super::role::Right;
use super::session::{Form, note};
use super::{Shared, api, decide};
use crate::report::{clean, words};
use crate::runs::asked::{KIND, Wish, ask, claimed_store, client_of, is_bare};
use crate::store::{AuditRow, Desk, DeskRow, State as _};
use crate::time;

/// Longest name of an app in a store.
const PACKAGE_MAX: usize = 200;

/// A wish for an app of a store that is known here: configured, or swept before (a repository that was
/// named by its address).
///
/// # Errors
/// When the store is not known, or the package can be none.
pub(super) async fn wish_of_app(site: &Shared, store: &str, package: &str) -> Result<Wish, Failure> {
    let is_swept = async || Ok::<_, Failure>(!site.home.state.find(store, package).await?.is_empty());
    if !site.options.stores.contains(store) && (store.is_empty() || client_of(store).is_some() || !is_swept().await?) {
        return Err(Failure::NoStore(site.options.stores.iter().cloned().collect::<Vec<_>>().join(", ")));
    }
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace();
    if package.is_empty() || package.chars().count() > PACKAGE_MAX || !package.chars().all(is_plain) {
        return Err(Failure::Bad("target"));
    }
    Ok(Wish::App { store: store.into(), package: package.into() })
}

/// The wish that looks at an app again; `None` where it can only come from outside.
pub(super) async fn wish_of_row(site: &Shared, row: &DeskRow, latest: &AuditRow) -> Result<Option<Wish>, Failure> {
    if let Some(client) = client_of(&row.store) {
        let Some(sha256) = latest.artifact.clone() else { return Ok(None) };
        let name = if row.title.is_empty() { row.package.clone() } else { row.title.clone() };
        let listing = match latest.listing {
            Some(id) => site.home.state.listing(id).await?.map(|row| Box::new(row.listing)),
            None => None,
        };
        let listing = listing.filter(|listing| !is_bare(listing)).map(|mut listing| {
            listing.store = claimed_store(&listing).to_owned();
            listing
        });
        return Ok(Some(Wish::File { sha256, name, listing, client: client.to_owned() }));
    }
    // The store's own name of the app: its package may call itself otherwise.
    let app = site.home.state.apps(row.app - 1, 1).await?.pop().filter(|app| app.id == row.app);
    let Some(app) = app else { return Ok(None) };
    Ok(wish_of_app(site, &app.store, &app.name).await.ok())
}

/// `POST /app/ID/again`
pub(super) async fn show(State(site): State<Shared>, Path(app): Path<i64>, form: Form) -> Result<Response, Failure> {
    form.visitor.must(Right::Decide)?;
    let row = site.home.state.desk_row(app).await?.ok_or(Failure::NotFound)?;
    let latest = site.home.state.audit(row.audit).await?.ok_or(Failure::NotFound)?;
    let wish = wish_of_row(&site, &row, &latest).await?.ok_or(Failure::Bad("store"))?;
    api::has_room(&site).await?;
    ask(&site.home.state, &wish, time::now()).await.map_err(Failure::ours)?;
    note(&site, &form.visitor.name, "asked", &wish.target()).await?;
    let from = decide::from_query(form.fields.get("from"));
    Ok(Redirect::to(&format!("/app/{app}?{from}&did=queued")).into_response())
}

/// The latest audit that somebody asked for, as the page tells it; empty without one.
pub(super) async fn told(site: &Shared, page: &Page, wish: Option<&Wish>) -> Result<String, Failure> {
    let Some(wish) = wish else { return Ok(String::new()) };
    let Some(run) = site.home.state.latest_run(KIND, &wish.scope().map_err(Failure::ours)?).await? else {
        return Ok(String::new());
    };
    let at = time::told(run.began);
    if run.ended.is_none() {
        return Ok(page.n("asked.open", "at", at));
    }
    let skips = site.home.state.skips(run.id, 0, 1).await?;
    Ok(match skips.first() {
        Some(skip) => {
            let code = words::skip_code(&skip.skipped.code).map(|code| code.get(page.lang).to_owned());
            let why = code.unwrap_or_else(|| clean(&skip.skipped.reason, 200));
            page.with("asked.failed", &[("at", &at), ("why", &why)])
        }
        None => page.n("asked.done", "at", at),
    })
}
