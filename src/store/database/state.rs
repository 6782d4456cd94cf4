//! The state: every method of the trait, short ones here.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;

use super::Database;
use super::audits::{AUDITS, audit_of};
use super::reading::{run_of, skip_of};
use crate::model::Skipped;
use crate::store::{
    AppRow, AuditRow, Delta, Doubt, FetchRow, FindingRow, Judged, Known, ListingRow, NewAudit, NewFetch, PackageFile,
    Result, Review, Run, Seen, Sight, SkipRow, State, Withheld,
};

impl State for Database {
    async fn begin(&self, kind: &str, scope: &str, now: i64) -> Result<Run> {
        self.open_run(kind, scope, now).await
    }

    async fn end(&self, run: i64, summary: &str, now: i64) -> Result<()> {
        sqlx::query("UPDATE runs SET ended = $1, summary = $2 WHERE id = $3 AND ended IS NULL")
            .bind(now)
            .bind(summary)
            .bind(run)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn run(&self, id: i64) -> Result<Option<Run>> {
        let row = sqlx::query("SELECT * FROM runs WHERE id = $1").bind(id).fetch_optional(&self.readers).await?;
        row.map(|row| run_of(&row)).transpose()
    }

    async fn latest_run(&self, kind: &str, scope: &str) -> Result<Option<Run>> {
        let row = sqlx::query("SELECT * FROM runs WHERE kind = $1 AND scope = $2 ORDER BY id DESC LIMIT 1")
            .bind(kind)
            .bind(scope)
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| run_of(&row)).transpose()
    }

    async fn plan(&self, run: i64, plan: &str) -> Result<()> {
        let sql = "UPDATE runs SET plan = $1 WHERE id = $2 AND ended IS NULL";
        sqlx::query(sql).bind(plan).bind(run).execute(&self.writer).await?;
        Ok(())
    }

    async fn joinable(&self) -> Result<Vec<Run>> {
        let sql = "SELECT * FROM runs WHERE ended IS NULL AND plan IS NOT NULL ORDER BY id";
        sqlx::query(sql).fetch_all(&self.readers).await?.iter().map(run_of).collect()
    }

    async fn runs(&self, most: u32) -> Result<Vec<Run>> {
        let rows = sqlx::query("SELECT * FROM runs ORDER BY id DESC LIMIT $1")
            .bind(i64::from(most))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(run_of).collect()
    }

    async fn fetched(&self, fetch: &NewFetch) -> Result<i64> {
        self.keep_fetch(fetch).await
    }

    async fn last_fetch(&self, ask: &str) -> Result<Option<FetchRow>> {
        self.fetch_with_body(ask).await
    }

    async fn fetch(&self, id: i64) -> Result<Option<FetchRow>> {
        self.one_fetch(id).await
    }

    async fn note(&self, store: &str, name: &str, blob: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO notes (store, name, blob) VALUES ($1, $2, $3)
             ON CONFLICT (store, name) DO UPDATE SET blob = excluded.blob",
        )
        .bind(store)
        .bind(name)
        .bind(blob)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn noted(&self, store: &str, name: &str) -> Result<Option<String>> {
        Ok(sqlx::query_scalar("SELECT blob FROM notes WHERE store = $1 AND name = $2")
            .bind(store)
            .bind(name)
            .fetch_optional(&self.readers)
            .await?)
    }

    async fn known(&self, store: &str, key: &str) -> Result<Option<Known>> {
        self.known_app(store, key).await
    }

    async fn see(&self, seen: Seen<'_>) -> Result<Sight> {
        self.see_listing(seen).await
    }

    async fn seen_again(&self, run: i64, app: i64, at: i64) -> Result<()> {
        self.see_again(run, app, at).await
    }

    async fn missed(&self, run: i64, app: i64, outcome: &str) -> Result<()> {
        self.miss(run, app, outcome).await
    }

    async fn package(&self, file: PackageFile<'_>) -> Result<()> {
        self.keep_package(file).await
    }

    async fn offered(&self, app: i64, offer: &str) -> Result<Option<String>> {
        Ok(sqlx::query_scalar("SELECT artifact FROM packages WHERE app = $1 AND offer = $2")
            .bind(app)
            .bind(offer)
            .fetch_optional(&self.readers)
            .await?)
    }

    async fn offer_of(&self, app: i64, artifact: &str) -> Result<Option<String>> {
        let sql = "SELECT offer FROM packages WHERE app = $1 AND artifact = $2 ORDER BY at DESC, offer LIMIT 1";
        Ok(sqlx::query_scalar(sql).bind(app).bind(artifact).fetch_optional(&self.readers).await?)
    }

    async fn withhold(&self, app: i64, withheld: Option<&Withheld>) -> Result<()> {
        self.keep_withheld(app, withheld).await
    }

    async fn withheld(&self, app: i64) -> Result<Option<Withheld>> {
        self.withheld_of(app).await
    }

    async fn keep_facts(&self, artifact: &str, name: &str, blob: &str, made_by: &str, at: i64) -> Result<()> {
        sqlx::query(
            "INSERT INTO facts (artifact, name, blob, made_by, at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (artifact, name) DO UPDATE SET blob = excluded.blob, made_by = excluded.made_by,
                 at = excluded.at",
        )
        .bind(artifact)
        .bind(name)
        .bind(blob)
        .bind(made_by)
        .bind(at)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn facts(&self, artifact: &str, name: &str, made_by: &str) -> Result<Option<String>> {
        Ok(sqlx::query_scalar("SELECT blob FROM facts WHERE artifact = $1 AND name = $2 AND made_by = $3")
            .bind(artifact)
            .bind(name)
            .bind(made_by)
            .fetch_optional(&self.readers)
            .await?)
    }

    async fn any_facts(&self, artifact: &str) -> Result<Option<(String, String)>> {
        Ok(sqlx::query_as("SELECT name, blob FROM facts WHERE artifact = $1 ORDER BY at DESC, name LIMIT 1")
            .bind(artifact)
            .fetch_optional(&self.readers)
            .await?)
    }

    async fn doubts(&self, new: &NewAudit<'_>) -> Result<Vec<Doubt>> {
        self.doubts_about(new).await
    }

    async fn has_open(&self, app: i64) -> Result<bool> {
        let sql = "SELECT count(*) FROM findings WHERE app = $1 AND state = 'open'";
        let count: i64 = sqlx::query_scalar(sql).bind(app).fetch_one(&self.readers).await?;
        Ok(count > 0)
    }

    async fn former_ids(&self, finding: &str) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar("SELECT former FROM former_ids WHERE finding = $1 ORDER BY former")
            .bind(finding)
            .fetch_all(&self.readers)
            .await?)
    }

    async fn remember(&self, audit: NewAudit<'_>) -> Result<Delta> {
        self.keep_audit(audit).await
    }

    async fn skip(&self, run: i64, code: &str, skipped: &Skipped, at: i64) -> Result<()> {
        sqlx::query(
            "INSERT INTO skips (run, target, stage, code, reason, at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (run, target, stage) DO UPDATE SET code = excluded.code, reason = excluded.reason",
        )
        .bind(run)
        .bind(&skipped.target)
        .bind(&skipped.stage)
        .bind(code)
        .bind(&skipped.reason)
        .bind(at)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn unskip(&self, run: i64, skipped: &Skipped) -> Result<()> {
        sqlx::query("DELETE FROM skips WHERE run = $1 AND target = $2 AND stage = $3")
            .bind(run)
            .bind(&skipped.target)
            .bind(&skipped.stage)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn audits(&self, run: i64, after: i64, most: u32) -> Result<Vec<AuditRow>> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "{AUDITS} audits.run = $1 AND audits.id > $2 ORDER BY audits.id LIMIT $3"
        )))
        .bind(run)
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(audit_of).collect()
    }

    async fn skips(&self, run: i64, after: i64, most: u32) -> Result<Vec<SkipRow>> {
        let rows = sqlx::query("SELECT * FROM skips WHERE run = $1 AND id > $2 ORDER BY id LIMIT $3")
            .bind(run)
            .bind(after)
            .bind(i64::from(most))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(skip_of).collect()
    }

    async fn history(&self, app: i64, most: u32) -> Result<Vec<AuditRow>> {
        let rows = sqlx::query(AssertSqlSafe(format!("{AUDITS} audits.app = $1 ORDER BY audits.id DESC LIMIT $2")))
            .bind(app)
            .bind(i64::from(most))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(audit_of).collect()
    }

    async fn judged(&self, app: i64) -> Result<Option<Judged>> {
        self.last_judged(app).await
    }

    async fn audit(&self, id: i64) -> Result<Option<AuditRow>> {
        let sql = AssertSqlSafe(format!("{AUDITS} audits.id = $1"));
        let row = sqlx::query(sql).bind(id).fetch_optional(&self.readers).await?;
        row.map(|row| audit_of(&row)).transpose()
    }

    async fn apps(&self, after: i64, most: u32) -> Result<Vec<AppRow>> {
        self.app_rows(after, most).await
    }

    async fn sample(&self, store: &str, has_findings: bool, most: u32) -> Result<Vec<AppRow>> {
        self.sample_rows(store, has_findings, most).await
    }

    async fn find(&self, store: &str, name: &str) -> Result<Vec<AppRow>> {
        self.apps_named(store, name).await
    }

    async fn listings(&self, app: i64, most: u32) -> Result<Vec<ListingRow>> {
        self.listing_rows(app, most).await
    }

    async fn listing(&self, id: i64) -> Result<Option<ListingRow>> {
        self.one_listing(id).await
    }

    async fn finding(&self, id: &str) -> Result<Option<FindingRow>> {
        self.one_finding(id).await
    }

    async fn review(&self, review: &Review) -> Result<()> {
        self.keep_review(review).await?;
        // Who decides sees the counts move.
        *self.counts.lock().await = None;
        Ok(())
    }

    async fn reviews(&self, finding: &str) -> Result<Vec<Review>> {
        self.review_rows(finding).await
    }

    async fn package_fetch(&self, app: i64, artifact: &str) -> Result<Option<i64>> {
        let fetch: Option<Option<i64>> = sqlx::query_scalar(
            "SELECT answer FROM packages WHERE app = $1 AND artifact = $2 AND answer IS NOT NULL ORDER BY at DESC LIMIT 1",
        )
        .bind(app)
        .bind(artifact)
        .fetch_optional(&self.readers)
        .await?;
        Ok(fetch.flatten())
    }

    async fn tally(&self, run: i64) -> Result<BTreeMap<String, u64>> {
        self.count_run(run).await
    }
}
