//! Forgetting what no longer serves.
//!
//! Nothing goes that a finding, a decision, a letter or the latest state of an app rests on: the
//! conditions stand in `database/prune.rs`, once for looking and for forgetting.

use std::collections::HashSet;
use std::future::Future;

use super::Result;

/// What stays. Times in milliseconds since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// What was of use at or after this stays.
    pub before: i64,
    /// Latest ended runs of each kind and scope that stay whatever their age.
    pub runs: u32,
    /// Latest versions of each app's listing that stay whatever their age.
    pub listings: u32,
    /// Dead jobs that died at or after this stay.
    pub died_before: i64,
}

/// Sorts of rows, in the order in which they go: what refers to others goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rows {
    /// What old runs left out.
    Skips,
    /// Audits of old runs.
    Audits,
    /// Versions of listings.
    Listings,
    /// Which file was handed out for an offer.
    Packages,
    /// Facts of package files that nothing refers to.
    Facts,
    /// Package files that nothing refers to.
    Artifacts,
    /// Answers of stores.
    Fetches,
    /// What was read of pictures that no answer holds any more.
    Readings,
    /// Dead jobs, and those done that somebody asked for.
    Jobs,
    /// Old runs of which nothing is left.
    Runs,
}

impl Rows {
    /// Every sort, in order.
    pub const ALL: [Self; 10] = [
        Self::Skips,
        Self::Audits,
        Self::Listings,
        Self::Packages,
        Self::Facts,
        Self::Artifacts,
        Self::Fetches,
        Self::Readings,
        Self::Jobs,
        Self::Runs,
    ];

    /// What it is called: its table, for most.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Skips => "skips",
            Self::Audits => "audits",
            Self::Listings => "listings",
            Self::Packages => "packages",
            Self::Facts => "facts",
            Self::Artifacts => "artifacts",
            Self::Fetches => "fetches",
            Self::Readings => "readings",
            Self::Jobs => "jobs",
            Self::Runs => "runs",
        }
    }
}

/// A part of the rows of one sort, small enough for one step: from the first up to before the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// By number.
    Ids(i64, i64),
    /// By name.
    Names(String, String),
}

/// What went, or would go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gone {
    /// How many.
    pub count: u64,
    /// Their bytes, as far as they are counted: reports and what lies in the vault.
    pub bytes: u64,
}

impl std::ops::AddAssign for Gone {
    fn add_assign(&mut self, more: Self) {
        self.count += more.count;
        self.bytes += more.bytes;
    }
}

/// A memory that can forget. Every step stands alone: what was begun and killed, the next one ends.
pub trait Prune: Send + Sync {
    /// When the first run began that goes on; `None` where none does.
    fn first_open(&self) -> impl Future<Output = Result<Option<i64>>> + Send;

    /// The parts that the rows of a sort fall into.
    fn spans(&self, rows: Rows) -> impl Future<Output = Result<Vec<Span>>> + Send;

    /// What may go of a part.
    fn look(&self, rows: Rows, span: &Span, keep: &Keep) -> impl Future<Output = Result<Gone>> + Send;

    /// Forgets it, in one step. What somebody takes hold of meanwhile stays.
    fn forget_rows(&self, rows: Rows, span: &Span, keep: &Keep) -> impl Future<Output = Result<Gone>> + Send;

    /// Names in the vault that begin with this digit (lower-case hex) and are referred to; with
    /// `after`, by what would be left once everything was forgotten that may be.
    fn referred(&self, digit: char, keep: &Keep, after: bool) -> impl Future<Output = Result<HashSet<String>>> + Send;
}
