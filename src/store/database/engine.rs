//! What differs between the engines.

use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::MigrateError;
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions, Connection, Executor};
use url::Url;

use crate::store::error::{RESTORE, is_damage};
use crate::store::{Result, StoreError};

/// How long a writer of SQLite waits for one of another process, in milliseconds.
const BUSY: u32 = 60_000;
/// Connections that read SQLite beside the one that writes.
const READERS: u32 = 4;
/// Connections to PostgreSQL; its default is 100 for everybody.
const CONNECTIONS: u32 = 12;
/// How long an engine may take to let the first connection in.
const ANSWER: Duration = Duration::from_secs(4);
/// How long to wait for a connection.
const PATIENCE: Duration = Duration::from_secs(30);
/// The schema of PostgreSQL where the address names none.
const SCHEMA: &str = "xunjian";

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Sqlite,
    Postgres,
}

/// Readers and the writer.
pub(super) async fn open_sqlite(path: &Path) -> Result<(AnyPool, AnyPool)> {
    sqlx::any::install_default_drivers();
    let absolute = std::path::absolute(path)?;
    let mut address = Url::from_file_path(&absolute)
        .map_err(|()| std::io::Error::other(format!("{}: no path of a file", absolute.display())))?;
    address.set_query(Some("mode=rwc"));
    let address = address.as_str().replacen("file:", "sqlite:", 1);
    let options: AnyConnectOptions = address.parse()?;
    // Several that begin on a new home make its tables one after the other.
    let _lock = alone(&absolute).await?;
    whole(&absolute)?;
    // A pool tries again what will not get better, and says in the end that it waited.
    let place = || absolute.display().to_string();
    let mut first = options.connect().await.map_err(|error| unusable(place(), &error, RESTORE))?;
    prepare_sqlite(&mut first).await.map_err(|error| unusable(place(), &error, RESTORE))?;
    sqlx::query("SELECT count(*) FROM sqlite_master")
        .execute(&mut first)
        .await
        .map_err(|error| unusable(place(), &error, RESTORE))?;
    let _ = first.close().await;
    let writer = sqlite_pool(1).connect_with(options.clone()).await?;
    match sqlx::migrate!("src/store/schema/sqlite").run(&writer).await {
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) if is_damage(&error) => {
            return Err(unusable(place(), &error, RESTORE));
        }
        done => done?,
    }
    let readers = sqlite_pool(READERS).connect_with(options).await?;
    Ok((readers, writer))
}

fn unusable(place: String, error: &sqlx::Error, advice: &'static str) -> StoreError {
    StoreError::Unusable { place, cause: error.to_string(), advice }
}

/// Held by whoever opens a state, until it has the tables of this version.
async fn alone(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".opening");
    let file = File::options().create(true).truncate(false).write(true).open(name)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

/// Refuses a file that is no database of SQLite, or shorter than it says itself: its format's header
/// (<https://www.sqlite.org/fileformat2.html>, 1.3) names page size and count.
fn whole(path: &Path) -> Result<()> {
    let mut header = [0_u8; 100];
    let Ok(mut file) = File::open(path) else { return Ok(()) };
    let bytes = file.metadata()?.len();
    if bytes == 0 {
        return Ok(());
    }
    let refused = |cause: String| StoreError::Unusable { place: path.display().to_string(), cause, advice: RESTORE };
    if file.read_exact(&mut header).is_err() || !header.starts_with(b"SQLite format 3\0") {
        return Err(refused("is no database of SQLite, or its beginning is damaged".into()));
    }
    let page = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65_536,
        page => page,
    };
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    // The count holds where whoever wrote last wrote it too.
    let says = page * u64::from(word(28));
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // With a log beside it, another process may be moving pages from there right now.
    let is_settled = std::fs::metadata(log).map_or(true, |log| log.len() == 0);
    if is_settled && word(24) == word(92) && bytes < says {
        return Err(refused(format!("is cut off: {bytes} bytes of {says} are there")));
    }
    Ok(())
}

/// What every connection to SQLite begins with.
async fn prepare_sqlite(connection: &mut AnyConnection) -> sqlx::Result<()> {
    // With WAL, a power cut loses the last moments and breaks nothing; a killed process loses nothing.
    let pragmas = format!(
        "PRAGMA busy_timeout = {BUSY}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         PRAGMA foreign_keys = ON"
    );
    connection.execute(AssertSqlSafe(pragmas)).await?;
    Ok(())
}

fn sqlite_pool(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(600))
        .after_connect(|connection, _| Box::pin(prepare_sqlite(connection)))
}

/// Connections to a schema of its own, and its name.
pub(super) async fn open_postgres(address: &str) -> Result<(AnyPool, String)> {
    if cfg!(not(feature = "cluster")) {
        return Err(StoreError::Absent("PostgreSQL"));
    }
    sqlx::any::install_default_drivers();
    let (address, schema) = with_schema(address)?;
    let options = AnyConnectOptions::from_url(&address)?;
    let place = || {
        let host = address.host_str().unwrap_or("localhost");
        format!("PostgreSQL at {host}:{}{}", address.port().unwrap_or(5432), address.path())
    };
    let advice = "start it, or correct the address: --database, XUNJIAN_DATABASE or [engine] of the configuration";
    match tokio::time::timeout(ANSWER, options.connect()).await {
        Ok(Ok(first)) => drop(first.close().await),
        Ok(Err(error)) => return Err(unusable(place(), &error, advice)),
        Err(_) => {
            let cause = format!("no answer within {} s", ANSWER.as_secs());
            return Err(StoreError::Unusable { place: place(), cause, advice });
        }
    }
    // The name went through `is_name`.
    let (make, enter) = (
        format!("CREATE SCHEMA IF NOT EXISTS {schema}"),
        // What was acknowledged stays, whatever dies: workers that live on hold numbers of rows and
        // leases, which must not be given out twice.
        format!("SET search_path TO {schema}; SET synchronous_commit TO on; SET client_min_messages TO warning"),
    );
    let pool = AnyPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .after_connect(move |connection, _| {
            let enter = enter.clone();
            Box::pin(async move {
                connection.execute(AssertSqlSafe(enter)).await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await?;
    // Two that begin at once may both find it missing: the second is told that it is there.
    if let Err(error) = pool.execute(AssertSqlSafe(make.clone())).await {
        tracing::debug!(%error, "making the schema again");
        pool.execute(AssertSqlSafe(make)).await?;
    }
    sqlx::migrate!("src/store/schema/postgres").run(&pool).await?;
    Ok((pool, schema))
}

/// The address without its `schema`, and the schema.
fn with_schema(address: &str) -> Result<(Url, String)> {
    let mut url = Url::parse(address).map_err(|error| StoreError::Address(error.to_string()))?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(StoreError::Address(format!("{}: where postgres: should be", url.scheme())));
    }
    let (schema, rest): (Vec<_>, Vec<_>) = url.query_pairs().into_owned().partition(|(key, _)| key == "schema");
    let schema = schema.into_iter().next_back().map_or_else(|| SCHEMA.to_owned(), |(_, value)| value);
    if !is_name(&schema) {
        return Err(StoreError::Address(format!("schema={schema}: small letters, digits and _ only, at most 63")));
    }
    url.set_query(None);
    if !rest.is_empty() {
        url.query_pairs_mut().extend_pairs(rest);
    }
    Ok((url, schema))
}

fn is_name(name: &str) -> bool {
    let is_plain = name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    is_plain && (1..=63).contains(&name.len()) && !name.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_schema() {
        let told = |address| with_schema(address).map(|(url, schema)| (url.to_string(), schema)).ok();
        let plain = ("postgres://u:p@h/d".to_owned(), "xunjian".to_owned());
        assert_eq!(told("postgres://u:p@h/d"), Some(plain));
        let other = ("postgres://h/d?sslmode=require".to_owned(), "t_1".to_owned());
        assert_eq!(told("postgres://h/d?schema=t_1&sslmode=require"), Some(other));
        for hostile in
            ["postgres://h/d?schema=a;drop", "postgres://h/d?schema=", "mysql://h/d", "h", "postgres://h/d?schema=1a"]
        {
            assert_eq!(told(hostile), None, "{hostile}");
        }
    }
}
