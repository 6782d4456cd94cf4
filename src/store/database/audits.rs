//! Audits, and findings that come and go with them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::deciding::refresh;
use super::outbox::{self, News};
use super::{Database, Thing};
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

impl Database {
    pub(super) async fn keep_audit(&self, new: NewAudit<'_>) -> Result<Delta> {
        let text = serde_json::to_vec(&Written { audit: new.audit, icon: &new.audit.icon })?;
        let report = zstd::encode_all(text.as_slice(), LEVEL)?;
        let mut change = self.change().await?;
        self.hold(&mut change, Thing::App(new.app)).await?;
        let id: Option<i64> = sqlx::query_scalar(
            "INSERT INTO audits (run, app, listing, artifact, pack_sha256, policy, version, as_of, registers, report, findings, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (run, app) DO NOTHING RETURNING id",
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
        let before = confirmed(&mut change, new.app).await?;
        let delta = move_findings(&mut change, id, &new).await?;
        put_on_desk(&mut change, id, &new).await?;
        refresh(&mut change, new.app).await?;
        tell(&mut change, id, &new, before, &delta).await?;
        change.commit().await?;
        Ok(delta)
    }
}

/// Confirmed findings of an app that are still there.
async fn confirmed(change: &mut AnyConnection, app: i64) -> Result<i64> {
    let count =
        sqlx::query_scalar("SELECT confirmed FROM desk WHERE app = $1").bind(app).fetch_optional(change).await?;
    Ok(count.unwrap_or(0))
}

/// Writes to the case backend when the last confirmed finding has gone, or one has come back.
async fn tell(change: &mut AnyConnection, audit: i64, new: &NewAudit<'_>, before: i64, delta: &Delta) -> Result<()> {
    let mark = audit.to_string();
    let news = |kind, finding| News { kind, app: new.app, finding, audit, mark: &mark, at: new.at };
    if before > 0 && confirmed(change, new.app).await? == 0 {
        outbox::write(change, news("app.mended", "")).await?;
    }
    for id in &delta.came {
        let verdict: String =
            sqlx::query_scalar("SELECT verdict FROM findings WHERE id = $1").bind(id).fetch_one(&mut *change).await?;
        if verdict == "confirmed" {
            outbox::write(change, news("finding.confirmed", id)).await?;
        }
    }
    Ok(())
}

async fn move_findings(change: &mut AnyConnection, audit: i64, new: &NewAudit<'_>) -> Result<Delta> {
    let open: Vec<String> = sqlx::query_scalar("SELECT id FROM findings WHERE app = $1 AND state = 'open' ORDER BY id")
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
            sqlx::query("UPDATE findings SET state = 'gone' WHERE id = $1").bind(&id).execute(&mut *change).await?;
            delta.went.push(id);
        }
    }
    Ok(delta)
}

async fn keep_finding(change: &mut AnyConnection, audit: i64, new: &NewAudit<'_>, finding: &Finding) -> Result<()> {
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    sqlx::query(
        "INSERT INTO findings (id, app, sign, severity, confidence, probability, state, first_audit, last_audit,
                               first_seen, last_seen, evidence, signatures, moved)
         VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, confidence = excluded.confidence,
             probability = excluded.probability, state = 'open', last_audit = excluded.last_audit,
             last_seen = excluded.last_seen, evidence = excluded.evidence, signatures = excluded.signatures,
             moved = CASE WHEN findings.evidence = excluded.evidence AND findings.state = 'open' THEN findings.moved
                          ELSE excluded.moved END",
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
    .bind(finding.fingerprint())
    .bind(signatures(finding))
    .bind(audit)
    .execute(change)
    .await?;
    Ok(())
}

/// Ids of what found it, with spaces.
fn signatures(finding: &Finding) -> String {
    let mut ids: Vec<&str> = finding.evidence.iter().filter(|e| e.counted).map(|e| &*e.signature).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.join(" ")
}

/// Ids, each between spaces, so that one can be searched for.
fn spaced(ids: &[String]) -> String {
    ids.iter().fold(String::from(" "), |all, id| all + id + " ")
}

/// What the inbox shows of an app, once it has had a finding.
async fn put_on_desk(change: &mut AnyConnection, audit: i64, new: &NewAudit<'_>) -> Result<()> {
    let (app, profile) = (&new.audit.app, &new.audit.profile);
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let standing = match new.audit.findings.first() {
        Some(finding) => word(serde_json::to_value(finding.standing)?),
        None => "not-checked".into(),
    };
    sqlx::query(
        "INSERT INTO desk (app, store, package, title, developer, stages, subjects, standing, level, audit, at)
         SELECT $1, store, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM apps
         WHERE id = $1 AND EXISTS (SELECT 1 FROM findings WHERE app = $1)
         ON CONFLICT (app) DO UPDATE SET title = excluded.title, developer = excluded.developer,
             stages = excluded.stages, subjects = excluded.subjects, standing = excluded.standing,
             level = excluded.level, audit = excluded.audit, at = excluded.at",
    )
    .bind(new.app)
    .bind(&app.package)
    .bind(&app.title)
    .bind(&app.developer)
    .bind(spaced(&profile.stages))
    .bind(spaced(&profile.subjects))
    .bind(standing)
    .bind(new.audit.coverage.reading().id())
    .bind(audit)
    .bind(new.at)
    .execute(change)
    .await?;
    Ok(())
}

fn made_by(row: &AnyRow) -> Result<MadeBy> {
    Ok(MadeBy {
        version: row.try_get("version")?,
        pack_sha256: row.try_get("pack_sha256")?,
        policy: row.try_get("policy")?,
    })
}

pub(super) fn audit_of(row: &AnyRow) -> Result<AuditRow> {
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

impl Database {
    pub(super) async fn last_judged(&self, app: i64) -> Result<Option<Judged>> {
        let row = sqlx::query(
            "SELECT id, run, listing, artifact, pack_sha256, policy, version, at FROM audits
             WHERE app = $1 ORDER BY id DESC LIMIT 1",
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
            "SELECT 'seen', count(*) FROM apps WHERE last_run = $1
             UNION ALL SELECT 'new', count(*) FROM apps, runs
                 WHERE apps.last_run = $1 AND runs.id = $1 AND apps.first_seen >= runs.began AND apps.listing IS NOT NULL
             UNION ALL SELECT 'changed', count(*) FROM apps JOIN listings ON listings.id = apps.listing, runs
                 WHERE apps.last_run = $1 AND runs.id = $1 AND apps.first_seen < runs.began
                   AND listings.first_seen >= runs.began
             UNION ALL SELECT 'audited', count(*) FROM audits WHERE run = $1
             UNION ALL SELECT 'skipped:' || code, count(*) FROM skips WHERE run = $1 GROUP BY code
             UNION ALL SELECT 'found:' || sign, count(*) FROM findings JOIN audits ON audits.id = findings.last_audit
                 WHERE audits.run = $1 AND findings.state = 'open' GROUP BY sign
             UNION ALL SELECT 'came', count(*) FROM findings JOIN audits ON audits.id = findings.first_audit
                 WHERE audits.run = $1",
        )
        .bind(run)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(|(name, count)| (name, count as u64)).collect())
    }
}
