//! A state of before is carried over: findings that apps shared become each app's own, decisions go
//! to the app they were made on, and old ids lead to the new ones.

use crate::support::services;
use crate::support::shop::package_of;

use std::borrow::Cow;
use std::path::Path;

use sqlx::{AnyPool, AssertSqlSafe, Executor};
use xunjian::audit::{Auditor, sha256};
use xunjian::model::{Audit, Budget, Finding, Listed, Listing, Sign};
use xunjian::signature::{Pack, Source};
use xunjian::store::{Database, Desk, Outbox, State};

const IN_FORCE: &str = "bj-in-force";
const FINAL: &str = "bj-2022-04-final";
/// The last migration of the state of before.
const BEFORE: i64 = 60;

fn listing(package: &str) -> Listing {
    Listing {
        store: "s".into(),
        package: package.into(),
        title: "题闪".into(),
        description: "学习工具".into(),
        ..Listing::default()
    }
}

/// An audit as it was made before: its findings by the ids of then.
fn audit(package: &str, policy: &str, has_file: bool) -> Audit {
    let pack = Pack::load(&Source::embedded()).unwrap();
    let auditor = Auditor {
        policy: pack.policies[policy].clone(),
        pack: pack.into(),
        budget: Budget::default(),
        registers: Default::default(),
    };
    let bytes = package_of(true);
    let readings = has_file.then(|| auditor.read("a.apk", &sha256(&bytes), &bytes).unwrap());
    let mut audit = auditor.conclude(Some(&listing(package)), readings.into_iter().collect());
    let app = audit.app.clone();
    for finding in audit.findings.iter_mut().chain(&mut audit.out_of_scope) {
        finding.id = Finding::former_id_of(finding.sign, &app, policy);
    }
    audit
}

async fn run(pool: &AnyPool, sql: String) {
    pool.execute(AssertSqlSafe(sql.clone())).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

/// Writes the state of before: two apps that hand out one package, and one that has none; judged
/// under one policy, decided on, and judged again under another.
async fn write(pool: &AnyPool, schema: &str) -> [String; 2] {
    let mut migrator = sqlx::migrate::Migrator::new(Path::new(&format!("src/store/schema/{schema}"))).await.unwrap();
    let all: Vec<_> = migrator.migrations.iter().filter(|m| m.version <= BEFORE).cloned().collect();
    migrator.migrations = Cow::Owned(all);
    migrator.run(pool).await.unwrap();
    run(
        pool,
        "INSERT INTO runs (id, kind, scope, began, ended) VALUES (1, 'sweep', 's', 1, 2), (2, 'rescore', '', 3, 4)"
            .into(),
    )
    .await;
    let packages = ["cn.a.one", "cn.b.two", "cn.c.three"];
    for (number, package) in (1..).zip(packages) {
        run(pool, format!("INSERT INTO apps (id, store, name, package, certificate, outcome, last_run, first_seen, last_seen) VALUES ({number}, 's', '{package}', '{package}', '', 'ok', 1, 1, 1)")).await;
        let text = serde_json::to_string(&listing(package)).unwrap();
        sqlx::query(
            "INSERT INTO listings (id, app, sha256, listing, first_seen, last_seen) VALUES ($1, $2, $3, $4, 1, 1)",
        )
        .bind(number)
        .bind(number)
        .bind(format!("{number}"))
        .bind(text)
        .execute(pool)
        .await
        .unwrap();
        run(pool, format!("UPDATE apps SET listing = {number} WHERE id = {number}")).await;
    }
    let audits = [
        (1, 1, IN_FORCE, true),
        (1, 2, IN_FORCE, true),
        (1, 3, IN_FORCE, false),
        (2, 1, FINAL, true),
        (2, 2, FINAL, true),
    ];
    for (id, (of, app, policy, has_file)) in (1_i64..).zip(audits) {
        let audit = audit(packages[app as usize - 1], policy, has_file);
        let text = serde_json::json!({ "audit": audit, "icon": null }).to_string();
        sqlx::query("INSERT INTO audits (id, run, app, listing, pack_sha256, policy, version, as_of, registers, report, findings, at) VALUES ($1, $2, $3, $4, 'p', $5, '0.1.0', '2026-01-01', '', $6, $7, $8)")
            .bind(id).bind(i64::from(of)).bind(i64::from(app)).bind(i64::from(app)).bind(policy)
            .bind(zstd::encode_all(text.as_bytes(), 3).unwrap()).bind(audit.findings.len() as i64).bind(id * 10)
            .execute(pool).await.unwrap();
    }
    let mut ids = Vec::new();
    for (policy, first, last, state) in [(IN_FORCE, 1, 2, "gone"), (FINAL, 4, 5, "open")] {
        for finding in &audit("cn.a.one", policy, true).findings {
            let (id, sign, print) = (&finding.id, finding.sign.id(), finding.fingerprint());
            run(pool, format!("INSERT INTO findings (id, app, sign, severity, confidence, probability, state, first_audit, last_audit, first_seen, last_seen, evidence, signatures, moved) VALUES ('{id}', 1, '{sign}', 'high', 'strong', 0.9, '{state}', {first}, {last}, 1, 1, '{print}', 'x', {first})")).await;
            if finding.sign == Sign::PhotoSearch {
                ids.push((id.clone(), print));
            }
        }
    }
    let (old, print) = &ids[0];
    for (id, audit, who, verdict, day) in [(1, 1, "a", "confirmed", "2026-12-31"), (2, 2, "b", "dismissed", "")] {
        run(pool, format!("INSERT INTO reviews (id, finding, audit, who, verdict, note, at, reason, mend_by, evidence) VALUES ({id}, '{old}', {audit}, '{who}', '{verdict}', '', {id}, '', '{day}', '{print}')")).await;
    }
    run(pool, format!("UPDATE findings SET verdict = 'dismissed', decided = '{print}', decided_by = 'b', decided_at = 2 WHERE id = '{old}'")).await;
    run(pool, format!("INSERT INTO outbox (id, event, kind, app, finding, audit, at, state) VALUES (1, '{}', 'finding.confirmed', 1, '{old}', 1, 1, 'sent'), (2, '{}', 'finding.withdrawn', 1, '{old}', 2, 2, 'ready')", "0".repeat(32), "1".repeat(32))).await;
    run(pool, "INSERT INTO desk (app, store, package, title, developer, stages, subjects, standing, level, audit, at) VALUES (1, 's', 'x', 'x', '', '', '', 'not-checked', 'full', 5, 1)".into()).await;
    [ids[0].0.clone(), ids[1].0.clone()]
}

async fn is_carried(state: &Database, [draft, last]: &[String; 2]) {
    let of = |name: &str| Finding::id_of(Sign::PhotoSearch, &Listed { store: "s".into(), name: name.into() });
    let (one, two) = (of("cn.a.one"), of("cn.b.two"));
    for (id, app, verdict, day, who) in [(&one, 1, "confirmed", "2026-12-31", "a"), (&two, 2, "dismissed", "", "b")] {
        let row = state.finding(id).await.unwrap().unwrap_or_else(|| panic!("app {app} has its own"));
        assert_eq!((row.app, row.state.as_str(), row.verdict.as_str()), (app, "open", verdict));
        let desk = state.desk_row(app).await.unwrap().unwrap();
        let shown = desk.findings.iter().find(|f| f.id == *id).unwrap();
        assert_eq!((shown.mend_by.as_str(), shown.decided_by.as_str()), (day, who));
        let reviews = state.reviews(id).await.unwrap();
        assert_eq!(
            reviews.iter().map(|r| (r.who.as_str(), r.former.as_str())).collect::<Vec<_>>(),
            [(who, draft.as_str())]
        );
        let signs = desk.findings.iter().map(|f| f.sign.as_str()).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(signs.len(), desk.findings.len(), "one of each sign, whatever the policy");
    }
    for old in [draft, last] {
        let row = state.finding(old).await.unwrap().expect("who asks by an old id is led to the new one");
        assert!([&one, &two].contains(&&row.id) && row.sign == "photo-search", "{row:?}");
        assert!(state.former_ids(&row.id).await.unwrap().contains(old));
    }
    assert!(state.desk_row(3).await.unwrap().is_some(), "every audited app has its row");
    let letters = state.letters("", 9).await.unwrap();
    let told: Vec<_> = letters.iter().map(|l| (l.id, l.app, l.finding.clone(), l.state.as_str())).collect();
    assert_eq!(told, [(2, 2, two.clone(), "ready"), (1, 1, one.clone(), "sent")], "each of the app it was decided on");
    let event = xunjian::feed::event(state, &letters[1], "urn:test", "").await.unwrap();
    assert_eq!(event["data"]["finding"]["id"].as_str(), Some(one.as_str()), "{event}");
    assert_eq!(event["data"]["decision"]["mend_by"], "2026-12-31");
    let audit = state.audit(2).await.unwrap().unwrap();
    assert!(audit.audit.findings.iter().any(|f| f.id == two), "audits of before are read by the ids of now");
}

#[tokio::test]
async fn a_state_of_before_keeps_its_decisions() {
    sqlx::any::install_default_drivers();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.sqlite");
    let pool = AnyPool::connect(&format!("sqlite:{}?mode=rwc", path.display())).await.unwrap();
    let ids = write(&pool, "sqlite").await;
    pool.close().await;
    for _ in 0..2 {
        let state = Database::sqlite(&path).await.unwrap();
        is_carried(&state, &ids).await;
        state.close().await;
    }
    let pool = AnyPool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    assert!(pool.execute("UPDATE reviews SET note = 'x'").await.is_err(), "append-only as before");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_state_of_before_keeps_its_decisions_on_postgres() {
    sqlx::any::install_default_drivers();
    let schema = services::postgres().await;
    let name = schema.name.clone();
    let pool = sqlx::any::AnyPoolOptions::new()
        .max_connections(1)
        .after_connect(move |connection, _| {
            let sql = format!("CREATE SCHEMA IF NOT EXISTS {name}; SET search_path TO {name}");
            Box::pin(async move { connection.execute(AssertSqlSafe(sql)).await.map(|_| ()) })
        })
        .connect(&schema.server)
        .await
        .unwrap();
    let ids = write(&pool, "postgres").await;
    // Rows were given numbers by hand; so must be the next ones.
    for table in ["runs", "apps", "listings", "audits", "reviews", "outbox"] {
        run(&pool, format!("SELECT setval(pg_get_serial_sequence('{table}', 'id'), 100)")).await;
    }
    for _ in 0..2 {
        let state = Database::postgres(&schema.address).await.unwrap();
        is_carried(&state, &ids).await;
        state.close().await;
    }
    assert!(pool.execute("UPDATE reviews SET note = 'x'").await.is_err(), "append-only as before");
}
