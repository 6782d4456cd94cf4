//! State and work in one SQLite database.

mod audits;
mod deciding;
mod desk;
mod fetches;
mod outbox;
mod people;
mod reading;
mod seeing;
mod state;
mod work;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlitePool, Transaction};
use tokio::sync::Mutex;

use super::{DeskCounts, Result};

/// How long a writer waits for one of another process.
const BUSY: Duration = Duration::from_secs(60);
/// Connections that read beside the one that writes.
const READERS: u32 = 4;

/// A SQLite database: many readers and, because SQLite has but one writer, one queue of writers.
#[derive(Debug, Clone)]
pub struct Sqlite {
    readers: SqlitePool,
    writer: SqlitePool,
    /// The inbox's counts as they were last counted, and for which day.
    counts: Arc<Mutex<Option<(Instant, String, DeskCounts)>>>,
}

impl Sqlite {
    /// Opens a database, made and brought to this version's schema where needed.
    ///
    /// # Errors
    /// When the file cannot be used or is of a later version.
    pub async fn open(path: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With WAL, a power cut loses the last moments and breaks nothing; a killed process loses nothing.
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        sqlx::migrate!("src/store/schema").run(&writer).await?;
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(options).await?;
        Ok(Self { readers, writer, counts: Arc::default() })
    }

    /// A change: the lock is taken at once, so that it cannot fail half way.
    async fn change(&self) -> Result<Transaction<'static, sqlx::Sqlite>> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Waits for everything to be written and lets the file go.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// The first text behind all texts that begin with `prefix`.
fn after(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}
