//! Audits, and findings that come and go with them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::deciding::refresh;
use super::moving::move_findings;
use super::{Database, Thing};
use crate::model::{Audit, Finding, Listed, MadeBy};
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
        let mut change = self.change().await?;
        self.hold(&mut change, Thing::App(new.app)).await?;
        let audit = own_ids(&mut change, new.app, new.audit).await?;
        let new = NewAudit { audit: &audit, ..new };
        let text = serde_json::to_vec(&Written { audit: new.audit, icon: &new.audit.icon })?;
        let report = zstd::encode_all(text.as_slice(), LEVEL)?;
        let id: Option<i64> = sqlx::query_scalar(
            "INSERT INTO audits (run, app, listing, artifact, pack_sha256, policy, version, as_of, registers, report, findings, at,
                                 facts)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (run, app) DO NOTHING RETURNING id",
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
        .bind(new.facts)
        .fetch_optional(&mut *change)
        .await?;
        // Another worker whose lease ran out was here first: its audit stands.
        let Some(id) = id else { return Ok(Delta::default()) };
        let moves = move_findings(&mut change, id, &new).await?;
        put_on_desk(&mut change, id, (new.app, new.at), new.audit).await?;
        refresh(&mut change, new.app).await?;
        moves.tell(&mut change, id, &new).await?;
        change.commit().await?;
        Ok(moves.delta)
    }
}

/// The audit with the ids of findings of the app it is remembered under: a file that somebody gave
/// may say that it is of another one.
async fn own_ids<'a>(change: &mut AnyConnection, app: i64, audit: &'a Audit) -> Result<Cow<'a, Audit>> {
    let listed = listed_of(change, app).await?;
    let is_own = |finding: &Finding| finding.id == Finding::id_of(finding.sign, &listed);
    if audit.findings.iter().chain(&audit.out_of_scope).all(is_own) {
        return Ok(Cow::Borrowed(audit));
    }
    let mut audit = audit.clone();
    for finding in audit.findings.iter_mut().chain(&mut audit.out_of_scope) {
        finding.id = Finding::id_of(finding.sign, &listed);
    }
    Ok(Cow::Owned(audit))
}

/// What an app of the state is called where it is listed.
pub(super) async fn listed_of(change: &mut AnyConnection, app: i64) -> Result<Listed> {
    let (store, name) =
        sqlx::query_as("SELECT store, name FROM apps WHERE id = $1").bind(app).fetch_one(change).await?;
    Ok(Listed { store, name })
}

/// Ids, each between spaces, so that one can be searched for.
fn spaced(ids: &[String]) -> String {
    ids.iter().fold(String::from(" "), |all, id| all + id + " ")
}

/// What the inbox shows of an app: found something or not.
pub(super) async fn put_on_desk(
    change: &mut AnyConnection,
    id: i64,
    (number, at): (i64, i64),
    audit: &Audit,
) -> Result<()> {
    let (app, profile) = (&audit.app, &audit.profile);
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let standing = match audit.findings.first() {
        Some(finding) => word(serde_json::to_value(finding.standing)?),
        None => "not-checked".into(),
    };
    sqlx::query(
        "INSERT INTO desk (app, store, package, title, developer, stages, subjects, standing, level, audit, at)
         SELECT $1, store, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM apps
         WHERE id = $1
         ON CONFLICT (app) DO UPDATE SET title = excluded.title, developer = excluded.developer,
             stages = excluded.stages, subjects = excluded.subjects, standing = excluded.standing,
             level = excluded.level, audit = excluded.audit, at = excluded.at",
    )
    .bind(number)
    .bind(&app.package)
    .bind(&app.title)
    .bind(&app.developer)
    .bind(spaced(&profile.stages))
    .bind(spaced(&profile.subjects))
    .bind(standing)
    .bind(audit.coverage.reading().id())
    .bind(id)
    .bind(at)
    .execute(change)
    .await?;
    Ok(())
}

/// Audits with the store and name of their apps, up to the condition.
pub(super) const AUDITS: &str = "SELECT audits.*, apps.store AS listed_store, apps.name AS listed_name
    FROM audits JOIN apps ON apps.id = audits.app WHERE";

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
    let mut told: Told = serde_json::from_slice(&text)?;
    // Audits of before have findings by the ids of before.
    let listed = Listed { store: row.try_get("listed_store")?, name: row.try_get("listed_name")? };
    for finding in told.audit.findings.iter_mut().chain(&mut told.audit.out_of_scope) {
        finding.id = Finding::id_of(finding.sign, &listed);
    }
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
        facts: row.try_get("facts")?,
        listed,
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
             UNION ALL SELECT 'unread', count(*) FROM desk JOIN apps ON apps.id = desk.app JOIN audits ON audits.id = desk.audit
                 WHERE desk.level IN ('partial', 'none') AND (apps.last_run = $1 OR audits.run = $1)
             UNION ALL SELECT 'came', count(*) FROM findings JOIN audits ON audits.id = findings.first_audit
                 WHERE audits.run = $1",
        )
        .bind(run)
        .fetch_all(&self.readers)
        .await?;
        let mut counts: BTreeMap<String, u64> = rows.into_iter().map(|(name, count)| (name, count as u64)).collect();
        counts.insert("failed".into(), self.failed_stores(run).await?.len() as u64);
        Ok(counts)
    }
}
