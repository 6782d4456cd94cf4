//! What goes into the state and comes out of it.

use std::collections::BTreeSet;

use crate::model::{ArtifactKind, Audit, Listed, Listing, MadeBy, Skipped};

/// One run over stores or over the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// `sweep`, `rescore`, `reaudit`, `recheck`, `asked`, or `check` (do the stores' files fit?).
    pub kind: String,
    /// What it goes over.
    pub scope: String,
    /// When it began.
    pub began: i64,
    /// When it ended; `None` while it goes on.
    pub ended: Option<i64>,
    /// JSON that workers who join it go by; `None` where one process does it alone.
    pub plan: Option<String>,
    /// JSON told at its end.
    pub summary: Option<String>,
    /// It was begun earlier and is continued.
    pub is_resumed: bool,
}

/// An answer to keep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewFetch {
    /// Hash of the question.
    pub ask: String,
    /// HTTP method.
    pub method: String,
    /// Address asked.
    pub url: String,
    /// JSON: headers as sent, body.
    pub request: String,
    /// What it came to.
    pub outcome: String,
    /// HTTP status; 0 where no answer came.
    pub status: u16,
    /// Address that answered.
    pub final_url: String,
    /// JSON: headers of the answer.
    pub headers: String,
    /// Name of the body in the vault; empty without one.
    pub body: String,
    /// Length of the body.
    pub bytes: u64,
    /// When.
    pub at: i64,
}

/// An answer that was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FetchRow {
    /// Its number.
    pub id: i64,
    /// The answer as it was first kept.
    pub fetch: NewFetch,
    /// When the same was last answered.
    pub last_at: i64,
    /// How often.
    pub times: u64,
}

/// A listing as a run saw it.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// The run.
    pub run: i64,
    /// The listing; `store`, and one of `package`, `id`, `url` and `title`, name the app.
    pub listing: &'a Listing,
    /// What the catalogue calls it, and a mark that changes with what the catalogue says of it.
    pub key: Option<(&'a str, &'a str)>,
    /// The answer it was read from.
    pub fetch: Option<i64>,
    /// When.
    pub at: i64,
}

/// What seeing a listing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// The app.
    pub app: i64,
    /// The version of its listing.
    pub listing: i64,
    /// Never seen before.
    pub is_new: bool,
    /// Another version than the latest.
    pub is_changed: bool,
}

/// What is known of an app before it is looked at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The app.
    pub app: i64,
    /// Latest listing.
    pub listing: Option<i64>,
    /// Mark of what the catalogue said of it when its page was last read.
    pub mark: String,
    /// Of the last look.
    pub outcome: String,
    /// The run that last saw it.
    pub last_run: Option<i64>,
}

/// A package file that was handed out.
#[derive(Debug, Clone)]
pub struct PackageFile<'a> {
    /// The app.
    pub app: i64,
    /// Hash of what the listing promised.
    pub offer: &'a str,
    /// Its SHA-256.
    pub sha256: &'a str,
    /// Its length.
    pub bytes: u64,
    /// What sort of package it is; `None` where it is none.
    pub kind: Option<ArtifactKind>,
    /// Hashes of its signing certificates.
    pub certificates: &'a [String],
    /// Package name, version for people, version for machines: as the file says.
    pub identity: (&'a str, &'a str, u64),
    /// The answer it came in.
    pub fetch: Option<i64>,
    /// When.
    pub at: i64,
}

/// A package that a listing promised and the store did not hand out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Withheld {
    /// Hash of what the listing promised.
    pub offer: String,
    /// What the last try came to: the id of an outcome.
    pub outcome: String,
    /// Facts of it.
    pub detail: String,
    /// Sweeps in a row that did not get it.
    pub times: u32,
    /// Not asked for before, in milliseconds since 1970 UTC.
    pub again_at: i64,
}

/// An audit to keep.
#[derive(Debug, Clone)]
pub struct NewAudit<'a> {
    /// The run; one audit an app in each.
    pub run: i64,
    /// The app.
    pub app: i64,
    /// The listing judged.
    pub listing: Option<i64>,
    /// The file judged.
    pub artifact: Option<&'a str>,
    /// The audit.
    pub audit: &'a Audit,
    /// What made it.
    pub made_by: &'a MadeBy,
    /// Day on which licences were judged.
    pub as_of: &'a str,
    /// Name of the registers in the vault; empty where none was given.
    pub registers: &'a str,
    /// Name in the vault of the facts judged; empty where none are kept.
    pub facts: &'a str,
    /// What its judge makes of earlier audits' bytes: see [`State::doubts`](super::State::doubts).
    pub controls: &'a [Control],
    /// When.
    pub at: i64,
}

/// An earlier audit whose bytes are to be judged anew, to tell a change of the app from one of its judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The earlier audit.
    pub audit: i64,
    /// Its listing.
    pub listing: Option<i64>,
    /// Its file; that of now where it had none.
    pub artifact: Option<String>,
}

/// What the judge of a new audit makes of the bytes of an earlier one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Control {
    /// The earlier audit.
    pub audit: i64,
    /// Ids of the signs in scope that are found.
    pub signs: BTreeSet<String>,
}

/// How the findings of an app moved with an audit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delta {
    /// `false`: this run had audited the app already, and nothing was written.
    pub is_kept: bool,
    /// Ids of findings that no audit had before, or that had gone.
    pub came: Vec<String>,
    /// Ids of findings that the audit before had and this one has not.
    pub went: Vec<String>,
}

/// One app as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRow {
    /// Its number.
    pub id: i64,
    /// Store.
    pub store: String,
    /// Package, or the store's own id.
    pub name: String,
    /// Package.
    pub package: String,
    /// Signing certificate of its latest package.
    pub certificate: String,
    /// Latest listing.
    pub listing: Option<i64>,
    /// Outcome of the last look.
    pub outcome: String,
    /// The run that last saw it.
    pub last_run: Option<i64>,
}

/// One version of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct ListingRow {
    /// Its number.
    pub id: i64,
    /// The listing.
    pub listing: Listing,
    /// The answer it was read from.
    pub fetch: Option<i64>,
    /// First seen.
    pub first_seen: i64,
    /// Last seen.
    pub last_seen: i64,
}

/// One audit as it was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// Its number.
    pub id: i64,
    /// The run.
    pub run: i64,
    /// The app.
    pub app: i64,
    /// The listing judged.
    pub listing: Option<i64>,
    /// The file judged.
    pub artifact: Option<String>,
    /// The audit.
    pub audit: Audit,
    /// What made it.
    pub made_by: MadeBy,
    /// Day on which licences were judged.
    pub as_of: String,
    /// Name of the registers in the vault; empty where none was given.
    pub registers: String,
    /// Name in the vault of the facts judged; empty where none are kept.
    pub facts: String,
    /// The app it is of, as it is listed.
    pub listed: Listed,
    /// When.
    pub at: i64,
}

/// What the latest audit of an app rested on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The audit.
    pub audit: i64,
    /// Its run.
    pub run: i64,
    /// The listing judged.
    pub listing: Option<i64>,
    /// The file judged.
    pub artifact: Option<String>,
    /// What made it.
    pub made_by: MadeBy,
    /// When.
    pub at: i64,
}

/// Where a finding stands.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingRow {
    /// Its id.
    pub id: String,
    /// The app.
    pub app: i64,
    /// Sign.
    pub sign: String,
    /// `open` or `gone`.
    pub state: String,
    /// How the latest audit saw it while it is open: `whole`, `part` or `none`.
    pub sight: String,
    /// Ids of the limits in the way where it was not seen whole, with spaces.
    pub because: String,
    /// Why it has gone: `app`, or what changed of whoever judges; empty while it is open.
    pub cause: String,
    /// Decision in force: `confirmed`, `dismissed`, `again`; empty while undecided.
    pub verdict: String,
    /// Confidence when it was last found.
    pub confidence: String,
    /// The audit that found it first.
    pub first_audit: i64,
    /// The last that had it.
    pub last_audit: i64,
    /// First seen.
    pub first_seen: i64,
    /// Last seen.
    pub last_seen: i64,
}

/// What a person decided about a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Review {
    /// The finding.
    pub finding: String,
    /// The audit they looked at.
    pub audit: i64,
    /// Fingerprint of the evidence they saw there ([`Finding::fingerprint`]); empty where it is not known.
    ///
    /// [`Finding::fingerprint`]: crate::model::Finding::fingerprint
    pub evidence: String,
    /// Who.
    pub who: String,
    /// What they decided: `confirmed`, `dismissed`, `again` (needs another look), `undone` (the
    /// decision before is taken back) or `remark` (words that decide nothing).
    pub verdict: String,
    /// Id of a reason from the list; empty where none was picked.
    pub reason: String,
    /// Day by which a confirmed finding is to be mended, e.g. `2026-12-31`; empty without one.
    pub mend_by: String,
    /// In their words.
    pub note: String,
    /// The id that the finding had when it was made, where that was another; empty else.
    pub former: String,
    /// When.
    pub at: i64,
}

/// Something a run left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkipRow {
    /// Its number.
    pub id: i64,
    /// Outcome, for counting.
    pub code: String,
    /// As reports tell it.
    pub skipped: Skipped,
}

/// Jobs of one queue in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCount {
    /// Queue.
    pub queue: String,
    /// `ready`, `leased`, `done` or `dead`.
    pub state: String,
    /// How many.
    pub count: u64,
}
