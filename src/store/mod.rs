//! What is remembered: state, work and the vault of bytes.
//!
//! Three thin traits, so that PostgreSQL, NATS JetStream and S3 can stand behind them with
//! the same tests (`tests/integration/support/conformance`). Embedded, [`Home`] is a folder: one SQLite
//! database for state and work, and files named by their SHA-256.
//!
//! Nothing here looks at a clock: times are the caller's, in milliseconds since 1970 UTC.

#[cfg_attr(not(feature = "cluster"), path = "absent/bucket.rs")]
mod bucket;
mod database;
mod dead;
mod decision;
mod desk;
mod error;
mod folder;
mod home;
mod outbox;
mod people;
mod place;
mod private;
mod prune;
mod rows;
mod state;
#[cfg_attr(not(feature = "cluster"), path = "absent/stream.rs")]
mod stream;
mod turns;
mod unsynced;
mod vault;
mod work;

pub use bucket::Bucket;
pub use database::Database;
pub use dead::{DeadCount, DeadJob, DeadQuery, stage_of};
pub use decision::{in_force, timestamp};
pub use desk::{Agreement, Desk, DeskCounts, DeskFinding, DeskQuery, DeskRow, RunCount, Tray, TwoReviewers};
pub use error::StoreError;
pub use folder::Folder;
pub use home::{Home, Lock};
pub use outbox::{Delivery, Letter, Outbox};
pub use people::{ApiClient, AuditLogEntry, Counted, Identity, Limit, People, Person, Session};
pub use place::Place;
pub use prune::{Gone, Keep, Prune, Rows, Span};
pub use rows::{
    AppRow, AuditRow, Control, Delta, Doubt, FetchRow, FindingRow, JobCount, Judged, Known, ListingRow, NewAudit,
    NewFetch, PackageFile, Review, Run, Seen, Sight, SkipRow, Withheld,
};
pub use state::{State, name_of};
pub use turns::Turn;
pub use vault::{Blob, Vault, is_sha256};
pub use work::{Failed, Lease, NewJob, Work};

/// Beginning of the "store" under which readings of pictures are noted; the model's name follows.
pub const READINGS: &str = "pictures ";

/// What calls of this module come to.
pub type Result<T> = std::result::Result<T, StoreError>;
