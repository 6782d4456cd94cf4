//! What is told and remembered is true: each case by name, on both engines.

use std::time::{Duration, Instant};

use crate::support::services;
use crate::support::shop;
use crate::truth::{JUDGES, World};

use serde_json::Value;
use xunjian::model::LimitCode;
use xunjian::model::config::Engine;
use xunjian::store::{Desk, DeskQuery, Outbox, State, Tray, Vault};

/// Each test on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($test:ident;)*) => {
        mod sqlite { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() { super::$test(xunjian::model::config::Engine::default()).await; }
        )* }
        mod postgres { $(
            #[tokio::test(flavor = "multi_thread")]
            #[ignore = "needs PostgreSQL"]
            async fn $test() {
                let schema = crate::support::services::postgres().await;
                let engine = xunjian::model::config::Engine { database: schema.address.clone(), ..Default::default() };
                super::$test(engine).await;
            }
        )* }
    };
}

on_both! {
    what_could_not_be_read_is_not_mended;
    a_lost_file_is_fetched_again_and_its_facts_hold_meanwhile;
    apps_with_the_same_package_inside_have_findings_of_their_own;
    other_rules_mend_nothing;
    a_change_of_the_app_under_other_rules_is_told_from_the_rules;
    one_gone_of_two_is_told_by_name;
    what_is_taken_up_again_has_its_own_day;
    a_file_sent_by_somebody_moves_no_app_of_a_store_and_breaks_no_evidence;
}

/// A world of some apps, swept once, and the finding of the first confirmed.
async fn confirmed(apps: usize, engine: Engine) -> World {
    let mut world = World::new(apps, engine).await;
    world.sweep(JUDGES[0]);
    let finding = world.finding(0).await.expect("found in the package");
    world.decide(&finding, "confirmed", "2020-01-02").await;
    assert_eq!(world.kinds().await, ["finding.confirmed"]);
    world
}

async fn tray(world: &World, tray: Tray) -> usize {
    let query = DeskQuery { tray, today: "2026-01-01".into(), most: 100, ..DeskQuery::default() };
    world.home.state.desk(&query).await.unwrap().len()
}

async fn what_could_not_be_read_is_not_mended(engine: Engine) {
    let mut world = confirmed(1, engine).await;
    world.shop.change(0, |app| (app.version, app.readable) = (2, false));
    world.sweep(JUDGES[0]);
    assert_eq!(world.kinds().await, [] as [&str; 0], "nothing is told of what could not be looked at");
    let finding = world.finding(0).await.unwrap();
    assert_eq!((finding.state.as_str(), finding.sight.as_str()), ("open", "none"));
    assert_eq!(finding.because, "no-package");
    assert_eq!((tray(&world, Tray::Unseen).await, tray(&world, Tray::Mended).await), (1, 0));
    assert_eq!(tray(&world, Tray::Stale).await, 0, "nor is it stale");
    // Overdue it is, and said to be unread.
    world.home.state.tell_overdue("2026-01-01", 5).await.unwrap();
    let letter = world.letters().await.into_values().flatten().next().unwrap();
    let data = world.event(&letter).await["data"].take();
    assert_eq!(letter.kind, "app.overdue");
    assert_eq!(data["findings"][0]["finding_id"], finding.id);
    assert_eq!((&data["findings"][0]["seen"], &data["findings"][0]["mend_by"]), (&"none".into(), &"2020-01-02".into()));
    assert_eq!(data["findings"][0]["because"][0], "no-package");
    // It is asked for again by the next sweep, whatever withheld packages rest.
    let asked = |world: &World| world.shop.server.log().iter().filter(|r| r.path.starts_with("/apk/")).count();
    let before = asked(&world);
    world.sweep(JUDGES[0]);
    assert!(asked(&world) > before, "fetched again");
    world.shop.change(0, |app| app.readable = true);
    world.sweep(JUDGES[0]);
    assert_eq!(world.kinds().await, [] as [&str; 0]);
    let finding = world.finding(0).await.unwrap();
    assert_eq!((finding.state.as_str(), finding.sight.as_str(), finding.because.as_str()), ("open", "whole", ""));
    // And when the app is changed, that is told.
    world.shop.change(0, |app| (app.version, app.package) = (3, Some(false)));
    world.sweep(JUDGES[0]);
    assert_eq!(world.kinds().await, ["app.mended"]);
}

async fn a_lost_file_is_fetched_again_and_its_facts_hold_meanwhile(engine: Engine) {
    let mut world = confirmed(1, engine).await;
    let app = world.home.state.apps(0, 1).await.unwrap()[0].id;
    let latest = world.home.state.history(app, 1).await.unwrap().remove(0);
    let package = latest.artifact.clone().unwrap();
    let lose = |name: &str| world_path(&world, name);
    std::fs::remove_file(lose(&package)).unwrap();
    world.rescore(JUDGES[0]);
    let finding = world.finding(0).await.unwrap();
    assert_eq!((finding.state.as_str(), finding.sight.as_str()), ("open", "whole"), "its facts are kept");
    // Damaged facts and no file: it cannot be looked at.
    std::fs::write(world_path(&world, &latest.facts), b"not facts").unwrap();
    let said = world.rescore(JUDGES[0]);
    assert!(said.contains("unreadable 1"), "{said}");
    let finding = world.finding(0).await.unwrap();
    assert_eq!((finding.state.as_str(), finding.sight.as_str()), ("open", "none"));
    world.sweep(JUDGES[0]);
    assert!(world.home.vault.size(&package).await.unwrap().is_some(), "fetched again, without validators");
    let finding = world.finding(0).await.unwrap();
    assert_eq!((finding.state.as_str(), finding.sight.as_str()), ("open", "whole"));
    assert_eq!(world.kinds().await, [] as [&str; 0]);
    // A file that holds other bytes is as good as lost, and the check says so.
    std::fs::write(world_path(&world, &package), b"other bytes").unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let places = (&world.home.state, &world.home.vault);
    let checked = xunjian::runs::check::check(places, true, &stop).await.unwrap();
    assert!(checked.damaged.contains(&package) && checked.wanted == 1, "{checked:?}");
    world.sweep(JUDGES[0]);
    let checked = xunjian::runs::check::check(places, false, &stop).await.unwrap();
    assert!(!checked.damaged.contains(&package) && !checked.missing.contains(&package), "{checked:?}");
}

/// Where the vault of a world has a file.
fn world_path(world: &World, name: &str) -> std::path::PathBuf {
    world.path("home").join("vault").join(&name[..2]).join(&name[2..4]).join(name)
}

async fn apps_with_the_same_package_inside_have_findings_of_their_own(engine: Engine) {
    let mut world = confirmed(2, engine).await;
    let (first, second) = (world.finding(0).await.unwrap(), world.finding(1).await.unwrap());
    assert_ne!((&first.id, first.app), (&second.id, second.app));
    assert_eq!((first.verdict.as_str(), second.verdict.as_str()), ("confirmed", ""), "a decision is of one app");
    assert!(world.bags_hold(100).await > 2);
    let of_second = world.home.state.audit(second.last_audit).await.unwrap().unwrap();
    assert_eq!(of_second.listed.name, shop::name_of(1));
    let is_other = |limit: &xunjian::model::Limit| limit.code == LimitCode::OtherPackage;
    assert!(of_second.audit.coverage.limits.iter().any(is_other), "that it is another's package is a fact, and shown");
    // One mends, and the other does not.
    world.shop.change(1, |app| (app.version, app.package) = (2, Some(false)));
    world.sweep(JUDGES[0]);
    assert_eq!(world.finding(1).await.unwrap().state, "gone");
    assert_eq!(world.finding(0).await.unwrap().state, "open");
    assert_eq!(world.kinds().await, [] as [&str; 0]);
    for app in world.home.state.apps(0, 10).await.unwrap() {
        assert!(world.home.state.desk_row(app.id).await.unwrap().is_some(), "every audited app has its row");
    }
}

async fn other_rules_mend_nothing(engine: Engine) {
    let mut world = confirmed(1, engine).await;
    world.rescore(JUDGES[1]);
    let letters: Vec<_> = world.letters().await.into_values().flatten().collect();
    assert_eq!(letters.iter().map(|l| l.kind.as_str()).collect::<Vec<_>>(), ["finding.reassessed"]);
    let data = world.event(&letters[0]).await["data"].take();
    assert_eq!((&data["causes"], &data["outcome"]), (&serde_json::json!(["pack"]), &"not-found".into()));
    assert_eq!(data["decision"]["verdict"], "confirmed", "the decision stands");
    assert_eq!((tray(&world, Tray::Mended).await, tray(&world, Tray::Reassessed).await), (0, 1));
    world.rescore(JUDGES[0]);
    assert_eq!(world.kinds().await, ["finding.reassessed"]);
    // Another policy: the same findings under the same ids.
    let before = world.finding(0).await.unwrap();
    world.rescore(JUDGES[2]);
    let after = world.finding(0).await.unwrap();
    assert_eq!((after.id, after.state, after.verdict), (before.id, before.state, before.verdict));
    assert_eq!(world.kinds().await, [] as [&str; 0]);
}

async fn a_change_of_the_app_under_other_rules_is_told_from_the_rules(engine: Engine) {
    // New rules, and a change that has nothing to do with it.
    let mut world = confirmed(1, engine).await;
    world.shop.change(0, |app| app.version = 2);
    world.sweep(JUDGES[1]);
    assert_eq!(world.kinds().await, ["finding.reassessed"]);
    // Back, as they were; and then another policy, and the app mends.
    world.sweep(JUDGES[0]);
    assert_eq!(world.kinds().await, ["finding.reassessed"]);
    world.shop.change(0, |app| (app.version, app.package) = (3, Some(false)));
    world.sweep(JUDGES[2]);
    assert_eq!(world.kinds().await, ["app.mended"]);
}

async fn one_gone_of_two_is_told_by_name(engine: Engine) {
    let mut world = World::new(1, engine).await;
    world.shop.change(0, |app| app.words = true);
    world.sweep(JUDGES[0]);
    let app = world.finding(0).await.unwrap().app;
    let open = world.home.state.desk_row(app).await.unwrap().unwrap().findings;
    assert!(open.len() > 1, "the fixture has several signs");
    for finding in &open {
        let row = world.home.state.finding(&finding.id).await.unwrap().unwrap();
        world.decide(&row, "confirmed", "2030-01-01").await;
    }
    world.letters().await;
    world.shop.change(0, |app| (app.version, app.words, app.package) = (2, false, Some(false)));
    world.sweep(JUDGES[0]);
    let letters: Vec<_> = world.letters().await.into_values().flatten().collect();
    assert_eq!(letters.iter().map(|l| l.kind.as_str()).collect::<Vec<_>>(), ["app.mended"]);
    let data = world.event(&letters[0]).await["data"].take();
    let ids = |of: &Value| of.as_array().unwrap().iter().map(|f| f["finding_id"].clone()).collect::<Vec<_>>();
    let now = world.home.state.desk_row(app).await.unwrap().unwrap().findings;
    let gone: Vec<Value> = now.iter().filter(|f| !f.is_open).map(|f| f.id.clone().into()).collect();
    assert!(!gone.is_empty() && gone.iter().all(|id| ids(&data["findings"]).contains(id)), "{data}");
    assert_eq!(ids(&data["findings"]).len() + ids(&data["left"]).len(), open.len());
    assert_eq!(data["findings"][0]["mend_by"], "2030-01-01");
}

async fn what_is_taken_up_again_has_its_own_day(engine: Engine) {
    let mut world = confirmed(1, engine).await;
    let finding = world.finding(0).await.unwrap();
    world.decide(&finding, "dismissed", "").await;
    world.decide(&finding, "undone", "").await;
    let letters: Vec<_> = world.letters().await.into_values().flatten().collect();
    assert_eq!(letters.iter().map(|l| l.kind.as_str()).collect::<Vec<_>>(), ["finding.withdrawn", "finding.confirmed"]);
    let data = world.event(&letters[1]).await["data"].take();
    assert_eq!(
        (&data["decision"]["verdict"], &data["decision"]["mend_by"]),
        (&"confirmed".into(), &"2020-01-02".into())
    );
    assert_eq!(data["act"]["verdict"], "undone");
    let data = world.event(&letters[0]).await["data"].take();
    assert_eq!(data["decision"]["verdict"], "dismissed");
}

async fn a_file_sent_by_somebody_moves_no_app_of_a_store_and_breaks_no_evidence(engine: Engine) {
    let mut world = confirmed(1, engine).await;
    let before = world.finding(0).await.unwrap();
    let listing = world.shop.listing(0);
    // The same bytes under another name, and a clean package under the app's own listing.
    world.upload(None, true, "other.apk").await;
    world.upload(Some(&listing), false, "clean.apk").await;
    assert_eq!(world.finding(0).await.unwrap(), before);
    assert_eq!(world.kinds().await, [] as [&str; 0]);
    let apps = world.home.state.apps(0, 10).await.unwrap();
    let names: Vec<_> = apps.iter().map(|app| (app.store.as_str(), app.name.as_str())).collect();
    assert_eq!(names[0], ("shop", "cn.example.shop0"));
    assert!(names[1..].iter().all(|(store, _)| *store == "file:somebody"), "{names:?}");
    assert_eq!(names.len(), 3, "a listing's file is an app of its own: {names:?}");
    assert!(world.bags_hold(100).await > 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_taken_in_use_is_a_home_and_a_damaged_one_is_refused() {
    let world = confirmed(2, Engine::default()).await;
    let (copy, again) = (world.path("copy"), world.path("again"));
    let copied = xunjian::runs::backup::backup(&world.home, &copy).await.unwrap();
    assert!(copied.files > 3 && copied.missing == 0, "{copied:?}");
    xunjian::runs::backup::restore(&copy, &again).await.unwrap();
    let home = xunjian::store::Home::open(&again).await.unwrap();
    let finding = world.finding(0).await.unwrap();
    assert_eq!(home.state.finding(&finding.id).await.unwrap(), Some(finding.clone()));
    let stop = std::sync::atomic::AtomicBool::new(false);
    let checked = xunjian::runs::check::check((&home.state, &home.vault), false, &stop).await.unwrap();
    assert!(checked.is_whole() && checked.is_done && checked.files > 3, "{checked:?}");
    let bag = world.path("bag");
    let places = (&home.state, &home.vault);
    let none = xunjian::runs::evidence::Stamping::Off;
    xunjian::runs::evidence::export(places, &finding.id, &none, &bag, 1).await.unwrap();
    assert_eq!(xunjian::runs::evidence::rerun(&bag), []);
    // A copy with one file changed makes no home.
    let latest = home.state.audit(finding.last_audit).await.unwrap().unwrap();
    let name = latest.artifact.unwrap();
    std::fs::write(copy.join("vault").join(&name[..2]).join(&name[2..4]).join(&name), b"x").unwrap();
    let refused = xunjian::runs::backup::restore(&copy, &world.path("third")).await.unwrap_err();
    assert!(refused.to_string().contains(&name), "{refused}");
}

/// Standard error, exit code and time of a run.
fn run(args: &[&str]) -> (String, Option<i32>, Duration) {
    let begun = Instant::now();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(args)
        .env_remove("AWS_ACCESS_KEY_ID")
        .output()
        .expect("the program starts");
    (String::from_utf8(output.stderr).unwrap(), output.status.code(), begun.elapsed())
}

#[tokio::test]
async fn a_damaged_state_is_said_at_once_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().to_str().unwrap().to_owned();
    let state = dir.path().join("state.sqlite");
    assert_eq!(run(&["rescore", "--home", &home]).1, Some(0), "an empty home");
    // What lies in the log beside it belongs into the file.
    let raw = sqlx::SqlitePool::connect(&format!("sqlite:{}", state.display())).await.unwrap();
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&raw).await.unwrap();
    raw.close().await;
    let whole = std::fs::read(&state).unwrap();
    assert!(whole.len() > 100_000, "{}", whole.len());
    let mut flipped = whole.clone();
    flipped[4096..].iter_mut().step_by(7).for_each(|byte| *byte ^= 0x5a);
    for (what, bytes) in [
        ("garbage", b"garbage".repeat(100)),
        ("cut off", whole[..whole.len() / 2].to_vec()),
        ("flipped", flipped),
        ("foreign", [b"PK\x03\x04".to_vec(), vec![0; 8192]].concat()),
    ] {
        for beside in ["state.sqlite-wal", "state.sqlite-shm"] {
            let _ = std::fs::remove_file(dir.path().join(beside));
        }
        std::fs::write(&state, bytes).unwrap();
        let (said, code, took) = run(&["rescore", "--home", &home]);
        assert!(took < Duration::from_secs(10), "{what}: {took:?}");
        assert_eq!(code, Some(1), "{what}: {said}");
        assert!(said.contains("state.sqlite") && said.contains("xunjian restore"), "{what}: {said}");
        assert!(!said.contains("--home") && !said.contains("timed out"), "{what}: {said}");
    }
}

#[test]
fn an_engine_that_does_not_answer_is_said_by_host_and_cause() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().to_str().unwrap();
    // Nothing listens there; and somebody listens and says nothing.
    let refusing = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().map(|at| (silent, at.to_string())).unwrap();
    for (host, cause) in [(&refusing, "refused"), (&silent.1, "no answer")] {
        let database = format!("postgres://somebody:secret@{host}/state");
        let (said, code, took) = run(&["rescore", "--home", home, "--database", &database]);
        assert!(took < Duration::from_secs(8), "{took:?}");
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&format!("PostgreSQL at {host}/state")), "{said}");
        assert!(said.to_lowercase().contains(cause) && !said.contains("secret") && !said.contains("--home"), "{said}");
        assert_eq!(said.to_lowercase().matches(cause).count(), 1, "{said}");
        let vault = format!("s3://bucket/vault?endpoint=http://{host}&region=r&unsigned=true");
        let (said, code, took) = run(&["rescore", "--home", home, "--vault", &vault]);
        assert!(took < Duration::from_secs(8), "{took:?}");
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("s3://bucket/vault") && !said.contains("--home"), "{said}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_broker_that_does_not_answer_is_said_by_host_and_cause() {
    let schema = services::postgres().await;
    let dir = tempfile::tempdir().unwrap();
    let refusing = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let nats = format!("nats://somebody:secret@{refusing}");
    let home = dir.path().to_str().unwrap();
    let (said, code, took) = run(&["rescore", "--home", home, "--database", &schema.address, "--nats", &nats]);
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("NATS at nats://{refusing}")) && !said.contains("secret"), "{said}");
}

/// Several that begin at once on a new home make its tables one after the other.
#[test]
fn several_begin_on_a_new_home_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home").to_str().unwrap().to_owned();
    let runs: Vec<_> = (0..4)
        .map(|_| {
            let home = home.clone();
            std::thread::spawn(move || run(&["prune", "--dry-run", "--home", &home]))
        })
        .collect();
    for ended in runs {
        let (said, code, _) = ended.join().unwrap();
        assert_eq!(code, Some(0), "{said}");
    }
}
