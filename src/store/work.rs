//! Leased work: every key is done once, by whoever holds its latest lease.

use std::future::Future;

use super::{DeadCount, DeadJob, DeadQuery, Result};
use crate::model::Skipped;

/// A job to push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// What makes it the same job; a second push of a key is ignored, even after it is done.
    pub key: String,
    /// Who may take it.
    pub queue: String,
    /// Higher first; of equals, the first pushed.
    pub priority: i64,
    /// JSON for the worker.
    pub payload: String,
}

/// A job in a worker's hands until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: i64,
    /// Fences the outcome: a later lease of the job has a higher one.
    pub token: i64,
    /// Its key.
    pub key: String,
    /// Its queue.
    pub queue: String,
    /// Its payload.
    pub payload: String,
    /// Leases so far, this one included.
    pub attempts: i64,
}

/// What a failure came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// It will be leased again.
    Again,
    /// It was tried too often.
    Dead,
    /// Someone else holds it by now.
    Stale,
}

/// A queue of jobs.
pub trait Work: Send + Sync {
    /// Adds jobs whose keys are new; how many were.
    fn push(&self, jobs: &[NewJob], now: i64) -> impl Future<Output = Result<u64>> + Send;

    /// Takes, until `until`, the next job of the first of these queues that has one due; `None`
    /// where nothing is.
    fn lease(&self, queues: &[&str], now: i64, until: i64) -> impl Future<Output = Result<Option<Lease>>> + Send;

    /// Holds a job longer; `false` where someone else has it by now.
    fn extend(&self, lease: &Lease, until: i64) -> impl Future<Output = Result<bool>> + Send;

    /// Ends a job and adds those that follow from it, in one step; `false`, and nothing
    /// added, where someone else holds it by now.
    fn complete(&self, lease: &Lease, next: &[NewJob], now: i64) -> impl Future<Output = Result<bool>> + Send;

    /// Gives a job back, to be tried again from `again_at` on; dead after `most` attempts.
    fn fail(
        &self,
        lease: &Lease,
        why: &Skipped,
        now: i64,
        again_at: i64,
        most: i64,
    ) -> impl Future<Output = Result<Failed>> + Send;

    /// Gives a job back that could not be tried yet: the attempt does not count.
    fn defer(&self, lease: &Lease, reason: &str, again_at: i64) -> impl Future<Output = Result<bool>> + Send;

    /// Jobs of all queues that begin with `prefix`, by queue and state.
    fn counts(&self, prefix: &str) -> impl Future<Output = Result<Vec<super::JobCount>>> + Send;

    /// When the next job of the queues that begin with `prefix` is due; `None` when all are done or dead.
    fn next_due(&self, prefix: &str) -> impl Future<Output = Result<Option<i64>>> + Send;

    /// Dead jobs, those that died last first.
    fn dead(&self, query: &DeadQuery) -> impl Future<Output = Result<Vec<DeadJob>>> + Send;

    /// One dead job.
    fn dead_job(&self, id: i64) -> impl Future<Output = Result<Option<DeadJob>>> + Send;

    /// How many jobs are dead, by stage and code.
    fn dead_counts(&self) -> impl Future<Output = Result<Vec<DeadCount>>> + Send;

    /// Makes a dead job of a run ready again, as if it had never been tried; `false` where the run
    /// has ended, or the job is not dead any more.
    fn revive(&self, id: i64, run: i64, now: i64) -> impl Future<Output = Result<bool>> + Send;

    /// Forgets a dead job; `false` where it is not dead any more.
    fn let_go(&self, id: i64) -> impl Future<Output = Result<bool>> + Send;

    /// Frees leases whose holders are known to be gone: those of a killed process.
    fn release(&self, prefix: &str, now: i64) -> impl Future<Output = Result<u64>> + Send;

    /// Forgets the jobs of the queues that begin with `prefix`; their keys may be pushed anew. Dead
    /// ones stay, and so do those that died once and were not done since: they are dead again.
    fn forget(&self, prefix: &str) -> impl Future<Output = Result<u64>> + Send;
}
