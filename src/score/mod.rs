//! Evidence in, checks and findings out.
//!
//! Weights are decibans (I. J. Good, *Probability and the Weighing of Evidence*, 1950):
//! ten times the base-10 logarithm of a likelihood ratio. A sign starts from its base
//! rate in the policy; each group of correlated clues adds its strongest weight once;
//! the sum is a probability that anyone can recompute by hand.

mod profile;

use std::collections::BTreeMap;

use crate::detect::Detection;
use crate::model::{
    App, Check, Confidence, Contribution, Coverage, Evidence, Finding, Kind, Kinds, Outcome,
    Profile, Sign, Standing, Verdict,
};
use crate::signature::{About, Pack, Policy};

pub use profile::profile;

/// Probability of a sum of decibans: odds are `10^(sum/10)`.
#[must_use]
pub fn probability(decibans: i32) -> f64 {
    let odds = 10_f64.powf(f64::from(decibans) / 10.0);
    let exact = odds / (1.0 + odds);
    // Four places: what a report prints, and the same on every machine.
    (exact * 10_000.0).round() / 10_000.0
}

/// Adds evidence up: the base rate and, per group, the strongest weight.
/// Marks the evidence that a stronger one of its group stands for.
#[must_use]
pub fn sum(prior: i32, evidence: &mut [Evidence]) -> (i32, Vec<Contribution>) {
    let mut strongest: BTreeMap<String, usize> = BTreeMap::new();
    for (index, item) in evidence.iter().enumerate() {
        let best = strongest.entry(item.group.clone()).or_insert(index);
        if item.weight.abs() > evidence[*best].weight.abs() {
            *best = index;
        }
    }
    for (index, item) in evidence.iter_mut().enumerate() {
        item.counted = strongest.get(&item.group) == Some(&index);
    }
    let mut lines = vec![Contribution { group: "base-rate".into(), weight: prior }];
    lines.extend(
        strongest.iter().map(|(group, &index)| Contribution { group: group.clone(), weight: evidence[index].weight }),
    );
    lines[1..].sort_by(|a, b| b.weight.cmp(&a.weight).then_with(|| a.group.cmp(&b.group)));
    (lines.iter().map(|line| line.weight).sum(), lines)
}

/// What scoring gives for one app.
#[derive(Debug, Clone)]
pub struct Scored {
    /// Profile.
    pub profile: Profile,
    /// A check per sign.
    pub checks: Vec<Check>,
    /// Findings in scope, most probable first.
    pub findings: Vec<Finding>,
    /// Findings of an app the notice does not cover.
    pub out_of_scope: Vec<Finding>,
}

/// Scores one app.
#[must_use]
pub fn score(pack: &Pack, policy: &Policy, app: &App, coverage: &Coverage, detection: &Detection) -> Scored {
    let profile = profile(pack, policy, detection);
    let in_scope = profile.education.verdict != Verdict::No;
    let searched: Vec<String> = detection.hits.searched.keys().map(|kind| kind.id().to_owned()).collect();
    let mut checks = Vec::new();
    let mut findings = Vec::new();
    for &sign in Sign::ALL {
        let (check, finding) = check(policy, app, coverage, detection, sign, &searched);
        checks.push(check);
        findings.extend(finding);
    }
    findings.sort_by(|a, b| {
        b.probability.total_cmp(&a.probability).then(b.severity.cmp(&a.severity)).then(a.sign.cmp(&b.sign))
    });
    let (findings, out_of_scope) = if in_scope { (findings, Vec::new()) } else { (Vec::new(), findings) };
    Scored { profile, checks, findings, out_of_scope }
}

fn check(
    policy: &Policy,
    app: &App,
    coverage: &Coverage,
    detection: &Detection,
    sign: Sign,
    searched: &[String],
) -> (Check, Option<Finding>) {
    let mut evidence = detection.evidence.get(&About::Sign(sign)).cloned().unwrap_or_default();
    let rule = policy.of(sign);
    let (total, lines) = sum(rule.map_or(-20, |r| r.prior), &mut evidence);
    let probability = probability(total);
    let because = hiding(sign, coverage);
    let speaks = evidence.iter().any(|e| e.weight > 0) && probability >= policy.report_from;
    let outcome = match (speaks, because.is_empty()) {
        // What is there, is there; what is absent was only shown where all was read.
        (true, true) => Outcome::Found,
        (true, false) if !sign.is_absence() => Outcome::Found,
        (_, false) => Outcome::NotAssessable,
        (false, true) => Outcome::NotFound,
    };
    let check = Check {
        sign,
        outcome,
        probability,
        searched: searched.to_vec(),
        sum: lines.clone(),
        because: if outcome == Outcome::NotAssessable { because } else { Vec::new() },
    };
    let finding = rule.filter(|_| outcome == Outcome::Found).map(|rule| {
        evidence.sort_by(|a, b| {
            b.counted.cmp(&a.counted).then(b.weight.abs().cmp(&a.weight.abs())).then_with(|| a.clue.cmp(&b.clue))
        });
        Finding {
            id: Finding::id_of(sign, app, &policy.id),
            sign,
            clause: rule.clause.clone(),
            clause_text: rule.clause_text.clone(),
            severity: rule.severity,
            confidence: Confidence::of(probability),
            probability,
            standing: Standing::NotChecked,
            sum: lines,
            evidence,
        }
    });
    (check, finding)
}

/// Kinds without which a sign cannot be called absent.
#[must_use]
pub fn lives_in(sign: Sign) -> Kinds {
    let code = Kind::Class.bit() | Kind::Component.bit() | Kind::Native.bit();
    match sign {
        Sign::PreschoolTraining | Sign::SubjectTutoring | Sign::DisguisedTutoring | Sign::SchoolFee => {
            Kinds::PITCH | Kinds::INSIDE
        }
        Sign::LiveTutoring => Kinds::PITCH | Kinds::INSIDE | code,
        Sign::PhotoSearch | Sign::GameLink | Sign::Advertising => Kinds::INSIDE | code,
        Sign::HarmfulContent | Sign::ComplaintChannel | Sign::ServiceTerms | Sign::FilingMissing => Kinds::INSIDE,
        Sign::MinorPrivacy => Kinds::INSIDE | Kind::Permission.bit(),
    }
}

/// Codes of the limits that hide where a sign lives.
fn hiding(sign: Sign, coverage: &Coverage) -> Vec<String> {
    let mut codes: Vec<String> =
        coverage.hiding(lives_in(sign)).map(|limit| limit.code.id().to_owned()).collect();
    codes.dedup();
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_design_adds_up() {
        assert!((probability(-20 + 18 + 9) - 0.8337).abs() < 1e-9);
        assert!((probability(0) - 0.5).abs() < 1e-9);
    }
}
