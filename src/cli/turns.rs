//! Turns at hosts, out of the database that the processes share.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;

use crate::acquire::{Answered, Turns};
use crate::store::{Database, Turn};

/// A turn counts for so long without a sign of life: those of a killed process are free again soon,
/// and an engine that is away for less takes none from whoever is still reading an answer.
const LASTS: Duration = Duration::from_secs(30);
/// Time between signs of life.
const SIGN: Duration = Duration::from_secs(5);

/// Turns of all that work on one database.
pub(super) struct SharedTurns {
    state: Database,
    /// What keeps each turn of this process alive.
    held: Mutex<HashMap<i64, AbortHandle>>,
}

impl SharedTurns {
    pub(super) fn new(state: Database) -> Self {
        Self { state, held: Mutex::default() }
    }

    /// Keeps a turn alive until it is given back.
    fn hold(&self, turn: i64) {
        let state = self.state.clone();
        let holding = tokio::spawn(async move {
            loop {
                tokio::time::sleep(SIGN).await;
                if let Err(error) = state.hold_turn(turn, LASTS).await {
                    tracing::debug!(turn, "no sign of life: {error}");
                }
            }
        });
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(turn, holding.abort_handle());
    }
}

impl Turns for SharedTurns {
    fn take<'a>(&'a self, host: &'a str, every: Duration, at_once: u32) -> Answered<'a> {
        Box::pin(async move {
            match self.state.take_turn(host, every, at_once, LASTS).await {
                Ok(Turn::Begins(turn)) => {
                    self.hold(turn);
                    Ok(Ok(turn))
                }
                Ok(Turn::Waits(wait)) => Ok(Err(wait)),
                Err(error) => Err(error.to_string()),
            }
        })
    }

    fn give_back(&self, turn: i64) {
        if let Some(holding) = self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&turn) {
            holding.abort();
        }
        let state = self.state.clone();
        // One that cannot be given back counts until its time is up.
        tokio::spawn(async move { state.give_turn_back(turn).await });
    }

    fn rest(&self, host: &str, rests: Duration) {
        let (state, host) = (self.state.clone(), host.to_owned());
        tokio::spawn(async move { state.rest_host(&host, rests).await });
    }
}
