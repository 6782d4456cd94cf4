//! Rows of apps, listings, findings, runs and skips.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Database, Thing};
use crate::model::Skipped;
use crate::store::{AppRow, FindingRow, ListingRow, Result, Review, Run, SkipRow};

impl Database {
    pub(super) async fn open_run(&self, kind: &str, scope: &str, now: i64) -> Result<Run> {
        let mut change = self.change().await?;
        self.hold(&mut change, Thing::Run(kind, scope)).await?;
        let open = sqlx::query("SELECT * FROM runs WHERE kind = $1 AND scope = $2 AND ended IS NULL")
            .bind(kind)
            .bind(scope)
            .fetch_optional(&mut *change)
            .await?;
        if let Some(row) = open {
            return Ok(Run { is_resumed: true, ..run_of(&row)? });
        }
        let row = sqlx::query("INSERT INTO runs (kind, scope, began) VALUES ($1, $2, $3) RETURNING *")
            .bind(kind)
            .bind(scope)
            .bind(now)
            .fetch_one(&mut *change)
            .await?;
        let run = run_of(&row)?;
        change.commit().await?;
        Ok(run)
    }

    pub(super) async fn app_rows(&self, after: i64, most: u32) -> Result<Vec<AppRow>> {
        let rows = sqlx::query("SELECT * FROM apps WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after)
            .bind(i64::from(most))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(app_of).collect()
    }

    pub(super) async fn sample_rows(&self, store: &str, has_findings: bool, most: u32) -> Result<Vec<AppRow>> {
        // Those with findings in turn: who was looked at longest ago comes first.
        let sql = if has_findings {
            "SELECT * FROM apps WHERE store = $1 AND listing IS NOT NULL
               AND EXISTS (SELECT 1 FROM findings WHERE findings.app = apps.id AND state = 'open')
             ORDER BY last_seen LIMIT $2"
        } else {
            "SELECT * FROM apps WHERE store = $1 AND listing IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM findings WHERE findings.app = apps.id AND state = 'open')
             ORDER BY random() LIMIT $2"
        };
        let rows = sqlx::query(sql).bind(store).bind(i64::from(most)).fetch_all(&self.readers).await?;
        rows.iter().map(app_of).collect()
    }

    pub(super) async fn apps_named(&self, store: &str, name: &str) -> Result<Vec<AppRow>> {
        let rows = sqlx::query(
            "SELECT * FROM apps WHERE (package = $2 OR name = $2) AND ($1 = '' OR store = $1) ORDER BY store, name",
        )
        .bind(store)
        .bind(name)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(app_of).collect()
    }

    pub(super) async fn listing_rows(&self, app: i64, most: u32) -> Result<Vec<ListingRow>> {
        let rows = sqlx::query("SELECT * FROM listings WHERE app = $1 ORDER BY last_seen DESC, id DESC LIMIT $2")
            .bind(app)
            .bind(i64::from(most))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(listing_of).collect()
    }

    pub(super) async fn one_listing(&self, id: i64) -> Result<Option<ListingRow>> {
        let row = sqlx::query("SELECT * FROM listings WHERE id = $1").bind(id).fetch_optional(&self.readers).await?;
        row.map(|row| listing_of(&row)).transpose()
    }

    pub(super) async fn one_finding(&self, id: &str) -> Result<Option<FindingRow>> {
        let row = sqlx::query(
            "SELECT * FROM findings WHERE id = coalesce((SELECT finding FROM former_ids WHERE former = $1), $1)",
        )
        .bind(id)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(FindingRow {
            id: row.try_get("id")?,
            app: row.try_get("app")?,
            sign: row.try_get("sign")?,
            state: row.try_get("state")?,
            sight: row.try_get("sight")?,
            because: row.try_get("because")?,
            cause: row.try_get("cause")?,
            verdict: row.try_get("verdict")?,
            confidence: row.try_get("confidence")?,
            first_audit: row.try_get("first_audit")?,
            last_audit: row.try_get("last_audit")?,
            first_seen: row.try_get("first_seen")?,
            last_seen: row.try_get("last_seen")?,
        }))
    }

    pub(super) async fn review_rows(&self, finding: &str) -> Result<Vec<Review>> {
        reviews_of(&mut *self.readers.acquire().await?, finding).await
    }
}

/// Decisions about a finding, in order.
pub(super) async fn reviews_of(from: &mut AnyConnection, finding: &str) -> Result<Vec<Review>> {
    let rows =
        sqlx::query("SELECT * FROM reviews WHERE finding = $1 ORDER BY id").bind(finding).fetch_all(from).await?;
    rows.iter().map(review_of).collect()
}

fn review_of(row: &AnyRow) -> Result<Review> {
    Ok(Review {
        finding: row.try_get("finding")?,
        audit: row.try_get("audit")?,
        evidence: row.try_get("evidence")?,
        who: row.try_get("who")?,
        verdict: row.try_get("verdict")?,
        reason: row.try_get("reason")?,
        mend_by: row.try_get("mend_by")?,
        note: row.try_get("note")?,
        former: row.try_get("former")?,
        at: row.try_get("at")?,
    })
}

pub(super) fn run_of(row: &AnyRow) -> Result<Run> {
    Ok(Run {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        scope: row.try_get("scope")?,
        began: row.try_get("began")?,
        ended: row.try_get("ended")?,
        plan: row.try_get("plan")?,
        summary: row.try_get("summary")?,
        is_resumed: false,
    })
}

fn app_of(row: &AnyRow) -> Result<AppRow> {
    Ok(AppRow {
        id: row.try_get("id")?,
        store: row.try_get("store")?,
        name: row.try_get("name")?,
        package: row.try_get("package")?,
        certificate: row.try_get("certificate")?,
        listing: row.try_get("listing")?,
        outcome: row.try_get("outcome")?,
        last_run: row.try_get("last_run")?,
    })
}

fn listing_of(row: &AnyRow) -> Result<ListingRow> {
    Ok(ListingRow {
        id: row.try_get("id")?,
        listing: serde_json::from_str(row.try_get("listing")?)?,
        fetch: row.try_get("answer")?,
        first_seen: row.try_get("first_seen")?,
        last_seen: row.try_get("last_seen")?,
    })
}

pub(super) fn skip_of(row: &AnyRow) -> Result<SkipRow> {
    Ok(SkipRow {
        id: row.try_get("id")?,
        code: row.try_get("code")?,
        skipped: Skipped {
            target: row.try_get("target")?,
            stage: row.try_get("stage")?,
            code: row.try_get("code")?,
            reason: row.try_get("reason")?,
        },
    })
}
