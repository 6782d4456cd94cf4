//! Whether the database is whole, and a copy of it.

use std::path::Path;

use super::Database;
use super::engine::Engine;
use crate::store::Result;

impl Database {
    /// What the database says of its own damage; empty where it is whole. PostgreSQL keeps its own
    /// checksums, and is only asked whether it answers.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn integrity(&self) -> Result<Vec<String>> {
        if self.engine == Engine::Postgres {
            sqlx::query("SELECT 1").execute(&self.readers).await?;
            return Ok(Vec::new());
        }
        let mut said: Vec<String> =
            sqlx::query_scalar("SELECT integrity_check FROM pragma_integrity_check").fetch_all(&self.readers).await?;
        said.retain(|line| line != "ok");
        let loose: Vec<(String, String)> =
            sqlx::query_as("SELECT \"table\", parent FROM pragma_foreign_key_check LIMIT 20")
                .fetch_all(&self.readers)
                .await?;
        said.extend(
            loose
                .into_iter()
                .map(|(table, parent)| format!("a row of {table} names one of {parent} that is not there")),
        );
        Ok(said)
    }

    /// The state is a file in the home.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.engine == Engine::Sqlite
    }

    /// Writes the state as of now into a new file, while others use it.
    ///
    /// # Errors
    /// When the file cannot be written, or the state is no file.
    pub async fn copy_into(&self, path: &Path) -> Result<()> {
        sqlx::query("VACUUM INTO $1").bind(path.display().to_string()).execute(&self.writer).await?;
        Ok(())
    }

    /// When the oldest job that could be taken was due; `None` where none is ready.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn oldest_ready(&self) -> Result<Option<i64>> {
        let sql = "SELECT min(due) FROM jobs WHERE state = 'ready'";
        Ok(sqlx::query_scalar(sql).fetch_one(&self.readers).await?)
    }

    /// When the oldest job of these queues was due that could be taken; `None` where none is ready.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn oldest_ready_of(&self, queues: &str) -> Result<Option<i64>> {
        let sql = "SELECT min(due) FROM jobs WHERE state = 'ready' AND queue >= $1 AND queue < $2";
        let query = sqlx::query_scalar(sql).bind(queues).bind(super::after(queues));
        Ok(query.fetch_one(&self.readers).await?)
    }

    /// Stores of a run of which no app was seen, because their catalogue could not be read.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn failed_stores(&self, run: i64) -> Result<Vec<String>> {
        // A page of a catalogue is told as `STORE ADDRESS`, a catalogue that has no beginning as `STORE`.
        let targets: Vec<String> = sqlx::query_scalar("SELECT target FROM skips WHERE run = $1 AND stage = 'crawl'")
            .bind(run)
            .fetch_all(&self.readers)
            .await?;
        let scope: Option<String> =
            sqlx::query_scalar("SELECT scope FROM runs WHERE id = $1").bind(run).fetch_optional(&self.readers).await?;
        let scope = scope.unwrap_or_default();
        let mut failed = Vec::new();
        for store in scope.split(',').filter(|store| !store.is_empty()) {
            let is_page = |target: &String| {
                target.strip_prefix(store).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            };
            if !targets.iter().any(is_page) {
                continue;
            }
            let sql = "SELECT count(*) FROM apps WHERE store = $1 AND last_run = $2";
            let seen: i64 = sqlx::query_scalar(sql).bind(store).bind(run).fetch_one(&self.readers).await?;
            if seen == 0 {
                failed.push(store.to_owned());
            }
        }
        Ok(failed)
    }

    /// Apps that were handed out a file.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn apps_of_file(&self, sha256: &str) -> Result<Vec<i64>> {
        let sql = "SELECT DISTINCT app FROM packages WHERE artifact = $1 ORDER BY app";
        Ok(sqlx::query_scalar(sql).bind(sha256).fetch_all(&self.readers).await?)
    }
}
