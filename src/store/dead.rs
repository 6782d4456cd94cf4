//! Jobs that died: tried too often, or not worth another try.

use crate::model::Skipped;

/// A job that died. It outlives its run, until it is tried again or forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadJob {
    /// Its number.
    pub id: i64,
    /// Its key.
    pub key: String,
    /// Its stage: see [`stage_of`].
    pub stage: String,
    /// Its payload.
    pub payload: String,
    /// How often it was tried.
    pub attempts: i64,
    /// What it was about, and why it died.
    pub skipped: Skipped,
    /// When, in milliseconds since 1970 UTC.
    pub died: i64,
}

/// Which dead jobs, those that died last first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadQuery {
    /// What their queues begin with.
    pub prefix: String,
    /// Stage; empty: any.
    pub stage: String,
    /// Code of the reason; empty: any.
    pub code: String,
    /// Only those behind this one: when it died, and its number.
    pub after: Option<(i64, i64)>,
    /// So many at most.
    pub most: u32,
}

/// Dead jobs of one stage and code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadCount {
    /// Stage.
    pub stage: String,
    /// Code of the reason.
    pub code: String,
    /// How many.
    pub count: u64,
}

/// The stage of a queue: the word behind its run (`7/audit`, `7/listing/STORE`), or the queue itself (`asked`).
#[must_use]
pub fn stage_of(queue: &str) -> &str {
    queue.split('/').nth(1).unwrap_or(queue)
}
