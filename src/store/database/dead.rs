//! Jobs that died.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::statement::Statement;
use super::{Database, Thing, after};
use crate::model::Skipped;
use crate::store::{DeadCount, DeadJob, DeadQuery, NewJob, Result, stage_of};

impl Database {
    pub(super) async fn dead_jobs(&self, query: &DeadQuery) -> Result<Vec<DeadJob>> {
        let mut sql =
            Statement::new("SELECT id, key, queue, payload, attempts, reason, died FROM jobs WHERE state = 'dead'");
        if !query.prefix.is_empty() {
            sql.push(" AND queue >= ").bind(query.prefix.clone())?.push(" AND queue < ").bind(after(&query.prefix))?;
        }
        for (column, value) in [("stage", &query.stage), ("code", &query.code)] {
            if !value.is_empty() {
                sql.push(" AND ").push(column).push(" = ").bind(value.clone())?;
            }
        }
        if let Some((died, id)) = query.after {
            sql.push(" AND (died, id) < (").bind(died)?.push(", ").bind(id)?.push(")");
        }
        sql.push(" ORDER BY died DESC, id DESC LIMIT ").bind(i64::from(query.most))?;
        sql.query().fetch_all(&self.readers).await?.iter().map(dead_of).collect()
    }

    pub(super) async fn one_dead(&self, id: i64) -> Result<Option<DeadJob>> {
        let sql = "SELECT id, key, queue, payload, attempts, reason, died FROM jobs WHERE id = $1 AND state = 'dead'";
        let row = sqlx::query(sql).bind(id).fetch_optional(&self.readers).await?;
        row.map(|row| dead_of(&row)).transpose()
    }

    pub(super) async fn count_dead(&self) -> Result<Vec<DeadCount>> {
        let sql = "SELECT stage, code, count(*) FROM jobs WHERE state = 'dead' GROUP BY stage, code ORDER BY 1, 2";
        let rows: Vec<(String, String, i64)> = sqlx::query_as(sql).fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(|(stage, code, n)| DeadCount { stage, code, count: n as u64 }).collect())
    }

    pub(super) async fn revive_job(&self, id: i64, run: i64, now: i64) -> Result<bool> {
        let mut change = self.change().await?;
        self.hold(&mut change, Thing::Jobs(&format!("{run}/"))).await?;
        let row = sqlx::query(
            "UPDATE jobs SET state = 'ready', due = $1, attempts = 0
             WHERE id = $2 AND state = 'dead' AND EXISTS (SELECT 1 FROM runs WHERE id = $3 AND ended IS NULL)
             RETURNING key, queue, priority, payload, token",
        )
        .bind(now)
        .bind(id)
        .bind(run)
        .fetch_optional(&mut *change)
        .await?;
        change.commit().await?;
        let Some(row) = row else { return Ok(false) };
        if let Some(stream) = &self.stream {
            let (key, token): (String, i64) = (row.try_get(0)?, row.try_get(4)?);
            stream.exhume(&key).await;
            let job = NewJob {
                // Not the key it was told of by: the server would take it for the same news.
                key: format!("{key} {token}"),
                queue: row.try_get(1)?,
                priority: row.try_get(2)?,
                payload: row.try_get(3)?,
            };
            stream.tell(&[&job]).await;
        }
        Ok(true)
    }

    pub(super) async fn let_dead_go(&self, id: i64) -> Result<bool> {
        let key: Option<String> = sqlx::query_scalar("DELETE FROM jobs WHERE id = $1 AND state = 'dead' RETURNING key")
            .bind(id)
            .fetch_optional(&self.writer)
            .await?;
        if let (Some(stream), Some(key)) = (&self.stream, &key) {
            stream.exhume(key).await;
        }
        Ok(key.is_some())
    }
}

fn dead_of(row: &AnyRow) -> Result<DeadJob> {
    let (key, reason): (String, String) = (row.try_get("key")?, row.try_get("reason")?);
    // One that an earlier version buried told less.
    let skipped = serde_json::from_str(&reason).unwrap_or_else(|_| Skipped {
        target: key.clone(),
        stage: "sweep".into(),
        code: "failed".into(),
        reason,
    });
    Ok(DeadJob {
        id: row.try_get("id")?,
        key,
        stage: stage_of(row.try_get("queue")?).to_owned(),
        payload: row.try_get("payload")?,
        attempts: row.try_get("attempts")?,
        skipped,
        died: row.try_get("died")?,
    })
}
