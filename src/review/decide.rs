//! Decisions: one finding, several apps at once, taking back, and who looks after an app.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::failure::Failure;
use super::query::Asked;
use super::role::Right;
use super::session::{Fields, Form, Visitor, entry};
use super::{Shared, reasons};
use crate::store::{Desk, DeskFinding, DeskQuery, People, Review, State as _};
use crate::time;

/// Longest words of a person.
const NOTE_MAX: usize = 4_000;
/// Apps decided on at once.
const APPS_MAX: usize = 200;
/// Days that a confirmed finding is given where the form names none.
const MEND_DAYS_MAX: u64 = 3_650;

/// What a form decides.
#[derive(Debug, Clone)]
struct Decision {
    verdict: String,
    reason: String,
    mend_by: String,
    note: String,
}

impl Decision {
    fn of(fields: &Fields) -> Result<Self, Failure> {
        let verdict = fields.get("verdict").to_owned();
        let (reason, note) = (fields.get("reason").to_owned(), fields.get("note").to_owned());
        if note.chars().count() > NOTE_MAX {
            return Err(Failure::Bad("long"));
        }
        let is_known = reasons::VERDICTS.contains(&verdict.as_str());
        match verdict.as_str() {
            "undone" => return Ok(Self { verdict, reason: String::new(), mend_by: String::new(), note }),
            "remark" if note.is_empty() => return Err(Failure::Bad("note")),
            "remark" => return Ok(Self { verdict, reason: String::new(), mend_by: String::new(), note }),
            _ if !is_known => return Err(Failure::Bad("verdict")),
            _ if !reasons::of(&verdict).contains(&reason.as_str()) => return Err(Failure::Bad("reason")),
            _ if reason == "other" && note.is_empty() => return Err(Failure::Bad("note")),
            _ => {}
        }
        let mend_by = if verdict == "confirmed" { mend_by(fields.get("mend_by"))? } else { String::new() };
        Ok(Self { verdict, reason, mend_by, note })
    }

    fn about(&self, finding: &DeskFinding, visitor: &Visitor) -> Review {
        Review {
            finding: finding.id.clone(),
            audit: finding.last_audit,
            evidence: finding.evidence.clone(),
            who: visitor.name.clone(),
            verdict: self.verdict.clone(),
            reason: self.reason.clone(),
            mend_by: self.mend_by.clone(),
            note: self.note.clone(),
            former: String::new(),
            at: time::now(),
        }
    }
}

/// The day to mend by: later than today, and within ten years.
fn mend_by(text: &str) -> Result<String, Failure> {
    let is_fit = time::day(text).is_some() && text > time::today().as_str() && *text <= *time::in_days(MEND_DAYS_MAX);
    if is_fit { Ok(text.to_owned()) } else { Err(Failure::Bad("day")) }
}

/// `POST /finding/ID`: decides, remarks or takes the last decision back.
pub(super) async fn one(State(site): State<Shared>, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    form.visitor.must(Right::Decide)?;
    let state = &site.home.state;
    let known = state.finding(&id).await?.ok_or(Failure::NotFound)?;
    let (app, id) = (known.app, known.id);
    let row = state.desk_row(app).await?.ok_or(Failure::NotFound)?;
    let finding = row.findings.iter().find(|finding| finding.id == id).ok_or(Failure::NotFound)?;
    let decision = Decision::of(&form.fields)?;
    let is_undoing = decision.verdict == "undone";
    if is_undoing && finding.verdict.is_empty() {
        return Err(Failure::Bad("none"));
    }
    // A person signs for what they saw: evidence that moved since is not it.
    if !is_undoing && decision.verdict != "remark" && form.fields.get("evidence") != finding.evidence {
        return Err(Failure::Moved);
    }
    state.review(&decision.about(finding, &form.visitor)).await?;
    let did = if is_undoing { "did=undone" } else { "did=decided&n=1" };
    let from = form.fields.get("from");
    if !is_undoing && decision.verdict != "remark" {
        return onward(&site, (app, &id), from, did, form.fields.get("then") == "next").await;
    }
    Ok(Redirect::to(&format!("/app/{app}?{did}&{}#f-{id}", from_query(from))).into_response())
}

/// `from=…`, the inbox that a page was opened from.
pub(super) fn from_query(from: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair("from", &Asked::of(from).written()).finish()
}

/// On to the next finding that waits: of this app, else (where asked to go on) of the first app of the
/// inbox that is not this one, or back to the inbox. Never to the one just decided.
async fn onward(
    site: &Shared,
    (app, id): (i64, &str),
    from: &str,
    did: &str,
    goes_on: bool,
) -> Result<Response, Failure> {
    let to = |app: i64, anchor: String| format!("/app/{app}?{did}&{}{anchor}", from_query(from));
    let anchor = waiting(site, app, id).await?;
    let to = match (anchor, goes_on) {
        (Some(anchor), _) => to(app, anchor),
        // Nothing waits here: the page as it stands, at its head.
        (None, false) => to(app, String::new()),
        (None, true) => match super::app::next(site, app, from).await? {
            Some(next) => to(next, waiting(site, next, id).await?.unwrap_or_default()),
            None => format!("/?{}&{did}", Asked::of(from).written()),
        },
    };
    Ok(Redirect::to(&to).into_response())
}

/// `#f-ID` of the first finding of an app that waits, other than this one.
async fn waiting(site: &Shared, app: i64, but: &str) -> Result<Option<String>, Failure> {
    let row = site.home.state.desk_row(app).await?;
    let first = row.as_ref().and_then(|row| row.findings.iter().find(|f| f.is_waiting() && f.id != but));
    Ok(first.map(|finding| format!("#f-{}", finding.id)))
}

/// `POST /`: decides on everything that waits in the apps selected.
pub(super) async fn several(State(site): State<Shared>, form: Form) -> Result<Response, Failure> {
    form.visitor.must(Right::Decide)?;
    let decision = Decision::of(&form.fields)?;
    if !reasons::VERDICTS.contains(&decision.verdict.as_str()) {
        return Err(Failure::Bad("verdict"));
    }
    let chosen: Vec<&str> = form.fields.all("app").collect();
    match chosen.len() {
        0 => return Err(Failure::Bad("empty")),
        n if n > APPS_MAX => return Err(Failure::Bad("many")),
        _ => {}
    }
    let asked = Asked::of(form.fields.get("query"));
    let (mut decided, mut moved) = (0_usize, 0_usize);
    for seen in chosen {
        match decide_app(&site, seen, &asked.desk, &decision, &form.visitor).await? {
            Some(n) => decided += n,
            None => moved += 1,
        }
    }
    let key = if moved == 0 { "decided" } else { "moved" };
    let to = format!("/?{}&did={key}&n={decided}&moved={moved}", asked.written());
    Ok(Redirect::to(&to).into_response())
}

/// Decides on what waits in `APP:AUDIT`; `None` where another audit came since.
async fn decide_app(
    site: &Shared,
    seen: &str,
    asked: &DeskQuery,
    decision: &Decision,
    visitor: &Visitor,
) -> Result<Option<usize>, Failure> {
    let (app, audit) = seen.split_once(':').ok_or(Failure::Bad("form"))?;
    let app: i64 = app.parse().map_err(|_| Failure::Bad("form"))?;
    let row = site.home.state.desk_row(app).await?.ok_or(Failure::NotFound)?;
    if audit != row.audit.to_string() {
        return Ok(None);
    }
    let mut decided = 0;
    for finding in row.findings.iter().filter(|f| f.is_waiting() && (asked.sign.is_empty() || f.sign == asked.sign)) {
        site.home.state.review(&decision.about(finding, visitor)).await?;
        decided += 1;
    }
    Ok(Some(decided))
}

/// `POST /app/ID/assign`: a lead gives an app to anybody, a reviewer takes it or hands it back.
pub(super) async fn assign(State(site): State<Shared>, Path(app): Path<i64>, form: Form) -> Result<Response, Failure> {
    form.visitor.must(Right::Decide)?;
    let person = form.fields.get("person");
    if person != form.visitor.name && !person.is_empty() {
        form.visitor.must(Right::Assign)?;
    }
    let state = &site.home.state;
    if !person.is_empty() && !state.person(person).await?.is_some_and(|person| person.is_active) {
        return Err(Failure::Bad("person"));
    }
    state.desk_row(app).await?.ok_or(Failure::NotFound)?;
    let entry = entry(&form.visitor.name, "assigned", &format!("{app} {person}"));
    state.assign(app, person, &entry).await?;
    Ok(Redirect::to(&format!("/app/{app}?did=assigned&{}", from_query(form.fields.get("from")))).into_response())
}
