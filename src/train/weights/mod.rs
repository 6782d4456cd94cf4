//! Clue weights from labelled examples: penalised logistic regression in decibans.
//!
//! A weight is a log-likelihood ratio in decibans (Good, *Probability and the Weighing of
//! Evidence*, 1950), and the sum of weights and base rate is the log-odds, so fitting
//! weights to labels is logistic regression whose intercept is known: the policy's base
//! rate, which is never changed.
//!
//! What is minimised is the log-loss over the examples plus a ridge that pulls every
//! weight towards the one it has now: `Σ (new - present)² / 2 spread²`, the maximum a
//! posteriori estimate under a Gaussian about the present weight (le Cessie and van
//! Houwelingen, *Ridge Estimators in Logistic Regression*, 1992, with another centre). A
//! clue that few examples show therefore stays where its author put it, and one that none
//! shows does not move at all.
//!
//! Weights are whole numbers within a sign each, as for a scoring system that people add
//! up (Ustun and Rudin, *Learning Optimized Risk Scores*, 2019): a clue that speaks for a
//! sign keeps at least +1, one that speaks against it at most -1. They are searched one at
//! a time, cyclically (coordinate descent: Friedman, Hastie and Tibshirani, 2010), over
//! whole numbers, on the very sum that [`score`](crate::score) computes: of a group only the
//! strongest counts, with the weights as they are at that moment, and a disguise costs
//! what it costs. So nothing is approximated but the optimum: groups make the loss
//! non-convex, and the search ends where no single weight can be bettered by up to
//! three decibans.
//!
//! The clues of text models are held: a model has mostly read the examples it would be
//! judged by, and a fit would believe it too much.
//!
//! A corpus that holds a larger share of a sign than stores do raises the weights by the
//! difference. Where the share among real apps is known, examples are weighted to it
//! (King and Zeng, *Logistic Regression in Rare Events Data*, 2001).

mod fit;

use std::collections::BTreeMap;

use super::{FOLDS, TrainError, folds, logistic};
use crate::measure::{Figures, Judged, figures};
use crate::model::{About, Evidence};
use crate::signature::{Condition, Pack};

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How far a weight strays lightly, in decibans: the ridge's standard deviation.
    pub spread: f64,
    /// Share of the sign among real apps; without it, that of the corpus.
    pub share: Option<f64>,
}

/// A clue whose weight is fitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weight {
    /// Its signature.
    pub signature: String,
    /// Its name within it.
    pub clue: String,
    /// Decibans now.
    pub present: i32,
}

/// What one piece of evidence adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The weight of this number, less what a disguise costs.
    Clue(usize, i32),
    /// What a text model said.
    Held(i32),
}

/// A labelled example as groups of evidence.
#[derive(Debug, Clone)]
struct Example {
    id: String,
    text: String,
    is_yes: bool,
    groups: Vec<Vec<Part>>,
}

/// Everything that is known of one sign.
#[derive(Debug, Clone)]
pub struct Problem {
    prior: i32,
    weights: Vec<Weight>,
    names: BTreeMap<(String, String), usize>,
    examples: Vec<Example>,
}

/// What came of a fit.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// Each clue that an example shows: present and new weight, and on how many labelled
    /// y and n it held.
    pub rows: Vec<Row>,
    /// Clues that no example shows.
    pub unseen: usize,
    /// Examples labelled y.
    pub yes: usize,
    /// Examples labelled n.
    pub no: usize,
    /// With the present weights.
    pub before: Quality,
    /// With the new weights, on the examples they were fitted to: flatters.
    pub fitted: Quality,
    /// Out of fold: by weights fitted to other examples.
    pub out_of_fold: Quality,
}

/// A clue beside its new weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The clue and its present weight.
    pub weight: Weight,
    /// Its new weight.
    pub new: i32,
    /// Examples labelled y on which it held.
    pub yes: usize,
    /// Examples labelled n on which it held.
    pub no: usize,
}

/// How good sums are.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    /// Mean log-loss, in nats.
    pub log_loss: f64,
    /// The other figures; even odds and better count as called.
    pub figures: Figures,
}

impl Fitted {
    /// The new weights keep what they promise on examples they have not seen.
    #[must_use]
    pub fn is_better(&self) -> bool {
        self.out_of_fold.log_loss < self.before.log_loss && self.out_of_fold.figures.f1 >= self.before.figures.f1
    }

    /// The clues whose weight changes.
    pub fn changed(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.new != row.weight.present)
    }
}

impl Problem {
    /// The clues of a pack that speak about a sign, with its base rate.
    #[must_use]
    pub fn new(pack: &Pack, about: About, prior: i32) -> Self {
        let mut problem = Self { prior, weights: Vec::new(), names: BTreeMap::new(), examples: Vec::new() };
        for signature in pack.signatures.iter().filter(|signature| signature.about == about) {
            let fitted =
                |clue: &crate::signature::Clue| clue.weight != 0 && !matches!(clue.condition, Condition::Model(_));
            for (_, clue) in pack.clues_of(signature).filter(|(_, clue)| fitted(clue)) {
                problem.names.insert((signature.id.clone(), clue.id.clone()), problem.weights.len());
                problem.weights.push(Weight {
                    signature: signature.id.clone(),
                    clue: clue.id.clone(),
                    present: clue.weight,
                });
            }
        }
        problem
    }

    /// Adds an example with what was detected in it.
    pub fn add(&mut self, id: &str, text: &str, is_yes: bool, evidence: &[Evidence]) {
        let mut groups: BTreeMap<&str, Vec<Part>> = BTreeMap::new();
        for item in evidence {
            let number = self.names.get(&(item.signature.clone(), item.clue.clone()));
            let part =
                number.map_or(Part::Held(item.weight), |&n| Part::Clue(n, self.weights[n].present - item.weight));
            groups.entry(&item.group).or_default().push(part);
        }
        let groups = groups.into_values().collect();
        self.examples.push(Example { id: id.to_owned(), text: text.to_owned(), is_yes, groups });
    }

    /// The sum of the example at `index`, in decibans, with the present weights.
    #[must_use]
    pub fn total(&self, index: usize) -> i32 {
        self.examples[index].total(self.prior, &self.present())
    }

    fn present(&self) -> Vec<i32> {
        self.weights.iter().map(|weight| weight.present).collect()
    }

    /// Fits the weights and judges them out of fold.
    ///
    /// # Errors
    /// When the examples do not hold enough of both classes.
    pub fn fit(&self, options: &Options) -> Result<Fitted, TrainError> {
        let yes = self.examples.iter().filter(|example| example.is_yes).count();
        let no = self.examples.len() - yes;
        if yes < FOLDS || no < FOLDS {
            return Err(TrainError::TooFew { yes, no, needed: FOLDS });
        }
        let worth = worth(yes, no, options.share);
        let all: Vec<usize> = (0..self.examples.len()).collect();
        let new = fit::weights(self, &all, worth, options.spread);
        let rows: Vec<Row> = self.weights.iter().enumerate().map(|(n, weight)| self.row(n, weight, new[n])).collect();
        let (seen, unseen): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.yes + row.no > 0);
        let quality = |weights: &[i32]| self.quality(&self.totals(|_| weights), worth);
        Ok(Fitted {
            rows: seen,
            unseen: unseen.len(),
            yes,
            no,
            before: quality(&self.present()),
            fitted: quality(&new),
            out_of_fold: self.quality(&self.totals_out_of_fold(worth, options.spread), worth),
        })
    }

    fn row(&self, number: usize, weight: &Weight, new: i32) -> Row {
        let held = |is_yes| self.examples.iter().filter(|e| e.is_yes == is_yes && e.shows(number)).count();
        Row { weight: weight.clone(), new, yes: held(true), no: held(false) }
    }

    fn totals<'w>(&self, weights: impl Fn(usize) -> &'w [i32]) -> Vec<i32> {
        self.examples.iter().enumerate().map(|(index, example)| example.total(self.prior, weights(index))).collect()
    }

    fn totals_out_of_fold(&self, worth: [f64; 2], spread: f64) -> Vec<i32> {
        let texts: Vec<(&str, &str)> = self.examples.iter().map(|e| (e.id.as_str(), e.text.as_str())).collect();
        let fold_of = folds::assign(&texts, FOLDS);
        let fits: Vec<Vec<i32>> = (0..FOLDS)
            .map(|fold| {
                let others: Vec<usize> = (0..self.examples.len()).filter(|&index| fold_of[index] != fold).collect();
                fit::weights(self, &others, worth, spread)
            })
            .collect();
        self.totals(|index| &fits[fold_of[index]])
    }

    fn quality(&self, totals: &[i32], worth: [f64; 2]) -> Quality {
        let judged: Vec<Judged> = self
            .examples
            .iter()
            .zip(totals)
            .map(|(example, &total)| Judged {
                id: example.id.clone(),
                truth: example.is_yes,
                called: total >= 0,
                probability: logistic(fit::nats(total)),
            })
            .collect();
        let loss: f64 = self.examples.iter().zip(totals).map(|(e, &total)| fit::loss(e, total, worth)).sum();
        Quality { log_loss: loss / self.examples.len() as f64, figures: figures(&judged) }
    }
}

impl Example {
    /// Base rate and, per group, the strongest weight.
    fn total(&self, prior: i32, weights: &[i32]) -> i32 {
        let of = |part: &Part| match *part {
            // Never below 1, as in detection: a disguise does not turn evidence round.
            Part::Clue(n, cost) if weights[n] > 0 => (weights[n] - cost).max(1),
            Part::Clue(n, _) => weights[n],
            Part::Held(weight) => weight,
        };
        let groups = self.groups.iter().filter_map(|group| crate::score::strongest(group.iter().map(of)));
        groups.fold(prior, |total, weight| total + weight)
    }

    fn shows(&self, number: usize) -> bool {
        self.groups.iter().flatten().any(|part| matches!(part, Part::Clue(n, _) if *n == number))
    }
}

/// What an example labelled n and one labelled y count, so that together they have the
/// wanted share and count as many as they are.
fn worth(yes: usize, no: usize, share: Option<f64>) -> [f64; 2] {
    let all = (yes + no) as f64;
    share.map_or([1.0, 1.0], |share| [(1.0 - share) * all / no as f64, share * all / yes as f64])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Source;

    const FILE: &str = r#"
title = { zh = "题", en = "t" }
[[clue]]
id = "good"
in = ["pitch"]
any = ["甲"]
weight = 5
why = { zh = "甲", en = "a" }
[[clue]]
id = "useless"
in = ["pitch"]
any = ["乙"]
weight = 15
why = { zh = "乙", en = "b" }
[[clue]]
id = "rare"
in = ["pitch"]
any = ["丙"]
weight = 9
why = { zh = "丙", en = "c" }
[[clue]]
id = "against"
in = ["pitch"]
any = ["丁"]
weight = -1
why = { zh = "丁", en = "d" }
"#;

    fn pack() -> Pack {
        let files = BTreeMap::from([("photo-search/t.toml".to_owned(), FILE.to_owned())]);
        Pack::load(&Source { files }).unwrap()
    }

    fn evidence(clue: &str, weight: i32, group: &str) -> Evidence {
        Evidence {
            signature: "photo-search/t".into(),
            clue: clue.into(),
            kind: "listing".into(),
            weight,
            group: group.into(),
            counted: true,
            text: String::new(),
            mark: None,
            place: String::new(),
            times: 1,
            why: Default::default(),
            written_as: None,
            cut_out: None,
        }
    }

    /// `good` holds on every y and no n, `useless` on half of each, `against` on half of n.
    fn problem() -> Problem {
        let mut problem = Problem::new(&pack(), About::from_id("photo-search").unwrap(), -10);
        for index in 0..80 {
            let is_yes = index % 2 == 0;
            let mut found = Vec::new();
            if is_yes {
                found.push(evidence("good", 5, "good"));
            }
            if index % 4 < 2 {
                found.push(evidence("useless", 15, "useless"));
            }
            if !is_yes && index % 3 == 0 {
                found.push(evidence("against", -1, "against"));
            }
            problem.add(&format!("e{index}"), &format!("{index}").repeat(9), is_yes, &found);
        }
        problem
    }

    const OPTIONS: Options = Options { spread: 5.0, share: None };

    fn new(fitted: &Fitted, clue: &str) -> i32 {
        fitted.rows.iter().find(|row| row.weight.clue == clue).unwrap().new
    }

    #[test]
    fn a_good_clue_rises_a_useless_one_falls_to_its_sign() {
        let fitted = problem().fit(&OPTIONS).unwrap();
        assert!(new(&fitted, "good") > 15, "{:?}", fitted.rows);
        assert!((1..5).contains(&new(&fitted, "useless")), "{:?}", fitted.rows);
        assert!(new(&fitted, "against") <= -1);
        assert_eq!(fitted.unseen, 1, "the rare clue is on no example and has no row");
        assert!(fitted.is_better(), "{:?} {:?}", fitted.before, fitted.out_of_fold);
        assert!(fitted.fitted.log_loss <= fitted.before.log_loss);
    }

    #[test]
    fn a_tight_pull_keeps_the_weights() {
        let fitted = problem().fit(&Options { spread: 0.01, share: None }).unwrap();
        assert_eq!(fitted.changed().count(), 0);
        assert_eq!(fitted.before.figures, fitted.out_of_fold.figures);
    }

    #[test]
    fn a_smaller_share_lowers_the_weights() {
        let as_is = problem().fit(&OPTIONS).unwrap();
        let rare = problem().fit(&Options { share: Some(0.02), ..OPTIONS }).unwrap();
        assert!(new(&rare, "good") < new(&as_is, "good"), "{:?} {:?}", rare.rows, as_is.rows);
    }

    #[test]
    fn of_a_group_the_strongest_counts_with_the_weights_of_the_moment() {
        let mut problem = Problem::new(&pack(), About::from_id("photo-search").unwrap(), -10);
        problem.add("a", "a", true, &[evidence("good", 4, "one"), evidence("useless", 15, "one")]);
        assert_eq!(problem.total(0), -10 + 15);
        // The disguise that cost `good` one deciban still costs it.
        assert_eq!(problem.examples[0].total(-10, &[20, 15, 9, -1]), -10 + 19);
        assert_eq!(problem.examples[0].total(-10, &[1, 1, 9, -1]), -10 + 1);
    }

    #[test]
    fn one_class_is_not_enough() {
        let mut problem = problem();
        problem.examples.retain(|example| example.is_yes);
        assert!(matches!(problem.fit(&OPTIONS), Err(TrainError::TooFew { no: 0, .. })));
    }
}
