//! A case backend for tests: checks signatures, keeps each event once, and misbehaves when asked to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use xunjian::feed::{Secret, signature};

pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// What the receiver does with the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Answers after a while.
    Slow,
    /// Fails without keeping anything.
    Fails,
    /// Keeps it, and says 500 all the same: an answer lost after the commit.
    KeepsAndFails,
    /// Says 409 to what it has not kept: a misuse that loses it.
    Conflict,
}

#[derive(Default)]
struct Kept {
    /// Events in the order they were kept.
    events: Vec<Value>,
    /// Requests refused for their signature or time.
    refused: usize,
    requests: usize,
    moods: Vec<Mood>,
    /// Seconds that the receiver's clock is ahead.
    skew: i64,
}

#[derive(Clone)]
pub struct Receiver {
    kept: Arc<Mutex<Kept>>,
    secret: Secret,
    pub url: String,
}

/// Longest that a timestamp may be off, in seconds.
const SKEW_MAX: i64 = 300;

impl Receiver {
    pub async fn start(secret: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/events", listener.local_addr().unwrap());
        let receiver = Self { kept: Arc::default(), secret: Secret::parse(secret).unwrap(), url };
        let router = Router::new().route("/events", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        receiver
    }

    /// What it does with the next requests, first one first; afterwards it is well.
    pub fn moods(&self, moods: &[Mood]) {
        self.kept.lock().unwrap().moods = moods.iter().rev().copied().collect();
    }

    pub fn skew(&self, seconds: i64) {
        self.kept.lock().unwrap().skew = seconds;
    }

    pub fn events(&self) -> Vec<Value> {
        self.kept.lock().unwrap().events.clone()
    }

    pub fn refused(&self) -> usize {
        self.kept.lock().unwrap().refused
    }

    pub fn requests(&self) -> usize {
        self.kept.lock().unwrap().requests
    }

    fn is_signed(&self, headers: &HeaderMap, body: &[u8], skew: i64) -> bool {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let Ok(timestamp) = text("webhook-timestamp").parse::<i64>() else { return false };
        let now = chrono::Utc::now().timestamp() + skew;
        (now - timestamp).abs() <= SKEW_MAX
            && text("webhook-signature") == signature(&self.secret, text("webhook-id"), timestamp, body)
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let mood = {
        let mut kept = receiver.kept.lock().unwrap();
        kept.requests += 1;
        kept.moods.pop().unwrap_or(Mood::Well)
    };
    if mood == Mood::Slow {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let mut kept = receiver.kept.lock().unwrap();
    if !receiver.is_signed(&headers, &body, kept.skew) {
        kept.refused += 1;
        return (StatusCode::UNAUTHORIZED, "bad signature or clock".into());
    }
    if mood == Mood::Fails {
        return (StatusCode::INTERNAL_SERVER_ERROR, "out of order".into());
    }
    let event: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(event["id"], headers["webhook-id"].to_str().unwrap());
    assert_eq!(headers["idempotency-key"], headers["webhook-id"]);
    if let Some(known) = kept.events.iter().find(|known| known["id"] == event["id"]) {
        assert_eq!(known, &event, "every try sends the same");
        return (StatusCode::CONFLICT, "kept before".into());
    }
    kept.events.push(event);
    match mood {
        Mood::KeepsAndFails => (StatusCode::INTERNAL_SERVER_ERROR, "answer lost".into()),
        Mood::Conflict => (StatusCode::CONFLICT, String::new()),
        _ => (StatusCode::NO_CONTENT, String::new()),
    }
}
