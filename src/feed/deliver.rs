//! Delivery: a few apps at a time, again and again with growing waits, for days.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

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
/// Tries of a letter that the receiver says it will never take: more than one, for what it says may be
/// a mistake of its own.
const REFUSED_TRIES: u32 = 3;
/// Longest wait that a receiver can ask for: a day.
const ASKED_MAX: i64 = 86_400_000;
/// Time between looks for letters that have come due while others are under way.
const LOOK: Duration = Duration::from_millis(500);
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

/// What deliveries came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Letters the receiver has.
    pub sent: u64,
    /// Letters to be sent again.
    pub again: u64,
    /// Letters given up.
    pub dead: u64,
}

/// What a receiver said to a letter.
struct Said {
    is_had: bool,
    /// Never: trying again gains nothing.
    is_final: bool,
    /// Milliseconds that it asks to be left alone for.
    wait: Option<i64>,
    /// In its words.
    answer: String,
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
        // Nor through a proxy that only the environment names: an address on this machine would leave it.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .user_agent(concat!("xunjian/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { home, client, to, secret, source, page, wait: wait.unwrap_or(WAIT) })
    }

    /// Sends what is due, a few letters at a time, until nothing is left or under way, `stop` is raised,
    /// or `most` has passed: what it came to. Each place is filled again as soon as it is free, so that a
    /// receiver that is slow about one app keeps no other one waiting. `clock` in milliseconds since 1970 UTC.
    ///
    /// # Errors
    /// When the state cannot be used.
    pub async fn deliver(&self, clock: fn() -> i64, stop: &AtomicBool, most: Duration) -> Result<Round, FeedError> {
        let (mut round, begun) = (Round::default(), Instant::now());
        let mut tries: JoinSet<Result<(i64, Delivery), StoreError>> = JoinSet::new();
        // Each letter under way is of another app, whose next one is not due before it has come to something.
        let mut under_way = HashMap::new();
        loop {
            let may_begin = !stop.load(Ordering::Relaxed) && begun.elapsed() < most;
            if may_begin && tries.len() < AT_ONCE as usize {
                let letters = self.home.state.due_letters(clock(), AT_ONCE + under_way.len() as u32).await?;
                for letter in letters {
                    if tries.len() < AT_ONCE as usize && !under_way.contains_key(&letter.app) {
                        under_way.insert(letter.app, letter.id);
                        let feed = self.clone();
                        tries.spawn(async move {
                            let app = letter.app;
                            Ok((app, feed.send(letter, clock()).await?))
                        });
                    }
                }
            }
            let done = tokio::select! {
                done = tries.join_next() => done,
                () = tokio::time::sleep(LOOK), if may_begin && !tries.is_empty() => continue,
            };
            let Some(done) = done else { return Ok(round) };
            let (app, delivery) = done.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))?;
            under_way.remove(&app);
            match delivery {
                Delivery::Sent => round.sent += 1,
                Delivery::Again(_) => round.again += 1,
                Delivery::Dead => round.dead += 1,
            }
        }
    }

    /// One try of one letter, and its outcome kept.
    async fn send(&self, letter: Letter, now: i64) -> Result<Delivery, StoreError> {
        let event = event(&self.home.state, &letter, &self.source, &self.page).await?;
        let body = serde_json::to_vec(&event)?;
        let said = self.post(&letter, body, now).await;
        let tries = letter.attempts + 1;
        let delivery = match said.is_had {
            true => Delivery::Sent,
            false if tries >= TRIES || said.is_final && tries >= REFUSED_TRIES => Delivery::Dead,
            false => Delivery::Again(now + wait(self.wait, letter.attempts).max(said.wait.unwrap_or(0))),
        };
        if delivery != Delivery::Sent {
            tracing::warn!(event = letter.event, kind = letter.kind, answer = said.answer, "a letter was not taken");
        }
        self.home.state.delivered(letter.id, delivery, &said.answer).await?;
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

    /// Posts a letter: what the receiver said.
    async fn post(&self, letter: &Letter, body: Vec<u8>, now: i64) -> Said {
        let request = self
            .signed(self.client.post(self.to.clone()), &letter.event, &body, now)
            .header("content-type", "application/cloudevents+json; charset=utf-8")
            .header("idempotency-key", &letter.event)
            .body(body);
        let answer = match request.send().await {
            Ok(answer) => answer,
            // The address may hold a token: it stays out of what is kept and logged.
            Err(error) => {
                let answer = chain(&error.without_url());
                return Said { is_had: false, is_final: false, wait: None, answer };
            }
        };
        let status = answer.status().as_u16();
        let asked = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
        Said {
            // 409: the receiver has this key already.
            is_had: answer.status().is_success() || status == 409,
            // The letter is wrong, or nobody takes letters there any more.
            is_final: matches!(status, 400 | 410 | 413 | 422),
            wait: asked.and_then(|value| retry_after(value, SystemTime::now())).filter(|_| matches!(status, 429 | 503)),
            answer: format!("{status} {}", beginning(answer).await),
        }
    }
}

/// Milliseconds that `Retry-After` asks for: seconds or a date (RFC 9110, 10.2.3), a day at most.
fn retry_after(value: &str, now: SystemTime) -> Option<i64> {
    let seconds = match value.trim().parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => httpdate::parse_http_date(value.trim()).ok()?.duration_since(now).ok()?.as_secs(),
    };
    Some(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000).min(ASKED_MAX))
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
    fn a_receiver_can_ask_for_a_wait() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(retry_after(" 120 ", now), Some(120_000));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), Some(60_000));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:30 GMT", now), None, "it has passed");
        assert_eq!(retry_after(&u64::MAX.to_string(), now), Some(ASKED_MAX));
        for hostile in ["", "-1", "1.5", "soon", &"9".repeat(1_000)] {
            assert_eq!(retry_after(hostile, now), None, "{hostile}");
        }
    }

    #[test]
    fn waits_grow_to_six_hours() {
        assert!((5_000..=5_500).contains(&wait(WAIT, 0)));
        assert!((40_000..=44_000).contains(&wait(WAIT, 3)));
        assert!((WAIT_MAX..=WAIT_MAX + WAIT_MAX / 10).contains(&wait(WAIT, 40)));
        let all: i64 = (0..TRIES).map(|attempts| wait(WAIT, attempts)).sum();
        assert!((6..9).contains(&(all / 86_400_000)), "about a week: {all} ms");
    }
}
