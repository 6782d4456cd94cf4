//! Services that some engines stand on: where they are not, tests are skipped, or fail in `.ci/run`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::sync::atomic::{AtomicU32, Ordering};

/// Says that a test was skipped, and fails where it must not be.
pub fn missing(service: &str) {
    assert!(std::env::var_os("XUNJIAN_REQUIRE_SERVICES").is_none(), "{service} is missing, and must be tested against");
    eprintln!("SKIPPED: no {service} here");
}

/// A name no other test has.
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    format!("{prefix}_{}_{}_{nanos:x}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A schema of PostgreSQL for one test, gone with it.
pub struct Schema {
    /// Address with the schema.
    pub address: String,
    /// Address of the database.
    pub server: String,
    /// The schema.
    pub name: String,
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (server, sql) = (self.server.clone(), format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name));
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let pool = sqlx::PgPool::connect(&server).await.ok()?;
                sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.ok()
            });
        });
        let _ = dropping.join();
    }
}

/// A fresh schema on the server at `XUNJIAN_TEST_POSTGRES`, else on the one of this machine.
pub async fn postgres() -> Option<Schema> {
    let server = std::env::var("XUNJIAN_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test?sslmode=disable".into());
    let options = sqlx::postgres::PgPoolOptions::new().acquire_timeout(std::time::Duration::from_secs(5));
    match options.connect(&server).await {
        Ok(pool) => pool.close().await,
        Err(error) => {
            missing(&format!("PostgreSQL ({error})"));
            return None;
        }
    }
    let name = unique("t");
    let sign = if server.contains('?') { '&' } else { '?' };
    Some(Schema { address: format!("{server}{sign}schema={name}"), server, name })
}
