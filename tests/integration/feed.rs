//! Decisions reach the case backend once each, whatever fails on the way.

use crate::support::services;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::desk::{Sweeper, listing};
use crate::support::receiver::{Mood, Receiver, SECRET};
use serde_json::Value;
use xunjian::model::Listing;
use xunjian::model::config::Engine;
use xunjian::store::{Delivery, Desk, Home, Outbox, Review, State};

const SEARCH: &str = "拍照搜题，秒出答案。支持小学初中高中数学语文英语作业辅导，拍一拍就有解析。";

fn photo(n: usize) -> Listing {
    listing(&format!("cn.example.p{n}"), &format!("作业拍拍搜题 {n}"), SEARCH)
}

async fn decide(sweeper: &Sweeper, app: i64, verdict: &str, mend_by: &str, at: i64) {
    let row = sweeper.home.state.desk_row(app).await.unwrap().unwrap();
    let finding = row.findings.iter().find(|f| f.sign == "photo-search").unwrap();
    let review = Review {
        finding: finding.id.clone(),
        audit: finding.last_audit,
        evidence: finding.evidence.clone(),
        who: "reviewer".into(),
        verdict: verdict.into(),
        reason: "seen-in-listing".into(),
        mend_by: mend_by.into(),
        at,
        ..Review::default()
    };
    sweeper.home.state.review(&review).await.unwrap();
}

fn feed(home: &Path, to: &str, secret: &str, more: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["feed", "--to", to, "--page", "https://review.example/", "--home"])
        .arg(home)
        .args(if more.contains(&"--wait") { &[][..] } else { &["--wait", "0.1"] })
        .args(more)
        .env("XUNJIAN_FEED_SECRET", secret)
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// Sends until nothing is left to send, or fails after a while.
async fn send_all(sweeper: &Sweeper, home: &Path, to: &str) {
    let begun = Instant::now();
    while !sweeper.home.state.letters("ready", 1).await.unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "letters are left");
        feed(home, to, SECRET, &["--once"]).wait().unwrap();
    }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_told_from_confirmation_to_mending() {
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let app = sweeper.sweep(&[photo(1)]).await[0];
    let receiver = Receiver::start(SECRET).await;
    decide(&sweeper, app, "dismissed", "", 1).await;
    decide(&sweeper, app, "confirmed", "2020-01-01", 2).await;
    send_all(&sweeper, dir.path(), &receiver.url).await;
    decide(&sweeper, app, "undone", "", 3).await;
    decide(&sweeper, app, "confirmed", "2020-01-02", 4).await;
    sweeper.sweep(&[listing("cn.example.p1", "乐学词典", "英语词典，查词发音。")]).await;
    sweeper.sweep(&[photo(1)]).await;
    send_all(&sweeper, dir.path(), &receiver.url).await;
    let events = receiver.events();
    let confirmed = "xunjian.finding.confirmed";
    let expected = [
        confirmed,
        "xunjian.app.overdue",
        "xunjian.finding.withdrawn",
        confirmed,
        "xunjian.app.mended",
        confirmed,
        "xunjian.app.overdue",
    ];
    assert_eq!(kinds(&events), expected, "a dismissal is nobody's case; what returns is told again");
    let schema: Value = serde_json::from_str(include_str!("../../docs/feed/event.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for event in &events {
        let faults: Vec<String> = schema.iter_errors(event).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert_eq!(faults, [] as [String; 0], "{event}");
    }
    let data = &events[0]["data"];
    assert_eq!(data["finding"]["sign"], "photo-search");
    assert_eq!((&data["decision"]["by"], &data["decision"]["mend_by"]), (&"reviewer".into(), &"2020-01-01".into()));
    let id = data["finding_id"].as_str().unwrap();
    assert_eq!(data["links"]["page"], format!("https://review.example/finding/{id}"));
    assert_eq!(data["links"]["bag"], format!("https://review.example/finding/{id}/bag"));
    assert!(data["finding"]["evidence"].as_array().is_some_and(|evidence| !evidence.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_in_trouble_loses_nothing_and_keeps_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let listings: Vec<Listing> = (0..6).map(photo).collect();
    let apps = sweeper.sweep(&listings).await;
    let receiver = Receiver::start(SECRET).await;
    for (n, app) in apps.iter().enumerate() {
        decide(&sweeper, *app, "confirmed", "2099-01-01", n as i64).await;
        decide(&sweeper, *app, "undone", "", 100 + n as i64).await;
    }
    receiver.moods(&[Mood::Fails, Mood::KeepsAndFails, Mood::Slow, Mood::Conflict, Mood::Fails, Mood::KeepsAndFails]);
    send_all(&sweeper, dir.path(), &receiver.url).await;
    let events = receiver.events();
    assert_eq!(events.len(), 12);
    assert!(receiver.requests() >= 16, "{} requests: failures were tried again", receiver.requests());
    assert_in_order(&events);
}

/// Each event once, and those of an app in the order they were written.
fn assert_in_order(events: &[Value]) {
    let mut last: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    for event in events {
        let app = event["data"]["app"]["package"].as_str().unwrap().to_owned();
        let at: u64 = event["sequence"].as_str().unwrap().parse().unwrap();
        assert!(last.insert(app, at).is_none_or(|before| before < at), "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_or_clock_is_refused_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let app = sweeper.sweep(&[photo(1)]).await[0];
    decide(&sweeper, app, "confirmed", "2099-01-01", 1).await;
    let receiver = Receiver::start(SECRET).await;
    let other = "another secret that is long enough to be one";
    let exit = feed(dir.path(), &receiver.url, other, &["--once", "--wait", "1"]).wait();
    assert_eq!(exit.unwrap().code(), Some(3), "not everything was delivered");
    let letter = sweeper.home.state.letters("ready", 1).await.unwrap().remove(0);
    assert_eq!((letter.attempts, letter.answer.as_str()), (1, "401 bad signature or clock"));
    receiver.skew(3_600);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    feed(dir.path(), &receiver.url, SECRET, &["--once", "--wait", "1"]).wait().unwrap();
    assert_eq!((receiver.events().len(), receiver.refused()), (0, 2));
    receiver.skew(0);
    send_all(&sweeper, dir.path(), &receiver.url).await;
    assert_eq!(receiver.events().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_holds_its_app_back_until_it_is_replayed() {
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let apps = sweeper.sweep(&[photo(1), photo(2)]).await;
    for app in &apps {
        decide(&sweeper, *app, "confirmed", "2099-01-01", 1).await;
        decide(&sweeper, *app, "undone", "", 2).await;
    }
    let state = &sweeper.home.state;
    let first = state.due_letters(0, 9).await.unwrap();
    assert_eq!(first.len(), 2, "one of each app");
    state.delivered(first[0].id, Delivery::Dead, "410 gone").await.unwrap();
    let receiver = Receiver::start(SECRET).await;
    feed(dir.path(), &receiver.url, SECRET, &["--once"]).wait().unwrap();
    assert_eq!(receiver.events().len(), 2, "only the other app's");
    state.replay(first[0].id).await.unwrap();
    send_all(&sweeper, dir.path(), &receiver.url).await;
    assert_eq!(receiver.events().len(), 4);
    assert_in_order(&receiver.events());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_point_nothing_is_lost_and_nothing_kept_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let listings: Vec<Listing> = (0..25).map(photo).collect();
    let apps = sweeper.sweep(&listings).await;
    let receiver = Receiver::start(SECRET).await;
    let mut random = fastrand::Rng::with_seed(20_220_228);
    let mut written = 0;
    for kill in 0..50 {
        // A decision before each start, so that there is always something under way.
        let app = apps[kill % apps.len()];
        let verdict = if kill < apps.len() { "confirmed" } else { "undone" };
        decide(&sweeper, app, verdict, "2099-01-01", kill as i64).await;
        written += 1;
        receiver.moods(&[random.choice([Mood::Well, Mood::KeepsAndFails, Mood::Slow, Mood::Fails]).unwrap()]);
        let mut child = feed(dir.path(), &receiver.url, SECRET, &[]);
        tokio::time::sleep(Duration::from_millis(random.u64(0..120))).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    receiver.moods(&[]);
    send_all(&sweeper, dir.path(), &receiver.url).await;
    let events = receiver.events();
    assert_eq!(events.len(), written, "the receiver keeps each once");
    assert_in_order(&events);
}

/// A worker that delivers, and does nothing else.
fn courier(dir: &Path, name: &str, engine: &Engine, to: &str) -> Child {
    let home: PathBuf = dir.join(name);
    Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["worker", "--stages", "deliver", "--to", to, "--wait", "0.1", "--database", &engine.database])
        .args(if engine.nats.is_empty() { vec![] } else { vec!["--nats", &engine.nats] })
        .arg("--home")
        .arg(&home)
        .env("XUNJIAN_FEED_SECRET", SECRET)
        .stderr(std::fs::File::create(dir.join(format!("{name}.log"))).unwrap())
        .spawn()
        .expect("the program starts")
}

async fn until(what: &str, is_there: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_there() {
        assert!(begun.elapsed() < Duration::from_secs(90), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a process has a handler for SIGTERM: one that was only just started dies of it.
fn hears_sigterm(process: u32) -> bool {
    const SIGTERM: u32 = 15;
    let Ok(status) = std::fs::read_to_string(format!("/proc/{process}/status")) else { return true };
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_none_or(|mask| mask >> (SIGTERM - 1) & 1 == 1)
}

/// Of several workers that could deliver, one does: each event is posted once, in order; another one
/// takes over when it is killed or drained.
async fn several_couriers_post_each_event_once(nats: bool) {
    let schema = services::postgres().await;
    let streams = if nats { Some(services::nats(&schema.name).await) } else { None };
    let nats = streams.as_ref().map(|streams| streams.server.clone()).unwrap_or_default();
    let engine = Engine { database: schema.address.clone(), nats, ..Engine::default() };
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    sweeper.home = Home::open_on(dir.path(), &engine).await.unwrap();
    let listings: Vec<Listing> = (0..20).map(photo).collect();
    let apps = sweeper.sweep(&listings).await;
    let receiver = Receiver::start(SECRET).await;
    let mut couriers: Vec<Child> =
        (0..3).map(|n| courier(dir.path(), &format!("courier{n}"), &engine, &receiver.url)).collect();
    for (n, app) in apps.iter().enumerate() {
        decide(&sweeper, *app, "confirmed", "2099-01-01", n as i64).await;
    }
    until("the first letters", || receiver.events().len() == 20).await;
    while !sweeper.home.state.letters("ready", 1).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    until("every courier listens to being told to stop", || couriers.iter().all(|c| hears_sigterm(c.id()))).await;
    // Whoever delivers is among the three: with the first killed and the second drained, the third is left.
    couriers[0].kill().unwrap();
    let told = Command::new("kill").arg(couriers[1].id().to_string()).status().unwrap();
    assert!(told.success());
    assert_eq!(couriers[1].wait().unwrap().code(), Some(0), "drained");
    for (n, app) in apps.iter().enumerate() {
        decide(&sweeper, *app, "undone", "", 100 + n as i64).await;
    }
    until("those after another one took over", || receiver.events().len() == 40).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    for courier in &mut couriers {
        let _ = courier.kill();
        let _ = courier.wait();
    }
    assert_eq!((receiver.events().len(), receiver.requests()), (40, 40), "each posted once");
    assert_in_order(&receiver.events());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and NATS"]
async fn several_couriers_on_postgres_post_each_event_once() {
    several_couriers_post_each_event_once(false).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and NATS"]
async fn several_couriers_on_nats_post_each_event_once() {
    several_couriers_post_each_event_once(true).await;
}

#[test]
fn secrets_and_addresses_are_asked_for_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let run = |to: &str, secret: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xunjian"));
        command.args(["feed", "--once", "--to", to, "--home"]).arg(dir.path()).env_remove("XUNJIAN_FEED_SECRET");
        if let Some(secret) = secret {
            command.env("XUNJIAN_FEED_SECRET", secret);
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for (to, secret, told) in [
        ("http://case.example/", Some(SECRET), "https only"),
        ("https://case.example/", None, "XUNJIAN_FEED_SECRET"),
        ("https://case.example/", Some("short secret"), "openssl rand"),
    ] {
        let (code, err) = run(to, secret);
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains(told) && !err.contains("short secret"), "{err}");
    }
}

/// A proxy that the environment names is none of ours: what is for this machine would leave it, in clear.
#[tokio::test(flavor = "multi_thread")]
async fn letters_go_through_nobodys_proxy() {
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let app = sweeper.sweep(&[photo(1)]).await[0];
    decide(&sweeper, app, "confirmed", "2099-01-01", 1).await;
    let receiver = Receiver::start(SECRET).await;
    let proxy = crate::support::server::Server::new(|_| Some(crate::support::server::Reply::status(204)));
    let mut command = Command::new(env!("CARGO_BIN_EXE_xunjian"));
    command.args(["feed", "--once", "--to", &receiver.url, "--home"]).arg(dir.path());
    command.env("XUNJIAN_FEED_SECRET", SECRET).stderr(Stdio::null());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, &proxy.base);
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    assert_eq!(command.status().unwrap().code(), Some(0));
    assert_eq!((receiver.events().len(), proxy.log().len()), (1, 0));
}

/// One receiver, in the moods that its answers show: what it says by header and status is heeded.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_says_is_heeded() {
    use crate::support::server::{Reply, Server};
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let apps = sweeper.sweep(&[photo(1), photo(2), photo(3)]).await;
    for app in &apps {
        decide(&sweeper, *app, "confirmed", "2099-01-01", 1).await;
    }
    let receiver = Server::new(|request| {
        let package = |n: usize| request.body.contains(&format!("cn.example.p{n}\""));
        Some(match () {
            () if package(1) => Reply::status(503).with("retry-after", "120"),
            () if package(2) => Reply::status(410),
            () => Reply::status(500),
        })
    });
    let begun = chrono::Utc::now().timestamp_millis();
    for _ in 0..4 {
        feed(dir.path(), &receiver.base, SECRET, &["--once"]).wait().unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let all = sweeper.home.state.letters("", 9).await.unwrap();
    let of = |app: i64| all.iter().find(|letter| letter.app == app).unwrap();
    let (asked, gone, failed) = (of(apps[0]), of(apps[1]), of(apps[2]));
    assert_eq!((asked.state.as_str(), asked.attempts), ("ready", 1), "asked to wait: {}", asked.answer);
    assert!((120_000..=130_000).contains(&(asked.due - begun)), "{}", asked.due - begun);
    assert_eq!((gone.state.as_str(), gone.attempts), ("dead", 3), "never: {}", gone.answer);
    assert_eq!(failed.state, "ready", "{}", failed.answer);
}

/// A receiver that takes its time about one app holds up no other one's letters.
#[tokio::test(flavor = "multi_thread")]
async fn one_slow_answer_stops_no_other_app() {
    use crate::support::server::{Reply, Server};
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let apps = sweeper.sweep(&[photo(1), photo(2)]).await;
    let receiver = Server::new(|request| {
        let mut reply = Reply::status(204);
        if request.body.contains("cn.example.p1\"") {
            reply.wait = Duration::from_secs(12);
        }
        Some(reply)
    });
    let mut child = feed(dir.path(), &receiver.base, SECRET, &[]);
    decide(&sweeper, apps[0], "confirmed", "2099-01-01", 1).await;
    until("the slow one is under way", || receiver.log().iter().any(|r| r.body.contains("cn.example.p1\""))).await;
    decide(&sweeper, apps[1], "confirmed", "2099-01-01", 2).await;
    let begun = Instant::now();
    until("the other one", || receiver.log().iter().any(|r| r.body.contains("cn.example.p2\""))).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    child.kill().unwrap();
    child.wait().unwrap();
}
