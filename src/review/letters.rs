//! What the case backend was told, is to be told, and would not take.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::failure::Failure;
use super::page::{Did, Page, html};
use super::role::Right;
use super::session::{Form, Visitor, note};
use super::{Shared, time};
use crate::feed::{Came, came};
use crate::report::clean;
use crate::store::{Desk, Letter, Outbox};

/// Letters shown.
const LETTERS: u32 = 100;
/// States in the order of the page: what needs a person first.
const STATES: [&str; 3] = ["dead", "ready", "sent"];

#[derive(Template)]
#[template(path = "review/letters.html")]
struct LettersPage {
    page: Page,
    state: &'static str,
    letters: Vec<LetterView>,
    /// The lists that came from the case backend last, and those that were refused last.
    lists: Vec<CameView>,
}

/// Lists that came, as people read them.
struct CameView {
    /// `taken` or `refused`.
    what: &'static str,
    at: String,
    as_of: String,
    kept: String,
    left_out: usize,
    why: Vec<String>,
}

impl CameView {
    fn new(what: &'static str, came: Came) -> Self {
        let why = came.why.iter().map(|why| clean(why, 300)).collect();
        let (at, as_of) = (time::told(came.at), clean(&came.as_of, 40));
        Self { what, at, as_of, kept: clean(&came.kept, 80), left_out: came.left_out, why }
    }
}

impl LettersPage {
    fn states(&self) -> [&'static str; 3] {
        STATES
    }
}

/// A letter as people read it.
struct LetterView {
    id: i64,
    what: String,
    app: i64,
    title: String,
    at: String,
    attempts: u32,
    due: String,
    answer: String,
    is_dead: bool,
}

/// `GET /letters?state=dead`
pub(super) async fn show(
    State(site): State<Shared>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    visitor.must(Right::Govern)?;
    let query = query.unwrap_or_default();
    let asked = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state");
    let state = asked.and_then(|(_, state)| STATES.into_iter().find(|known| *known == state)).unwrap_or(STATES[0]);
    let page = Page::new(&visitor, "letters", &Did::of(&query));
    let mut letters = Vec::new();
    for letter in site.home.state.letters(state, LETTERS).await? {
        let row = site.home.state.desk_row(letter.app).await?;
        letters.push(view(&page, &letter, row.map(|row| row.title)));
    }
    let [taken, refused] = came(&site.home.state).await?;
    let lists = [("taken", taken), ("refused", refused)];
    let lists = lists.into_iter().filter_map(|(what, came)| Some(CameView::new(what, came?))).collect();
    html(&LettersPage { page, state, letters, lists })
}

fn view(page: &Page, letter: &Letter, title: Option<String>) -> LetterView {
    let title = title.filter(|title| !title.trim().is_empty()).unwrap_or_else(|| format!("#{}", letter.app));
    LetterView {
        id: letter.id,
        what: page.of("letter", &letter.kind),
        app: letter.app,
        title: clean(title.trim(), 160),
        at: time::told(letter.at),
        attempts: letter.attempts,
        due: if letter.state == "ready" && letter.due > 0 { time::told(letter.due) } else { String::new() },
        answer: clean(&letter.answer, 400),
        is_dead: letter.state == "dead",
    }
}

/// `POST /letters/ID/replay`: tries a dead letter again.
pub(super) async fn replay(State(site): State<Shared>, Path(id): Path<i64>, form: Form) -> Result<Response, Failure> {
    form.visitor.must(Right::Govern)?;
    site.home.state.replay(id).await?;
    note(&site, &form.visitor.name, "replayed", &id.to_string()).await?;
    Ok(Redirect::to("/letters?did=replayed").into_response())
}
