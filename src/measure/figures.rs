//! Precision, recall, F1, average precision, Brier score, reliability.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::model::Confidence;

/// One labelled example and what was said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Id of the example.
    pub id: String,
    /// It is so.
    pub truth: bool,
    /// It was called so.
    pub called: bool,
    /// Probability given.
    pub probability: f64,
}

/// Figures of one sign over a corpus.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Examples that are so.
    pub positives: usize,
    /// All examples, those labelled `u` left out.
    pub examples: usize,
    /// Called so and are.
    pub hits: usize,
    /// Called so and are not.
    pub false_alarms: usize,
    /// Share of the called that are so.
    pub precision: f64,
    /// Share of those that are so that were called.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Mean precision at each positive in order of probability.
    pub average_precision: f64,
    /// Mean squared error of the probability (Brier, 1950).
    pub brier: f64,
    /// Stated probability beside what came true, in five bands.
    pub reliability: Vec<Reliability>,
    /// Of what was called so, how much is, for each confidence it was called with.
    pub confidence: BTreeMap<&'static str, Called>,
}

/// What was called with one confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Called {
    /// Called so.
    pub examples: usize,
    /// And are.
    pub hits: usize,
}

/// One band of the reliability table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reliability {
    /// Band of stated probability, from.
    pub from: f64,
    /// Band, to.
    pub to: f64,
    /// Examples in it.
    pub examples: usize,
    /// Mean stated probability.
    pub stated: f64,
    /// Share that is so.
    pub observed: f64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let no = self.examples - self.positives;
        write!(
            f,
            "{} y, {no} n: precision {:.3}, recall {:.3}, F1 {:.3}, average precision {:.3}, Brier {:.4}",
            self.positives, self.precision, self.recall, self.f1, self.average_precision, self.brier
        )
    }
}

/// Computes the figures.
#[must_use]
pub fn figures(judged: &[Judged]) -> Figures {
    let count = |test: &dyn Fn(&Judged) -> bool| judged.iter().filter(|j| test(j)).count();
    let positives = count(&|j| j.truth);
    let hits = count(&|j| j.truth && j.called);
    let false_alarms = count(&|j| !j.truth && j.called);
    let precision = share(hits, hits + false_alarms);
    let recall = share(hits, positives);
    let f1 = if hits == 0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) };
    let squared: f64 = judged.iter().map(|j| (j.probability - f64::from(u8::from(j.truth))).powi(2)).sum();
    Figures {
        positives,
        examples: judged.len(),
        hits,
        false_alarms,
        precision: round(precision),
        recall: round(recall),
        f1: round(f1),
        average_precision: round(average_precision(judged)),
        brier: round(squared / judged.len().max(1) as f64),
        reliability: reliability(judged),
        confidence: confidence(judged),
    }
}

/// Likely and strong calls apart; weak ones are none.
fn confidence(judged: &[Judged]) -> BTreeMap<&'static str, Called> {
    let called = |confidence| {
        let all = judged.iter().filter(|item| item.called && Confidence::of(item.probability) == confidence);
        let (hits, others): (Vec<&Judged>, Vec<&Judged>) = all.partition(|item| item.truth);
        Called { examples: hits.len() + others.len(), hits: hits.len() }
    };
    BTreeMap::from([("likely", called(Confidence::Likely)), ("strong", called(Confidence::Strong))])
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn round(value: f64) -> f64 {
    // Adding zero turns -0 into 0.
    (value * 10_000.0).round() / 10_000.0 + 0.0
}

fn average_precision(judged: &[Judged]) -> f64 {
    let mut ranked: Vec<&Judged> = judged.iter().collect();
    // Among equals the wrong ones come first: a tie is no credit.
    ranked.sort_by(|a, b| b.probability.total_cmp(&a.probability).then(a.truth.cmp(&b.truth)));
    let (mut hits, mut sum) = (0_usize, 0.0);
    for (rank, item) in ranked.iter().enumerate() {
        if item.truth {
            hits += 1;
            sum += share(hits, rank + 1);
        }
    }
    if hits == 0 { 0.0 } else { sum / hits as f64 }
}

fn reliability(judged: &[Judged]) -> Vec<Reliability> {
    (0..5)
        .map(|band| {
            let (from, to) = (f64::from(band) / 5.0, f64::from(band + 1) / 5.0);
            let inside: Vec<&Judged> =
                judged.iter().filter(|j| j.probability >= from && (j.probability < to || band == 4)).collect();
            let stated: f64 = inside.iter().map(|j| j.probability).sum();
            Reliability {
                from,
                to,
                examples: inside.len(),
                stated: round(stated / inside.len().max(1) as f64),
                observed: round(share(inside.iter().filter(|j| j.truth).count(), inside.len())),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(truth: bool, called: bool, probability: f64) -> Judged {
        Judged { id: format!("{probability}"), truth, called, probability }
    }

    #[test]
    fn figures_by_hand() {
        let all =
            [judged(true, true, 0.9), judged(false, true, 0.8), judged(true, false, 0.3), judged(false, false, 0.1)];
        let f = figures(&all);
        assert_eq!((f.hits, f.false_alarms, f.positives), (1, 1, 2));
        assert!((f.precision - 0.5).abs() < 1e-9 && (f.recall - 0.5).abs() < 1e-9 && (f.f1 - 0.5).abs() < 1e-9);
        assert!((f.average_precision - 0.8333).abs() < 1e-4);
        assert!((f.brier - (0.01 + 0.64 + 0.49 + 0.01) / 4.0).abs() < 1e-4);
        assert_eq!(f.reliability[4].examples, 2);
        let called = |confidence: &str| (f.confidence[confidence].examples, f.confidence[confidence].hits);
        assert_eq!((called("likely"), called("strong")), ((1, 0), (1, 1)));
    }

    #[test]
    fn a_tie_is_no_credit() {
        let f = figures(&[judged(true, true, 0.7), judged(false, true, 0.7)]);
        assert!((f.average_precision - 0.5).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_no_division_by_zero() {
        assert!((figures(&[]).f1).abs() < 1e-9);
    }
}
