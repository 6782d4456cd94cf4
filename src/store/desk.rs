//! What reviewers work from: the inbox, decisions in force, and how well recognition does.

use std::collections::BTreeMap;
use std::future::Future;

use super::{AuditLogEntry, Result};

/// Which apps of the inbox are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tray {
    /// With a finding to look at.
    #[default]
    Waiting,
    /// With a finding that the latest audit found first.
    Fresh,
    /// With an undecided finding whose evidence changed.
    Changed,
    /// With a decision made on other evidence.
    Stale,
    /// Confirmed, and the day to mend it by has passed.
    Overdue,
    /// With a confirmed finding that is still there.
    Confirmed,
    /// With a dismissed finding.
    Dismissed,
    /// With a confirmed finding that went with a change of the app.
    Mended,
    /// With an open finding that the latest audit could not look for, or saw only in part.
    Unseen,
    /// With a confirmed finding that other rules, not the app, made go.
    Reassessed,
    /// Every app that ever had a finding.
    All,
    /// Every app that was audited.
    Audited,
}

impl Tray {
    /// Every tray, in the order of the page.
    pub const ALL: [Self; 12] = [
        Self::Waiting,
        Self::Fresh,
        Self::Changed,
        Self::Stale,
        Self::Overdue,
        Self::Confirmed,
        Self::Dismissed,
        Self::Mended,
        Self::Unseen,
        Self::Reassessed,
        Self::All,
        Self::Audited,
    ];

    /// Its id in addresses.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Fresh => "new",
            Self::Changed => "changed",
            Self::Stale => "stale",
            Self::Overdue => "overdue",
            Self::Confirmed => "confirmed",
            Self::Dismissed => "dismissed",
            Self::Mended => "mended",
            Self::Unseen => "unseen",
            Self::Reassessed => "reassessed",
            Self::All => "all",
            Self::Audited => "audited",
        }
    }

    /// The tray with this id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tray| tray.id() == id)
    }
}

/// What of the inbox is asked for. Empty texts ask for everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeskQuery {
    /// Which apps.
    pub tray: Tray,
    /// Id of a sign that is open.
    pub sign: String,
    /// Store.
    pub store: String,
    /// Id of a stage of schooling.
    pub stage: String,
    /// Id of a subject.
    pub subject: String,
    /// The provider, as stores name it.
    pub provider: String,
    /// `listed`, `not-listed` or `not-checked`.
    pub standing: String,
    /// Name of the person it is assigned to; `-` for nobody's.
    pub assigned: String,
    /// Part of title, package or provider.
    pub search: String,
    /// Today, e.g. `2026-11-24`, for what is overdue.
    pub today: String,
    /// By number, those after this app; `None`: by severity and probability.
    pub after: Option<i64>,
    /// Apps left out before the first.
    pub skip: u32,
    /// Apps at most.
    pub most: u32,
}

/// One row of the inbox: an app with its findings.
#[derive(Debug, Clone, PartialEq)]
pub struct DeskRow {
    /// The app.
    pub app: i64,
    /// Store.
    pub store: String,
    /// Package.
    pub package: String,
    /// Title.
    pub title: String,
    /// Provider, as the store names it.
    pub developer: String,
    /// Ids of stages.
    pub stages: Vec<String>,
    /// Ids of subjects.
    pub subjects: Vec<String>,
    /// `listed`, `not-listed` or `not-checked`.
    pub standing: String,
    /// How much was read ([`Reading`](crate::model::Reading)): `full`, `listing-only`, `package-only`, `partial`, `none`.
    pub level: String,
    /// Who looks after it; empty: nobody.
    pub assigned: String,
    /// The latest audit.
    pub audit: i64,
    /// When it was made.
    pub at: i64,
    /// Findings to look at.
    pub waiting: u64,
    /// First day by which something is to be mended; empty without one.
    pub mend_by: String,
    /// Its findings, those that wait first.
    pub findings: Vec<DeskFinding>,
}

/// Where a finding stands with the people who decide.
#[derive(Debug, Clone, PartialEq)]
pub struct DeskFinding {
    /// The finding.
    pub id: String,
    /// The app.
    pub app: i64,
    /// Sign.
    pub sign: String,
    /// `low`, `medium` or `high`.
    pub severity: String,
    /// `weak`, `likely` or `strong`.
    pub confidence: String,
    /// Probability when it was last found.
    pub probability: f64,
    /// It is there in the latest audit.
    pub is_open: bool,
    /// The last audit that had it.
    pub last_audit: i64,
    /// Fingerprint of its evidence there.
    pub evidence: String,
    /// Decision in force: `confirmed`, `dismissed`, `again`; empty while undecided.
    pub verdict: String,
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub decided_at: i64,
    /// Fingerprint of the evidence decided on.
    pub decided: String,
    /// Day to mend by; empty without one.
    pub mend_by: String,
    /// How the latest audit saw it while it is open: `whole`, `part` or `none`.
    pub sight: String,
    /// Ids of the limits in the way where it was not seen whole.
    pub because: Vec<String>,
    /// Why it has gone: `app`, or what changed of whoever judges; empty while it is open.
    pub cause: String,
    /// First found by the latest audit.
    pub is_fresh: bool,
    /// Found before, with other evidence.
    pub is_changed: bool,
}

impl DeskFinding {
    /// The latest audit could not look for it, or saw only part of it.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        self.is_open && self.sight != "whole"
    }

    /// It went with a change of the app.
    #[must_use]
    pub fn is_mended(&self) -> bool {
        !self.is_open && self.verdict == "confirmed" && self.cause == "app"
    }

    /// Decided on other evidence than there is now.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.is_open && !self.verdict.is_empty() && !self.decided.is_empty() && self.decided != self.evidence
    }

    /// A person is to look at it.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.is_open && (matches!(self.verdict.as_str(), "" | "again") || self.is_stale())
    }
}

/// Apps of the inbox, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeskCounts {
    /// Apps that the query asks for, whatever its page.
    pub found: u64,
    /// Apps of each tray, other filters left aside.
    pub trays: BTreeMap<Tray, u64>,
    /// Apps with an open finding of a sign, in the query's tray.
    pub signs: BTreeMap<String, u64>,
    /// Stores there are.
    pub stores: Vec<String>,
    /// People to whom something is assigned.
    pub assigned: Vec<String>,
}

/// How often people agree with a signature or a sign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Id.
    pub id: String,
    /// It speaks against its sign: a dismissal proves it right.
    pub is_counter: bool,
    /// Decisions that proved it right.
    pub right: u64,
    /// Decisions that proved it wrong.
    pub wrong: u64,
}

/// Decisions of several people about the same findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TwoReviewers {
    /// Findings on which two or more people decided.
    pub decided: u64,
    /// Of those, findings on which all last decisions are the same.
    pub same: u64,
}

/// What one run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunCount {
    /// The run.
    pub run: i64,
    /// When it began.
    pub began: i64,
    /// Apps audited.
    pub audited: u64,
    /// Inputs left out.
    pub skipped: u64,
}

/// The reviewers' side of the state. Every method is one step.
pub trait Desk: Send + Sync {
    /// A page of the inbox: see [`DeskQuery::after`] for its order.
    fn desk(&self, query: &DeskQuery) -> impl Future<Output = Result<Vec<DeskRow>>> + Send;
    /// Counts beside it; those of trays, signs, stores and people may be some seconds old, but never
    /// older than a decision made through this handle.
    fn desk_counts(&self, query: &DeskQuery) -> impl Future<Output = Result<DeskCounts>> + Send;
    /// One app's row.
    fn desk_row(&self, app: i64) -> impl Future<Output = Result<Option<DeskRow>>> + Send;
    /// Gives an app to a person, or (empty) to nobody.
    fn assign(&self, app: i64, person: &str, entry: &AuditLogEntry) -> impl Future<Output = Result<()>> + Send;
    /// How often people agreed with each signature.
    fn by_signature(&self) -> impl Future<Output = Result<Vec<Agreement>>> + Send;
    /// How often people agreed with each other.
    fn two_reviewers(&self) -> impl Future<Output = Result<TwoReviewers>> + Send;
    /// What the latest runs did, latest first.
    fn run_counts(&self, most: u32) -> impl Future<Output = Result<Vec<RunCount>>> + Send;
}
