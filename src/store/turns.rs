//! Turns at hosts, shared by every process that works on the same database.

use std::time::Duration;

/// What asking for a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The request may begin; its number is given back when its answer has been read.
    Begins(i64),
    /// Not before so much time has passed.
    Waits(Duration),
}
