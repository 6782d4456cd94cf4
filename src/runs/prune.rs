//! Forgetting what no longer serves: rows of old runs first, then bytes that nothing refers to.
//!
//! Every step stands alone and checks for itself, so it may run beside sweeps and workers, be
//! killed at any moment, and be begun again.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use super::sweep::SweepError;
use crate::model::config;
use crate::store::{Gone, Keep, Prune, Rows, Run, State, Vault, Work};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
const DIGITS: &str = "0123456789abcdef";

/// What stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows.
    pub keep: Keep,
    /// Bytes put at or after this stay, though nothing refers to them: milliseconds since 1970 UTC.
    pub put_before: i64,
}

impl Limits {
    /// As a configuration says, at this time.
    #[must_use]
    pub fn of(keep: &config::Keep, now: i64) -> Self {
        let ago = |days: u32| now.saturating_sub(i64::from(days) * DAY);
        let rows = Keep {
            before: ago(keep.run_days),
            runs: keep.runs,
            listings: keep.listings,
            died_before: ago(keep.dead_days),
        };
        Self { keep: rows, put_before: ago(keep.blob_days.max(1)) }
    }
}

/// What went, or would go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Rows, by sort.
    pub rows: BTreeMap<Rows, Gone>,
    /// Bytes in the vault.
    pub blobs: Gone,
    /// The run that goes on and began before the rest would have been forgotten: everything since stays.
    pub held_by: Option<Run>,
    /// Nothing was left to do; else it was stopped.
    pub is_done: bool,
}

/// Forgets; with `is_dry`, only says what would go.
///
/// # Errors
/// When state or vault cannot be used.
pub async fn prune<S: State + Work + Prune, V: Vault>(
    (state, vault): (&S, &V),
    limits: Limits,
    is_dry: bool,
    stop: &AtomicBool,
) -> Result<Pruned, SweepError> {
    let mut pruned = Pruned::default();
    let mut keep = limits.keep;
    if let Some(began) = state.first_open().await?.filter(|began| *began < keep.before) {
        // Its jobs may name anything that was there when it began.
        keep.before = began;
        pruned.held_by = state.runs(u32::MAX).await?.into_iter().rfind(|run| run.ended.is_none());
    }
    for rows in Rows::ALL {
        let mut gone = Gone::default();
        for span in state.spans(rows).await? {
            if stop.load(Ordering::Relaxed) {
                return Ok(pruned);
            }
            gone += if is_dry {
                state.look(rows, &span, &keep).await?
            } else {
                state.forget_rows(rows, &span, &keep).await?
            };
        }
        if rows == Rows::Jobs {
            gone.count += left_over(state, is_dry).await?;
        }
        pruned.rows.insert(rows, gone);
    }
    for digit in DIGITS.chars() {
        let referred = state.referred(digit, &keep, is_dry).await?;
        for second in DIGITS.chars() {
            if stop.load(Ordering::Relaxed) {
                return Ok(pruned);
            }
            pruned.blobs += blobs(vault, &format!("{digit}{second}"), &referred, limits.put_before, is_dry).await?;
        }
    }
    pruned.is_done = true;
    Ok(pruned)
}

/// Bytes whose names begin with two digits, and that nothing refers to.
async fn blobs(
    vault: &impl Vault,
    digits: &str,
    referred: &HashSet<String>,
    before: i64,
    is_dry: bool,
) -> Result<Gone, SweepError> {
    let mut gone = Gone::default();
    let listed = vault.list(digits).await?;
    for blob in listed.iter().filter(|blob| blob.put_at < before && !referred.contains(&blob.sha256)) {
        if is_dry || vault.remove(&blob.sha256, before).await? {
            gone += Gone { count: 1, bytes: blob.bytes };
        }
    }
    Ok(gone)
}

/// Jobs of runs that ended just before whoever ended them was killed.
async fn left_over(state: &(impl State + Work), is_dry: bool) -> Result<u64, SweepError> {
    let mut jobs: BTreeMap<i64, u64> = BTreeMap::new();
    for count in state.counts("").await?.iter().filter(|count| count.state != "dead") {
        if let Some(run) = count.queue.split('/').next().and_then(|run| run.parse().ok()) {
            *jobs.entry(run).or_default() += count.count;
        }
    }
    let mut gone = 0;
    for (run, count) in jobs {
        if state.run(run).await?.is_some_and(|run| run.ended.is_some()) {
            gone += if is_dry { count } else { state.forget(&format!("{run}/")).await? };
        }
    }
    Ok(gone)
}
