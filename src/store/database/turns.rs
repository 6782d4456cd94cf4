//! Turns at hosts. The functions and their clock are the server's: see `schema/postgres`.

use std::time::Duration;

use super::Database;
use super::engine::Engine;
use crate::store::{Result, Turn};

impl Database {
    /// Whether other machines may work on it, so that turns at hosts must be shared.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.engine == Engine::Postgres
    }

    /// Asks for a turn at a host that is asked once in `every`, `at_once` requests at a time. A turn
    /// that is neither held ([`Database::hold_turn`]) nor given back counts for `lasts`.
    ///
    /// # Errors
    /// When the database cannot be used, or is one that has no turns: see [`Database::is_shared`].
    pub async fn take_turn(&self, host: &str, every: Duration, at_once: u32, lasts: Duration) -> Result<Turn> {
        let turn: i64 = sqlx::query_scalar("SELECT take_turn($1, $2, $3, $4)")
            .bind(host)
            .bind(ms(every))
            .bind(i64::from(at_once))
            .bind(ms(lasts))
            .fetch_one(&self.writer)
            .await?;
        Ok(if turn > 0 { Turn::Begins(turn) } else { Turn::Waits(Duration::from_millis(turn.unsigned_abs())) })
    }

    /// Counts a turn for `lasts` from now on: whoever has it is alive.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn hold_turn(&self, turn: i64, lasts: Duration) -> Result<()> {
        let sql = "UPDATE turns SET until = clock_ms() + $1 WHERE id = $2";
        sqlx::query(sql).bind(ms(lasts)).bind(turn).execute(&self.writer).await?;
        Ok(())
    }

    /// Gives a turn back.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn give_turn_back(&self, turn: i64) -> Result<()> {
        sqlx::query("DELETE FROM turns WHERE id = $1").bind(turn).execute(&self.writer).await?;
        Ok(())
    }

    /// Leaves a host alone: nobody gets a turn before so much time has passed.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn rest_host(&self, host: &str, rests: Duration) -> Result<()> {
        sqlx::query("SELECT rest_host($1, $2)").bind(host).bind(ms(rests)).execute(&self.writer).await?;
        Ok(())
    }
}

/// Whole milliseconds, rounded up, so that nobody comes early.
fn ms(time: Duration) -> i64 {
    i64::try_from(time.as_micros().div_ceil(1000)).unwrap_or(i64::MAX)
}
