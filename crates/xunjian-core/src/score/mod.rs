//! Evidence in, checks and findings out.
//!
//! Weights are decibans (I. J. Good, *Probability and the Weighing of Evidence*, 1950):
//! ten times the base-10 logarithm of a likelihood ratio. A sign starts from its base
//! rate in the policy; each group of correlated clues adds its strongest weight once;
//! the sum is a probability that anyone can recompute by hand.

mod grounds;
mod profile;
mod standing;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{
    About, Answer, Check, Contribution, Coverage, Detection, Evidence, Finding, Ground, Listed, Outcome, Profile,
    RegisterKind, Severity, Sign, Standing, Standings, Verdict,
};
use crate::signature::{Pack, Policy, SignPolicy};

pub use profile::filing_numbers;
use profile::{BOTH_WAYS, profile};

/// Probability of a sum of decibans: odds are `10^(sum/10)`.
#[must_use]
pub fn probability(decibans: i32) -> f64 {
    let odds = 10_f64.powf(f64::from(decibans) / 10.0);
    let exact = odds / (1.0 + odds);
    // Four places: what a report prints, and the same on every machine.
    (exact * 10_000.0).round() / 10_000.0
}

/// What evidence adds up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// In decibans.
    pub total: i32,
    /// The base rate and, per group, the strongest weight; strongest first.
    pub lines: Vec<Contribution>,
    /// Places of the evidence that speaks for its group.
    counted: Vec<usize>,
}

impl Sum {
    /// Its probability.
    #[must_use]
    pub fn probability(&self) -> f64 {
        probability(self.total)
    }

    /// Marks the evidence that counts, and that for which a stronger one of its group stands.
    pub fn mark(&self, evidence: &mut [Evidence]) {
        for (place, item) in evidence.iter_mut().enumerate() {
            item.counted = self.counted.contains(&place);
        }
    }
}

/// The groups and weights of the clues that hold about a subject.
pub fn weights<'a>(
    pack: &'a Pack,
    detection: &'a Detection,
    about: About,
) -> impl Iterator<Item = (&'a str, i32)> + Clone {
    detection.about(about).iter().map(|held| (pack.clues[held.with].group.as_str(), held.weight))
}

/// Group and weight of a piece of evidence.
#[must_use]
pub fn weight_of(evidence: &Evidence) -> (&str, i32) {
    (&evidence.group, evidence.weight)
}

/// Adds weights up, each given with its group: the base rate and, per group, the strongest.
#[must_use]
pub fn sum<'a>(prior: i32, weights: impl IntoIterator<Item = (&'a str, i32)>) -> Sum {
    let mut groups: BTreeMap<&str, (usize, i32)> = BTreeMap::new();
    for (place, (group, weight)) in weights.into_iter().enumerate() {
        let best = groups.entry(group).or_insert((place, weight));
        if is_stronger(weight, best.1) {
            *best = (place, weight);
        }
    }
    let mut lines = vec![Contribution { group: "base-rate".into(), weight: prior }];
    lines.extend(groups.iter().map(|(group, &(_, weight))| Contribution { group: (*group).to_owned().into(), weight }));
    lines[1..].sort_by(|a, b| b.weight.cmp(&a.weight).then_with(|| a.group.cmp(&b.group)));
    let total = lines.iter().map(|line| line.weight).sum();
    Sum { total, lines, counted: groups.into_values().map(|(place, _)| place).collect() }
}

/// The base rate of a sign, or of education apps, in decibans.
#[must_use]
pub fn prior(policy: &Policy, about: About) -> i32 {
    match about {
        About::Education => policy.education_prior,
        About::Sign(sign) => policy.of(sign).map_or(DEFAULT_PRIOR, |rule| rule.prior),
    }
}

/// What scoring gives for one app.
#[derive(Debug, Clone)]
pub struct Scored {
    /// Profile.
    pub profile: Profile,
    /// A check per sign.
    pub checks: Vec<Check>,
    /// Findings in scope, the gravest first, then the most probable.
    pub findings: Vec<Finding>,
    /// Findings of an app the notice does not cover.
    pub out_of_scope: Vec<Finding>,
}

/// The weight that speaks for a group: the strongest, the first among equals.
pub fn strongest(weights: impl Iterator<Item = i32>) -> Option<i32> {
    weights.reduce(|best, other| if is_stronger(other, best) { other } else { best })
}

const fn is_stronger(weight: i32, than: i32) -> bool {
    weight.abs() > than.abs()
}

/// What is known of one app besides its evidence when that is weighed.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// Which app, as it is listed.
    pub listed: &'a Listed,
    /// What was read.
    pub coverage: &'a Coverage,
    /// What was detected.
    pub detection: &'a Detection,
    /// The evidence about a subject, one piece for each clue that holds, in their order. Nearly all
    /// sums come to nothing, so it is only put into words where it is shown.
    pub evidence: &'a dyn Fn(About) -> Vec<Evidence>,
    /// What the registers say.
    pub standings: &'a Standings,
}

/// Scores one app.
#[must_use]
pub fn score(pack: &Pack, policy: &Policy, case: Case<'_>) -> Scored {
    let profile = profile(pack, policy, case);
    // Where nothing was seen either way, only what stands for itself is worth a look; and what an app
    // lacks is lacking only where it is one that must have it.
    let is_unseen = profile.education.because != BOTH_WAYS;
    let covers = |sign: Sign| match profile.education.verdict {
        Verdict::No => sign.is_always_in_scope(),
        Verdict::Unclear if is_unseen => sign.stands_alone(),
        Verdict::Unclear => !sign.is_absence(),
        Verdict::Yes => true,
    };
    let (checks, findings): (Vec<Check>, Vec<Option<Finding>>) =
        policy.spoken_of().map(|sign| check(pack, policy, case, &profile, sign)).unzip();
    let mut findings: Vec<Finding> = findings.into_iter().flatten().collect();
    findings.sort_by(|a, b| {
        b.severity.cmp(&a.severity).then(b.probability.total_cmp(&a.probability)).then(a.sign.cmp(&b.sign))
    });
    let (findings, out_of_scope) =
        findings.into_iter().partition(|finding| covers(finding.sign) && !finding.policies.is_empty());
    Scored { profile, checks, findings, out_of_scope }
}

fn check(pack: &Pack, policy: &Policy, case: Case<'_>, profile: &Profile, sign: Sign) -> (Check, Option<Finding>) {
    let about = About::Sign(sign);
    let (answer, from_register) = standing::of(sign, case.standings);
    let weights = weights(pack, case.detection, about);
    // A register speaks on its own of filings; of teaching only where teaching was seen.
    let is_filing = sign == Sign::FilingMissing;
    let from_register = from_register.filter(|_| is_filing || weights.clone().any(|(_, weight)| weight > 0));
    let weights = weights.chain(from_register.iter().map(weight_of));
    let sum = sum(prior(policy, about), weights.clone());
    let probability = sum.probability();
    let because =
        if is_filing && answer.standing != Standing::NotChecked { Vec::new() } else { hiding(sign, case.coverage) };
    let speaks = weights.clone().any(|(_, weight)| weight > 0) && probability >= policy.report_from;
    let outcome = match (speaks, because.is_empty()) {
        // What is there, is there; what is absent was only shown where all was read.
        (true, true) => Outcome::Found,
        (true, false) if !sign.is_absence() => Outcome::Found,
        (_, false) => Outcome::NotAssessable,
        (false, true) => Outcome::NotFound,
    };
    let finding = policy.of(sign).filter(|_| outcome == Outcome::Found).and_then(|rule| {
        let mut evidence = (case.evidence)(about);
        evidence.extend(from_register.clone());
        sum.mark(&mut evidence);
        let ground = ground(rule, profile, &answer, sign);
        Finding::new(sign, case.listed, ground, (probability, sum.lines.clone()), evidence)
    });
    let check = Check {
        sign,
        outcome,
        probability,
        searched: case.detection.hits.kinds(),
        sum: sum.lines,
        because: if outcome == Outcome::NotAssessable { because } else { Vec::new() },
        silent: policy.of(sign).is_none(),
    };
    (check, finding)
}

/// Base rate of a sign that a policy leaves out: 1 %.
const DEFAULT_PRIOR: i32 = -20;

/// What the policy and the registers give to a finding.
fn ground(rule: &SignPolicy, profile: &Profile, answer: &Answer, sign: Sign) -> Ground {
    // Teaching under a valid licence is information, not a prohibition (draft 三（一）).
    let is_licensed = answer.is_valid() && sign.register() == Some(RegisterKind::Licence);
    Ground {
        cited: grounds::of(rule, profile),
        severity: if is_licensed { Severity::Low } else { rule.severity },
        standing: answer.standing,
    }
}

/// Codes of the limits that hide where a sign lives.
fn hiding(sign: Sign, coverage: &Coverage) -> Vec<Cow<'static, str>> {
    let mut codes: Vec<_> = coverage.hiding(sign.lives_in()).map(|limit| limit.code.id().into()).collect();
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
