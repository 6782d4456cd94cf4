//! Apps and their listings as runs see them.

use sqlx::Row;

use super::Database;
use crate::model::hex;
use crate::store::state::name_of;
use crate::store::{Known, PackageFile, Result, Seen, Sight, Withheld};

impl Database {
    pub(super) async fn known_app(&self, store: &str, key: &str) -> Result<Option<Known>> {
        let row = sqlx::query(
            "SELECT apps.id, listing, mark, outcome, last_run FROM keys JOIN apps ON apps.id = keys.app
             WHERE keys.store = $1 AND key = $2",
        )
        .bind(store)
        .bind(key)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Known {
            app: row.try_get(0)?,
            listing: row.try_get(1)?,
            mark: row.try_get(2)?,
            outcome: row.try_get(3)?,
            last_run: row.try_get(4)?,
        }))
    }

    pub(super) async fn see_listing(&self, seen: Seen<'_>) -> Result<Sight> {
        use sha2::{Digest, Sha256};
        let text = serde_json::to_string(seen.listing)?;
        let sha256 = hex(&Sha256::digest(&text));
        let (store, name) = (seen.listing.store.as_str(), name_of(seen.listing));
        let mut change = self.change().await?;
        let before: Option<(i64, Option<i64>)> =
            sqlx::query_as("SELECT id, listing FROM apps WHERE store = $1 AND name = $2")
                .bind(store)
                .bind(name)
                .fetch_optional(&mut *change)
                .await?;
        let app: i64 = sqlx::query_scalar(
            "INSERT INTO apps (store, name, package, certificate, listing, outcome, last_run, first_seen, last_seen)
             VALUES ($1, $2, $3, '', NULL, 'ok', $4, $5, $6)
             ON CONFLICT (store, name) DO UPDATE SET
                 package = excluded.package, outcome = 'ok', last_run = excluded.last_run,
                 last_seen = excluded.last_seen
             RETURNING id",
        )
        .bind(store)
        .bind(name)
        .bind(&seen.listing.package)
        .bind(seen.run)
        .bind(seen.at)
        .bind(seen.at)
        .fetch_one(&mut *change)
        .await?;
        let listing: i64 = sqlx::query_scalar(
            "INSERT INTO listings (app, sha256, listing, answer, first_seen, last_seen) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (app, sha256) DO UPDATE SET
                 last_seen = excluded.last_seen, answer = coalesce(listings.answer, excluded.answer)
             RETURNING id",
        )
        .bind(app)
        .bind(&sha256)
        .bind(&text)
        .bind(seen.fetch)
        .bind(seen.at)
        .bind(seen.at)
        .fetch_one(&mut *change)
        .await?;
        if let Some((key, mark)) = seen.key {
            sqlx::query(
                "INSERT INTO keys (store, key, app, mark) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (store, key) DO UPDATE SET app = excluded.app, mark = excluded.mark",
            )
            .bind(store)
            .bind(key)
            .bind(app)
            .bind(mark)
            .execute(&mut *change)
            .await?;
        }
        sqlx::query("UPDATE apps SET listing = $1 WHERE id = $2").bind(listing).bind(app).execute(&mut *change).await?;
        change.commit().await?;
        let latest = before.and_then(|(_, latest)| latest);
        Ok(Sight { app, listing, is_new: before.is_none(), is_changed: latest.is_some_and(|old| old != listing) })
    }

    pub(super) async fn see_again(&self, run: i64, app: i64, at: i64) -> Result<()> {
        sqlx::query("UPDATE apps SET last_run = $1, last_seen = $2, outcome = 'ok' WHERE id = $3")
            .bind(run)
            .bind(at)
            .bind(app)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub(super) async fn miss(&self, run: i64, app: i64, outcome: &str) -> Result<()> {
        sqlx::query("UPDATE apps SET outcome = $1, last_run = $2 WHERE id = $3")
            .bind(outcome)
            .bind(run)
            .bind(app)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub(super) async fn keep_package(&self, file: PackageFile<'_>) -> Result<()> {
        let (package, version_name, version_code) = file.identity;
        let kind = serde_json::to_value(file.kind)?;
        let mut change = self.change().await?;
        sqlx::query(
            "INSERT INTO artifacts (sha256, bytes, kind, package, version_name, version_code, certificates, first_seen)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (sha256) DO NOTHING",
        )
        .bind(file.sha256)
        .bind(file.bytes as i64)
        .bind(kind.as_str().unwrap_or_default())
        .bind(package)
        .bind(version_name)
        .bind(version_code as i64)
        .bind(serde_json::to_string(file.certificates)?)
        .bind(file.at)
        .execute(&mut *change)
        .await?;
        sqlx::query(
            "INSERT INTO packages (app, offer, artifact, answer, at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (app, offer) DO UPDATE SET artifact = excluded.artifact, answer = excluded.answer,
                 at = excluded.at",
        )
        .bind(file.app)
        .bind(file.offer)
        .bind(file.sha256)
        .bind(file.fetch)
        .bind(file.at)
        .execute(&mut *change)
        .await?;
        sqlx::query(
            "UPDATE apps SET certificate = $1, package = CASE package WHEN '' THEN $2 ELSE package END WHERE id = $3",
        )
        .bind(file.certificates.first().map_or("", |c| c))
        .bind(package)
        .bind(file.app)
        .execute(&mut *change)
        .await?;
        sqlx::query("DELETE FROM withheld WHERE app = $1").bind(file.app).execute(&mut *change).await?;
        change.commit().await?;
        Ok(())
    }

    pub(super) async fn keep_withheld(&self, app: i64, withheld: Option<&Withheld>) -> Result<()> {
        let Some(withheld) = withheld else {
            sqlx::query("DELETE FROM withheld WHERE app = $1").bind(app).execute(&self.writer).await?;
            return Ok(());
        };
        sqlx::query(
            "INSERT INTO withheld (app, offer, outcome, detail, times, again_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (app) DO UPDATE SET offer = excluded.offer, outcome = excluded.outcome,
                 detail = excluded.detail, times = excluded.times, again_at = excluded.again_at",
        )
        .bind(app)
        .bind(&withheld.offer)
        .bind(&withheld.outcome)
        .bind(&withheld.detail)
        .bind(i64::from(withheld.times))
        .bind(withheld.again_at)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    pub(super) async fn withheld_of(&self, app: i64) -> Result<Option<Withheld>> {
        let row = sqlx::query("SELECT * FROM withheld WHERE app = $1").bind(app).fetch_optional(&self.readers).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Withheld {
            offer: row.try_get("offer")?,
            outcome: row.try_get("outcome")?,
            detail: row.try_get("detail")?,
            times: row.try_get::<i64, _>("times")? as u32,
            again_at: row.try_get("again_at")?,
        }))
    }
}
