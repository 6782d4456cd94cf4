//! One's own account.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::Shared;
use super::failure::Failure;
use super::page::{Did, Page, html};
use super::people::hashed;
use super::session::{Form, Visitor, entry, note};
use super::tries::{Known, knows_own};
use crate::store::{People, Person};

#[derive(Template)]
#[template(path = "review/me.html")]
struct MePage {
    page: Page,
    /// A password was given to them.
    must_choose: bool,
}

/// `GET /me`
pub(super) async fn show(visitor: Visitor, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let page = Page::new(&visitor, "me", &Did::of(&query.unwrap_or_default()));
    html(&MePage { page, must_choose: visitor.must_choose })
}

/// `POST /me`: another password; every session of the person ends. Who guesses at the old one has the
/// session taken away: it may be stolen.
pub(super) async fn change_password(State(site): State<Shared>, form: Form) -> Result<Response, Failure> {
    let field = |name| form.fields.all(name).next().unwrap_or_default().to_owned();
    let name = &form.visitor.name;
    match knows_own(&site, name, field("old")).await? {
        Known::Yes => {}
        Known::No => return Err(Failure::Bad("old-password")),
        Known::Locked => {
            site.home.state.sign_out(&form.visitor.token).await?;
            note(&site, name, "locked", "/me").await?;
            return Err(Failure::SignIn);
        }
    }
    let (chosen, old) = (field("password"), field("old"));
    if chosen == old {
        return Err(Failure::Bad("same-password"));
    }
    let password = hashed(&site, &chosen).await?;
    let person = site.home.state.person(name).await?.ok_or(Failure::SignIn)?;
    let changed = Person { password, set_by: String::new(), ..person };
    site.home.state.keep_person(&changed, &[entry(name, "password-changed", "")]).await?;
    Ok(Redirect::to("/sign-in").into_response())
}
