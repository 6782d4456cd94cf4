//! Audits, and findings that come and go with them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::Sqlite;
use crate::model::{Audit, Finding, MadeBy};
use crate::store::{AuditRow, Delta, Judged, NewAudit, Result};

/// Level at which reports are kept: a tenth of their size, at once.
const LEVEL: i32 = 3;
/// What a report may unpack to: far above any.
const REPORT_MAX: u64 = 256 << 20;

/// An audit as it is kept: with what pages show and reports leave out.
#[derive(Serialize)]
struct Written<'a> {
    audit: &'a Audit,
    icon: &'a Option<String>,
}

#[derive(Deserialize)]
struct Told {
    audit: Audit,
    icon: Option<String>,
}

impl Sqlite {
    pub(super) async fn keep_audit(&self, new: NewAudit<'_>) -> Result<Delta> {
        let text = serde_json::to_vec(&Written { audit: new.audit, icon: &new.audit.icon })?;
        let report = zstd::encode_all(text.as_slice(), LEVEL)?;
        let mut change = self.change().await?;
        let id: Option<i64> = sqlx::query_scalar(
            "INSERT INTO audits (run, app, listing, artifact, pack_sha256, policy, version, as_of, registers, report, findings, at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, app) DO NOTHING RETURNING id",
        )
        .bind(new.run)
        .bind(new.app)
        .bind(new.listing)
        .bind(new.artifact)
        .bind(&new.made_by.pack_sha256)
        .bind(&new.made_by.policy)
        .bind(&new.made_by.version)
        .bind(new.as_of)
        .bind(new.registers)
        .bind(report)
        .bind(new.audit.findings.len() as i64)
        .bind(new.at)
        .fetch_optional(&mut *change)
        .await?;
        // Another worker whose lease ran out was here first: its audit stands.
        let Some(id) = id else { return Ok(Delta::default()) };
        let delta = move_findings(&mut change, id, &new).await?;
        change.commit().await?;
        Ok(delta)
    }
}

async fn move_findings(change: &mut SqliteConnection, audit: i64, new: &NewAudit<'_>) -> Result<Delta> {
    let open: Vec<String> = sqlx::query_scalar("SELECT id FROM findings WHERE app = ? AND state = 'open' ORDER BY id")
        .bind(new.app)
        .fetch_all(&mut *change)
        .await?;
    let mut delta = Delta { is_kept: true, ..Delta::default() };
    for finding in &new.audit.findings {
        if !open.contains(&finding.id) {
            delta.came.push(finding.id.clone());
        }
        keep_finding(change, audit, new, finding).await?;
    }
    for id in open {
        if new.audit.findings.iter().all(|finding| finding.id != id) {
            sqlx::query("UPDATE findings SET state = 'gone' WHERE id = ?").bind(&id).execute(&mut *change).await?;
            delta.went.push(id);
        }
    }
    Ok(delta)
}

async fn keep_finding(change: &mut SqliteConnection, audit: i64, new: &NewAudit<'_>, finding: &Finding) -> Result<()> {
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    sqlx::query(
        "INSERT INTO findings (id, app, sign, severity, confidence, probability, state, first_audit, last_audit,
                               first_seen, last_seen)
         VALUES (?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, confidence = excluded.confidence,
             probability = excluded.probability, state = 'open', last_audit = excluded.last_audit,
             last_seen = excluded.last_seen",
    )
    .bind(&finding.id)
    .bind(new.app)
    .bind(finding.sign.id())
    .bind(word(serde_json::to_value(finding.severity)?))
    .bind(word(serde_json::to_value(finding.confidence)?))
    .bind(finding.probability)
    .bind(audit)
    .bind(audit)
    .bind(new.at)
    .bind(new.at)
    .execute(change)
    .await?;
    Ok(())
}

fn made_by(row: &SqliteRow) -> Result<MadeBy> {
    Ok(MadeBy {
        version: row.try_get("version")?,
        pack_sha256: row.try_get("pack_sha256")?,
        policy: row.try_get("policy")?,
    })
}

pub(super) fn audit_of(row: &SqliteRow) -> Result<AuditRow> {
    use std::io::Read;
    let report: Vec<u8> = row.try_get("report")?;
    let mut text = Vec::new();
    zstd::Decoder::new(report.as_slice())?.take(REPORT_MAX).read_to_end(&mut text)?;
    let told: Told = serde_json::from_slice(&text)?;
    Ok(AuditRow {
        id: row.try_get("id")?,
        run: row.try_get("run")?,
        app: row.try_get("app")?,
        listing: row.try_get("listing")?,
        artifact: row.try_get("artifact")?,
        audit: Audit { icon: told.icon, ..told.audit },
        made_by: made_by(row)?,
        as_of: row.try_get("as_of")?,
        registers: row.try_get("registers")?,
        at: row.try_get("at")?,
    })
}

impl Sqlite {
    pub(super) async fn last_judged(&self, app: i64) -> Result<Option<Judged>> {
        let row = sqlx::query(
            "SELECT id, run, listing, artifact, pack_sha256, policy, version, at FROM audits
             WHERE app = ? ORDER BY id DESC LIMIT 1",
        )
        .bind(app)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Judged {
            audit: row.try_get("id")?,
            run: row.try_get("run")?,
            listing: row.try_get("listing")?,
            artifact: row.try_get("artifact")?,
            made_by: made_by(&row)?,
            at: row.try_get("at")?,
        }))
    }

    pub(super) async fn count_run(&self, run: i64) -> Result<BTreeMap<String, u64>> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT 'seen', count(*) FROM apps WHERE last_run = ?1
             UNION ALL SELECT 'new', count(*) FROM apps, runs
                 WHERE apps.last_run = ?1 AND runs.id = ?1 AND apps.first_seen >= runs.began AND apps.listing NOT NULL
             UNION ALL SELECT 'changed', count(*) FROM apps JOIN listings ON listings.id = apps.listing, runs
                 WHERE apps.last_run = ?1 AND runs.id = ?1 AND apps.first_seen < runs.began
                   AND listings.first_seen >= runs.began
             UNION ALL SELECT 'audited', count(*) FROM audits WHERE run = ?1
             UNION ALL SELECT 'skipped:' || code, count(*) FROM skips WHERE run = ?1 GROUP BY code
             UNION ALL SELECT 'found:' || sign, count(*) FROM findings JOIN audits ON audits.id = findings.last_audit
                 WHERE audits.run = ?1 AND findings.state = 'open' GROUP BY sign
             UNION ALL SELECT 'came', count(*) FROM findings JOIN audits ON audits.id = findings.first_audit
                 WHERE audits.run = ?1",
        )
        .bind(run)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(|(name, count)| (name, count as u64)).collect())
    }
}
