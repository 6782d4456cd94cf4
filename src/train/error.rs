//! What can be wrong with labelled data.

/// What can be wrong with the data.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TrainError {
    /// Not enough to learn from and to judge by.
    #[error("{yes} records labelled y and {no} labelled n: each needs at least {needed}")]
    TooFew {
        /// Labelled y.
        yes: usize,
        /// Labelled n.
        no: usize,
        /// Needed of each.
        needed: usize,
    },
}
