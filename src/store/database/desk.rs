//! The inbox.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::statement::Statement;
use super::{Database, people};
use crate::store::{
    Agreement, AuditLogEntry, Desk, DeskCounts, DeskFinding, DeskQuery, DeskRow, Result, RunCount, Tray, TwoReviewers,
};

/// Age at which the inbox's counts are counted anew.
const COUNTS_AGE: Duration = Duration::from_secs(2);

/// What holds for the apps of a tray. `$1` is today.
const fn holds(tray: Tray) -> &'static str {
    match tray {
        Tray::Waiting => "waiting > 0",
        Tray::Fresh => "fresh > 0",
        Tray::Changed => "changed > 0",
        Tray::Stale => "stale > 0",
        Tray::Overdue => "mend_by <> '' AND mend_by < $1",
        Tray::Confirmed => "confirmed > 0",
        Tray::Dismissed => "dismissed > 0",
        Tray::Mended => "mended > 0",
        Tray::Unseen => "unseen > 0",
        Tray::Reassessed => "reassessed > 0",
        Tray::All => "findings > 0",
        Tray::Audited => "TRUE",
    }
}

/// What holds for a finding of the sign asked for, in a tray.
const fn sign_holds(tray: Tray) -> &'static str {
    match tray {
        Tray::Waiting | Tray::Fresh | Tray::Changed => {
            "state = 'open' AND (verdict IN ('', 'again') OR (decided <> '' AND decided <> evidence))"
        }
        Tray::Stale => "state = 'open' AND verdict <> '' AND decided <> '' AND decided <> evidence",
        Tray::Overdue | Tray::Confirmed => "state = 'open' AND verdict = 'confirmed'",
        Tray::Dismissed => "state = 'open' AND verdict = 'dismissed'",
        Tray::Mended => "state = 'gone' AND verdict = 'confirmed' AND cause = 'app'",
        Tray::Unseen => "state = 'open' AND sight <> 'whole'",
        Tray::Reassessed => "state = 'gone' AND verdict = 'confirmed' AND cause <> 'app'",
        Tray::All | Tray::Audited => "TRUE",
    }
}

/// Text for LIKE that stands for itself.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('%');
    out
}

/// The `WHERE` of a query. Today is always `$1`, as [`holds`] has it.
fn filtered(select: &str, query: &DeskQuery) -> Result<Statement> {
    let mut sql = Statement::new("WITH today(day) AS (SELECT ");
    sql.bind(query.today.clone())?.push(") SELECT ").push(select).push(" FROM desk WHERE ").push(holds(query.tray));
    for (column, value) in [("store", &query.store), ("developer", &query.provider), ("standing", &query.standing)] {
        if !value.is_empty() {
            sql.push(" AND ").push(column).push(" = ").bind(value.clone())?;
        }
    }
    if let Some(after) = query.after {
        sql.push(" AND app > ").bind(after)?;
    }
    if !query.assigned.is_empty() {
        let person = if query.assigned == "-" { "" } else { &query.assigned };
        sql.push(" AND assigned = ").bind(person.to_owned())?;
    }
    for (column, value) in [("stages", &query.stage), ("subjects", &query.subject)] {
        if !value.is_empty() {
            let word = literal(&format!(" {value} "));
            sql.push(" AND ").push(column).push(" LIKE ").bind(word)?.push(" ESCAPE '\\'");
        }
    }
    if !query.sign.is_empty() {
        sql.push(" AND app IN (SELECT app FROM findings WHERE sign = ").bind(query.sign.clone())?;
        sql.push(" AND ").push(sign_holds(query.tray)).push(")");
    }
    if !query.search.is_empty() {
        let part = literal(&query.search.to_lowercase());
        for (before, column) in [(" AND (", "title"), (" OR ", "package"), (" OR ", "developer")] {
            sql.push(before).push("lower(").push(column).push(") LIKE ").bind(part.clone())?.push(" ESCAPE '\\'");
        }
        sql.push(")");
    }
    Ok(sql)
}

impl Desk for Database {
    async fn desk(&self, query: &DeskQuery) -> Result<Vec<DeskRow>> {
        let mut sql = filtered("desk.*", query)?;
        sql.push(if query.after.is_some() { " ORDER BY app LIMIT " } else { " ORDER BY rank DESC, app LIMIT " });
        sql.bind(i64::from(query.most))?.push(" OFFSET ").bind(i64::from(query.skip))?;
        let rows = sql.query().fetch_all(&self.readers).await?;
        self.with_findings(rows.iter().map(row_of).collect::<Result<_>>()?).await
    }

    async fn desk_counts(&self, query: &DeskQuery) -> Result<DeskCounts> {
        let found: i64 = filtered("count(*)", query)?.query().fetch_one(&self.readers).await?.try_get(0)?;
        let mut counts = DeskCounts { found: found as u64, ..DeskCounts::default() };
        let shared = self.shared_counts(&query.today).await?;
        counts.trays = shared.trays;
        counts.signs = shared.signs;
        counts.stores = shared.stores;
        counts.assigned = shared.assigned;
        Ok(counts)
    }

    async fn desk_row(&self, app: i64) -> Result<Option<DeskRow>> {
        let row = sqlx::query("SELECT * FROM desk WHERE app = $1").bind(app).fetch_optional(&self.readers).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(self.with_findings(vec![row_of(&row)?]).await?.pop())
    }

    async fn assign(&self, app: i64, person: &str, entry: &AuditLogEntry) -> Result<()> {
        let mut change = self.change().await?;
        sqlx::query("UPDATE desk SET assigned = $1 WHERE app = $2")
            .bind(person)
            .bind(app)
            .execute(&mut *change)
            .await?;
        people::log(&mut change, std::slice::from_ref(entry)).await?;
        change.commit().await?;
        Ok(())
    }

    async fn by_signature(&self) -> Result<Vec<Agreement>> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT signatures, verdict, count(*) FROM findings WHERE verdict IN ('confirmed', 'dismissed')
             GROUP BY signatures, verdict",
        )
        .fetch_all(&self.readers)
        .await?;
        let mut by_id: BTreeMap<String, Agreement> = BTreeMap::new();
        for (ids, verdict, n) in rows {
            for id in ids.split_whitespace() {
                // What spoke against a finding was right where people dismissed it.
                let (name, is_counter) = id.strip_prefix('-').map_or((id, false), |name| (name, true));
                let told = by_id.entry(id.to_owned()).or_insert_with(|| Agreement {
                    id: name.into(),
                    is_counter,
                    ..Agreement::default()
                });
                let is_right = (verdict == "confirmed") != is_counter;
                let count = if is_right { &mut told.right } else { &mut told.wrong };
                *count += n as u64;
            }
        }
        Ok(by_id.into_values().collect())
    }

    async fn two_reviewers(&self) -> Result<TwoReviewers> {
        // The last decision of each person about each finding; what was taken back counts for nobody.
        let (decided, same): (i64, i64) = sqlx::query_as(
            "WITH last AS (
                 SELECT finding, verdict FROM reviews WHERE id IN (
                     SELECT max(id) FROM reviews WHERE verdict <> 'remark' GROUP BY finding, who)
             ), told AS (
                 SELECT count(*) AS people, count(DISTINCT verdict) AS verdicts FROM last
                 WHERE verdict IN ('confirmed', 'dismissed') GROUP BY finding
             )
             SELECT count(*) FILTER (WHERE people > 1), count(*) FILTER (WHERE people > 1 AND verdicts = 1) FROM told",
        )
        .fetch_one(&self.readers)
        .await?;
        Ok(TwoReviewers { decided: decided as u64, same: same as u64 })
    }

    async fn run_counts(&self, most: u32) -> Result<Vec<RunCount>> {
        let rows: Vec<(i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT id, began, (SELECT count(*) FROM audits WHERE run = runs.id),
                    (SELECT count(*) FROM skips WHERE run = runs.id)
             FROM runs WHERE kind <> 'check' ORDER BY id DESC LIMIT $1",
        )
        .bind(i64::from(most))
        .fetch_all(&self.readers)
        .await?;
        let count = |(run, began, audited, skipped): (i64, i64, i64, i64)| RunCount {
            run,
            began,
            audited: audited as u64,
            skipped: skipped as u64,
        };
        Ok(rows.into_iter().map(count).collect())
    }
}

impl Database {
    /// What every reader's inbox shows alike. Readers share what was counted in the last moments,
    /// so that many of them beside a sweep cost no more than one.
    async fn shared_counts(&self, today: &str) -> Result<DeskCounts> {
        let mut kept = self.counts.lock().await;
        if let Some((at, day, counts)) = &*kept
            && at.elapsed() < COUNTS_AGE
            && day == today
        {
            return Ok(counts.clone());
        }
        let counts = self.count(today).await?;
        *kept = Some((Instant::now(), today.to_owned(), counts.clone()));
        Ok(counts)
    }

    async fn count(&self, today: &str) -> Result<DeskCounts> {
        let mut counts = DeskCounts::default();
        let columns: Vec<String> =
            Tray::ALL.iter().map(|tray| format!("count(*) FILTER (WHERE {})", holds(*tray))).collect();
        let sql = format!("WITH today(day) AS (SELECT $1) SELECT {} FROM desk", columns.join(", "));
        let row = sqlx::query(AssertSqlSafe(sql)).bind(today).fetch_one(&self.readers).await?;
        for (index, tray) in Tray::ALL.into_iter().enumerate() {
            counts.trays.insert(tray, row.try_get::<i64, _>(index)? as u64);
        }
        let signs: Vec<(String, i64)> = sqlx::query_as(
            "SELECT sign, count(*) FROM findings
             WHERE state = 'open' AND (verdict IN ('', 'again') OR (decided <> '' AND decided <> evidence))
             GROUP BY sign",
        )
        .fetch_all(&self.readers)
        .await?;
        counts.signs = signs.into_iter().map(|(sign, n)| (sign, n as u64)).collect();
        counts.stores =
            sqlx::query_scalar("SELECT DISTINCT store FROM desk ORDER BY store").fetch_all(&self.readers).await?;
        counts.assigned =
            sqlx::query_scalar("SELECT DISTINCT assigned FROM desk WHERE assigned <> '' ORDER BY assigned")
                .fetch_all(&self.readers)
                .await?;
        Ok(counts)
    }

    async fn with_findings(&self, mut rows: Vec<DeskRow>) -> Result<Vec<DeskRow>> {
        if rows.is_empty() {
            return Ok(rows);
        }
        let mut sql = Statement::new("SELECT * FROM findings WHERE app IN (");
        for (index, row) in rows.iter().enumerate() {
            sql.push(if index == 0 { "" } else { ", " }).bind(row.app)?;
        }
        sql.push(") ORDER BY probability DESC, id");
        let mut by_app: BTreeMap<i64, Vec<DeskFinding>> = BTreeMap::new();
        for row in sql.query().fetch_all(&self.readers).await? {
            let finding = finding_of(&row)?;
            by_app.entry(finding.app).or_default().push(finding);
        }
        for row in &mut rows {
            row.findings = by_app.remove(&row.app).unwrap_or_default();
            row.findings.sort_by_key(|finding| (!finding.is_waiting(), !finding.is_open));
        }
        Ok(rows)
    }
}

fn words(row: &AnyRow, column: &str) -> Result<Vec<String>> {
    Ok(row.try_get::<&str, _>(column)?.split_whitespace().map(str::to_owned).collect())
}

fn row_of(row: &AnyRow) -> Result<DeskRow> {
    Ok(DeskRow {
        app: row.try_get("app")?,
        store: row.try_get("store")?,
        package: row.try_get("package")?,
        title: row.try_get("title")?,
        developer: row.try_get("developer")?,
        stages: words(row, "stages")?,
        subjects: words(row, "subjects")?,
        standing: row.try_get("standing")?,
        level: row.try_get("level")?,
        assigned: row.try_get("assigned")?,
        audit: row.try_get("audit")?,
        at: row.try_get("at")?,
        waiting: row.try_get::<i64, _>("waiting")? as u64,
        mend_by: row.try_get("mend_by")?,
        findings: Vec::new(),
    })
}

fn finding_of(row: &AnyRow) -> Result<DeskFinding> {
    let (first, last, moved): (i64, i64, i64) =
        (row.try_get("first_audit")?, row.try_get("last_audit")?, row.try_get("moved")?);
    let (verdict, state): (String, &str) = (row.try_get("verdict")?, row.try_get("state")?);
    let sight: String = row.try_get("sight")?;
    let is_new_to_people = verdict.is_empty() && state == "open" && sight == "whole";
    Ok(DeskFinding {
        id: row.try_get("id")?,
        app: row.try_get("app")?,
        sign: row.try_get("sign")?,
        severity: row.try_get("severity")?,
        confidence: row.try_get("confidence")?,
        probability: row.try_get("probability")?,
        is_open: state == "open",
        last_audit: last,
        evidence: row.try_get("evidence")?,
        verdict,
        decided_by: row.try_get("decided_by")?,
        decided_at: row.try_get("decided_at")?,
        decided: row.try_get("decided")?,
        mend_by: row.try_get("mend_by")?,
        is_fresh: is_new_to_people && first == last,
        sight,
        because: words(row, "because")?,
        cause: row.try_get("cause")?,
        is_changed: is_new_to_people && moved == last && first != last,
    })
}
