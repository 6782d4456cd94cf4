//! Who may sign in, and who did what.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::failure::Failure;
use super::page::{Did, Page, html};
use super::role::{Right, Role};
use super::session::{Form, Visitor, is_name, note};
use super::{Shared, password, time};
use crate::report::clean;
use crate::store::{People, Person};

/// Deeds of one page.
const DEEDS: u32 = 100;

#[derive(Template)]
#[template(path = "review/people.html")]
struct PeoplePage {
    page: Page,
    people: Vec<Person>,
    now: i64,
}

impl PeoplePage {
    fn is_locked(&self, person: &Person) -> bool {
        person.locked_until > self.now
    }

    fn roles(&self) -> [Role; 4] {
        Role::ALL
    }
}

/// `GET /people`
pub(super) async fn show(
    State(site): State<Shared>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    visitor.must(Right::Govern)?;
    let page = Page::new(&visitor, "people", &Did::of(&query.unwrap_or_default()));
    html(&PeoplePage { page, people: site.home.state.people().await?, now: time::now() })
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
    let password = match &known {
        Some(person) if secret.is_empty() => person.password.clone(),
        _ => hashed(&site, secret).await?,
    };
    let person = Person {
        name: name.into(),
        role: role.id().into(),
        password,
        is_active: fields.get("stop").is_empty(),
        failures: 0,
        locked_until: 0,
        made_at: known.map_or_else(time::now, |person| person.made_at),
    };
    site.home.state.keep_person(&person).await?;
    note(&site, &form.visitor.name, "person-changed", &format!("{name} {}", role.id())).await?;
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
    let deeds = site.home.state.deeds(before, DEEDS).await?;
    let older = (deeds.len() == DEEDS as usize).then(|| deeds.last().map(|deed| deed.id)).flatten();
    let told = deeds.into_iter().map(|deed| {
        let what = page.t(&format!("deed.{}", deed.what));
        [clean(&deed.who, 40), what, clean(&deed.about, 160), time::told(deed.at)]
    });
    let deeds = told.collect();
    html(&LogPage { page, deeds, older })
}
