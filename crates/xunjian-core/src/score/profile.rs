//! What sort of app it is: scope, kind, stages, subjects, languages, libraries.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Case, prior, sum, weight_of, weights};
use crate::model::{About, Detection, Education, Evidence, Hits, LibraryFound, Profile, Sign, Verdict};
use crate::signature::{Pack, Policy};

/// `yes` above this: even odds are no yes.
const YES_ABOVE: f64 = 0.5;
/// `no` below this, where something speaks against it.
const NO_BELOW: f64 = 0.2;
/// Decibans that must speak against it before the answer is `no`: the base rate alone clears nobody.
const AGAINST: i32 = -4;

/// There is evidence, and it does not decide.
pub(super) const BOTH_WAYS: &str = "both-ways";
/// Nothing was seen either way.
const NOTHING_SEEN: &str = "nothing-seen";
/// There was text, in no language that the signatures know.
const NO_KNOWN_LANGUAGE: &str = "no-known-language";
/// Languages that the signatures are written in.
const KNOWN: &[&str] = &["zh", "eng"];
/// Share of the text in known languages, in per cent, from which that is no reason.
const KNOWN_SHARE: u32 = 20;

/// Texts of the app's screens that must mention a stage or subject that its listing does not name.
const INSIDE_MIN: usize = 2;

/// Builds the profile.
pub(super) fn profile(pack: &Pack, policy: &Policy, case: Case<'_>) -> Profile {
    let detection = case.detection;
    let hits = &detection.hits;
    let education = education(policy, (case.evidence)(About::Education), hits);
    // What only its screens mention tells of an education app what it teaches, and of others nothing.
    let least = if education.verdict == Verdict::Yes { INSIDE_MIN } else { usize::MAX };
    let counted = Counted::of(pack, case, &education);
    let both = |lexicon| {
        let mut all = facets(pack, hits, lexicon, least);
        all.extend(counted.facets(pack, lexicon));
        all.into_iter().collect::<Vec<_>>()
    };
    let (stages, subjects) = (both("stages"), both("subjects"));
    let named = |lexicon| facets(pack, hits, lexicon, usize::MAX);
    let is_named = !named("subjects").is_empty()
        && named("stages").iter().any(|s| s != "preschool")
        && education.verdict == Verdict::Yes;
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
        provider: None,
        asks: None,
    }
}

fn education(policy: &Policy, mut evidence: Vec<Evidence>, hits: &Hits) -> Education {
    let sum = sum(policy.education_prior, evidence.iter().map(weight_of));
    sum.mark(&mut evidence);
    let probability = sum.probability();
    evidence.sort_by(|a, b| b.counted.cmp(&a.counted).then(b.weight.abs().cmp(&a.weight.abs())));
    let against: i32 = evidence.iter().filter(|e| e.counted && e.weight < 0).map(|e| e.weight).sum();
    let (verdict, because) = if probability > YES_ABOVE {
        (Verdict::Yes, "")
    } else if probability >= NO_BELOW {
        (Verdict::Unclear, BOTH_WAYS)
    } else if against <= AGAINST {
        (Verdict::No, "")
    } else if speaks_otherwise(hits) {
        (Verdict::Unclear, NO_KNOWN_LANGUAGE)
    } else {
        (Verdict::Unclear, NOTHING_SEEN)
    };
    Education { verdict, probability, evidence, because: because.into() }
}

/// Nearly all of the text is in languages that no signature is written in.
fn speaks_otherwise(hits: &Hits) -> bool {
    let shares = languages(&hits.languages);
    !shares.is_empty() && KNOWN.iter().filter_map(|code| shares.get(*code)).sum::<u32>() < KNOWN_SHARE
}

/// More likely than not by the evidence for the sign; a profile must not contradict a finding.
fn teaches_subjects(pack: &Pack, policy: &Policy, detection: &Detection) -> bool {
    let about = About::Sign(Sign::SubjectTutoring);
    sum(prior(policy, about), weights(pack, detection, about)).probability() > YES_ABOVE
}

/// Labels of a lexicon that the listing names, or the screens at least `least` times.
fn facets(pack: &Pack, hits: &Hits, lexicon: &str, least: usize) -> BTreeSet<String> {
    hits.facets
        .iter()
        .filter(|(_, seen)| seen.named > 0 || seen.inside.len() >= least)
        .filter_map(|(&id, _)| pack.facets.get(id as usize))
        .filter(|(name, _)| name == lexicon)
        .map(|(_, label)| label.clone())
        .collect()
}

/// What the evidence that counted for an education app or for teaching names, so that the profile
/// does not contradict a finding.
struct Counted(BTreeSet<u32>);

impl Counted {
    fn of(pack: &Pack, case: Case<'_>, education: &Education) -> Self {
        let has_any = |about| !case.detection.about(about).is_empty();
        if education.verdict == Verdict::No
            || ![About::Education, About::Sign(Sign::SubjectTutoring)].map(has_any).contains(&true)
        {
            return Self(BTreeSet::new());
        }
        let teaching = (case.evidence)(About::Sign(Sign::SubjectTutoring));
        let texts = education.evidence.iter().filter(|e| e.counted).chain(&teaching);
        let words = texts.filter(|e| e.weight > 0 && e.kind != "model").map(|e| e.text.as_str());
        Self(pack.facets_in(words))
    }

    fn facets(&self, pack: &Pack, lexicon: &str) -> impl Iterator<Item = String> {
        let named = self.0.iter().filter_map(|&id| pack.facets.get(id as usize));
        named.filter(move |(name, _)| name == lexicon).map(|(_, label)| label.clone())
    }
}

/// Shares in whole per cent; below one per cent is left out.
fn languages(characters: &BTreeMap<Cow<'static, str>, usize>) -> BTreeMap<String, u32> {
    let total: usize = characters.values().sum();
    characters
        .iter()
        .map(|(code, count)| (code.clone().into_owned(), (count * 100 / total.max(1)) as u32))
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
