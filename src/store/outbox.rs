//! What the case backend is to be told, until it has it.

use std::future::Future;

use super::Result;

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its number: order of an app's letters.
    pub id: i64,
    /// Idempotency key.
    pub event: String,
    /// `finding.confirmed`, `finding.withdrawn`, `finding.reassessed`, `app.mended` or `app.overdue`.
    pub kind: String,
    /// The app.
    pub app: i64,
    /// The finding; empty for what is told of an app.
    pub finding: String,
    /// The audit it was seen in.
    pub audit: i64,
    /// When it happened.
    pub at: i64,
    /// `ready`, `sent` or `dead`.
    pub state: String,
    /// Tries so far.
    pub attempts: u32,
    /// Not before.
    pub due: i64,
    /// The last answer, or why there was none.
    pub answer: String,
    /// JSON: what stood when it was written; empty for letters of before.
    pub about: String,
}

/// What a try came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver has it.
    Sent,
    /// Again from then on.
    Again(i64),
    /// Given up, until a person says otherwise.
    Dead,
}

/// The letters. Every method is one step; letters are written by `State::review` and
/// `State::remember` with what they tell of.
pub trait Outbox: Send + Sync {
    /// Letters to send now, first written first: of each app the first that is not sent. A dead
    /// one holds back those behind it, for the receiver gets an app's letters in order.
    fn due_letters(&self, now: i64, most: u32) -> impl Future<Output = Result<Vec<Letter>>> + Send;
    /// Keeps what a try came to.
    fn delivered(&self, id: i64, delivery: Delivery, answer: &str) -> impl Future<Output = Result<()>> + Send;
    /// Sends a dead letter again.
    fn replay(&self, id: i64) -> impl Future<Output = Result<()>> + Send;
    /// Letters in a state (empty: any), latest first.
    fn letters(&self, state: &str, most: u32) -> impl Future<Output = Result<Vec<Letter>>> + Send;
    /// Letters after a letter, first written first, whatever became of them.
    fn letters_after(&self, id: i64, most: u32) -> impl Future<Output = Result<Vec<Letter>>> + Send;
    /// Writes letters for apps whose day to mend by has passed, once for each day; how many.
    fn tell_overdue(&self, today: &str, now: i64) -> impl Future<Output = Result<u64>> + Send;
}
