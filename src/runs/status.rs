//! Where everything stands: stores, runs that go on, and what waits.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::sweep::{SweepError, now};
use crate::store::{Database, Run, State, Work};

/// Ended runs looked through for each store's last success.
const RUNS: u32 = 500;

/// Where everything stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Status {
    /// Stores that were ever swept, by id.
    pub stores: BTreeMap<String, StoreStatus>,
    /// Runs that go on.
    pub runs: Vec<RunStatus>,
    /// When the oldest job that could be taken was due, in milliseconds since 1970 UTC.
    pub oldest_job: Option<i64>,
    /// Jobs that died and were not tried again.
    pub dead_jobs: u64,
}

/// A store.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StoreStatus {
    /// When a sweep over it last ended with its catalogue read, in milliseconds since 1970 UTC.
    pub last_success: Option<i64>,
    /// The latest sweep over it.
    pub last_run: i64,
    /// What the latest sweep over it left out, by reason; of all its stores, where it had several.
    pub left_out: BTreeMap<String, u64>,
}

/// A run that goes on.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RunStatus {
    /// Its number.
    pub run: i64,
    /// What it does.
    pub kind: String,
    /// What it goes over.
    pub scope: String,
    /// When it began, in milliseconds since 1970 UTC.
    pub began: i64,
    /// Jobs done.
    pub done: u64,
    /// Jobs known that are not done: a catalogue that is still being read names more.
    pub left: u64,
    /// Seconds that those take at the pace so far; absent before anything was done.
    pub seconds_left: Option<u64>,
    /// Jobs known that are not done, by stage.
    pub left_by_stage: BTreeMap<&'static str, u64>,
    /// Stages of which jobs wait and nobody takes any, with the time since when the oldest of them waits.
    pub unserved: BTreeMap<&'static str, i64>,
}

/// Milliseconds that a job may wait before its stage is called unserved: workers look each second, and put
/// off by minutes at most what a store asks patience for.
const PATIENCE: i64 = 120_000;

/// Looks.
///
/// # Errors
/// When the state cannot be read.
pub async fn status(state: &Database) -> Result<Status, SweepError> {
    let mut status = Status { oldest_job: state.oldest_ready().await?, ..Status::default() };
    status.dead_jobs = state.dead_counts().await?.iter().map(|count| count.count).sum();
    for run in state.runs(RUNS).await? {
        if run.ended.is_none() {
            status.runs.push(going(state, &run).await?);
        }
        if run.kind == "sweep" && !run.scope.is_empty() {
            swept(state, &run, &mut status.stores).await?;
        }
    }
    Ok(status)
}

async fn swept(state: &Database, run: &Run, stores: &mut BTreeMap<String, StoreStatus>) -> Result<(), SweepError> {
    let names: BTreeSet<&str> = run.scope.split(',').collect();
    let is_news = |name: &&&str| stores.get(**name).is_none_or(|store| store.last_success.is_none());
    if names.iter().filter(is_news).count() == 0 {
        return Ok(());
    }
    let failed = state.failed_stores(run.id).await?;
    for name in names {
        let entry = stores.entry(name.to_owned());
        let is_new = matches!(entry, std::collections::btree_map::Entry::Vacant(_));
        let store = entry.or_default();
        if is_new {
            store.last_run = run.id;
            let counts = state.tally(run.id).await?;
            let left_out =
                counts.into_iter().filter_map(|(key, n)| Some((key.strip_prefix("skipped:")?.to_owned(), n)));
            store.left_out = left_out.collect();
        }
        if store.last_success.is_none() && !failed.iter().any(|store| store == name) {
            store.last_success = run.ended;
        }
    }
    Ok(())
}

async fn going(state: &Database, run: &Run) -> Result<RunStatus, SweepError> {
    let (mut done, mut left) = (0, 0);
    let (mut left_by_stage, mut served) = (BTreeMap::new(), BTreeSet::new());
    for count in state.counts(&format!("{}/", run.id)).await? {
        match count.state.as_str() {
            "done" | "dead" => done += count.count,
            other => {
                left += count.count;
                let stage = stage_of(&count.queue);
                *left_by_stage.entry(stage).or_default() += count.count;
                if other == "leased" {
                    served.insert(stage);
                }
            }
        }
    }
    let mut unserved = BTreeMap::new();
    for stage in left_by_stage.keys().filter(|stage| !served.contains(*stage)) {
        let queues = if *stage == "audit" { format!("{}/audit", run.id) } else { format!("{}/{stage}/", run.id) };
        if let Some(since) = state.oldest_ready_of(&queues).await?.filter(|since| now() - since > PATIENCE) {
            unserved.insert(*stage, since);
        }
    }
    let passed = u64::try_from(now().saturating_sub(run.began)).unwrap_or(0) / 1000;
    let seconds_left = (passed * left).checked_div(done);
    let (kind, scope) = (run.kind.clone(), run.scope.clone());
    Ok(RunStatus { run: run.id, kind, scope, began: run.began, done, left, seconds_left, left_by_stage, unserved })
}

/// The stage that takes the jobs of a queue, as `--stages` names it.
fn stage_of(queue: &str) -> &'static str {
    match queue.split('/').nth(1).unwrap_or_default() {
        "catalogue" => "catalogue",
        "listing" => "listing",
        "package" | "picture" => "package",
        "pictures" => "pictures",
        "audit" => "audit",
        _ => "other",
    }
}
