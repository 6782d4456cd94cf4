//! One's own account.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::Shared;
use super::failure::Failure;
use super::page::{Did, Page, html};
use super::people::hashed;
use super::session::{Form, Visitor, is_right, note};
use crate::store::{People, Person};

#[derive(Template)]
#[template(path = "review/me.html")]
struct MePage {
    page: Page,
}

/// `GET /me`
pub(super) async fn show(visitor: Visitor, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    html(&MePage { page: Page::new(&visitor, "me", &Did::of(&query.unwrap_or_default())) })
}

/// `POST /me`: another password; every session of the person ends.
pub(super) async fn change_password(State(site): State<Shared>, form: Form) -> Result<Response, Failure> {
    let field = |name| form.fields.all(name).next().unwrap_or_default().to_owned();
    let person = site.home.state.person(&form.visitor.name).await?.ok_or(Failure::SignIn)?;
    if !is_right(&site, field("old"), person.password.clone()).await? {
        return Err(Failure::Bad("old-password"));
    }
    let password = hashed(&site, &field("password")).await?;
    site.home.state.keep_person(&Person { password, ..person }).await?;
    note(&site, &form.visitor.name, "password-changed", "").await?;
    Ok(Redirect::to("/sign-in").into_response())
}
