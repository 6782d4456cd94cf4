//! One signature on one app, clue by clue.

use super::{Auditor, Reading};
use crate::detect;
use crate::model::{About, Detection, Evidence, Lack, Listing, Trial, Tried, Verdict, Weighed};
use crate::score;
use crate::signature::{Clue, Condition, Pack, Signature};

impl Auditor {
    /// Tries a signature of the pack on an app. What undid a match is told where the pack
    /// [watches](Pack::watch) the signature. `None` when the pack has no such signature.
    #[must_use]
    pub fn try_out(&self, id: &str, on: &str, listing: Option<&Listing>, readings: Vec<Reading>) -> Option<Trial> {
        let signature = self.pack.signature(id)?;
        let (audit, detection) = self.weigh(listing, readings);
        let evidence = self.evidence(&detection, signature.about);
        let bench = Bench { pack: &self.pack, signature, detection: &detection, evidence: &evidence };
        let own = evidence.iter().filter(|e| e.signature == signature.id).cloned().collect();
        let is_always_in_scope = match signature.about {
            About::Education => true,
            About::Sign(sign) => sign.is_always_in_scope(),
        };
        Some(Trial {
            signature: signature.id.clone(),
            title: signature.title().clone(),
            on: on.to_owned(),
            clues: self.pack.clues_of(signature).map(|(number, clue)| bench.tried(number, clue)).collect(),
            alone: self.weighed(signature.about, own),
            together: self.weighed(signature.about, evidence.clone()),
            in_scope: is_always_in_scope || audit.profile.education.verdict != Verdict::No,
        })
    }

    fn weighed(&self, about: About, mut evidence: Vec<Evidence>) -> Weighed {
        let sum = score::sum(score::prior(&self.policy, about), evidence.iter().map(score::weight_of));
        sum.mark(&mut evidence);
        evidence.sort_by_key(|e| (!e.counted, -e.weight.abs()));
        Weighed { probability: sum.probability(), sum: sum.lines, evidence }
    }
}

struct Bench<'a> {
    pack: &'a Pack,
    signature: &'a Signature,
    detection: &'a Detection,
    /// About what the signature is about.
    evidence: &'a [Evidence],
}

impl Bench<'_> {
    fn tried(&self, number: usize, clue: &Clue) -> Tried {
        let seen = self.detection.hits.clues.get(&number).cloned().unwrap_or_default();
        let holds = self.detection.holding.contains(number);
        let evidence = self.evidence.iter().find(|e| e.signature == self.signature.id && e.clue == clue.id);
        Tried {
            clue: clue.id.clone(),
            why: clue.why.clone(),
            weight: clue.weight,
            holds,
            evidence: evidence.cloned(),
            sightings: seen.sightings,
            times: seen.times,
            near_misses: self.detection.hits.near_misses.get(&number).cloned().unwrap_or_default(),
            lacks: (!holds).then(|| self.lack(clue)),
        }
    }

    fn lack(&self, clue: &Clue) -> Lack {
        let searched = self.detection.hits.kinds();
        let (all, any_of, none, not) = match &clue.condition {
            Condition::Observed(observed) if !observed.kinds.intersects(searched) => {
                return Lack::facts(observed.kinds);
            }
            Condition::Observed(_) => return Lack::Match,
            Condition::Library { category, .. } => return Lack::Library(category.clone()),
            Condition::Model(name) => return Lack::Verdict(name.clone()),
            Condition::Derived { all, any_of, none, not } => (all, any_of, none, not),
        };
        let holds = |n: &usize| self.detection.holding.contains(*n);
        let missing = self.names(all.iter().filter(|n| !holds(n)));
        let barred = self.names(none.iter().chain(not).filter(|n| holds(n)));
        if !missing.is_empty() {
            Lack::Clues(missing)
        } else if !barred.is_empty() {
            Lack::Barred(barred)
        } else if !any_of.is_empty() && !any_of.iter().any(holds) {
            Lack::AnyOf(self.names(any_of.iter()))
        } else {
            Lack::Unsearched(self.names(none.iter().filter(|n| !detect::was_searched(self.pack, **n, searched))))
        }
    }

    /// Names of clues as the file would write them.
    fn names<'n>(&self, numbers: impl Iterator<Item = &'n usize>) -> Vec<String> {
        numbers.map(|&number| self.pack.name_of(number, self.signature)).collect()
    }
}
