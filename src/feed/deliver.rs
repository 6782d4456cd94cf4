//! Delivery: a few apps at a time, again and again with growing waits, for days.

use std::time::Duration;

use tokio::task::JoinSet;

use super::event::event;
use super::signing::{Secret, signature};
use crate::store::{Delivery, Home, Letter, Outbox, StoreError};

/// Letters under way at once, each of another app.
const AT_ONCE: u32 = 8;
/// Longest that a receiver may take for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// First wait after a failure, in milliseconds; doubled each time.
const WAIT: i64 = 5_000;
/// Longest wait: six hours.
const WAIT_MAX: i64 = 6 * 3_600_000;
/// Tries before a letter that nobody takes is given up: with these waits, about a week. Tries are
/// counted, not days: a feed that did not run has not tried.
const TRIES: u32 = 40;
/// Bytes of an answer that are kept.
const ANSWER_MAX: usize = 2_000;

/// Why nothing can be delivered at all. What is wrong with one letter stands beside it.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The state.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The HTTP library refused.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// What one round of deliveries came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Letters the receiver has.
    pub sent: u64,
    /// Letters to be sent again.
    pub again: u64,
    /// Letters given up.
    pub dead: u64,
}

/// The way to the case backend.
#[derive(Debug, Clone)]
pub struct Feed {
    pub(super) home: Home,
    pub(super) client: reqwest::Client,
    /// Address of the receiver.
    to: url::Url,
    secret: Secret,
    source: String,
    page: String,
    /// First wait, in milliseconds.
    wait: i64,
}

impl Feed {
    /// A feed to a receiver. `source` names this installation in events; `page` is where the
    /// reviewers' page is reached, or empty; `wait` is the first wait after a failure in
    /// milliseconds, or `None` for the usual one.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(
        home: Home,
        to: url::Url,
        secret: Secret,
        source: String,
        page: String,
        wait: Option<i64>,
    ) -> Result<Self, FeedError> {
        // The receiver is the operator's own word; it is not sent elsewhere by an answer.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .user_agent(concat!("xunjian/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { home, client, to, secret, source, page, wait: wait.unwrap_or(WAIT) })
    }

    /// Sends a few letters that are due at `now`, in milliseconds since 1970 UTC: what it came to;
    /// `None` where none is due.
    ///
    /// # Errors
    /// When the state cannot be used.
    pub async fn round(&self, now: i64) -> Result<Option<Round>, FeedError> {
        let letters = self.home.state.due_letters(now, AT_ONCE).await?;
        if letters.is_empty() {
            return Ok(None);
        }
        let mut tries = JoinSet::new();
        for letter in letters {
            let feed = self.clone();
            tries.spawn(async move { feed.send(letter, now).await });
        }
        let mut round = Round::default();
        while let Some(delivery) = tries.join_next().await {
            match delivery.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))? {
                Delivery::Sent => round.sent += 1,
                Delivery::Again(_) => round.again += 1,
                Delivery::Dead => round.dead += 1,
            }
        }
        Ok(Some(round))
    }

    /// One try of one letter, and its outcome kept.
    async fn send(&self, letter: Letter, now: i64) -> Result<Delivery, StoreError> {
        let event = event(&self.home.state, &letter, &self.source, &self.page).await?;
        let body = serde_json::to_vec(&event)?;
        let (is_had, answer) = self.post(&letter, body, now).await;
        let delivery = match is_had {
            true => Delivery::Sent,
            false if letter.attempts + 1 >= TRIES => Delivery::Dead,
            false => Delivery::Again(now + wait(self.wait, letter.attempts)),
        };
        if delivery != Delivery::Sent {
            tracing::warn!(event = letter.event, kind = letter.kind, answer, "a letter was not taken");
        }
        self.home.state.delivered(letter.id, delivery, &answer).await?;
        Ok(delivery)
    }

    /// A request with the headers of the Standard Webhooks specification.
    pub(super) fn signed(
        &self,
        request: reqwest::RequestBuilder,
        id: &str,
        body: &[u8],
        now: i64,
    ) -> reqwest::RequestBuilder {
        let seconds = now.div_euclid(1_000);
        request
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature(&self.secret, id, seconds, body))
    }

    /// Posts a letter: whether the receiver has it, and what it said.
    async fn post(&self, letter: &Letter, body: Vec<u8>, now: i64) -> (bool, String) {
        let request = self
            .signed(self.client.post(self.to.clone()), &letter.event, &body, now)
            .header("content-type", "application/cloudevents+json; charset=utf-8")
            .header("idempotency-key", &letter.event)
            .body(body);
        let answer = match request.send().await {
            Ok(answer) => answer,
            // The address may hold a token: it stays out of what is kept and logged.
            Err(error) => return (false, chain(&error.without_url())),
        };
        let status = answer.status();
        // 409: the receiver has this key already.
        let is_had = status.is_success() || status.as_u16() == 409;
        (is_had, format!("{} {}", status.as_u16(), beginning(answer).await))
    }
}

/// An error and what is behind it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        told = format!("{told}: {error}");
        behind = error.source();
    }
    told.chars().take(ANSWER_MAX).collect()
}

/// The beginning of an answer's body.
async fn beginning(mut answer: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_MAX {
        match answer.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk[..chunk.len().min(ANSWER_MAX - bytes.len())]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The wait after a number of failures: doubled each time, with a tenth of jitter so that what
/// failed together does not come back together.
fn wait(first: i64, attempts: u32) -> i64 {
    let doubled = first.saturating_mul(1_i64.checked_shl(attempts.min(30)).unwrap_or(i64::MAX)).min(WAIT_MAX);
    doubled + fastrand::i64(0..=doubled / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_six_hours() {
        assert!((5_000..=5_500).contains(&wait(WAIT, 0)));
        assert!((40_000..=44_000).contains(&wait(WAIT, 3)));
        assert!((WAIT_MAX..=WAIT_MAX + WAIT_MAX / 10).contains(&wait(WAIT, 40)));
        let all: i64 = (0..TRIES).map(|attempts| wait(WAIT, attempts)).sum();
        assert!((6..9).contains(&(all / 86_400_000)), "about a week: {all} ms");
    }
}
