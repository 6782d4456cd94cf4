//! State and work in one database: SQLite in the home's folder, or PostgreSQL.
//!
//! Statements are written once, in what both engines understand; the few that differ ask
//! [`Engine`]. Each engine has its own migrations (`src/store/schema/`), whose tables and
//! columns a test holds equal.

mod audits;
mod carry;
mod dead;
mod deciding;
mod desk;
mod doubts;
mod engine;
mod fetches;
mod integrity;
mod moving;
mod outbox;
mod people;
mod prune;
mod reading;
mod seeing;
mod state;
mod statement;
mod telling;
mod turns;
mod work;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use sqlx::any::Any;
use sqlx::{AnyConnection, AnyPool, Transaction};
use tokio::sync::Mutex;

use super::stream::Stream;
use super::{DeskCounts, Result};
use engine::Engine;

/// A database that is open. SQLite has many readers and, because it can have but one, one writer;
/// PostgreSQL has as many of both.
#[derive(Debug, Clone)]
pub struct Database {
    engine: Engine,
    readers: AnyPool,
    writer: AnyPool,
    /// The inbox's counts as they were last counted, and for which day.
    counts: Arc<Mutex<Option<(Instant, String, DeskCounts)>>>,
    /// Hands out the work, where it is not asked of the database itself.
    stream: Option<Stream>,
}

impl Database {
    /// Opens a SQLite file, made and brought to this version's schema where needed.
    ///
    /// # Errors
    /// When the file cannot be used or is of a later version.
    pub async fn sqlite(path: &Path) -> Result<Self> {
        let (readers, writer) = engine::open_sqlite(path).await?;
        let me = Self { engine: Engine::Sqlite, readers, writer, counts: Arc::default(), stream: None };
        me.carry_ids().await?;
        Ok(me)
    }

    /// Opens a PostgreSQL database (15 or later) by `postgres://USER:PASSWORD@HOST/DATABASE`, and in
    /// it a schema of its own: `?schema=NAME`, else `xunjian`; made and brought to this version's
    /// tables where needed.
    ///
    /// # Errors
    /// When it cannot be reached or used, or is of a later version.
    pub async fn postgres(address: &str) -> Result<Self> {
        let (pool, _) = engine::open_postgres(address).await?;
        let me = Self {
            engine: Engine::Postgres,
            readers: pool.clone(),
            writer: pool,
            counts: Arc::default(),
            stream: None,
        };
        me.carry_ids().await?;
        Ok(me)
    }

    /// As [`Database::postgres`], with work handed out by the JetStream of a NATS server
    /// (`nats://HOST:4222`): workers are told of jobs in place of asking for them. Whose a job is,
    /// and whether it is done, the database alone decides. A job that no message told of is found
    /// once it is `grace` overdue.
    ///
    /// # Errors
    /// When one of both cannot be reached or used.
    pub async fn nats(address: &str, nats: &str, grace: std::time::Duration) -> Result<Self> {
        let (pool, schema) = engine::open_postgres(address).await?;
        let stream = Some(Stream::open(nats, &schema, grace).await?);
        let me = Self { engine: Engine::Postgres, readers: pool.clone(), writer: pool, counts: Arc::default(), stream };
        me.carry_ids().await?;
        Ok(me)
    }

    /// A change. In SQLite the lock is taken at once, so that it cannot fail half way.
    async fn change(&self) -> Result<Transaction<'static, Any>> {
        Ok(match self.engine {
            Engine::Sqlite => self.writer.begin_with("BEGIN IMMEDIATE").await?,
            Engine::Postgres => self.writer.begin().await?,
        })
    }

    /// Lets no other change of the same thing go on beside this one, until it ends. In SQLite none does.
    async fn hold(&self, change: &mut AnyConnection, thing: Thing<'_>) -> Result<()> {
        if self.engine == Engine::Postgres {
            sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(thing.number()).execute(change).await?;
        }
        Ok(())
    }

    /// Waits for everything to be written and lets the database go.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// What a change may need for itself.
#[derive(Debug, Clone, Copy)]
enum Thing<'a> {
    /// The findings of an app, its row of the inbox and its letters, which go out in order.
    App(i64),
    /// The answers to a question.
    Ask(&'a str),
    /// The open run of a kind and scope.
    Run(&'a str, &'a str),
    /// The jobs of a run, by what their queues begin with.
    Jobs(&'a str),
    /// A step of an upgrade.
    Upgrade,
}

impl Thing<'_> {
    /// Where two things meet in one number, one waits for the other without need.
    fn number(self) -> i64 {
        use sha2::{Digest, Sha256};
        let text = match self {
            Self::App(app) => format!("app {app}"),
            Self::Ask(ask) => format!("ask {ask}"),
            Self::Run(kind, scope) => format!("run {kind} {scope}"),
            Self::Jobs(prefix) => format!("jobs {prefix}"),
            Self::Upgrade => "upgrade".into(),
        };
        Sha256::digest(text)[..8].iter().fold(0, |number, byte| number << 8 | i64::from(*byte))
    }
}

/// The first text behind all texts that begin with `prefix`.
fn after(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}
