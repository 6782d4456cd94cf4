//! Findings of before under the ids of now, with their decisions.
//!
//! An id was a hash of the package inside and the policy: apps that hand out the same package
//! shared their findings, and another policy made others of them. An id is of the listed app now.
//! Each app gets its own findings back, from the audits that have them; a decision goes to the app
//! that the person looked at; and who asks by an old id is led to the new one.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::Database;
use super::audits::{AUDITS, audit_of, listed_of, put_on_desk};
use super::deciding::{put_in_force, refresh};
use super::engine::Engine;
use super::moving::keep_finding;
use super::reading::reviews_of;
use crate::model::{Finding, Listed};
use crate::store::{AuditRow, NewAudit, Result, Review, in_force};

/// The step's name in `upgrades`.
const STEP: &str = "finding-ids";
/// Audits of an app looked through for the last that had a finding.
const HISTORY: i64 = 200;

/// A finding under an id of before.
struct Former {
    id: String,
    app: i64,
    sign: String,
    is_open: bool,
    /// Audits that had it first and last, and the apps they are of.
    first: (i64, i64),
    last: (i64, i64),
    decision: Review,
}

/// A decision, and where it was made.
struct Decided {
    id: i64,
    finding: String,
    app: i64,
    audit: i64,
}

impl Database {
    /// Takes the step if it was not taken yet.
    pub(super) async fn carry_ids(&self) -> Result<()> {
        let sql = "SELECT count(*) FROM upgrades WHERE step = $1";
        let due: i64 = sqlx::query_scalar(sql).bind(STEP).fetch_one(&self.writer).await?;
        if due == 0 {
            return Ok(());
        }
        let mut change = self.change().await?;
        self.hold(&mut change, super::Thing::Upgrade).await?;
        // Another process may have been first.
        let taken = sqlx::query("DELETE FROM upgrades WHERE step = $1").bind(STEP).execute(&mut *change).await?;
        if taken.rows_affected() > 0 {
            let counted = carry(&mut change, self.engine).await?;
            if counted > 0 {
                tracing::info!(findings = counted, "findings have the ids of the apps they are listed under");
            }
            change.commit().await?;
        }
        Ok(())
    }
}

/// Ids of now, by app and sign.
type Now = BTreeMap<(i64, String), String>;

async fn carry(change: &mut AnyConnection, engine: Engine) -> Result<usize> {
    let former = former(change).await?;
    let decided = decided(change).await?;
    let now = every_app(change, &former, &decided).await?;
    if !former.is_empty() {
        triggers(change, engine, false).await?;
        lead(change, &former, &decided, &now).await?;
        triggers(change, engine, true).await?;
    }
    // No app has a sign twice.
    sqlx::query("CREATE UNIQUE INDEX findings_by_app_and_sign ON findings (app, sign)").execute(change).await?;
    Ok(now.len())
}

async fn every_app(change: &mut AnyConnection, former: &[Former], decided: &[Decided]) -> Result<Now> {
    let mut now = Now::new();
    let mut after = 0;
    loop {
        let apps: Vec<i64> = sqlx::query_scalar(
            "SELECT id FROM apps WHERE id > $1 AND EXISTS (SELECT 1 FROM audits WHERE audits.app = apps.id)
             ORDER BY id LIMIT 500",
        )
        .bind(after)
        .fetch_all(&mut *change)
        .await?;
        let Some(last) = apps.last() else { return Ok(now) };
        after = *last;
        for app in apps {
            one_app(change, app, (former, decided), &mut now).await?;
        }
    }
}

/// Leads decisions, letters and whoever asks by an old id to the new one, and takes the old ones away.
async fn lead(change: &mut AnyConnection, former: &[Former], decided: &[Decided], now: &Now) -> Result<()> {
    let signs: BTreeMap<&str, &str> = former.iter().map(|old| (old.id.as_str(), old.sign.as_str())).collect();
    let own = |app: i64, old: &str| now.get(&(app, (*signs.get(old)?).to_owned()));
    let mut led: BTreeMap<&str, &String> = BTreeMap::new();
    for old in former {
        let anywhere = || now.iter().find(|((_, sign), _)| *sign == old.sign).map(|(_, id)| id);
        if let Some(id) = own(old.app, &old.id).or_else(anywhere) {
            led.insert(&old.id, id);
        }
    }
    let mut touched: BTreeSet<&String> = BTreeSet::new();
    for review in decided {
        let old = review.finding.as_str();
        let Some(id) = own(review.app, old).or_else(|| led.get(old).copied()) else { continue };
        sqlx::query("UPDATE reviews SET former = finding, finding = $1 WHERE id = $2")
            .bind(id)
            .bind(review.id)
            .execute(&mut *change)
            .await?;
        touched.insert(id);
        led.insert(old, id);
    }
    for old in former {
        let Some(id) = led.get(old.id.as_str()) else { continue };
        if !old.decision.verdict.is_empty() && !touched.contains(id) {
            put_in_force(change, id, &old.decision).await?;
        }
        sqlx::query("INSERT INTO former_ids (former, finding) VALUES ($1, $2)")
            .bind(&old.id)
            .bind(id)
            .execute(&mut *change)
            .await?;
    }
    for id in touched {
        let reviews = reviews_of(change, id).await?;
        let none = Review::default();
        put_in_force(change, id, in_force(&reviews).unwrap_or(&none)).await?;
    }
    for (letter, old, app) in letters(change).await? {
        if let Some(id) = own(app, &old).or_else(|| led.get(old.as_str()).copied()) {
            sqlx::query("UPDATE outbox SET finding = $1, app = (SELECT app FROM findings WHERE id = $1) WHERE id = $2")
                .bind(id)
                .bind(letter)
                .execute(&mut *change)
                .await?;
        }
    }
    for old in former {
        sqlx::query("DELETE FROM findings WHERE id = $1").bind(&old.id).execute(&mut *change).await?;
    }
    let apps: BTreeSet<i64> = now.keys().map(|(app, _)| *app).chain(former.iter().map(|old| old.app)).collect();
    for app in apps {
        refresh(change, app).await?;
    }
    Ok(())
}

async fn former(change: &mut AnyConnection) -> Result<Vec<Former>> {
    let rows = sqlx::query(
        "SELECT f.*, a.app AS first_app, b.app AS last_app FROM findings f
         JOIN audits a ON a.id = f.first_audit JOIN audits b ON b.id = f.last_audit ORDER BY f.last_audit, f.id",
    )
    .fetch_all(change)
    .await?;
    rows.iter().map(former_from).collect()
}

fn former_from(row: &AnyRow) -> Result<Former> {
    Ok(Former {
        id: row.try_get("id")?,
        app: row.try_get("app")?,
        sign: row.try_get("sign")?,
        is_open: row.try_get::<&str, _>("state")? == "open",
        first: (row.try_get("first_audit")?, row.try_get("first_app")?),
        last: (row.try_get("last_audit")?, row.try_get("last_app")?),
        decision: Review {
            verdict: row.try_get("verdict")?,
            evidence: row.try_get("decided")?,
            who: row.try_get("decided_by")?,
            at: row.try_get("decided_at")?,
            mend_by: row.try_get("mend_by")?,
            ..Review::default()
        },
    })
}

async fn decided(change: &mut AnyConnection) -> Result<Vec<Decided>> {
    let rows: Vec<(i64, String, i64, i64)> = sqlx::query_as(
        "SELECT r.id, r.finding, a.app, r.audit FROM reviews r JOIN audits a ON a.id = r.audit ORDER BY r.id",
    )
    .fetch_all(change)
    .await?;
    Ok(rows.into_iter().map(|(id, finding, app, audit)| Decided { id, finding, app, audit }).collect())
}

/// Writes the findings of one app under their ids of now.
async fn one_app(
    change: &mut AnyConnection,
    app: i64,
    (former, decided): (&[Former], &[Decided]),
    now: &mut Now,
) -> Result<()> {
    let sql = format!("{AUDITS} audits.app = $1 ORDER BY audits.id DESC LIMIT $2");
    let latest = sqlx::query(AssertSqlSafe(sql.clone())).bind(app).bind(1_i64).fetch_one(&mut *change).await?;
    let latest = audit_of(&latest)?;
    let listed = listed_of(change, app).await?;
    // Sign: the audit to write it from, whether it is open, the first that had it.
    let mut wanted: BTreeMap<String, (i64, bool, i64)> = BTreeMap::new();
    for finding in &latest.audit.findings {
        let sign = finding.sign.id().to_owned();
        let own = former.iter().filter(|old| old.app == app && old.sign == sign && old.first.1 == app);
        let first = own.map(|old| old.first.0).min().unwrap_or(latest.id);
        wanted.insert(sign, (latest.id, true, first));
    }
    let own = former.iter().filter(|old| old.app == app && old.last.1 == app).map(|old| (&old.sign, old.last.0, old));
    for (sign, audit, old) in own {
        let entry = wanted.entry(sign.clone()).or_insert((audit, old.is_open, audit));
        if !entry.1 {
            entry.0 = entry.0.max(audit);
        }
        if old.first.1 == app {
            entry.2 = entry.2.min(old.first.0);
        }
    }
    let signs: BTreeMap<&str, &str> = former.iter().map(|old| (old.id.as_str(), old.sign.as_str())).collect();
    for review in decided.iter().filter(|review| review.app == app) {
        if let Some(sign) = signs.get(review.finding.as_str()) {
            wanted.entry((*sign).to_owned()).or_insert((review.audit, false, review.audit));
        }
    }
    let taken = former.iter().filter(|old| old.app == app && !wanted.contains_key(&old.sign)).collect::<Vec<_>>();
    if !taken.is_empty() {
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(app).bind(HISTORY).fetch_all(&mut *change).await?;
        for row in rows {
            let row = audit_of(&row)?;
            for finding in &row.audit.findings {
                if taken.iter().any(|old| old.sign == finding.sign.id()) {
                    wanted.entry(finding.sign.id().to_owned()).or_insert((row.id, false, row.id));
                }
            }
        }
    }
    put_on_desk(change, latest.id, (app, latest.at), &latest.audit).await?;
    for (sign, (audit, is_open, first)) in wanted {
        let row = if audit == latest.id { Some(latest.clone()) } else { one_audit(change, audit).await? };
        if let Some(row) = row
            && let Some(id) = write(change, &row, (&sign, is_open, first), &listed).await?
        {
            now.insert((app, sign), id);
        }
    }
    refresh(change, app).await
}

async fn one_audit(change: &mut AnyConnection, id: i64) -> Result<Option<AuditRow>> {
    let row = sqlx::query(AssertSqlSafe(format!("{AUDITS} audits.id = $1"))).bind(id).fetch_optional(change).await?;
    row.map(|row| audit_of(&row)).transpose()
}

/// Writes a finding as an audit has it: its id; `None` where that has none of the sign.
async fn write(
    change: &mut AnyConnection,
    row: &AuditRow,
    (sign, is_open, first): (&str, bool, i64),
    listed: &Listed,
) -> Result<Option<String>> {
    let Some(found) = row.audit.findings.iter().find(|finding| finding.sign.id() == sign) else { return Ok(None) };
    let finding = Finding { id: Finding::id_of(found.sign, listed), ..found.clone() };
    let new = NewAudit {
        run: row.run,
        app: row.app,
        listing: row.listing,
        artifact: row.artifact.as_deref(),
        audit: &row.audit,
        made_by: &row.made_by,
        as_of: &row.as_of,
        registers: &row.registers,
        facts: &row.facts,
        controls: &[],
        at: row.at,
    };
    keep_finding(change, row.id, &new, &finding).await?;
    let (state, cause) = if is_open { ("open", "") } else { ("gone", "app") };
    sqlx::query(
        "UPDATE findings SET state = $1, cause = $2, first_audit = $3, moved = $4,
             first_seen = (SELECT at FROM audits WHERE id = $3),
             ended = CASE $1 WHEN 'gone' THEN (SELECT max(id) FROM audits WHERE app = $5) ELSE 0 END
         WHERE id = $6",
    )
    .bind(state)
    .bind(cause)
    .bind(first)
    .bind(row.id)
    .bind(row.app)
    .bind(&finding.id)
    .execute(change)
    .await?;
    Ok(Some(finding.id))
}

/// Letters about findings, and the apps of the audits they were written of.
async fn letters(change: &mut AnyConnection) -> Result<Vec<(i64, String, i64)>> {
    Ok(sqlx::query_as(
        "SELECT o.id, o.finding, a.app FROM outbox o JOIN audits a ON a.id = o.audit WHERE o.finding <> ''",
    )
    .fetch_all(change)
    .await?)
}

/// Reviews are append-only; their finding's name alone is written anew, under lock and once.
async fn triggers(change: &mut AnyConnection, engine: Engine, stay: bool) -> Result<()> {
    let sql = match (engine, stay) {
        (Engine::Sqlite, false) => "DROP TRIGGER reviews_stay",
        (Engine::Sqlite, true) => {
            "CREATE TRIGGER reviews_stay BEFORE UPDATE ON reviews
             BEGIN SELECT RAISE(ABORT, 'reviews are append-only'); END"
        }
        (Engine::Postgres, false) => "ALTER TABLE reviews DISABLE TRIGGER reviews_stay",
        (Engine::Postgres, true) => "ALTER TABLE reviews ENABLE TRIGGER reviews_stay",
    };
    sqlx::query(sql).execute(change).await?;
    Ok(())
}
