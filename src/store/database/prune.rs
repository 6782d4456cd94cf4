//! What may be forgotten, as conditions on a row.
//!
//! Whoever forgets asks whether anything refers to a row. Whoever only looks asks whether anything
//! does that stays ([`Others::ThatStay`]): what forgetting would have left by the time it came to the row.

use std::collections::HashSet;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row};

use super::{Database, after};
use crate::store::prune::{Gone, Keep, Prune, Rows, Span};
use crate::store::{READINGS, Result, StoreError, is_sha256};

/// Numbers of one span: as many rows at most are locked or, in SQLite, keep others waiting.
const STEP: i64 = 2_000;

/// What the conditions know: `keep` and the numbers of old runs.
const WITH: &str = "
    WITH keep(before, runs, listings, died) AS (SELECT $1, $2, $3, $4),
    old_runs(id) AS (
        SELECT r.id FROM (SELECT id, ended, row_number() OVER (PARTITION BY kind, scope ORDER BY id DESC) AS nth
                          FROM runs WHERE ended IS NOT NULL) r, keep
        WHERE r.ended < keep.before AND r.nth > keep.runs
    )";

/// An audit of an old run that is neither the latest of its app, nor the last of the version before
/// it, nor what a finding, a decision, a letter or the inbox points to.
const AUDIT: &str = "
    (a.run IN (SELECT id FROM old_runs)
     AND EXISTS (SELECT 1 FROM audits z WHERE z.id = (SELECT max(m.id) FROM audits m WHERE m.app = a.app)
         AND z.id > a.id
         AND ((z.listing IS NOT DISTINCT FROM a.listing AND z.artifact IS NOT DISTINCT FROM a.artifact)
              OR EXISTS (SELECT 1 FROM audits y WHERE y.app = a.app AND y.id > a.id
                         AND (y.listing IS DISTINCT FROM z.listing OR y.artifact IS DISTINCT FROM z.artifact))))
     AND NOT EXISTS (SELECT 1 FROM findings WHERE first_audit = a.id)
     AND NOT EXISTS (SELECT 1 FROM findings WHERE last_audit = a.id)
     AND NOT EXISTS (SELECT 1 FROM findings WHERE ended > 0 AND ended = a.id)
     AND NOT EXISTS (SELECT 1 FROM reviews WHERE reviews.audit = a.id)
     AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.audit = a.id)
     AND NOT EXISTS (SELECT 1 FROM desk WHERE desk.audit = a.id))";

/// Which rows count, of those that refer to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    /// All that are there.
    All,
    /// Those that may not go themselves.
    ThatStay,
}

impl Others {
    /// More of a condition on rows that may go under another one.
    fn count(self, may_go: &str) -> String {
        match self {
            Self::All => String::new(),
            Self::ThatStay => format!(" AND NOT {may_go}"),
        }
    }
}

/// A version of a listing that is not the app's, not among its latest, and judged by no audit that stays.
fn listing(others: Others) -> String {
    let audits = others.count(AUDIT);
    format!(
        "(v.last_seen < (SELECT before FROM keep)
          AND NOT EXISTS (SELECT 1 FROM apps WHERE apps.listing = v.id)
          AND (SELECT count(*) FROM listings w WHERE w.app = v.app AND (w.last_seen, w.id) > (v.last_seen, v.id))
              >= (SELECT listings FROM keep)
          AND NOT EXISTS (SELECT 1 FROM audits a WHERE a.listing = v.id{audits}))"
    )
}

/// What was handed out for an offer, other than the last time, and is judged by no audit that stays.
fn package(others: Others) -> String {
    let audits = others.count(AUDIT);
    format!(
        "(p.at < (SELECT before FROM keep)
          AND EXISTS (SELECT 1 FROM packages q WHERE q.app = p.app AND (q.at, q.offer) > (p.at, p.offer))
          AND NOT EXISTS (SELECT 1 FROM audits a WHERE a.app = p.app AND a.artifact = p.artifact{audits}))"
    )
}

/// A package file that no app has and no audit judged.
fn artifact(others: Others) -> String {
    let (audits, packages) = (others.count(AUDIT), others.count(&package(others)));
    format!(
        "(x.first_seen < (SELECT before FROM keep)
          AND NOT EXISTS (SELECT 1 FROM packages p WHERE p.artifact = x.sha256{packages})
          AND NOT EXISTS (SELECT 1 FROM audits a WHERE a.artifact = x.sha256{audits}))"
    )
}

fn facts(others: Others) -> String {
    format!("EXISTS (SELECT 1 FROM artifacts x WHERE x.sha256 = t.artifact AND {})", artifact(others))
}

/// An answer that is neither the last to its question, nor the last with a body, nor what a listing
/// or a package that stays was read from.
fn fetch(others: Others) -> String {
    let (listings, packages) = (others.count(&listing(others)), others.count(&package(others)));
    format!(
        "(f.last_at < (SELECT before FROM keep)
          AND EXISTS (SELECT 1 FROM fetches g WHERE g.ask = f.ask AND g.id > f.id AND (f.body = '' OR g.body <> ''))
          AND NOT EXISTS (SELECT 1 FROM listings v WHERE v.answer = f.id{listings})
          AND NOT EXISTS (SELECT 1 FROM packages p WHERE p.answer = f.id{packages}))"
    )
}

/// What was read of a picture that no answer which stays holds; packs are noted beside, and stay.
fn reading(others: Others) -> String {
    let fetches = others.count(&fetch(others));
    format!("(n.store LIKE '{READINGS}%' AND n.name NOT IN (SELECT f.body FROM fetches f WHERE TRUE{fetches}))")
}

/// Jobs that died long ago, and what was done for a run that has ended.
const JOB: &str = "((j.state = 'dead' AND j.died < (SELECT died FROM keep))
    OR (j.state = 'done' AND j.queue = 'asked' AND j.key IN (SELECT 'asked/' || id FROM runs WHERE ended IS NOT NULL)))";

/// An old run of which no audit stays, and which saw no app last.
fn run(others: Others) -> String {
    let audits = others.count(AUDIT);
    format!(
        "(r.id IN (SELECT id FROM old_runs)
          AND r.id NOT IN (SELECT last_run FROM apps WHERE last_run IS NOT NULL)
          AND NOT EXISTS (SELECT 1 FROM audits a WHERE a.run = r.id{audits}))"
    )
}

/// Table with its alias, what spans are cut by, what a row's bytes are, and which rows may go.
fn sort(rows: Rows, others: Others) -> (&'static str, &'static str, &'static str, String) {
    match rows {
        Rows::Skips => ("skips AS s", "s.id", "0", "s.run IN (SELECT id FROM old_runs)".into()),
        Rows::Audits => ("audits AS a", "a.id", "length(report)", AUDIT.into()),
        Rows::Listings => ("listings AS v", "v.id", "0", listing(others)),
        Rows::Packages => ("packages AS p", "p.app", "0", package(others)),
        Rows::Facts => ("facts AS t", "t.artifact", "0", facts(others)),
        Rows::Artifacts => ("artifacts AS x", "x.sha256", "0", artifact(others)),
        Rows::Fetches => ("fetches AS f", "f.id", "0", fetch(others)),
        Rows::Readings => ("notes AS n", "n.name", "0", reading(others)),
        Rows::Jobs => ("jobs AS j", "j.id", "0", JOB.into()),
        Rows::Runs => ("runs AS r", "r.id", "0", run(others)),
    }
}

/// Values of [`WITH`], and then of a span.
fn bound<'q>(sql: String, keep: &Keep, span: Option<&Span>) -> Query<'q, Any, AnyArguments> {
    let query = sqlx::query(AssertSqlSafe(sql))
        .bind(keep.before)
        .bind(i64::from(keep.runs))
        .bind(i64::from(keep.listings))
        .bind(keep.died_before);
    match span {
        None => query,
        Some(Span::Ids(from, to)) => query.bind(*from).bind(*to),
        Some(Span::Names(from, to)) => query.bind(from.clone()).bind(to.clone()),
    }
}

fn gone(rows: &[AnyRow]) -> Result<Gone> {
    let mut gone = Gone::default();
    for row in rows {
        gone += Gone { count: 1, bytes: row.try_get::<i64, _>(0)? as u64 };
    }
    Ok(gone)
}

/// Somebody took hold of a row in between (foreign key), or two steps stood in each other's way.
fn is_held(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|told| told.code());
    code.is_some_and(|code| code == "23503" || code == "787" || (code.len() == 5 && code.starts_with("40")))
}

impl Prune for Database {
    async fn first_open(&self) -> Result<Option<i64>> {
        let row = sqlx::query("SELECT min(began) FROM runs WHERE ended IS NULL").fetch_one(&self.readers).await?;
        Ok(row.try_get(0)?)
    }

    async fn spans(&self, rows: Rows) -> Result<Vec<Span>> {
        let (table, key, ..) = sort(rows, Others::All);
        if matches!(rows, Rows::Facts | Rows::Artifacts | Rows::Readings) {
            let sql = format!("SELECT count(*) FROM {table}");
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.readers).await?;
            let name = |n: i64| format!("{n:02x}");
            return Ok(match count {
                0..=STEP => vec![Span::Names(String::new(), after(""))],
                _ => (0..256).map(|n| Span::Names(name(n), after(&name(n)))).collect(),
            });
        }
        let row = sqlx::query(AssertSqlSafe(format!("SELECT min({key}), max({key}) FROM {table}")))
            .fetch_one(&self.readers)
            .await?;
        let (Some(first), Some(last)) = (row.try_get::<Option<i64>, _>(0)?, row.try_get::<Option<i64>, _>(1)?) else {
            return Ok(Vec::new());
        };
        let starts = (0..).map(|n| first + n * STEP).take_while(|from| *from <= last);
        Ok(starts.map(|from| Span::Ids(from, from + STEP)).collect())
    }

    async fn look(&self, rows: Rows, span: &Span, keep: &Keep) -> Result<Gone> {
        let (table, key, bytes, may_go) = sort(rows, Others::ThatStay);
        let sql =
            format!("{WITH} SELECT CAST({bytes} AS BIGINT) FROM {table} WHERE {key} >= $5 AND {key} < $6 AND {may_go}");
        gone(&bound(sql, keep, Some(span)).fetch_all(&self.readers).await?)
    }

    async fn forget_rows(&self, rows: Rows, span: &Span, keep: &Keep) -> Result<Gone> {
        let (table, key, bytes, may_go) = sort(rows, Others::All);
        let delete = format!(
            "{WITH} DELETE FROM {table} WHERE {key} >= $5 AND {key} < $6 AND {may_go}
             RETURNING CAST({bytes} AS BIGINT)"
        );
        let mut change = self.change().await?;
        let forgotten = match bound(delete, keep, Some(span)).fetch_all(&mut *change).await {
            Ok(forgotten) => forgotten,
            Err(error) if is_held(&error) => {
                tracing::debug!(table, "left to the next time: {error}");
                return Ok(Gone::default());
            }
            Err(error) => return Err(error.into()),
        };
        match change.commit().await {
            Ok(()) => gone(&forgotten),
            Err(error) if is_held(&error) => Ok(Gone::default()),
            Err(error) => Err(StoreError::from(error)),
        }
    }

    async fn referred(&self, digit: char, keep: &Keep, after: bool) -> Result<HashSet<String>> {
        let left = |may_go: String| if after { format!("NOT {may_go}") } else { "TRUE".into() };
        let others = Others::ThatStay;
        let columns = [
            ("body", "fetches AS f", left(fetch(others))),
            ("sha256", "artifacts AS x", left(artifact(others))),
            ("blob", "facts AS t", left(facts(others))),
            ("registers", "audits AS a", left(AUDIT.into())),
            ("facts", "audits AS a", left(AUDIT.into())),
            ("blob", "notes AS n", left(reading(others))),
        ];
        let mut names = HashSet::new();
        let next = char::from_u32(u32::from(digit) + 1).unwrap_or(digit);
        let span = Span::Names(digit.into(), next.into());
        for (column, table, holds) in columns {
            let sql = format!(
                "{WITH} SELECT DISTINCT {column} FROM {table} WHERE {column} >= $5 AND {column} < $6 AND {holds}"
            );
            for row in bound(sql, keep, Some(&span)).fetch_all(&self.readers).await? {
                names.insert(row.try_get(0)?);
            }
        }
        // What waits to be done names bytes in words of its own.
        let sql = format!(
            "{WITH} SELECT payload FROM jobs j WHERE queue = 'asked' AND state <> 'done' AND NOT {JOB}
             UNION ALL SELECT plan FROM runs WHERE ended IS NULL AND plan IS NOT NULL"
        );
        for row in bound(sql, keep, None).fetch_all(&self.readers).await? {
            let text: &str = row.try_get(0)?;
            let words = text.split(|c: char| !c.is_ascii_alphanumeric());
            names.extend(words.filter(|word| is_sha256(word) && word.starts_with(digit)).map(str::to_owned));
        }
        Ok(names)
    }
}
