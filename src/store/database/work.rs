//! Work.

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::Row;

use super::engine::Engine;
use super::statement::Statement;
use super::{Database, Thing, after};
use crate::model::Skipped;
use crate::store::stream::{self, Stream};
use crate::store::{DeadCount, DeadJob, DeadQuery, Failed, JobCount, Lease, NewJob, Result, Work, stage_of};

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

/// Rows of one statement: five values each, of 32,766 that SQLite binds.
const ROWS: usize = 500;

/// Adds jobs whose keys are new; those that were.
async fn push_all<'j>(change: &mut sqlx::AnyConnection, jobs: &'j [NewJob], now: i64) -> Result<Vec<&'j NewJob>> {
    let mut pushed = Vec::new();
    for part in jobs.chunks(ROWS) {
        let mut sql = Statement::new(
            "INSERT INTO jobs (key, queue, priority, payload, state, due, attempts, token, reason) VALUES ",
        );
        for (index, job) in part.iter().enumerate() {
            sql.push(if index == 0 { "(" } else { ", (" })
                .bind(job.key.as_str())?
                .push(", ")
                .bind(job.queue.as_str())?;
            sql.push(", ").bind(job.priority)?.push(", ").bind(job.payload.as_str())?;
            sql.push(", 'ready', ").bind(now)?.push(", 0, 0, '')");
        }
        sql.push(" ON CONFLICT (key) DO NOTHING RETURNING key");
        let rows = sql.query().fetch_all(&mut *change).await?;
        let new: HashSet<String> = rows.iter().map(|row| row.try_get(0)).collect::<std::result::Result<_, _>>()?;
        // Of two with one key, the first was it.
        let mut told = HashSet::new();
        pushed.extend(part.iter().filter(|job| new.contains(&job.key) && told.insert(job.key.as_str())));
    }
    Ok(pushed)
}

impl Database {
    /// Takes the next job of the first of these queues that has one that was due at `due`.
    async fn lease_due(&self, queues: &[&str], due: i64, until: i64) -> Result<Option<Lease>> {
        // Many workers of PostgreSQL pick at once: each takes the next row that no other is taking.
        let lock = match self.engine {
            Engine::Sqlite => "",
            Engine::Postgres => " FOR UPDATE SKIP LOCKED",
        };
        let mut sql = Statement::new("UPDATE jobs SET state = 'leased', due = ");
        sql.bind(until)?.push(", attempts = attempts + 1, token = token + 1 WHERE id = coalesce(");
        // In one statement: a queue further back is looked at only where those before it have nothing.
        for queue in queues {
            sql.push("(SELECT id FROM jobs WHERE queue = ").bind(*queue)?;
            sql.push(" AND state IN ('ready', 'leased') AND due <= ").bind(due)?;
            sql.push(" ORDER BY priority DESC, id LIMIT 1").push(lock).push("), ");
        }
        sql.push("NULL) RETURNING id, token, key, queue, payload, attempts");
        let row = sql.query().fetch_optional(&self.writer).await?;
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

    /// Takes the next job of the first of these queues that a message tells of, or one that none told
    /// of in time.
    async fn lease_told(&self, stream: &Stream, queues: &[&str], now: i64, until: i64) -> Result<Option<Lease>> {
        let Some((queue, message)) = stream.next(queues).await else {
            return self.lease_due(queues, now.saturating_sub(stream.grace().as_millis() as i64), until).await;
        };
        if let Some(lease) = self.lease_due(&[queue], now, until).await? {
            stream.hold(&lease, message);
            return Ok(Some(lease));
        }
        match self.next_due(queue).await? {
            Some(due) => stream::early(&message, wait(due - now)).await,
            None => stream::spent(&message).await,
        }
        Ok(None)
    }
}

/// Milliseconds since 1970 UTC: a message waits by the clock, whatever the caller's times are.
fn clock() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// Milliseconds as a wait, within what makes sense for a message.
fn wait(ms: i64) -> Duration {
    Duration::from_millis(ms.clamp(20, 60_000).unsigned_abs())
}

impl Work for Database {
    async fn push(&self, jobs: &[NewJob], now: i64) -> Result<u64> {
        let mut change = self.change().await?;
        let pushed = push_all(&mut change, jobs, now).await?;
        change.commit().await?;
        if let Some(stream) = &self.stream {
            stream.tell(&pushed).await;
        }
        Ok(pushed.len() as u64)
    }

    async fn lease(&self, queues: &[&str], now: i64, until: i64) -> Result<Option<Lease>> {
        match &self.stream {
            Some(stream) => self.lease_told(stream, queues, now, until).await,
            None => self.lease_due(queues, now, until).await,
        }
    }

    async fn extend(&self, lease: &Lease, until: i64) -> Result<bool> {
        let held = fenced!(self, lease, "UPDATE jobs SET due = $3", until);
        match &self.stream {
            Some(stream) if held => stream.go_on(lease).await,
            Some(stream) => stream.lost(lease),
            None => {}
        }
        Ok(held)
    }

    async fn complete(&self, lease: &Lease, next: &[NewJob], now: i64) -> Result<bool> {
        let mut change = self.change().await?;
        // The payload is not needed again, and a run may have many.
        let done = sqlx::query(
            "UPDATE jobs SET state = 'done', payload = '' WHERE id = $1 AND token = $2 AND state = 'leased'",
        )
        .bind(lease.job)
        .bind(lease.token)
        .execute(&mut *change)
        .await?
        .rows_affected()
            == 1;
        if !done {
            if let Some(stream) = &self.stream {
                stream.lost(lease);
            }
            return Ok(false);
        }
        let pushed = push_all(&mut change, next, now).await?;
        change.commit().await?;
        if let Some(stream) = &self.stream {
            stream.tell(&pushed).await;
            stream.done(lease).await;
        }
        Ok(true)
    }

    async fn fail(&self, lease: &Lease, why: &Skipped, now: i64, again_at: i64, most: i64) -> Result<Failed> {
        let is_last = lease.attempts >= most;
        let reason = serde_json::to_string(why)?;
        let held = if is_last {
            fenced!(
                self,
                lease,
                "UPDATE jobs SET state = 'dead', reason = $3, stage = $4, code = $5, died = $6",
                &reason,
                stage_of(&lease.queue),
                &why.code,
                now
            )
        } else {
            fenced!(self, lease, "UPDATE jobs SET state = 'ready', reason = $3, due = $4", &reason, again_at)
        };
        let failed = match (held, is_last) {
            (false, _) => Failed::Stale,
            (true, true) => Failed::Dead,
            (true, false) => Failed::Again,
        };
        if let Some(stream) = &self.stream {
            match failed {
                Failed::Stale => stream.lost(lease),
                Failed::Dead => stream.bury(lease, why).await,
                Failed::Again => stream.again(lease, wait(again_at - clock())).await,
            }
        }
        Ok(failed)
    }

    async fn defer(&self, lease: &Lease, reason: &str, again_at: i64) -> Result<bool> {
        let held = fenced!(
            self,
            lease,
            "UPDATE jobs SET state = 'ready', reason = $3, due = $4, attempts = attempts - 1",
            reason,
            again_at
        );
        match &self.stream {
            Some(stream) if held => stream.again(lease, wait(again_at - clock())).await,
            Some(stream) => stream.lost(lease),
            None => {}
        }
        Ok(held)
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

    async fn dead(&self, query: &DeadQuery) -> Result<Vec<DeadJob>> {
        self.dead_jobs(query).await
    }

    async fn dead_job(&self, id: i64) -> Result<Option<DeadJob>> {
        self.one_dead(id).await
    }

    async fn dead_counts(&self) -> Result<Vec<DeadCount>> {
        self.count_dead().await
    }

    async fn revive(&self, id: i64, run: i64, now: i64) -> Result<bool> {
        self.revive_job(id, run, now).await
    }

    async fn let_go(&self, id: i64) -> Result<bool> {
        self.let_dead_go(id).await
    }

    async fn release(&self, prefix: &str, now: i64) -> Result<u64> {
        // The token stays: should the holder live after all, the next lease outdates it.
        let freed = sqlx::query(
            "UPDATE jobs SET state = 'ready', due = $1 WHERE queue >= $2 AND queue < $3 AND state = 'leased'",
        )
        .bind(now)
        .bind(prefix)
        .bind(after(prefix))
        .execute(&self.writer)
        .await?;
        Ok(freed.rows_affected())
    }

    async fn forget(&self, prefix: &str) -> Result<u64> {
        if let Some(stream) = &self.stream {
            let queues: Vec<String> =
                sqlx::query_scalar("SELECT DISTINCT queue FROM jobs WHERE queue >= $1 AND queue < $2")
                    .bind(prefix)
                    .bind(after(prefix))
                    .fetch_all(&self.readers)
                    .await?;
            for queue in queues {
                stream.forget(&queue).await;
            }
        }
        let mut change = self.change().await?;
        self.hold(&mut change, Thing::Jobs(prefix)).await?;
        // Somebody asked for another try when the run was about to end.
        sqlx::query(
            "UPDATE jobs SET state = 'dead'
             WHERE queue >= $1 AND queue < $2 AND state IN ('ready', 'leased') AND died > 0",
        )
        .bind(prefix)
        .bind(after(prefix))
        .execute(&mut *change)
        .await?;
        let gone = sqlx::query("DELETE FROM jobs WHERE queue >= $1 AND queue < $2 AND state <> 'dead'")
            .bind(prefix)
            .bind(after(prefix))
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(gone.rows_affected())
    }
}
