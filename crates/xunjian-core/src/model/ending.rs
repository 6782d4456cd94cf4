//! Whether an audit that has a finding no more can say that it has gone.
//!
//! What was not read cannot have gone. A finding rests on kinds of facts: those of its evidence, or
//! for a sign of absence all that the sign lives in. A later audit ends it only where it read these
//! kinds at least as well as the audit that found it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Audit, Evidence, Finding, Kind, Kinds, Level, Limit, LimitCode, Outcome};

/// What it means that an audit does not have a finding that one before it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// What it rested on was read, and it is not there.
    Gone,
    /// The sign is there, and the notice does not cover what the app says it is now.
    OutOfScope,
    /// It could not be told: ids of the limits that stand in the way.
    NotSeen(Vec<&'static str>),
}

/// What it means that `now` lacks a finding of `then`.
#[must_use]
pub fn ending(then: &Audit, finding: &Finding, now: &Audit) -> Ending {
    if now.out_of_scope.iter().any(|found| found.sign == finding.sign) {
        return Ending::OutOfScope;
    }
    match obstacles(then, finding, now) {
        codes if codes.is_empty() => Ending::Gone,
        codes => Ending::NotSeen(codes),
    }
}

/// `now` has less of a finding than `then` only because it read less: every piece of its evidence
/// is among that of then, and limits stand in the way of the rest. Their ids; empty where the
/// evidence did change.
#[must_use]
pub fn partly_seen(then: &Audit, finding: &Finding, now: &Audit, again: &Finding) -> Vec<&'static str> {
    let key = |e: &Evidence| (e.signature.clone(), e.clue.clone(), e.text.clone());
    let before: BTreeSet<_> = finding.evidence.iter().map(key).collect();
    let is_part = again.evidence.iter().filter(|e| e.counted).all(|e| before.contains(&key(e)));
    if is_part { obstacles(then, finding, now) } else { Vec::new() }
}

/// Ids of the limits that keep `now` from telling whether a finding of `then` is still there.
fn obstacles(then: &Audit, finding: &Finding, now: &Audit) -> Vec<&'static str> {
    let rests_on = rests_on(finding);
    let (before, after) = (by_code(&then.coverage.limits), by_code(&now.coverage.limits));
    let mut codes: Vec<&'static str> = Vec::new();
    for (code, limits) in &after {
        let known = before.get(code).map_or(0, Vec::len);
        let is_worse = limits.len() > known || limits.iter().any(|limit| is_on_evidence(limit, finding));
        if code.hides().intersects(rests_on) && is_worse {
            codes.push(code.id());
        }
    }
    // The package inside is another app's: what it lacks says nothing of the app that was judged.
    let is_other = |limits: &BTreeMap<LimitCode, Vec<&Limit>>| limits.contains_key(&LimitCode::OtherPackage);
    if is_other(&after) && !is_other(&before) && !Kinds::LISTING.contains(rests_on) {
        codes.push(LimitCode::OtherPackage.id());
    }
    if now.coverage.level == Level::None && codes.is_empty() {
        codes.push(LimitCode::OverBudget.id());
    }
    codes
}

fn by_code(limits: &[Limit]) -> BTreeMap<LimitCode, Vec<&Limit>> {
    let mut by_code: BTreeMap<LimitCode, Vec<&Limit>> = BTreeMap::new();
    for limit in limits {
        by_code.entry(limit.code).or_default().push(limit);
    }
    by_code
}

/// The limit is about the very entry that a piece of the evidence stood in.
fn is_on_evidence(limit: &Limit, finding: &Finding) -> bool {
    let Some(entry) = entry(&limit.place) else { return false };
    finding.evidence.iter().any(|e| e.counted && self::entry(&e.place).is_some_and(|at| at.starts_with(entry)))
}

/// The path inside the package of a place: `a.apk!/assets/x.js line 3` gives `assets/x.js line 3`.
fn entry(place: &str) -> Option<&str> {
    place.split_once("!/").map(|(_, entry)| entry).filter(|entry| !entry.is_empty())
}

/// Kinds of facts that a finding rests on.
#[must_use]
pub fn rests_on(finding: &Finding) -> Kinds {
    let speaks = |e: &&Evidence| e.counted && e.weight > 0;
    let all = finding.evidence.iter().filter(speaks).fold(Kinds::empty(), |all, e| all | kinds_of(e, finding));
    if finding.sign.is_absence() || all.is_empty() { all | finding.sign.lives_in() } else { all }
}

fn kinds_of(evidence: &Evidence, finding: &Finding) -> Kinds {
    let code = Kind::Class.bit() | Kind::Component.bit() | Kind::Native.bit() | Kind::Code.bit();
    match &*evidence.kind {
        "listing" => Kinds::LISTING,
        "text" => Kinds::INSIDE | Kind::Code.bit() | Kind::Native.bit(),
        "asset" => Kind::File.bit(),
        "library" => code | Kind::File.bit(),
        // Said by a register, or by the other evidence together.
        "register" | "combination" => Kinds::empty(),
        other => Kind::from_id(other).map_or_else(|| finding.sign.lives_in(), Kind::bit),
    }
}

/// Signs that an audit found, in scope or not.
#[must_use]
pub fn signs_found(audit: &Audit) -> BTreeSet<&'static str> {
    audit.checks.iter().filter(|check| check.outcome == Outcome::Found).map(|check| check.sign.id()).collect()
}
