//! Politeness towards one host: turns, pauses, a breaker.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::turns::{Held, Turns};
use super::wait::backoff;
use crate::model::config::{Network, Pace};
use crate::model::fetch::{Fault, Outcome};

/// What a host is doing, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostState {
    /// Its name.
    pub host: String,
    /// Requests begun, robots.txt included.
    pub requests: u64,
    /// Failures in a row.
    pub failures: u32,
    /// Seconds it will still be left alone; 0 when it may be asked.
    pub rests: u64,
}

/// One host.
pub(super) struct Host {
    name: String,
    slots: Arc<Semaphore>,
    at_once: u32,
    every: Mutex<Duration>,
    inner: Mutex<Inner>,
    turns: Option<Arc<dyn Turns>>,
}

/// Held from before a request until its answer has been read.
pub(super) struct Permit {
    _slot: OwnedSemaphorePermit,
    _turn: Option<Held>,
}

struct Inner {
    /// When the next request may begin.
    next: Instant,
    /// Until when it is left alone, and whether it asked for that itself.
    rest: Option<(Instant, Outcome)>,
    failures: u32,
    /// Pleas to slow down in a row that named no time.
    pleas: u32,
    requests: u64,
}

/// A crawl delay longer than this is not meant for a sweep of a store.
const CRAWL_DELAY_MAX: f64 = 60.0;

impl Host {
    pub(super) fn new(name: &str, pace: &Pace, turns: Option<Arc<dyn Turns>>) -> Self {
        Self {
            name: name.to_owned(),
            slots: Arc::new(Semaphore::new(pace.at_once.max(1) as usize)),
            at_once: pace.at_once.max(1),
            every: Mutex::new(Duration::from_secs_f64(pace.every.max(0.0))),
            inner: Mutex::new(Inner { next: Instant::now(), rest: None, failures: 0, pleas: 0, requests: 0 }),
            turns,
        }
    }

    /// Waits until a request may begin; the permit is held until its answer has been read.
    ///
    /// # Errors
    /// When the host is left alone for longer than a request waits.
    pub(super) async fn turn(&self, network: &Network) -> Result<Permit, Fault> {
        self.may_ask(network)?;
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.map_err(|_| Fault::new(Outcome::Network, "the client was closed"))?;
        self.own_turn(network).await?;
        let turn = self.shared_turn(network).await?;
        Ok(Permit { _slot: slot, _turn: turn })
    }

    /// Waits until this process may ask.
    async fn own_turn(&self, network: &Network) -> Result<(), Fault> {
        loop {
            let begins = self.may_ask(network)?;
            let now = Instant::now();
            if begins <= now {
                let every = *lock(&self.every);
                let mut inner = lock(&self.inner);
                // Someone else may have taken the moment in between.
                if inner.next <= now {
                    inner.next = now + every;
                    inner.requests += 1;
                    return Ok(());
                }
                continue;
            }
            sleep_until(begins).await;
        }
    }

    /// Waits until all processes together may ask.
    async fn shared_turn(&self, network: &Network) -> Result<Option<Held>, Fault> {
        let Some(turns) = &self.turns else { return Ok(None) };
        loop {
            let every = *lock(&self.every);
            match turns.take(&self.name, every, self.at_once).await {
                Ok(Ok(turn)) => return Ok(Some(Held::new(turns, turn))),
                Ok(Err(wait)) if wait.as_secs_f64() > network.backoff_max.max(every.as_secs_f64()) => {
                    let detail = format!("{} asked to be left alone", self.name);
                    return Err(Fault {
                        retry_after: Some(wait.as_secs() + 1),
                        ..Fault::new(Outcome::Throttled, detail)
                    });
                }
                Ok(Err(wait)) => tokio::time::sleep(wait).await,
                // Who cannot tell whether it may ask does not.
                Err(reason) => return Err(Fault::new(Outcome::Network, format!("no turn at {}: {reason}", self.name))),
            }
        }
    }

    /// The moment the next request may begin.
    fn may_ask(&self, network: &Network) -> Result<Instant, Fault> {
        let inner = lock(&self.inner);
        let Some((until, why)) = inner.rest else { return Ok(inner.next) };
        let left = until.saturating_duration_since(Instant::now());
        let waits = why == Outcome::Throttled && left.as_secs_f64() <= network.backoff_max;
        if left.is_zero() || waits {
            return Ok(inner.next.max(until));
        }
        let detail = match why {
            Outcome::Throttled => format!("{} asked to be left alone", self.name),
            _ => format!("{} failed {} times in a row and is left alone for a while", self.name, inner.failures),
        };
        Err(Fault { retry_after: Some(left.as_secs() + 1), ..Fault::new(why, detail) })
    }

    /// Leaves the host alone for longer each time it pleads without naming a time.
    pub(super) fn slow(&self, network: &Network) {
        let pleas = {
            let mut inner = lock(&self.inner);
            inner.pleas = inner.pleas.saturating_add(1);
            inner.pleas
        };
        self.hold(backoff(network, pleas));
    }

    /// Leaves the host alone for a while because it asked for that.
    pub(super) fn hold(&self, rests: Duration) {
        let until = Instant::now() + rests;
        let mut inner = lock(&self.inner);
        let until = inner.rest.map_or(until, |(old, _)| old.max(until));
        inner.rest = Some((until, Outcome::Throttled));
        if let Some(turns) = &self.turns {
            turns.rest(&self.name, rests);
        }
    }

    /// Takes note of an answer.
    pub(super) fn succeeded(&self) {
        let mut inner = lock(&self.inner);
        inner.failures = 0;
        inner.pleas = 0;
        if inner.rest.is_some_and(|(until, why)| why == Outcome::Network || until <= Instant::now()) {
            inner.rest = None;
        }
    }

    /// Takes note of a failure; opens the breaker when there were too many.
    pub(super) fn failed(&self, network: &Network) {
        let mut inner = lock(&self.inner);
        inner.failures = inner.failures.saturating_add(1);
        if inner.failures >= network.breaker_after.max(1) {
            let until = Instant::now() + Duration::from_secs_f64(network.breaker_rest);
            inner.rest = Some((until, Outcome::Network));
        }
    }

    /// Slows down to what robots.txt asks for.
    pub(super) fn crawl_delay(&self, seconds: f64) {
        if seconds.is_finite() && seconds > 0.0 {
            let asked = Duration::from_secs_f64(seconds.min(CRAWL_DELAY_MAX));
            let mut every = lock(&self.every);
            *every = (*every).max(asked);
        }
    }

    pub(super) fn state(&self) -> HostState {
        let inner = lock(&self.inner);
        let left = inner.rest.map_or(Duration::ZERO, |(until, _)| until.saturating_duration_since(Instant::now()));
        let rests = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        HostState { host: self.name.clone(), requests: inner.requests, failures: inner.failures, rests }
    }
}

/// A lock whose holder died is taken over: what it guards is plain numbers.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
