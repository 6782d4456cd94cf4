//! Work.

use sqlx::Row;

use super::engine::Engine;
use super::{Database, after};
use crate::store::{Failed, JobCount, Lease, NewJob, Result, Work};

/// Whether a change fenced by job, state and token met its row.
macro_rules! fenced {
    ($self:ident, $lease:ident, $sql:literal $(, $value:expr)*) => {
        sqlx::query(concat!($sql, " WHERE id = $1 AND token = $2 AND state = 'leased'"))
            .bind($lease.job)
            .bind($lease.token)
            $(.bind($value))*
            .execute(&$self.writer)
            .await?
            .rows_affected() == 1
    };
}

/// Takes the next job that is due.
macro_rules! next {
    ($lock:literal) => {
        concat!(
            "UPDATE jobs SET state = 'leased', due = $1, attempts = attempts + 1, token = token + 1
             WHERE id = (SELECT id FROM jobs WHERE queue = $2 AND state IN ('ready', 'leased') AND due <= $3
                         ORDER BY priority DESC, id LIMIT 1",
            $lock,
            ") RETURNING id, token, key, queue, payload, attempts"
        )
    };
}

async fn push_all(change: &mut sqlx::AnyConnection, jobs: &[NewJob], now: i64) -> Result<u64> {
    let mut pushed = 0;
    for job in jobs {
        pushed += sqlx::query(
            "INSERT INTO jobs (key, queue, priority, payload, state, due, attempts, token, reason)
             VALUES ($1, $2, $3, $4, 'ready', $5, 0, 0, '') ON CONFLICT (key) DO NOTHING",
        )
        .bind(&job.key)
        .bind(&job.queue)
        .bind(job.priority)
        .bind(&job.payload)
        .bind(now)
        .execute(&mut *change)
        .await?
        .rows_affected();
    }
    Ok(pushed)
}

impl Work for Database {
    async fn push(&self, jobs: &[NewJob], now: i64) -> Result<u64> {
        let mut change = self.change().await?;
        let pushed = push_all(&mut change, jobs, now).await?;
        change.commit().await?;
        Ok(pushed)
    }

    async fn lease(&self, queue: &str, now: i64, until: i64) -> Result<Option<Lease>> {
        // Many workers of PostgreSQL pick at once: each takes the next row that no other is taking.
        let sql = match self.engine {
            Engine::Sqlite => next!(""),
            Engine::Postgres => next!(" FOR UPDATE SKIP LOCKED"),
        };
        let row = sqlx::query(sql).bind(until).bind(queue).bind(now).fetch_optional(&self.writer).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Lease {
            job: row.try_get(0)?,
            token: row.try_get(1)?,
            key: row.try_get(2)?,
            queue: row.try_get(3)?,
            payload: row.try_get(4)?,
            attempts: row.try_get(5)?,
        }))
    }

    async fn extend(&self, lease: &Lease, until: i64) -> Result<bool> {
        Ok(fenced!(self, lease, "UPDATE jobs SET due = $3", until))
    }

    async fn complete(&self, lease: &Lease, next: &[NewJob], now: i64) -> Result<bool> {
        let mut change = self.change().await?;
        // The payload is not needed again, and a run may have many.
        let done =
            sqlx::query("UPDATE jobs SET state = 'done', payload = '' WHERE id = $1 AND token = $2 AND state = 'leased'")
                .bind(lease.job)
                .bind(lease.token)
                .execute(&mut *change)
                .await?
                .rows_affected()
                == 1;
        if done {
            push_all(&mut change, next, now).await?;
            change.commit().await?;
        }
        Ok(done)
    }

    async fn fail(&self, lease: &Lease, reason: &str, again_at: i64, most: i64) -> Result<Failed> {
        let is_last = lease.attempts >= most;
        let held = if is_last {
            fenced!(self, lease, "UPDATE jobs SET state = 'dead', reason = $3", reason)
        } else {
            fenced!(self, lease, "UPDATE jobs SET state = 'ready', reason = $3, due = $4", reason, again_at)
        };
        Ok(match (held, is_last) {
            (false, _) => Failed::Stale,
            (true, true) => Failed::Dead,
            (true, false) => Failed::Again,
        })
    }

    async fn defer(&self, lease: &Lease, reason: &str, again_at: i64) -> Result<bool> {
        Ok(fenced!(
            self,
            lease,
            "UPDATE jobs SET state = 'ready', reason = $3, due = $4, attempts = attempts - 1",
            reason,
            again_at
        ))
    }

    async fn counts(&self, prefix: &str) -> Result<Vec<JobCount>> {
        let rows = sqlx::query(
            "SELECT queue, state, count(*) FROM jobs WHERE queue >= $1 AND queue < $2 GROUP BY queue, state ORDER BY 1, 2",
        )
        .bind(prefix)
        .bind(after(prefix))
        .fetch_all(&self.readers)
        .await?;
        let count = |row: &sqlx::any::AnyRow| {
            Ok(JobCount { queue: row.try_get(0)?, state: row.try_get(1)?, count: row.try_get::<i64, _>(2)? as u64 })
        };
        rows.iter().map(count).collect()
    }

    async fn next_due(&self, prefix: &str) -> Result<Option<i64>> {
        let row =
            sqlx::query("SELECT min(due) FROM jobs WHERE queue >= $1 AND queue < $2 AND state IN ('ready', 'leased')")
                .bind(prefix)
                .bind(after(prefix))
                .fetch_one(&self.readers)
                .await?;
        Ok(row.try_get(0)?)
    }

    async fn dead(&self, prefix: &str, most: u32) -> Result<Vec<(String, String)>> {
        let rows = sqlx::query_as(
            "SELECT key, reason FROM jobs WHERE queue >= $1 AND queue < $2 AND state = 'dead' ORDER BY id LIMIT $3",
        )
        .bind(prefix)
        .bind(after(prefix))
        .bind(i64::from(most))
        .fetch_all(&self.readers)
        .await?;
        Ok(rows)
    }

    async fn release(&self, prefix: &str, now: i64) -> Result<u64> {
        // The token stays: should the holder live after all, the next lease outdates it.
        let freed =
            sqlx::query("UPDATE jobs SET state = 'ready', due = $1 WHERE queue >= $2 AND queue < $3 AND state = 'leased'")
                .bind(now)
                .bind(prefix)
                .bind(after(prefix))
                .execute(&self.writer)
                .await?;
        Ok(freed.rows_affected())
    }

    async fn forget(&self, prefix: &str) -> Result<u64> {
        let gone = sqlx::query("DELETE FROM jobs WHERE queue >= $1 AND queue < $2")
            .bind(prefix)
            .bind(after(prefix))
            .execute(&self.writer)
            .await?;
        Ok(gone.rows_affected())
    }
}
