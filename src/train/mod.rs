//! What labelled examples teach: text models and the weights of clues.
//!
//! Everything is judged out of fold: by a fit that saw neither the example nor a near
//! copy of it. Nothing is random but a fixed sequence, so the same data give the same result.

mod error;
mod folds;
pub mod model;
pub mod weights;

pub use error::TrainError;

/// Number of folds; also the fewest examples of each class.
const FOLDS: usize = 5;

/// Probability of log-odds.
fn logistic(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}
