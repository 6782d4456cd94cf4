//! Letters to the case backend.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::telling::confirmed;
use super::{Database, Thing};
use crate::model::hex;
use crate::store::{Delivery, Letter, Outbox, Result};

/// Something that happened, to be told.
pub(super) struct News<'a> {
    pub(super) kind: &'static str,
    pub(super) app: i64,
    pub(super) finding: &'a str,
    pub(super) audit: i64,
    /// What tells it from the same news at another time: number of the review, `audit` and its number, or a day.
    pub(super) mark: &'a str,
    pub(super) at: i64,
    /// What stands now, and may be otherwise when it is sent.
    pub(super) about: Value,
}

/// Writes a letter, once for the same news.
pub(super) async fn write(change: &mut AnyConnection, news: News<'_>) -> Result<bool> {
    let mut hash = Sha256::new();
    for part in [news.kind, &news.app.to_string(), news.finding, news.mark] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let done = sqlx::query(
        "INSERT INTO outbox (event, kind, app, finding, audit, at, about) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (event) DO NOTHING",
    )
    .bind(hex(&hash.finalize()[..16]))
    .bind(news.kind)
    .bind(news.app)
    .bind(news.finding)
    .bind(news.audit)
    .bind(news.at)
    .bind(news.about.to_string())
    .execute(change)
    .await?;
    Ok(done.rows_affected() > 0)
}

fn letter_of(row: &AnyRow) -> Result<Letter> {
    Ok(Letter {
        id: row.try_get("id")?,
        event: row.try_get("event")?,
        kind: row.try_get("kind")?,
        app: row.try_get("app")?,
        finding: row.try_get("finding")?,
        audit: row.try_get("audit")?,
        at: row.try_get("at")?,
        state: row.try_get("state")?,
        attempts: row.try_get::<i64, _>("attempts")? as u32,
        due: row.try_get("due")?,
        answer: row.try_get("answer")?,
        about: row.try_get("about")?,
    })
}

impl Outbox for Database {
    async fn due_letters(&self, now: i64, most: u32) -> Result<Vec<Letter>> {
        let rows = sqlx::query(
            "SELECT * FROM outbox o WHERE state = 'ready' AND due <= $1
               AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.app = o.app AND b.id < o.id AND b.state <> 'sent')
             ORDER BY id LIMIT $2",
        )
        .bind(now)
        .bind(i64::from(most))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(letter_of).collect()
    }

    async fn delivered(&self, id: i64, delivery: Delivery, answer: &str) -> Result<()> {
        let (state, due) = match delivery {
            Delivery::Sent => ("sent", 0),
            Delivery::Again(due) => ("ready", due),
            Delivery::Dead => ("dead", 0),
        };
        // What is sent stays sent, whatever a slower process says of it.
        sqlx::query(
            "UPDATE outbox SET state = $1, due = $2, answer = $3, attempts = attempts + 1
             WHERE id = $4 AND state <> 'sent'",
        )
        .bind(state)
        .bind(due)
        .bind(answer)
        .bind(id)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn replay(&self, id: i64) -> Result<()> {
        sqlx::query("UPDATE outbox SET state = 'ready', due = 0, attempts = 0 WHERE id = $1 AND state = 'dead'")
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn letters(&self, state: &str, most: u32) -> Result<Vec<Letter>> {
        let rows = sqlx::query("SELECT * FROM outbox WHERE $1 = '' OR state = $1 ORDER BY id DESC LIMIT $2")
            .bind(state)
            .bind(i64::from(most))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(letter_of).collect()
    }

    async fn letters_after(&self, id: i64, most: u32) -> Result<Vec<Letter>> {
        let rows = sqlx::query("SELECT * FROM outbox WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(id)
            .bind(i64::from(most))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(letter_of).collect()
    }

    async fn tell_overdue(&self, today: &str, now: i64) -> Result<u64> {
        let mut change = self.change().await?;
        let late: Vec<(i64, i64)> =
            sqlx::query_as("SELECT app, audit FROM desk WHERE mend_by <> '' AND mend_by < $1 ORDER BY app")
                .bind(today)
                .fetch_all(&mut *change)
                .await?;
        let mut told = 0;
        for (app, audit) in late {
            self.hold(&mut change, Thing::App(app)).await?;
            let outcome: String =
                sqlx::query_scalar("SELECT outcome FROM apps WHERE id = $1").bind(app).fetch_one(&mut *change).await?;
            let day_of = |finding: &Value| finding["mend_by"].as_str().unwrap_or_default().to_owned();
            let mut overdue = confirmed(&mut change, app).await?;
            overdue.retain(|finding| !day_of(finding).is_empty() && *day_of(finding) < *today);
            let mut days: Vec<String> = overdue.iter().map(day_of).collect();
            days.dedup();
            for day in days {
                // `seen` and the last look say whether it is overdue as far as can be told.
                let about = json!({ "findings": overdue, "last_look": outcome });
                let news = News { kind: "app.overdue", app, finding: "", audit, mark: &day, at: now, about };
                told += u64::from(write(&mut change, news).await?);
            }
        }
        change.commit().await?;
        Ok(told)
    }
}
