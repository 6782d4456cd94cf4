//! Who may sign in, and who did what.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::failure::Failure;
use super::page::{Did, Page, html};
use super::role::{Right, Role};
use super::session::{Form, Visitor, entry, is_name};
use super::{Shared, password};
use crate::report::clean;
use crate::store::{People, Person};
use crate::time;

/// Deeds of one page.
const DEEDS: u32 = 100;

#[derive(Template)]
#[template(path = "review/people.html")]
struct PeoplePage {
    page: Page,
    people: Vec<Row>,
    /// Roles of somebody new.
    roles: Vec<Role>,
    /// People may be added who sign in by another server and have no password.
    has_other: bool,
}

/// A person, and what may be done about them.
struct Row {
    person: Person,
    is_locked: bool,
    /// Known to another server; by what it calls them.
    subject: String,
    /// Roles that the visitor may give them; empty: they may not be touched.
    roles: Vec<Role>,
    /// The visitor may give them a password.
    may_set: bool,
}

/// `GET /people`
pub(super) async fn show(
    State(site): State<Shared>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    visitor.must(Right::Govern)?;
    let page = Page::new(&visitor, "people", &Did::of(&query.unwrap_or_default()));
    let (state, now) = (&site.home.state, time::now());
    let bound = state.identities().await?;
    let mut people = Vec::new();
    for person in state.people().await? {
        let is_locked = state.is_locked(&person.name, now).await?;
        let subject = bound.iter().find(|identity| identity.person == person.name);
        let subject = subject.map(|identity| clean(&identity.subject, 80)).unwrap_or_default();
        let role = Role::from_id(&person.role);
        let roles = if person.name == page.who { Vec::new() } else { page.role.gives(role) };
        people.push(Row { is_locked, subject, roles, may_set: page.role.sets_password_of(role), person });
    }
    let (roles, has_other) = (page.role.gives(None), site.options.oidc.is_some());
    html(&PeoplePage { page, people, roles, has_other })
}

/// `POST /people`: adds a person, or changes role, password and whether they may sign in.
pub(super) async fn keep(State(site): State<Shared>, form: Form) -> Result<Response, Failure> {
    form.visitor.must(Right::Govern)?;
    let fields = &form.fields;
    let (name, secret) = (fields.get("name"), fields.all("password").next().unwrap_or_default());
    if !is_name(name) {
        return Err(Failure::Bad("name"));
    }
    if name == form.visitor.name {
        return Err(Failure::Bad("self"));
    }
    let role = Role::from_id(fields.get("role")).ok_or(Failure::Bad("role"))?;
    let known = site.home.state.person(name).await?;
    let before = known.as_ref().and_then(|person| Role::from_id(&person.role));
    let visitor = form.visitor.role;
    if !visitor.gives(before).contains(&role) || !secret.is_empty() && !visitor.sets_password_of(before) {
        return Err(Failure::Forbidden);
    }
    let (password, set_by) = match &known {
        Some(person) if secret.is_empty() => (person.password.clone(), person.set_by.clone()),
        // Who is vouched for elsewhere needs none.
        None if secret.is_empty() && site.options.oidc.is_some() => (String::new(), String::new()),
        _ => (hashed(&site, secret).await?, form.visitor.name.clone()),
    };
    let has_new = known.as_ref().is_some_and(|person| person.password != password);
    let person = Person {
        name: name.into(),
        role: role.id().into(),
        password,
        set_by,
        is_active: fields.get("stop").is_empty(),
        made_at: known.map_or_else(time::now, |person| person.made_at),
    };
    let stopped = if person.is_active { "" } else { " stopped" };
    let by = &form.visitor.name;
    let mut entries = vec![entry(by, "person-changed", &format!("{name} {}{stopped}", role.id()))];
    entries.extend(has_new.then(|| entry(by, "password-set", name)));
    site.home.state.keep_person(&person, &entries).await?;
    Ok(Redirect::to("/people?did=person").into_response())
}

/// `POST /people/unbind`: whom another server vouches for as a person is forgotten; the next one of the
/// name is bound anew.
pub(super) async fn unbind(State(site): State<Shared>, form: Form) -> Result<Response, Failure> {
    form.visitor.must(Right::Govern)?;
    let name = form.fields.get("name");
    let known = site.home.state.person(name).await?.ok_or(Failure::NotFound)?;
    if !form.visitor.role.sets_password_of(Role::from_id(&known.role)) {
        return Err(Failure::Forbidden);
    }
    site.home.state.unbind(name, &entry(&form.visitor.name, "unbound", name)).await?;
    Ok(Redirect::to("/people?did=person").into_response())
}

/// Hashes a new password, away from the threads that serve pages.
pub(super) async fn hashed(site: &Shared, secret: &str) -> Result<String, Failure> {
    if !password::is_strong(secret) {
        return Err(Failure::Bad("password"));
    }
    let _place = site.passwords.acquire().await.map_err(|_| Failure::Busy)?;
    let secret = secret.to_owned();
    let hash = tokio::task::spawn_blocking(move || password::hash(&secret)).await;
    hash.map_err(|e| Failure::Ours(e.to_string()))?.map_err(Failure::Ours)
}

#[derive(Template)]
#[template(path = "review/log.html")]
struct LogPage {
    page: Page,
    /// Who, what, about, when.
    deeds: Vec<[String; 4]>,
    older: Option<i64>,
}

/// `GET /log`
pub(super) async fn log(
    State(site): State<Shared>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    visitor.must(Right::Govern)?;
    let query = query.unwrap_or_default();
    let before = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "before")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let page = Page::new(&visitor, "log", &Did::of(&query));
    let deeds = site.home.state.audit_log(before, DEEDS).await?;
    let older = (deeds.len() == DEEDS as usize).then(|| deeds.last().map(|deed| deed.id)).flatten();
    let told = deeds.into_iter().map(|deed| {
        let what = page.t(&format!("deed.{}", deed.what));
        [clean(&deed.who, 40), what, clean(&deed.about, 160), time::told(deed.at)]
    });
    let deeds = told.collect();
    html(&LogPage { page, deeds, older })
}
