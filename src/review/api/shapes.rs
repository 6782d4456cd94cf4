//! What the API answers with. Texts of apps are given as they stood: they are hostile, and JSON
//! keeps them harmless until somebody shows them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::review::failure::Failure;
use crate::review::inbox::state_of;
use crate::store::{DeskFinding, DeskRow, Review, Run, SkipRow};

/// `2026-11-24T10:33:00.000Z`, from milliseconds since 1970 UTC.
pub(super) fn stamp(at: i64) -> String {
    chrono::DateTime::from_timestamp_millis(at)
        .map_or_else(String::new, |t| t.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

/// Where the next page begins, as clients pass it back.
pub(super) fn cursor(after: i64) -> String {
    URL_SAFE_NO_PAD.encode(after.to_le_bytes())
}

/// What a cursor says.
///
/// # Errors
/// When it is none of ours.
pub(super) fn after(cursor: &str) -> Result<i64, Failure> {
    if cursor.is_empty() {
        return Ok(0);
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    bytes.map(i64::from_le_bytes).ok_or(Failure::Bad("cursor"))
}

/// A page of apps.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AppPage {
    /// The apps, by number.
    pub(super) items: Vec<AppItem>,
    /// `cursor` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// An app with its findings.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AppItem {
    /// Its number.
    app: i64,
    /// Store.
    store: String,
    /// Package.
    package: String,
    /// Title.
    title: String,
    /// Provider, as the store names it.
    developer: String,
    /// Ids of stages of schooling.
    stages: Vec<String>,
    /// Ids of subjects.
    subjects: Vec<String>,
    /// Whether the provider is on the register of licences.
    #[schema(example = "not-listed")]
    standing: String,
    /// How much could be read: `full`, `listing-only`, `package-only`, `partial` or `none`. What was
    /// not read is not clean.
    #[schema(example = "listing-only")]
    reading: String,
    /// Who looks after it; empty: nobody.
    assigned: String,
    /// The latest audit.
    audit: i64,
    /// When it was made.
    audited_at: String,
    /// First day by which something is to be mended; empty without one.
    mend_by: String,
    /// Its findings.
    findings: Vec<FindingItem>,
}

impl From<DeskRow> for AppItem {
    fn from(row: DeskRow) -> Self {
        Self {
            app: row.app,
            store: row.store,
            package: row.package,
            title: row.title,
            developer: row.developer,
            stages: row.stages,
            subjects: row.subjects,
            standing: row.standing,
            reading: row.level,
            assigned: row.assigned,
            audit: row.audit,
            audited_at: stamp(row.at),
            mend_by: row.mend_by,
            findings: row.findings.iter().map(FindingItem::from).collect(),
        }
    }
}

/// A finding and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FindingItem {
    /// Id.
    id: String,
    /// The app.
    app: i64,
    /// Sign.
    #[schema(example = "photo-search")]
    sign: String,
    /// `low`, `medium` or `high`, from the clause.
    severity: String,
    /// `weak`, `likely` or `strong`.
    confidence: String,
    /// Probability when it was last found.
    #[schema(minimum = 0, maximum = 1)]
    probability: f64,
    /// It has not gone. Whether the latest audit saw it: `sight`.
    is_open: bool,
    /// `new`, `changed`, `waiting`, `stale`, `again`, `confirmed`, `dismissed`, `reassessed` (confirmed, and gone
    /// without a change of the app) or `gone` (with one, where it was confirmed).
    state: String,
    /// Decision in force: `confirmed`, `dismissed`, `again`; empty while undecided.
    verdict: String,
    /// How the latest audit saw it while it is open: `whole`, `part` or `none`.
    sight: String,
    /// Codes of the limits in the way where it was not seen whole.
    because: Vec<String>,
    /// Why it has gone: `app`, or with spaces what changed of whoever judges: `pack`, `policy`, `version`,
    /// `registers`, `day`, `reading`, `scope`; empty while it is open.
    cause: String,
    /// Who decided; empty while undecided.
    decided_by: String,
    /// When; empty while undecided.
    decided_at: String,
    /// Day to mend by; empty without one.
    mend_by: String,
    /// Fingerprint of the evidence: another one means that it changed.
    evidence: String,
}

impl From<&DeskFinding> for FindingItem {
    fn from(finding: &DeskFinding) -> Self {
        Self {
            id: finding.id.clone(),
            app: finding.app,
            sign: finding.sign.clone(),
            severity: finding.severity.clone(),
            confidence: finding.confidence.clone(),
            probability: finding.probability,
            is_open: finding.is_open,
            state: state_of(finding).to_owned(),
            verdict: finding.verdict.clone(),
            sight: finding.sight.clone(),
            because: finding.because.clone(),
            cause: finding.cause.clone(),
            decided_by: finding.decided_by.clone(),
            decided_at: if finding.decided_at > 0 { stamp(finding.decided_at) } else { String::new() },
            mend_by: finding.mend_by.clone(),
            evidence: finding.evidence.clone(),
        }
    }
}

/// An app and its latest audit.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AppReport {
    /// Where it stands.
    pub(super) app: AppItem,
    /// What the audit was made by: version, pack and policy.
    #[schema(value_type = Object)]
    pub(super) made_by: Value,
    /// One audit of the report `xunjian/report/1`.
    #[schema(value_type = Object)]
    pub(super) audit: Value,
}

/// A finding, its evidence and the decisions about it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FindingReport {
    /// Where it stands.
    pub(super) finding: FindingItem,
    /// The finding of the report `xunjian/report/1` as it was last found.
    #[schema(value_type = Option<Object>)]
    pub(super) report: Option<Value>,
    /// Every decision, in order; nothing is ever taken out.
    pub(super) decisions: Vec<DecisionItem>,
}

/// A decision.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecisionItem {
    /// `confirmed`, `dismissed`, `again`, `undone` or `remark`.
    verdict: String,
    /// Who.
    by: String,
    /// When.
    at: String,
    /// Id of the reason.
    reason: String,
    /// In their words.
    note: String,
    /// Day to mend by; empty without one.
    mend_by: String,
    /// The audit it was made on.
    audit: i64,
    /// Fingerprint of the evidence it was made on.
    evidence: String,
}

impl From<Review> for DecisionItem {
    fn from(review: Review) -> Self {
        Self {
            verdict: review.verdict,
            by: review.who,
            at: stamp(review.at),
            reason: review.reason,
            note: review.note,
            mend_by: review.mend_by,
            audit: review.audit,
            evidence: review.evidence,
        }
    }
}

/// An audit that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AskedAudit {
    /// Its number: ask `/api/v1/audits/{id}` for what it came to.
    pub(super) id: i64,
    /// What is audited: `STORE:PACKAGE`; of a package that was sent, its client's store, the SHA-256 of the
    /// file, and a mark of its listing.
    pub(super) target: String,
    /// `open` while it waits or runs, then `done`.
    #[schema(example = "open")]
    pub(super) state: &'static str,
    /// When it was asked for.
    pub(super) asked_at: String,
    /// When it was done; empty before.
    pub(super) ended_at: String,
    /// What the listing that came with a package says of itself, if one came: nothing rests on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) claimed: Option<Claimed>,
    /// Apps audited: their numbers.
    pub(super) apps: Vec<i64>,
    /// One audit each of the report `xunjian/report/1`.
    #[schema(value_type = Vec<Object>)]
    pub(super) audits: Vec<Value>,
    /// What could not be had or read, and why.
    pub(super) skipped: Vec<SkippedItem>,
}

/// What a listing that came with a package says. The package in the file is `app.package` of the audit;
/// where it is another one, the audit's coverage says so.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Claimed {
    /// The store; empty where it says none.
    pub(super) store: String,
    /// The package; empty where it says none.
    pub(super) package: String,
}

/// An input that ended as no audit.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SkippedItem {
    /// What was asked for.
    target: String,
    /// Stage that refused it.
    stage: String,
    /// Sort of reason.
    code: String,
    /// Why.
    reason: String,
}

impl From<SkipRow> for SkippedItem {
    fn from(row: SkipRow) -> Self {
        let skipped = row.skipped;
        Self { target: skipped.target, stage: skipped.stage, code: skipped.code, reason: skipped.reason }
    }
}

/// Runs, latest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunPage {
    /// The runs.
    pub(super) items: Vec<RunItem>,
}

/// A run over stores or over what is remembered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunItem {
    /// Its number.
    id: i64,
    /// `sweep`, `rescore`, `reaudit`, `recheck` or `asked`.
    kind: String,
    /// What it went over.
    scope: String,
    /// When it began.
    began: String,
    /// When it ended; empty while it goes on.
    ended: String,
    /// Counts by name: `seen`, `new`, `changed`, `audited`, `skipped:CODE`, `found:SIGN`, `came`.
    #[schema(value_type = Object)]
    counts: Value,
}

impl From<Run> for RunItem {
    fn from(run: Run) -> Self {
        let counts = run.summary.and_then(|text| serde_json::from_str(&text).ok());
        Self {
            id: run.id,
            kind: run.kind,
            scope: run.scope,
            began: stamp(run.began),
            ended: run.ended.map_or_else(String::new, stamp),
            counts: counts.unwrap_or_else(|| Value::Object(Default::default())),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back_and_others_are_refused() {
        assert_eq!(after(&cursor(i64::MAX)).unwrap(), i64::MAX);
        assert_eq!(after("").unwrap(), 0);
        assert!(after("AAAA").is_err() && after("\u{202e}").is_err());
    }
}
