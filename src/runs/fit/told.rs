//! What checks of stores came to, as it is remembered: how each stands, and the day it last fitted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Looked, fields, is_whole};
use crate::crawl::{LACKS, Store};
use crate::model::fetch::Outcome;
use crate::runs::sweep::{SweepError, now};
use crate::store::{Database, State};

/// Kind of the runs that remember.
const KIND: &str = "check";
/// Runs looked through where the latest was cut short.
const RUNS: u32 = 500;
/// Faults told of one store.
const FAULTS_MAX: usize = 20;

/// How a store stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreFit {
    /// The day it was looked at.
    pub day: String,
    /// Something that its file requires is gone, or it answers otherwise than its file says.
    pub is_broken: bool,
    /// It could not be told: nobody answered, or asked to be left alone, or no app is known to look for.
    pub is_unclear: bool,
    /// Required fields that were not found, by name.
    pub lacks: Vec<String>,
    /// What went wrong, in words.
    pub faults: Vec<String>,
    /// The day it last fitted; empty where it never did.
    pub fitted: String,
}

impl StoreFit {
    /// What looks at a store's known apps came to.
    #[must_use]
    pub fn of(store: &Store, looked: &[Looked], day: &str) -> Self {
        let mut fit = Self { day: day.to_owned(), ..Self::default() };
        let mut whole = 0;
        for found in looked.iter().flat_map(|one| &one.visit.found) {
            let seen = fields(store, found);
            whole += usize::from(is_whole(&seen));
            let lacks = seen.into_iter().filter(|field| field.required && field.value.is_empty());
            fit.lacks.extend(lacks.map(|field| field.name));
        }
        let faults: Vec<_> = looked.iter().flat_map(|one| &one.visit.faults).collect();
        let gone =
            faults.iter().filter_map(|fault| fault.detail.split_once(LACKS)).flat_map(|(_, names)| names.split(", "));
        fit.lacks.extend(gone.map(|name| name.split(' ').next().unwrap_or(name).to_owned()));
        fit.faults = faults.iter().take(FAULTS_MAX).map(ToString::to_string).collect();
        fit.faults.dedup();
        fit.lacks.sort();
        fit.lacks.dedup();
        fit.is_broken = !fit.lacks.is_empty() || faults.iter().any(|fault| fault.outcome == Outcome::AdapterBroken);
        // Each app that was asked for is to be found.
        fit.is_unclear = !fit.is_broken && (whole == 0 || !faults.is_empty());
        if !fit.is_broken && !fit.is_unclear {
            day.clone_into(&mut fit.fitted);
        }
        fit
    }

    /// It fits.
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self.is_broken && !self.is_unclear
    }
}

/// How stores stood when they were last looked at, by id.
///
/// # Errors
/// When the state cannot be read.
pub async fn fits(state: &Database) -> Result<BTreeMap<String, StoreFit>, SweepError> {
    let mut latest = state.latest_run(KIND, "").await?;
    if latest.as_ref().is_some_and(|run| run.summary.is_none()) {
        let runs = state.runs(RUNS).await?;
        latest = runs.into_iter().find(|run| run.kind == KIND && run.summary.is_some());
    }
    // What another version wrote is as if it had not been looked at.
    Ok(latest.and_then(|run| serde_json::from_str(&run.summary?).ok()).unwrap_or_default())
}

/// Remembers how stores stand now, beside those that were not looked at. A store that does not fit keeps the day it
/// last did.
///
/// # Errors
/// When the state cannot be written.
pub async fn remember(
    state: &Database,
    looked: BTreeMap<String, StoreFit>,
) -> Result<BTreeMap<String, StoreFit>, SweepError> {
    let mut all = fits(state).await?;
    for (store, mut fit) in looked {
        let before = all.get(&store).map(|before| before.fitted.clone()).unwrap_or_default();
        if fit.fitted.is_empty() {
            fit.fitted = before;
        }
        all.insert(store, fit);
    }
    let run = state.begin(KIND, "", now()).await?;
    let summary = serde_json::to_string(&all)?;
    state.end(run.id, &summary, now()).await?;
    Ok(all)
}
