//! Jobs that died: what no sweep or audit on demand could do, and another try for it.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use url::form_urlencoded::{Serializer, parse};

use super::failure::Failure;
use super::page::{Did, Page, html};
use super::role::Right;
use super::session::{Form, Visitor, note};
use super::{Shared, api};
use crate::report::{clean, words};
use crate::runs::dead::{Again, again, run_of, wish_of};
use crate::store::{DeadCount, DeadJob, DeadQuery, Run, State as _, Work};
use crate::time;

/// Jobs of one page.
const SHOWN: u32 = 50;
/// Jobs that one click tries again, at most.
const AT_ONCE: usize = 1_000;
/// Longest word of a filter.
const WORD_MAX: usize = 40;

#[derive(Template)]
#[template(path = "review/dead.html")]
struct DeadPage {
    page: Page,
    query: DeadQuery,
    counts: Vec<DeadCount>,
    jobs: Vec<DeadView>,
    /// Address of what died before.
    older: Option<String>,
}

/// A dead job as people read it.
struct DeadView {
    id: i64,
    stage: String,
    what: String,
    code: String,
    detail: String,
    attempts: i64,
    died: String,
    run: String,
    is_open: bool,
    /// Another try can be had.
    can_again: bool,
}

/// Words of a stage; one without words stands for itself.
fn stage_words(page: &Page, stage: &str) -> String {
    page.named("page.dead_stage", stage)
}

/// Words of a reason's code.
fn code_words(page: &Page, code: &str) -> String {
    words::skip_code(code).map_or_else(|| clean(code, WORD_MAX), |phrase| phrase.get(page.lang).to_owned())
}

impl DeadPage {
    /// What the lists offer of one column: id, words and how many.
    fn choices(&self, of: impl Fn(&DeadCount) -> &str, say: impl Fn(&str) -> String) -> Vec<(String, String)> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for count in &self.counts {
            *counts.entry(of(count)).or_default() += count.count;
        }
        counts.into_iter().map(|(id, n)| (id.to_owned(), format!("{} ({n})", say(id)))).collect()
    }

    fn stages(&self) -> Vec<(String, String)> {
        self.choices(|count| &count.stage, |id| stage_words(&self.page, id))
    }

    fn codes(&self) -> Vec<(String, String)> {
        self.choices(|count| &count.code, |id| code_words(&self.page, id))
    }

    /// How many jobs the filter leaves.
    fn found(&self) -> u64 {
        let fits = |asked: &str, is: &str| asked.is_empty() || asked == is;
        let left = self.counts.iter().filter(|c| fits(&self.query.stage, &c.stage) && fits(&self.query.code, &c.code));
        left.map(|count| count.count).sum()
    }

    /// The filter, as forms carry it.
    fn written(&self) -> String {
        address(&self.query, &[]).trim_start_matches("/dead?").to_owned()
    }

    fn is_filtered(&self) -> bool {
        !self.query.stage.is_empty() || !self.query.code.is_empty()
    }
}

/// Filter and place of an address or a form: `stage`, `code`, and `after` as `DIED.ID`.
fn query_of(text: &str) -> DeadQuery {
    let mut query = DeadQuery { most: SHOWN, ..DeadQuery::default() };
    for (name, value) in parse(text.as_bytes()) {
        match &*name {
            "stage" => query.stage = clean(&value, WORD_MAX),
            "code" => query.code = clean(&value, WORD_MAX),
            "after" => {
                let parts = value.split_once('.');
                query.after = parts.and_then(|(died, id)| Some((died.parse().ok()?, id.parse().ok()?)));
            }
            _ => {}
        }
    }
    query
}

/// The address of a filter.
fn address(query: &DeadQuery, more: &[(&str, &str)]) -> String {
    const PATH: &str = "/dead?";
    let mut out = Serializer::for_suffix(PATH.to_owned(), PATH.len());
    for (name, value) in [("stage", query.stage.as_str()), ("code", query.code.as_str())] {
        if !value.is_empty() {
            out.append_pair(name, value);
        }
    }
    out.extend_pairs(more).finish()
}

/// `GET /dead?stage=audit&code=failed`
pub(super) async fn show(
    State(site): State<Shared>,
    visitor: Visitor,
    RawQuery(text): RawQuery,
) -> Result<Response, Failure> {
    visitor.must(Right::Govern)?;
    let text = text.unwrap_or_default();
    let (page, query) = (Page::new(&visitor, "dead", &Did::of(&text)), query_of(&text));
    let (dead, counts) = (site.home.state.dead(&query).await?, site.home.state.dead_counts().await?);
    let last = dead.last().filter(|_| dead.len() == SHOWN as usize).map(|job| format!("{}.{}", job.died, job.id));
    let older = last.map(|after| address(&query, &[("after", &after)]));
    let mut runs: BTreeMap<i64, Option<Run>> = BTreeMap::new();
    let mut jobs = Vec::new();
    for job in dead {
        let id = run_of(&job).unwrap_or_default();
        if let std::collections::btree_map::Entry::Vacant(place) = runs.entry(id) {
            place.insert(site.home.state.run(id).await?);
        }
        jobs.push(view(&site, &page, &job, id, runs.get(&id).and_then(Option::as_ref)));
    }
    html(&DeadPage { page, query, counts, jobs, older })
}

fn view(site: &Shared, page: &Page, job: &DeadJob, id: i64, run: Option<&Run>) -> DeadView {
    let is_open = run.is_some_and(|run| run.ended.is_none());
    let scope = run.map_or_else(String::new, |run| {
        format!("{} {}", page.named("page.run_kind", &run.kind), clean(&run.scope, 80))
    });
    DeadView {
        id: job.id,
        stage: stage_words(page, &job.stage),
        what: clean(&job.skipped.target, 300),
        code: code_words(page, &job.skipped.code),
        detail: clean(&job.skipped.reason, 400),
        attempts: job.attempts,
        died: time::told(job.died),
        run: format!("#{id} {scope}").trim_end().to_owned(),
        is_open,
        can_again: is_open || wish_of(job, &site.options.stores).is_some(),
    }
}

/// `POST /dead/ID/again`: tries one again.
pub(super) async fn one(State(site): State<Shared>, Path(id): Path<i64>, form: Form) -> Result<Response, Failure> {
    form.visitor.must(Right::Govern)?;
    let query = query_of(form.fields.get("query"));
    let job = site.home.state.dead_job(id).await?.ok_or(Failure::Gone)?;
    api::has_room(&site).await?;
    let tried = again(&site.home.state, &job, &site.options.stores, time::now()).await.map_err(Failure::ours)?;
    match tried {
        Again::Gone => return Err(Failure::Gone),
        Again::Nothing => return Err(Failure::Bad("dead")),
        Again::Ready | Again::Asked(_) => {}
    }
    note(&site, &form.visitor.name, "tried-again", &job.skipped.target).await?;
    Ok(Redirect::to(&address(&query, &[("did", "tried"), ("n", "1")])).into_response())
}

/// `POST /dead`: tries everything that a filter leaves again, so much at once as may wait.
pub(super) async fn all(State(site): State<Shared>, form: Form) -> Result<Response, Failure> {
    form.visitor.must(Right::Govern)?;
    let mut query = query_of(form.fields.get("query"));
    query.after = None;
    let (mut done, mut left) = (0_usize, 0_usize);
    while done + left < AT_ONCE {
        let dead = site.home.state.dead(&query).await?;
        let Some(last) = dead.last() else { break };
        query.after = Some((last.died, last.id));
        api::has_room(&site).await?;
        for job in &dead {
            match again(&site.home.state, job, &site.options.stores, time::now()).await.map_err(Failure::ours)? {
                Again::Ready | Again::Asked(_) => done += 1,
                Again::Nothing => left += 1,
                Again::Gone => {}
            }
        }
    }
    let about = format!("{done} {} {}", query.stage, query.code);
    note(&site, &form.visitor.name, "tried-again", about.trim_end()).await?;
    let (n, moved) = (done.to_string(), left.to_string());
    let key = if left > 0 { "tried-some" } else { "tried" };
    Ok(Redirect::to(&address(&query, &[("did", key), ("n", &n), ("moved", &moved)])).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back() {
        let query = query_of("stage=fetch&code=network&after=17.4&did=tried");
        assert_eq!((query.stage.as_str(), query.code.as_str(), query.after), ("fetch", "network", Some((17, 4))));
        assert_eq!(address(&query, &[("after", "17.4")]), "/dead?stage=fetch&code=network&after=17.4");
        assert_eq!(query_of("after=x.y").after, None);
    }
}
