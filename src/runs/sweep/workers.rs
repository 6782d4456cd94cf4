//! Who does the jobs: a few tasks a store that fetch, and as many that audit as there are cores;
//! or those of them that have work of the stages this worker takes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::task::JoinSet;

use super::jobs::{Stage, audit_queue, prefix, store_of, store_queues};
use super::tally::count;
use super::{Catalogue, Sweep, SweepError};
use crate::model::Skipped;
use crate::model::fetch::Fault;
use crate::store::{DeadQuery, Failed, Lease, State, Vault, Work};

/// Milliseconds that a job is held without a sign of life from whoever has it.
const LEASE: i64 = 20_000;
/// How long an engine that was restarted or cut off is waited for.
const PATIENCE: Duration = Duration::from_secs(600);
/// Time between looks at an engine that does not answer.
const LOOK: Duration = Duration::from_secs(1);
/// Longest time between looks at an empty queue.
const IDLE: Duration = Duration::from_millis(250);
/// Longest wait before a job is tried again.
const BACKOFF_MAX: i64 = 600_000;
/// Leases after which a job counts as one that kills whoever takes it. Far above the tries of
/// one that merely fails: a sweep may be stopped many times for other reasons.
const CRASHES: i64 = 30;

/// What a look at some queues came to.
enum Did {
    /// A job.
    One,
    /// Nothing is due.
    Nothing,
    /// The run is over.
    All,
}

/// Milliseconds since 1970 UTC.
#[must_use]
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// Holds a job, `lasts` milliseconds at a time, for as long as it takes; comes back when someone else has it.
pub async fn hold(work: &impl Work, lease: &Lease, lasts: i64) {
    loop {
        tokio::time::sleep(Duration::from_millis(lasts.unsigned_abs() / 3)).await;
        if let Ok(false) = work.extend(lease, now() + lasts).await {
            return;
        }
    }
}

/// Works until nothing is left to do, or until told to stop.
pub(super) async fn work<S, V, C>(sweep: &Arc<Sweep<S, V, C>>, run: i64, stages: &[Stage]) -> Result<(), SweepError>
where
    S: State + Work + Clone + 'static,
    V: Vault + Clone + 'static,
    C: Catalogue + 'static,
{
    let mut tasks = JoinSet::new();
    for store in &sweep.stores {
        let queues = store_queues(run, store.id(), stages);
        for _ in 0..if queues.is_empty() { 0 } else { sweep.plan.at_once.max(1) } {
            tasks.spawn(Arc::clone(sweep).keep_at(run, queues.clone()));
        }
    }
    for _ in 0..if stages.contains(&Stage::Audit) { sweep.plan.auditors.max(1) } else { 0 } {
        tasks.spawn(Arc::clone(sweep).keep_at(run, vec![audit_queue(run)]));
    }
    while let Some(ended) = tasks.join_next().await {
        // The first failure ends the sweep: what was done is kept, the next one goes on.
        ended??;
    }
    Ok(())
}

impl<S, V, C> Sweep<S, V, C>
where
    S: State + Work + Clone + 'static,
    V: Vault + Clone + 'static,
    C: Catalogue + 'static,
{
    async fn keep_at(self: Arc<Self>, run: i64, queues: Vec<String>) -> Result<(), SweepError> {
        let queues: Vec<&str> = queues.iter().map(String::as_str).collect();
        let mut idle = Duration::from_millis(2);
        let mut answered = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            match self.next(run, &queues).await {
                Ok(Did::All) => return Ok(()),
                Ok(Did::One) => idle = Duration::from_millis(2),
                Ok(Did::Nothing) => {
                    tokio::time::sleep(idle).await;
                    idle = (idle * 2).min(IDLE);
                }
                // What was in hand is leased again when its time is up, by whoever comes first.
                Err(SweepError::Store(error)) if error.is_passing() && answered.elapsed() < PATIENCE => {
                    tracing::warn!(queue = queues.first(), "the engine does not answer: {error}");
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
                Err(error) => return Err(error),
            }
            answered = Instant::now();
        }
        Ok(())
    }

    /// Takes a job of the first of these queues that has one, and does it.
    async fn next(&self, run: i64, queues: &[&str]) -> Result<Did, SweepError> {
        let now = now();
        let Some(lease) = self.state.lease(queues, now, now + LEASE).await? else {
            // Others may still push to these queues while anything of the run is left.
            let is_over = self.state.next_due(&prefix(run)).await?.is_none();
            return Ok(if is_over { Did::All } else { Did::Nothing });
        };
        tokio::select! {
            done = self.do_one(run, &lease) => done?,
            // Someone else has it by now, and does it.
            () = hold(&self.state, &lease, LEASE) => {}
        }
        Ok(Did::One)
    }

    async fn do_one(&self, run: i64, lease: &Lease) -> Result<(), SweepError> {
        if lease.attempts > CRASHES {
            let reason = format!("it ended the program {CRASHES} times");
            return self.bury_one(run, lease, &reason).await;
        }
        if lease.queue == audit_queue(run) {
            return self.judge(run, lease).await;
        }
        match self.store(store_of(&lease.queue)).cloned() {
            Some(store) => self.errand(run, &store, lease).await,
            None => Ok(()),
        }
    }

    /// Puts a job off, or buries it with a skip when it cannot pass or was tried too often.
    pub(super) async fn fail(
        &self,
        run: i64,
        lease: &Lease,
        target: &str,
        stage: &str,
        fault: &Fault,
    ) -> Result<bool, SweepError> {
        let most = if fault.outcome.is_passing() { self.plan.tries } else { 0 };
        let backoff = self.plan.backoff.saturating_mul(1 << lease.attempts.clamp(0, 10)).min(BACKOFF_MAX);
        let asked = fault.retry_after.map_or(0, |s| i64::try_from(s.saturating_mul(1000)).unwrap_or(i64::MAX));
        let why = skipped(fault.outcome.id(), target, stage, &fault.detail);
        let again_at = now().saturating_add(backoff.max(asked));
        match self.state.fail(lease, &why, now(), again_at, most).await? {
            Failed::Again => {
                count(&self.tally.waits, 1);
                Ok(false)
            }
            Failed::Stale => Ok(false),
            Failed::Dead => {
                self.skip(run, fault.outcome.id(), target, stage, &fault.detail).await?;
                Ok(true)
            }
        }
    }

    /// Ends a job that cannot be done, with a skip.
    pub(super) async fn bury_one(&self, run: i64, lease: &Lease, reason: &str) -> Result<(), SweepError> {
        self.skip(run, "failed", &lease.key, "sweep", reason).await?;
        self.state.fail(lease, &skipped("failed", &lease.key, "sweep", reason), now(), now(), 0).await?;
        Ok(())
    }

    pub(super) async fn skip(
        &self,
        run: i64,
        code: &str,
        target: &str,
        stage: &str,
        reason: &str,
    ) -> Result<(), SweepError> {
        count(&self.tally.skips, 1);
        tracing::info!(app = %target, stage, code, "{reason}");
        Ok(self.state.skip(run, code, &skipped(code, target, stage, reason), now()).await?)
    }

    /// Jobs that died while nobody could say so end as skips as well.
    pub(super) async fn bury(&self, run: i64) -> Result<(), SweepError> {
        let mut query = DeadQuery { prefix: prefix(run), most: 1_000, ..DeadQuery::default() };
        loop {
            let dead = self.state.dead(&query).await?;
            let Some(last) = dead.last() else { return Ok(()) };
            query.after = Some((last.died, last.id));
            for job in dead {
                self.state.skip(run, &job.skipped.code, &job.skipped, now()).await?;
            }
        }
    }
}

fn skipped(code: &str, target: &str, stage: &str, reason: &str) -> Skipped {
    Skipped { target: target.into(), stage: stage.into(), code: code.into(), reason: reason.into() }
}
