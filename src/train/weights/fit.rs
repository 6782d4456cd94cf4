//! The search for whole-numbered weights, one at a time.

use super::{Example, Problem};

/// Rounds over all weights at most; a dozen are enough in practice.
const ROUNDS: usize = 60;
/// Decibans by which a weight is tried in one step.
const STEP: i32 = 3;
/// Beyond this, a clue would decide alone whatever speaks against it.
const MOST: i32 = 60;

/// Decibans in nats.
pub(super) fn nats(decibans: i32) -> f64 {
    f64::from(decibans) * std::f64::consts::LN_10 / 10.0
}

/// What a sum costs, given what is so: `-ln` of the probability of the label.
pub(super) fn loss(example: &Example, total: i32, worth: [f64; 2]) -> f64 {
    let odds = if example.is_yes { nats(total) } else { -nats(total) };
    // ln(1 + e^-odds), without overflow where the odds are long against.
    let loss = if odds > 0.0 { (-odds).exp().ln_1p() } else { odds.exp().ln_1p() - odds };
    worth[usize::from(example.is_yes)] * loss
}

/// The weights that the examples of these numbers ask for.
pub(super) fn weights(problem: &Problem, examples: &[usize], worth: [f64; 2], spread: f64) -> Vec<i32> {
    let shown: Vec<Vec<&Example>> = (0..problem.weights.len())
        .map(|n| examples.iter().map(|&index| &problem.examples[index]).filter(|e| e.shows(n)).collect())
        .collect();
    let mut weights = problem.present();
    for _ in 0..ROUNDS {
        let before = weights.clone();
        for (number, shown) in shown.iter().enumerate().filter(|(_, shown)| !shown.is_empty()) {
            weights[number] = best(problem, number, shown, &mut weights, worth, spread);
        }
        if weights == before {
            break;
        }
    }
    weights
}

/// The best value of one weight with all others held. Of equals, the one it has stays.
fn best(
    problem: &Problem,
    number: usize,
    shown: &[&Example],
    weights: &mut [i32],
    worth: [f64; 2],
    spread: f64,
) -> i32 {
    let (now, present) = (weights[number], problem.weights[number].present);
    let mut cost = |value: i32| {
        weights[number] = value;
        let losses: f64 = shown.iter().map(|example| loss(example, example.total(problem.prior, weights), worth)).sum();
        losses + (f64::from(value - present) / spread).powi(2) / 2.0
    };
    let (low, high) = if present > 0 { (1, MOST.max(present)) } else { (-MOST.max(-present), -1) };
    let mut best = (cost(now), now);
    for value in (now - STEP).max(low)..=(now + STEP).min(high) {
        let tried = cost(value);
        // More than rounding could make of equal sums.
        if tried < best.0 - 1e-9 {
            best = (tried, value);
        }
    }
    weights[number] = now;
    best.1
}
