//! The fit itself: log-count ratios, logistic regression, calibration.

use super::Options;
use super::logistic;
use crate::signature::Grams;

/// Rounds over the data at most.
const ROUNDS: usize = 300;
/// Largest error of a record's dual variable, as a share of its bound, at which it is done.
const CLOSE: f64 = 1e-4;

/// A record to learn from.
#[derive(Clone, Copy)]
pub(super) struct Example<'a> {
    pub(super) grams: &'a Grams,
    pub(super) is_yes: bool,
    pub(super) weight: f64,
}

/// A fitted model in full precision, not yet calibrated.
pub(super) struct Fit {
    pub(super) weights: Vec<f64>,
    pub(super) bias: f64,
}

impl Fit {
    pub(super) fn new(examples: &[Example<'_>], options: &Options) -> Self {
        let ratios = log_count_ratios(examples, options);
        let balance = class_weights(examples, options.balance);
        let mut points: Vec<Point> =
            examples.iter().map(|e| Point::new(e, &ratios, options.strength, balance)).collect();
        let mut weights = vec![0.0; ratios.len()];
        let mut bias = 0.0;
        let mut order: Vec<usize> = (0..points.len()).collect();
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        for _ in 0..ROUNDS {
            dice.shuffle(&mut order);
            let mut worst = 0.0_f64;
            for &index in &order {
                worst = worst.max(points[index].step(&mut weights, &mut bias));
            }
            if worst < CLOSE {
                break;
            }
        }
        // The ratio is part of the input while fitting and of the weight afterwards.
        weights.iter_mut().zip(&ratios).for_each(|(weight, ratio)| *weight *= ratio);
        Self { weights, bias }
    }

    pub(super) fn score(&self, grams: &Grams) -> f64 {
        self.bias + grams.list.iter().map(|g| self.weights[g.bucket as usize] * f64::from(g.value)).sum::<f64>()
    }
}

/// How far an n-gram's presence differs between the classes: `|ln(p/q)|` per bucket.
fn log_count_ratios(examples: &[Example<'_>], options: &Options) -> Vec<f64> {
    let start = options.smoothing;
    let mut yes = vec![start; options.shape.buckets()];
    let mut no = yes.clone();
    let (mut all_yes, mut all_no) = (2.0 * start, 2.0 * start);
    for example in examples {
        let (counts, all) = if example.is_yes { (&mut yes, &mut all_yes) } else { (&mut no, &mut all_no) };
        *all += example.weight;
        example.grams.list.iter().for_each(|gram| counts[gram.bucket as usize] += example.weight);
    }
    yes.iter().zip(&no).map(|(y, n)| ((y / all_yes) / (n / all_no)).ln().abs()).collect()
}

/// Factors for y and n.
fn class_weights(examples: &[Example<'_>], balance: bool) -> (f64, f64) {
    let all: f64 = examples.iter().map(|e| e.weight).sum();
    let yes: f64 = examples.iter().filter(|e| e.is_yes).map(|e| e.weight).sum();
    if balance && yes > 0.0 && yes < all { (all / (2.0 * yes), all / (2.0 * (all - yes))) } else { (1.0, 1.0) }
}

/// A record in the dual problem: its variable lies between 0 and `bound`.
struct Point {
    values: Vec<(u32, f64)>,
    side: f64,
    bound: f64,
    square: f64,
    dual: f64,
}

impl Point {
    fn new(example: &Example<'_>, ratios: &[f64], strength: f64, (yes, no): (f64, f64)) -> Self {
        let values: Vec<(u32, f64)> = example
            .grams
            .list
            .iter()
            .map(|gram| (gram.bucket, f64::from(gram.value) * ratios[gram.bucket as usize]))
            .filter(|(_, value)| *value != 0.0)
            .collect();
        // The bias is the weight of a value that is always one.
        let square = 1.0 + values.iter().map(|(_, v)| v * v).sum::<f64>();
        let class = if example.is_yes { yes } else { no };
        let side = if example.is_yes { 1.0 } else { -1.0 };
        Self { values, side, bound: strength * example.weight * class, square, dual: 0.0 }
    }

    /// Solves for this record's dual variable with all others held (Yu, Huang and Lin,
    /// *Dual coordinate descent for logistic regression*, 2011); returns how wrong it was.
    fn step(&mut self, weights: &mut [f64], bias: &mut f64) -> f64 {
        let sum: f64 = self.values.iter().map(|&(bucket, value)| weights[bucket as usize] * value).sum();
        let margin = self.side * (sum + *bias);
        let error = (logistic(-margin) - self.dual / self.bound).abs();
        let solved = self.bound * logistic(self.root(margin));
        let change = self.side * (solved - self.dual);
        self.dual = solved;
        *bias += change;
        self.values.iter().for_each(|&(bucket, value)| weights[bucket as usize] += change * value);
        error
    }

    /// Root of `u + margin + square (bound σ(u) - dual)`, which grows in `u`: Newton's
    /// method, kept between two ends that enclose it.
    fn root(&self, margin: f64) -> f64 {
        let mut low = -margin - self.square * (self.bound - self.dual);
        let mut high = -margin + self.square * self.dual;
        let mut at = (-margin).clamp(low, high);
        for _ in 0..60 {
            let share = logistic(at);
            let value = at + margin + self.square * (self.bound * share - self.dual);
            if value.abs() < 1e-10 {
                break;
            }
            if value > 0.0 {
                high = at
            } else {
                low = at
            }
            let newton = at - value / (1.0 + self.square * self.bound * share * (1.0 - share));
            at = if low < newton && newton < high { newton } else { f64::midpoint(low, high) };
        }
        at
    }
}

/// A fixed sequence that looks random (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            order.swap(last, (self.next() % (last as u64 + 1)) as usize);
        }
    }
}

/// Scores to log-odds: a line fitted to scores of records that were not learnt from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Platt {
    pub(super) slope: f64,
    pub(super) offset: f64,
}

impl Platt {
    /// Newton's method on the two numbers, towards targets a little inside 0 and 1
    /// (Platt, 1999).
    pub(super) fn fit(judged: &[(f64, bool)]) -> Self {
        let yes = judged.iter().filter(|(_, yes)| *yes).count() as f64;
        let no = judged.len() as f64 - yes;
        let (high, low) = ((yes + 1.0) / (yes + 2.0), 1.0 / (no + 2.0));
        let mut line = Self { slope: 1.0, offset: 0.0 };
        for _ in 0..50 {
            let (mut g, mut h) = ([0.0; 2], [1e-9, 0.0, 1e-9]);
            for &(score, is_yes) in judged {
                let p = logistic(line.log_odds(score));
                let error = p - if is_yes { high } else { low };
                let spread = p * (1.0 - p);
                g = [g[0] + error * score, g[1] + error];
                h = [h[0] + spread * score * score, h[1] + spread * score, h[2] + spread];
            }
            let determinant = h[0] * h[2] - h[1] * h[1];
            let step = [(h[2] * g[0] - h[1] * g[1]) / determinant, (h[0] * g[1] - h[1] * g[0]) / determinant];
            // A long step could overshoot where the curve is flat.
            let shrink = (1.0 / (step[0].abs() + step[1].abs())).min(1.0);
            line = Self { slope: line.slope - shrink * step[0], offset: line.offset - shrink * step[1] };
            if step[0].abs() + step[1].abs() < 1e-10 {
                break;
            }
        }
        line
    }

    pub(super) fn log_odds(&self, score: f64) -> f64 {
        self.slope * score + self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Shape;

    const OPTIONS: Options = Options {
        shape: Shape { min: 1, max: 2, bits: 12 },
        strength: 10.0,
        smoothing: 1.0,
        support_weight: 1.0,
        balance: false,
    };

    #[test]
    fn the_fit_is_where_the_gradient_vanishes() {
        let texts = [("小学数学", true), ("初中语文课", true), ("天气预报", false), ("小学天气", false)];
        let grams: Vec<Grams> = texts.iter().map(|(t, _)| Grams::of(t, OPTIONS.shape)).collect();
        let examples: Vec<Example<'_>> =
            grams.iter().zip(texts).map(|(grams, (_, is_yes))| Example { grams, is_yes, weight: 1.0 }).collect();
        let fit = Fit::new(&examples, &OPTIONS);
        // d/d bias of |bias|²/2 + C Σ ln(1 + e^{-y score}).
        let mut gradient = fit.bias;
        for (grams, (_, is_yes)) in grams.iter().zip(texts) {
            let side = if is_yes { 1.0 } else { -1.0 };
            gradient -= OPTIONS.strength * side * logistic(-side * fit.score(grams));
        }
        assert!(gradient.abs() < 0.01, "{gradient}");
        assert!(fit.score(&grams[0]) > 0.0 && fit.score(&grams[3]) < 0.0);
    }

    #[test]
    fn calibration_finds_the_rates() {
        // Of ten at score 2 nine are y, of ten at score -2 one is.
        let judged: Vec<(f64, bool)> =
            (0..2000).map(|i| (if i < 1000 { 2.0 } else { -2.0 }, (i % 10 != 0) == (i < 1000))).collect();
        let line = Platt::fit(&judged);
        assert!((logistic(line.log_odds(2.0)) - 0.9).abs() < 0.01, "{line:?}");
        assert!((logistic(line.log_odds(-2.0)) - 0.1).abs() < 0.01, "{line:?}");
    }
}
