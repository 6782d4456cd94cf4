//! How the findings of an app move with an audit, and what of it is told.
//!
//! A finding ends only where what it rested on was read ([`ending`]); it ends, or comes back, because
//! of the app only where bytes of its listing or its package changed. All else is whoever judges.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::audits::{AUDITS, audit_of};
use crate::model::ending::{Ending, ending, partly_seen};
use crate::model::{Audit, Finding, Outcome};
use crate::store::{Delta, NewAudit, Result};

/// A finding as it stood before an audit.
struct Before {
    id: String,
    sign: String,
    is_open: bool,
    verdict: String,
    mend_by: String,
    evidence: String,
    last_audit: i64,
    ended: i64,
}

/// A confirmed finding that is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) sign: String,
    pub(super) mend_by: String,
}

/// Why a finding ended or came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// The app changed.
    App,
    /// Whoever judges changed: `pack`, `policy`, `version`, `registers`, `day`; or more was read
    /// (`reading`), or the app is no longer of those that the notice covers (`scope`).
    Judge(Vec<&'static str>),
}

impl Cause {
    fn written(&self) -> String {
        match self {
            Self::App => "app".into(),
            Self::Judge(causes) => causes.join(" "),
        }
    }
}

/// What an audit moved.
#[derive(Debug, Default)]
pub(super) struct Moves {
    pub(super) delta: Delta,
    /// Confirmed findings that the app has mended.
    pub(super) mended: Vec<Case>,
    /// Confirmed findings that came back with a change of the app.
    pub(super) back: Vec<Case>,
    /// Confirmed findings that ended, or (`true`) are found again, without a change of the app.
    pub(super) reassessed: Vec<(Case, Vec<&'static str>, bool)>,
}

impl Before {
    fn of(row: &AnyRow) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            sign: row.try_get("sign")?,
            is_open: row.try_get::<&str, _>("state")? == "open",
            verdict: row.try_get("verdict")?,
            mend_by: row.try_get("mend_by")?,
            evidence: row.try_get("evidence")?,
            last_audit: row.try_get("last_audit")?,
            ended: row.try_get("ended")?,
        })
    }

    fn case(&self) -> Option<Case> {
        let case = || Case { id: self.id.clone(), sign: self.sign.clone(), mend_by: self.mend_by.clone() };
        (self.verdict == "confirmed").then(case)
    }
}

pub(super) async fn move_findings(change: &mut AnyConnection, audit: i64, new: &NewAudit<'_>) -> Result<Moves> {
    let rows = sqlx::query("SELECT * FROM findings WHERE app = $1 ORDER BY id");
    let rows = rows.bind(new.app).fetch_all(&mut *change).await?;
    let before: Vec<Before> = rows.iter().map(Before::of).collect::<Result<_>>()?;
    let mut moves = Moves { delta: Delta { is_kept: true, ..Delta::default() }, ..Moves::default() };
    for finding in &new.audit.findings {
        let known = before.iter().find(|row| row.sign == finding.sign.id());
        match known {
            Some(row) if row.is_open => {
                let because = seen_in_part(change, row, finding, new.audit).await?;
                if because.is_empty() {
                    keep_finding(change, audit, new, finding).await?;
                } else {
                    let sight = Sight { sight: "part", because: &because, at: new.at };
                    see_less(change, &row.id, sight).await?;
                }
                continue;
            }
            Some(row) => {
                if let Some(case) = row.case() {
                    let base = if row.ended > 0 { row.ended } else { row.last_audit };
                    match cause_of(change, base, new, (finding.sign.id(), true)).await? {
                        Cause::App => moves.back.push(case),
                        Cause::Judge(causes) => moves.reassessed.push((case, causes, true)),
                    }
                }
            }
            None => {}
        }
        moves.delta.came.push(finding.id.clone());
        keep_finding(change, audit, new, finding).await?;
    }
    let is_found = |sign: &str| new.audit.findings.iter().any(|finding| finding.sign.id() == sign);
    for row in before.iter().filter(|row| row.is_open && !is_found(&row.sign)) {
        lose(change, audit, new, row, &mut moves).await?;
    }
    Ok(moves)
}

/// Limits in the way where a finding is there with less of its evidence because less was read.
async fn seen_in_part(
    change: &mut AnyConnection,
    row: &Before,
    again: &Finding,
    now: &Audit,
) -> Result<Vec<&'static str>> {
    if row.evidence == again.fingerprint() {
        return Ok(Vec::new());
    }
    let Some(then) = audit(change, row.last_audit).await? else { return Ok(Vec::new()) };
    let finding = then.findings.iter().find(|found| found.sign == again.sign);
    Ok(finding.map_or_else(Vec::new, |finding| partly_seen(&then, finding, now, again)))
}

/// An open finding that the audit does not have.
async fn lose(change: &mut AnyConnection, id: i64, new: &NewAudit<'_>, row: &Before, moves: &mut Moves) -> Result<()> {
    let then = audit(change, row.last_audit).await?;
    let finding = then.as_ref().and_then(|then| then.findings.iter().find(|found| found.sign.id() == row.sign));
    let came_to = match (&then, finding) {
        (Some(then), Some(finding)) => ending(then, finding, new.audit),
        // What it rested on cannot be looked up: the check's own word holds.
        _ => match new.audit.checks.iter().find(|check| check.sign.id() == row.sign) {
            Some(check) if check.outcome != Outcome::NotAssessable => Ending::Gone,
            _ => Ending::NotSeen(vec!["no-package"]),
        },
    };
    let cause = match came_to {
        Ending::NotSeen(because) => {
            return see_less(change, &row.id, Sight { sight: "none", because: &because, at: new.at }).await;
        }
        Ending::OutOfScope => Cause::Judge(vec!["scope"]),
        Ending::Gone => cause_of(change, row.last_audit, new, (&row.sign, false)).await?,
    };
    sqlx::query(
        "UPDATE findings SET state = 'gone', sight = 'whole', because = '', ended = $1, cause = $2 WHERE id = $3",
    )
    .bind(id)
    .bind(cause.written())
    .bind(&row.id)
    .execute(change)
    .await?;
    moves.delta.went.push(row.id.clone());
    match (row.case(), cause) {
        (Some(case), Cause::App) => moves.mended.push(case),
        (Some(case), Cause::Judge(causes)) => moves.reassessed.push((case, causes, false)),
        (None, _) => {}
    }
    Ok(())
}

/// How much of an open finding the latest audit saw.
struct Sight<'a> {
    sight: &'static str,
    because: &'a [&'static str],
    at: i64,
}

/// Keeps that less of a finding was seen. What it rests on stays as it was last seen whole.
async fn see_less(change: &mut AnyConnection, id: &str, seen: Sight<'_>) -> Result<()> {
    sqlx::query(
        "UPDATE findings SET sight = $1, because = $2, last_seen = CASE $1 WHEN 'part' THEN $3 ELSE last_seen END
         WHERE id = $4",
    )
    .bind(seen.sight)
    .bind(seen.because.join(" "))
    .bind(seen.at)
    .bind(id)
    .execute(change)
    .await?;
    Ok(())
}

async fn audit(change: &mut AnyConnection, id: i64) -> Result<Option<Audit>> {
    let sql = AssertSqlSafe(format!("{AUDITS} audits.id = $1"));
    let row = sqlx::query(sql).bind(id).fetch_optional(change).await?;
    row.map(|row| Ok(audit_of(&row)?.audit)).transpose()
}

/// Why a sign that the audit `base` had (or had not) is not (or is: `now`) in the new one.
async fn cause_of(
    change: &mut AnyConnection,
    base: i64,
    new: &NewAudit<'_>,
    (sign, now): (&str, bool),
) -> Result<Cause> {
    let row = sqlx::query(
        "SELECT listing, artifact, pack_sha256, policy, version, as_of, registers FROM audits WHERE id = $1",
    )
    .bind(base)
    .fetch_one(change)
    .await?;
    let text = |column: &str| row.try_get::<String, _>(column);
    let mut causes = Vec::new();
    for (cause, is, was) in [
        ("pack", &*new.made_by.pack_sha256, text("pack_sha256")?),
        ("policy", &*new.made_by.policy, text("policy")?),
        ("version", &*new.made_by.version, text("version")?),
        ("registers", new.registers, text("registers")?),
    ] {
        if is != was {
            causes.push(cause);
        }
    }
    // Licences run out; without registers no day counts.
    if !new.registers.is_empty() && new.as_of != text("as_of")? {
        causes.push("day");
    }
    let (listing, artifact): (Option<i64>, Option<String>) = (row.try_get("listing")?, row.try_get("artifact")?);
    let reads_more = artifact.is_none() && new.artifact.is_some();
    if reads_more {
        causes.push("reading");
    }
    let is_other_file = artifact.is_some() && new.artifact.is_some() && artifact.as_deref() != new.artifact;
    if listing == new.listing && !is_other_file {
        // The same bytes and the same judge: a cap on time or bytes cut in elsewhere.
        return Ok(Cause::Judge(if causes.is_empty() { vec!["reading"] } else { causes }));
    }
    if causes.is_empty() {
        return Ok(Cause::App);
    }
    // Both changed: had the new judge, over the bytes of then, come to the same as over those of now?
    let control = new.controls.iter().find(|control| control.audit == base);
    let is_app = control.is_some_and(|control| control.signs.contains(sign) != now);
    Ok(if is_app { Cause::App } else { Cause::Judge(causes) })
}

/// Writes a finding as an audit has it.
pub(super) async fn keep_finding(
    change: &mut AnyConnection,
    audit: i64,
    new: &NewAudit<'_>,
    finding: &Finding,
) -> Result<()> {
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    sqlx::query(
        "INSERT INTO findings (id, app, sign, severity, confidence, probability, state, first_audit, last_audit,
                               first_seen, last_seen, evidence, signatures, moved)
         VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, confidence = excluded.confidence,
             probability = excluded.probability, state = 'open', last_audit = excluded.last_audit,
             last_seen = excluded.last_seen, evidence = excluded.evidence, signatures = excluded.signatures,
             sight = 'whole', because = '', ended = 0, cause = '',
             moved = CASE WHEN findings.evidence = excluded.evidence AND findings.state = 'open' THEN findings.moved
                          ELSE excluded.moved END",
    )
    .bind(&finding.id)
    .bind(new.app)
    .bind(finding.sign.id())
    .bind(word(serde_json::to_value(finding.severity)?))
    .bind(word(serde_json::to_value(finding.confidence)?))
    .bind(finding.probability)
    .bind(audit)
    .bind(audit)
    .bind(new.at)
    .bind(new.at)
    .bind(finding.fingerprint())
    .bind(signatures(finding))
    .bind(audit)
    .execute(change)
    .await?;
    Ok(())
}

/// Ids of the signatures whose clues counted, with spaces; `-` before those that spoke against it.
fn signatures(finding: &Finding) -> String {
    let mut weights: BTreeMap<&str, i32> = BTreeMap::new();
    for evidence in finding.evidence.iter().filter(|e| e.counted) {
        *weights.entry(&*evidence.signature).or_default() += evidence.weight;
    }
    let ids: Vec<String> =
        weights.into_iter().map(|(id, weight)| if weight < 0 { format!("-{id}") } else { id.to_owned() }).collect();
    ids.join(" ")
}
