//! Turns at hosts, out of the database that the processes share.

use std::time::Duration;

use crate::acquire::{Answered, Turns};
use crate::model::config::Config;
use crate::store::{Database, Turn};

/// A turn counts for this much longer than its request may take.
const GRACE: Duration = Duration::from_secs(30);

/// Turns of all that work on one database.
pub(super) struct SharedTurns {
    state: Database,
    lasts: Duration,
}

impl SharedTurns {
    pub(super) fn new(state: Database, config: &Config) -> Self {
        let longest = config.network.package_timeout.max(config.network.page_timeout);
        Self { state, lasts: Duration::from_secs_f64(longest) + GRACE }
    }
}

impl Turns for SharedTurns {
    fn take<'a>(&'a self, host: &'a str, every: Duration, at_once: u32) -> Answered<'a> {
        Box::pin(async move {
            match self.state.take_turn(host, every, at_once, self.lasts).await {
                Ok(Turn::Begins(turn)) => Ok(Ok(turn)),
                Ok(Turn::Waits(wait)) => Ok(Err(wait)),
                Err(error) => Err(error.to_string()),
            }
        })
    }

    fn give_back(&self, turn: i64) {
        let state = self.state.clone();
        // One that cannot be given back counts until its time is up.
        tokio::spawn(async move { state.give_turn_back(turn).await });
    }

    fn rest(&self, host: &str, rests: Duration) {
        let (state, host) = (self.state.clone(), host.to_owned());
        tokio::spawn(async move { state.rest_host(&host, rests).await });
    }
}
