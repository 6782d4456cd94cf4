//! How well calibrated log-odds tell the two classes apart.

use std::fmt;

/// Figures of a set of judged records.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// Records labelled y.
    pub yes: usize,
    /// Records labelled n.
    pub no: usize,
    /// Of those given at least even odds, the share labelled y.
    pub precision: f64,
    /// Of those labelled y, the share given at least even odds.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Average precision over all thresholds.
    pub average_precision: f64,
    /// Mean squared error of the probability.
    pub brier: f64,
}

impl Figures {
    /// From pairs of log-odds and label.
    #[must_use]
    pub fn of(judged: &[(f64, bool)]) -> Self {
        let yes = judged.iter().filter(|(_, yes)| *yes).count();
        let called = judged.iter().filter(|(odds, _)| *odds >= 0.0).count();
        let right = judged.iter().filter(|(odds, yes)| *odds >= 0.0 && *yes).count();
        let brier: f64 = judged.iter().map(|&(odds, yes)| (logistic(odds) - f64::from(u8::from(yes))).powi(2)).sum();
        Self {
            yes,
            no: judged.len() - yes,
            precision: ratio(right, called),
            recall: ratio(right, yes),
            f1: ratio(2 * right, called + yes),
            average_precision: average_precision(judged, yes),
            brier: brier / judged.len().max(1) as f64,
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} y, {} n: precision {:.3}, recall {:.3}, F1 {:.3}, average precision {:.3}, Brier {:.4}",
            self.yes, self.no, self.precision, self.recall, self.f1, self.average_precision, self.brier
        )
    }
}

/// Probability of log-odds.
pub(super) fn logistic(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn average_precision(judged: &[(f64, bool)], yes: usize) -> f64 {
    let mut ranked = judged.to_vec();
    // Among equals the wrong ones come first: a tie is no credit.
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut right = 0;
    let mut sum = 0.0;
    for (index, (_, is_yes)) in ranked.iter().enumerate() {
        if *is_yes {
            right += 1;
            sum += ratio(right, index + 1);
        }
    }
    sum / yes.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let figures = Figures::of(&[(2.0, true), (1.0, false), (0.5, true), (-1.0, false), (-2.0, true)]);
        assert_eq!((figures.yes, figures.no), (3, 2));
        assert!((figures.precision - 2.0 / 3.0).abs() < 1e-12);
        assert!((figures.recall - 2.0 / 3.0).abs() < 1e-12);
        assert!((figures.average_precision - (1.0 + 2.0 / 3.0 + 3.0 / 5.0) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn of_nothing_nothing() {
        assert_eq!(Figures::of(&[]), Figures::default());
    }
}
