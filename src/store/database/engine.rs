//! What differs between the engines.

use std::path::Path;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, AssertSqlSafe, ConnectOptions, Executor};
use url::Url;

use crate::store::{Result, StoreError};

/// How long a writer of SQLite waits for one of another process, in milliseconds.
const BUSY: u32 = 60_000;
/// Connections that read SQLite beside the one that writes.
const READERS: u32 = 4;
/// Connections to PostgreSQL; its default is 100 for everybody.
const CONNECTIONS: u32 = 12;
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
    let writer = sqlite_pool(1).connect_with(options.clone()).await?;
    sqlx::migrate!("src/store/schema/sqlite").run(&writer).await?;
    let readers = sqlite_pool(READERS).connect_with(options).await?;
    Ok((readers, writer))
}

fn sqlite_pool(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new().max_connections(connections).acquire_timeout(Duration::from_secs(600)).after_connect(
        |connection, _| {
            Box::pin(async move {
                // With WAL, a power cut loses the last moments and breaks nothing; a killed process loses nothing.
                let pragmas = format!(
                    "PRAGMA busy_timeout = {BUSY}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
                     PRAGMA foreign_keys = ON"
                );
                connection.execute(AssertSqlSafe(pragmas)).await?;
                Ok(())
            })
        },
    )
}

/// Connections to a schema of its own, and its name.
pub(super) async fn open_postgres(address: &str) -> Result<(AnyPool, String)> {
    sqlx::any::install_default_drivers();
    let (address, schema) = with_schema(address)?;
    let options = AnyConnectOptions::from_url(&address)?;
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
