//! Findings to the case backend: letters written with each decision, delivered until they are had;
//! and its lists back.
//!
//! At least once, each app's letters in order, each with a key by which the receiver keeps it once.
//! The contract is `docs/feed/openapi.yaml`: CloudEvents 1.0 in the structured JSON mode, signed as
//! the Standard Webhooks specification 1.0 says.

mod deliver;
mod event;
mod signing;
mod standings;

pub use deliver::{Feed, FeedError, Round};
pub use event::event;
pub use signing::{Secret, SecretError, is_signed, signature};
pub use standings::{Asked, BYTES_MAX, LeftOut, Source, StandingsError, Taken, take};
