//! What sort of app it is: scope, kind, stages, subjects, languages, libraries.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, prior, sum, weight_of, weights};
use crate::model::{About, Detection, Education, Evidence, Hits, LibraryFound, Profile, Sign, Verdict};
use crate::signature::{Pack, Policy};

/// `yes` from here.
const YES_FROM: f64 = 0.5;
/// `no` below this.
const NO_BELOW: f64 = 0.2;

/// Texts of the app's screens that must mention a stage or subject that its listing does not name.
const INSIDE_MIN: usize = 2;

/// Builds the profile.
pub(super) fn profile(pack: &Pack, policy: &Policy, case: Case<'_>) -> Profile {
    let detection = case.detection;
    let hits = &detection.hits;
    let education = education(policy, (case.evidence)(About::Education));
    // What only its screens mention tells of an education app what it teaches, and of others nothing.
    let least = if education.verdict == Verdict::Yes { INSIDE_MIN } else { usize::MAX };
    let (stages, subjects) = (facets(pack, hits, "stages", least), facets(pack, hits, "subjects", least));
    let named = |lexicon| facets(pack, hits, lexicon, usize::MAX);
    let is_named = !named("subjects").is_empty() && named("stages").iter().any(|s| s != "preschool");
    let is_subject = is_named || teaches_subjects(pack, policy, detection);
    let kind = match (education.verdict, is_subject) {
        (Verdict::No, _) => "unclear",
        (_, true) => "subject",
        (Verdict::Yes, false) => "non-subject",
        (Verdict::Unclear, false) => "unclear",
    };
    let libraries = libraries(pack, hits);
    let framework: BTreeSet<String> = libraries
        .iter()
        .filter(|library| library.category == "framework" && !library.faint)
        .map(|library| library.name.clone())
        .collect();
    Profile {
        education,
        kind: kind.into(),
        stages,
        subjects,
        languages: languages(&hits.languages),
        framework: framework.into_iter().collect(),
        libraries,
        filing_numbers: filing_numbers(pack, hits),
    }
}

fn education(policy: &Policy, mut evidence: Vec<Evidence>) -> Education {
    let sum = sum(policy.education_prior, evidence.iter().map(weight_of));
    sum.mark(&mut evidence);
    let probability = sum.probability();
    let verdict = if probability >= YES_FROM {
        Verdict::Yes
    } else if probability < NO_BELOW {
        Verdict::No
    } else {
        Verdict::Unclear
    };
    evidence.sort_by(|a, b| b.counted.cmp(&a.counted).then(b.weight.abs().cmp(&a.weight.abs())));
    Education { verdict, probability, evidence }
}

/// More likely than not by the evidence for the sign; a profile must not contradict a finding.
fn teaches_subjects(pack: &Pack, policy: &Policy, detection: &Detection) -> bool {
    let about = About::Sign(Sign::SubjectTutoring);
    sum(prior(policy, about), weights(pack, detection, about)).probability() >= YES_FROM
}

/// Labels of a lexicon that the listing names, or the screens at least `least` times.
fn facets(pack: &Pack, hits: &Hits, lexicon: &str, least: usize) -> Vec<String> {
    let found: BTreeSet<&str> = hits
        .facets
        .iter()
        .filter(|(_, seen)| seen.named > 0 || seen.inside.len() >= least)
        .filter_map(|(&id, _)| pack.facets.get(id as usize))
        .filter(|(name, _)| name == lexicon)
        .map(|(_, label)| label.as_str())
        .collect();
    found.into_iter().map(str::to_owned).collect()
}

/// Shares in whole per cent; below one per cent is left out.
fn languages(characters: &BTreeMap<&'static str, usize>) -> BTreeMap<String, u32> {
    let total: usize = characters.values().sum();
    characters
        .iter()
        .map(|(code, count)| ((*code).to_owned(), (count * 100 / total.max(1)) as u32))
        .filter(|(_, share)| *share > 0)
        .collect()
}

fn libraries(pack: &Pack, hits: &Hits) -> Vec<LibraryFound> {
    let mut found: Vec<LibraryFound> = hits
        .libraries
        .iter()
        .map(|(id, seen)| {
            let library = &pack.libraries.all[*id as usize];
            LibraryFound {
                name: library.name.clone(),
                vendor: library.vendor.clone(),
                category: library.category.clone(),
                place: seen.traces.values().next().cloned().unwrap_or_default(),
                faint: !seen.is_solid(),
            }
        })
        .collect();
    found.sort();
    found.dedup_by(|a, b| a.name == b.name && a.vendor == b.vendor);
    found
}

/// What the clues marked `collect = "filing-numbers"` matched.
#[must_use]
pub fn filing_numbers(pack: &Pack, hits: &Hits) -> Vec<String> {
    let numbers: BTreeSet<String> = pack
        .collecting
        .get("filing-numbers")
        .into_iter()
        .flatten()
        .filter_map(|clue| hits.clues.get(clue))
        .flat_map(|seen| seen.sightings.iter().map(|s| s.matched.split_whitespace().collect()))
        .collect();
    numbers.into_iter().collect()
}
