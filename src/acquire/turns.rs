//! Turns at hosts that several processes share.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// What asking came to.
pub type Answered<'a> = Pin<Box<dyn Future<Output = Result<Result<i64, Duration>, String>> + Send + 'a>>;

/// Hands out turns at hosts to all processes that sweep together.
pub trait Turns: Send + Sync {
    /// Asks for a turn at a host that is asked once in `every`, `at_once` requests at a time: its
    /// number, or how long to wait before asking again. The error says why nobody can tell.
    fn take<'a>(&'a self, host: &'a str, every: Duration, at_once: u32) -> Answered<'a>;
    /// Gives a turn back. Must not wait.
    fn give_back(&self, turn: i64);
    /// Leaves a host alone, because it asked for that. Must not wait.
    fn rest(&self, host: &str, rests: Duration);
}

/// A turn, given back when it is dropped.
pub(super) struct Held {
    turns: Arc<dyn Turns>,
    turn: i64,
}

impl Held {
    pub(super) fn new(turns: &Arc<dyn Turns>, turn: i64) -> Self {
        Self { turns: Arc::clone(turns), turn }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.turns.give_back(self.turn);
    }
}
