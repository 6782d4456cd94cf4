//! Answers of stores.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Database, Thing};
use crate::store::{FetchRow, NewFetch, Result};

impl Database {
    pub(super) async fn keep_fetch(&self, fetch: &NewFetch) -> Result<i64> {
        let mut change = self.change().await?;
        self.hold(&mut change, Thing::Ask(&fetch.ask)).await?;
        let same: Option<i64> = sqlx::query_scalar(
            "UPDATE fetches SET last_at = $1, times = times + 1
             WHERE id = (SELECT max(id) FROM fetches WHERE ask = $2) AND outcome = $3 AND status = $4 AND body = $5
             RETURNING id",
        )
        .bind(fetch.at)
        .bind(&fetch.ask)
        .bind(&fetch.outcome)
        .bind(i64::from(fetch.status))
        .bind(&fetch.body)
        .fetch_optional(&mut *change)
        .await?;
        let id =
            match same {
                Some(id) => id,
                None => sqlx::query_scalar(
                    "INSERT INTO fetches (ask, method, url, request, outcome, status, final_url, headers, body, bytes,
                                          first_at, last_at, times)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1) RETURNING id",
                )
                .bind(&fetch.ask)
                .bind(&fetch.method)
                .bind(&fetch.url)
                .bind(&fetch.request)
                .bind(&fetch.outcome)
                .bind(i64::from(fetch.status))
                .bind(&fetch.final_url)
                .bind(&fetch.headers)
                .bind(&fetch.body)
                .bind(fetch.bytes as i64)
                .bind(fetch.at)
                .bind(fetch.at)
                .fetch_one(&mut *change)
                .await?,
            };
        change.commit().await?;
        Ok(id)
    }

    pub(super) async fn fetch_with_body(&self, ask: &str) -> Result<Option<FetchRow>> {
        let row = sqlx::query("SELECT * FROM fetches WHERE ask = $1 AND body <> '' ORDER BY id DESC LIMIT 1")
            .bind(ask)
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| fetch_of(&row)).transpose()
    }

    pub(super) async fn one_fetch(&self, id: i64) -> Result<Option<FetchRow>> {
        let row = sqlx::query("SELECT * FROM fetches WHERE id = $1").bind(id).fetch_optional(&self.readers).await?;
        row.map(|row| fetch_of(&row)).transpose()
    }
}

fn fetch_of(row: &AnyRow) -> Result<FetchRow> {
    Ok(FetchRow {
        id: row.try_get("id")?,
        fetch: NewFetch {
            ask: row.try_get("ask")?,
            method: row.try_get("method")?,
            url: row.try_get("url")?,
            request: row.try_get("request")?,
            outcome: row.try_get("outcome")?,
            status: row.try_get::<i64, _>("status")? as u16,
            final_url: row.try_get("final_url")?,
            headers: row.try_get("headers")?,
            body: row.try_get("body")?,
            bytes: row.try_get::<i64, _>("bytes")? as u64,
            at: row.try_get("first_at")?,
        },
        last_at: row.try_get("last_at")?,
        times: row.try_get::<i64, _>("times")? as u64,
    })
}
