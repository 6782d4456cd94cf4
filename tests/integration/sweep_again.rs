//! Sweeps as they are repeated and watched: what was withheld, copies in two stores, the grey
//! list, the log and the bars.

use crate::support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use crate::support::fake_store::FakeStore;
use crate::support::package::{Member, Package};
use crate::support::signed;
use serde_json::Value;
use xunjian::store::{AuditLogEntry, Desk, Home, People, Review, State};

struct Bench {
    dir: tempfile::TempDir,
    store: FakeStore,
}

impl Bench {
    fn new(apps: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = FakeStore::serve(apps, Duration::ZERO);
        store.adapter(&dir.path().join("stores"), 0.0, 4);
        let bench = Self { dir, store };
        bench.configure("");
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The configuration: no waits, and `more` keys of `[network]` or further sections.
    fn configure(&self, more: &str) {
        std::fs::write(self.path("config.toml"), format!("[network]\nbackoff = 0.01\nretries = 0\n{more}")).unwrap();
    }

    /// Another store with apps of the same packages.
    fn second(&self, apps: usize) -> FakeStore {
        let other = FakeStore::serve(apps, Duration::ZERO);
        let folder = self.path("other");
        other.adapter(&folder, 0.0, 4);
        std::fs::rename(folder.join("fake.toml"), self.path("stores/other.toml")).unwrap();
        other
    }

    fn all(&self, args: &[&str]) -> Vec<String> {
        let of_stores = ["--stores", "stores", "--config", "config.toml", "--allow-private"];
        let mut all: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        if args.iter().any(|arg| ["sweep", "watch"].contains(arg)) {
            all.extend(of_stores.map(String::from));
        }
        all.extend(["--home", "home", "--lang", "en"].map(String::from));
        all
    }

    fn run(&self, args: &[&str]) -> Output {
        let own = env!("CARGO_BIN_EXE_xunjian");
        Command::new(own).args(self.all(args)).current_dir(self.dir.path()).output().expect("the program starts")
    }

    /// Sweeps the store; the line it ends with.
    fn sweep(&self, more: &[&str]) -> String {
        let output = self.run(&[&["sweep", "fake"], more].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
        said
    }

    fn fetched(&self) -> usize {
        self.store.take_asked().into_iter().filter(|(path, _)| path.starts_with("/apk/")).map(|(_, n)| n as usize).sum()
    }
}

const MISSING: &str = "/apk/cn.example.app10?v=1";

#[test]
fn a_package_that_is_not_there_is_asked_for_again_when_its_time_or_offer_comes() {
    let bench = Bench::new(20);
    bench.store.fail_once(MISSING, 404);
    let said = bench.sweep(&[]);
    assert!(said.contains("audited 20, left out by reason not-found 1,"), "{said}");
    assert_eq!(bench.fetched(), 2);
    // Nothing changed: it is not asked for, and is still said to be missing.
    let said = bench.sweep(&[]);
    assert!(said.contains("audited 0, left out by reason not-found 1,"), "{said}");
    assert!(bench.store.take_asked().keys().all(|path| path.starts_with("/list") || path == "/robots.txt"));
    let output = bench.run(&["sweep", "fake", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["skipped"][0]["code"], "not-found", "{report}");
    assert!(report["skipped"][0]["reason"].as_str().unwrap().contains("not asked again before"), "{report}");
    // Another offer is asked for at once, and there it is.
    bench.store.take_asked();
    bench.store.update(10, 2);
    let said = bench.sweep(&[]);
    assert!(said.contains("audited 1, left out by reason 0,"), "{said}");
    assert_eq!(bench.fetched(), 1);
    assert!(bench.sweep(&[]).contains("audited 0, left out by reason 0,"));
    assert_eq!(bench.fetched(), 0);
}

#[test]
fn a_package_withheld_is_asked_for_when_it_rested_or_by_refresh() {
    let bench = Bench::new(20);
    bench.configure("withheld-rest = 4.0\n");
    bench.store.fail_once(MISSING, 404);
    bench.sweep(&[]);
    bench.store.fail_once(MISSING, 404);
    assert_eq!(bench.fetched(), 2);
    std::thread::sleep(Duration::from_millis(4100));
    assert!(bench.sweep(&[]).contains("not-found 1,"));
    assert_eq!(bench.fetched(), 1, "its time came, and it is not there");
    // The wait is twice as long by now.
    std::thread::sleep(Duration::from_millis(4100));
    assert!(bench.sweep(&[]).contains("not-found 1,"));
    assert_eq!(bench.fetched(), 0);
    let said = bench.sweep(&["--refresh"]);
    assert!(said.contains("audited 1, left out by reason 0,"), "whoever asks for it gets it: {said}");
}

#[test]
fn what_failed_on_the_way_is_fetched_by_the_next_sweep() {
    let bench = Bench::new(20);
    // Tried once a lease, four leases, with waits between: a server that is down for this sweep.
    for _ in 0..4 {
        bench.store.fail_once(MISSING, 500);
    }
    bench.configure("backoff-max = 0.01\n");
    let said = bench.sweep(&[]);
    assert!(said.contains("left out by reason network 1,"), "{said}");
    bench.store.mend();
    bench.store.take_asked();
    let said = bench.sweep(&[]);
    assert!(said.contains("audited 1, left out by reason 0,"), "the catalogue says the same, but it is owed: {said}");
    assert_eq!(bench.fetched(), 1);
}

#[test]
fn copies_in_two_stores_are_joined_and_their_differences_shown() {
    let bench = Bench::new(12);
    let other = bench.second(12);
    other.update(0, 3);
    let output = bench.run(&["sweep", "fake", "other"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("apps seen 24,"), "{output:?}");
    let output = bench.run(&["diff", "cn.example.app0", "--json"]);
    let told = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1, "{told}");
    assert_eq!((&lines[0]["from"]["store"], &lines[0]["to"]["store"]), (&"fake".into(), &"other".into()));
    let fields: Vec<&str> =
        lines[0]["listing"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert!(fields.contains(&"description") && fields.contains(&"version_code"), "{told}");
    // The file is the same one in both: signed by the same, nothing in it differs.
    assert_eq!(lines[0]["certificates"]["added"], serde_json::json!([]), "{told}");
    let output = bench.run(&["diff", "cn.example.app0"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("fake ") && text.contains("→ other ") && text.contains("第 3 版"), "{text}");
    let output = bench.run(&["diff", "other:cn.example.app0"]);
    assert!(output.stdout.is_empty(), "one copy, one version");
}

/// A fixture app with its signature taken off, signed by somebody else.
fn signed_by_another(fixture: &str) -> Vec<u8> {
    let bytes = std::fs::read(support::project(&format!("tests/fixtures/apks/{fixture}.apk"))).unwrap();
    let mut package = Package::read(&bytes);
    package.pairs.clear();
    package.members.retain(|member| !member.name().starts_with("META-INF/"));
    let certificate = signed::certificate("somebody else", "somebody else", 7);
    let block = signed::message(b"", &[&certificate], "somebody else", 7);
    package.members.push(Member::new("META-INF/CERT.RSA", &block, false));
    package.write()
}

/// What differs between two copies or versions whose package is another one, signed by another.
fn told_apart(told: &Value, was: &str, is: &str) {
    let only = |set: &str, side: &str| told[set][side].as_array().unwrap().len();
    assert_eq!((only("certificates", "added"), only("certificates", "removed")), (1, 1), "{told}");
    assert_ne!(told["certificates"]["added"], told["certificates"]["removed"]);
    assert!(only("strings", "added") > 0 && only("strings", "removed") > 0, "{told}");
    assert_ne!(told["from"]["package_sha256"], told["to"]["package_sha256"]);
    assert_eq!((told["from"]["store"].as_str(), told["to"]["store"].as_str()), (Some(was), Some(is)));
}

#[test]
fn another_certificate_and_other_contents_are_shown() {
    let bench = Bench::new(12);
    let other = bench.second(12);
    other.replace(0, signed_by_another("photosearch"));
    bench.run(&["sweep", "fake", "other"]);
    let json = |args: &[&str]| -> Value {
        let told = String::from_utf8(bench.run(args).stdout).unwrap();
        serde_json::from_str(told.trim()).unwrap_or_else(|e| panic!("{e}: {told}"))
    };
    told_apart(&json(&["diff", "cn.example.app0", "--json"]), "fake", "other");
    // The next version of the first copy is what the other store had all along.
    bench.store.replace(0, signed_by_another("photosearch"));
    bench.store.update(0, 2);
    bench.run(&["sweep", "fake"]);
    told_apart(&json(&["diff", "fake:cn.example.app0", "--json"]), "fake", "fake");
    let text = String::from_utf8(bench.run(&["diff", "fake:cn.example.app0"]).stdout).unwrap();
    for (mark, what) in [("+", "certificate "), ("-", "certificate "), ("+", "string "), ("-", "string ")] {
        assert!(text.contains(&format!("  {mark} {what}")), "{mark} {what}: {text}");
    }
    assert!(text.contains("  package "), "{text}");
}

#[test]
fn apps_on_the_grey_list_are_audited_again_by_watch() {
    let bench = Bench::new(20);
    bench.sweep(&[]);
    // 亲子绘本阅读: an app without findings, so that only the list can be why it is looked at.
    let listed = "cn.example.app2";
    std::fs::write(bench.path("grey.csv"), format!("单位名称,应用名称,包名\n示例公司,测试应用 2,{listed}\n")).unwrap();
    let imported = Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["register", "import", "grey", "grey.csv", "--registers", "registers"])
        .current_dir(bench.dir.path())
        .output()
        .unwrap();
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    bench.configure("[[watch]]\nwhen = \"@daily\"\nrun = \"reaudit\"\nstores = [\"fake\"]\napps = 0\n");
    bench.store.take_asked();
    let watch = ["watch", "--once", "--registers", "registers"];
    let said = bench.run(&watch);
    let line = String::from_utf8(said.stdout).unwrap();
    assert!(line.contains("audited 1,"), "{line}{}", String::from_utf8_lossy(&said.stderr));
    let asked = bench.store.take_asked();
    let apps: Vec<&String> = asked.keys().filter(|path| path.starts_with("/app/")).collect();
    assert_eq!(apps, [&format!("/app/{listed}")]);
    std::fs::remove_dir_all(bench.path("registers")).unwrap();
    std::fs::create_dir(bench.path("registers")).unwrap();
    let line = String::from_utf8(bench.run(&watch).stdout).unwrap();
    assert!(line.contains("audited 0,"), "off the list, it is left alone: {line}");
}

#[test]
fn an_app_whose_day_to_mend_by_has_come_is_audited_again_by_watch() {
    let bench = Bench::new(8);
    bench.sweep(&[]);
    bench.configure("[[watch]]\nwhen = \"@daily\"\nrun = \"reaudit\"\nstores = [\"fake\"]\napps = 0\n");
    let line = String::from_utf8(bench.run(&["watch", "--once"]).stdout).unwrap();
    assert!(line.contains("audited 0,"), "nobody has decided: {line}");
    // 拍照搜题: an app with a finding, confirmed, and its last audit put back by two days.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let home = Home::open(&bench.path("home")).await.unwrap();
        let app = home.state.find("fake", "cn.example.app4").await.unwrap()[0].id;
        let row = home.state.desk_row(app).await.unwrap().unwrap();
        let finding = row.findings.iter().find(|finding| finding.sign == "photo-search").unwrap();
        let review = Review {
            finding: finding.id.clone(),
            audit: finding.last_audit,
            evidence: finding.evidence.clone(),
            who: "reviewer".into(),
            verdict: "confirmed".into(),
            mend_by: chrono::Local::now().format("%Y-%m-%d").to_string(),
            at: 1,
            ..Review::default()
        };
        home.state.review(&review).await.unwrap();
        home.state.close().await;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(bench.path("home/state.sqlite"));
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        sqlx::query("UPDATE desk SET at = at - 172800000 WHERE app = ?").bind(app).execute(&pool).await.unwrap();
        pool.close().await;
    });
    bench.store.take_asked();
    let line = String::from_utf8(bench.run(&["watch", "--once"]).stdout).unwrap();
    let asked = bench.store.take_asked();
    let apps: Vec<&String> = asked.keys().filter(|path| path.starts_with("/app/")).collect();
    assert_eq!(apps, ["/app/cn.example.app4"], "{line}");
    let line = String::from_utf8(bench.run(&["watch", "--once"]).stdout).unwrap();
    assert!(line.contains("audited 0,"), "once a day is enough: {line}");
}

#[test]
fn a_decision_that_cannot_be_logged_is_none() {
    let bench = Bench::new(8);
    assert!(bench.run(&["sweep", "fake"]).status.success());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let home = Home::open(&bench.path("home")).await.unwrap();
        let app = home.state.find("fake", "cn.example.app4").await.unwrap()[0].id;
        let row = home.state.desk_row(app).await.unwrap().unwrap();
        let review = |verdict: &str| Review {
            finding: row.findings[0].id.clone(),
            audit: row.findings[0].last_audit,
            evidence: row.findings[0].evidence.clone(),
            who: "reviewer".into(),
            verdict: verdict.into(),
            at: 7,
            ..Review::default()
        };
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(bench.path("home/state.sqlite"));
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        let fails = "CREATE TRIGGER no_log BEFORE INSERT ON deeds BEGIN SELECT RAISE(ABORT, 'full'); END";
        sqlx::query(fails).execute(&pool).await.unwrap();
        assert!(home.state.review(&review("confirmed")).await.is_err());
        let entry = AuditLogEntry::new("lead", "assigned", "", 7);
        assert!(home.state.assign(app, "reviewer", &entry).await.is_err());
        let after = home.state.desk_row(app).await.unwrap().unwrap();
        assert_eq!((after.findings[0].verdict.as_str(), after.assigned.as_str()), ("", ""), "neither half stands");
        sqlx::query("DROP TRIGGER no_log").execute(&pool).await.unwrap();
        pool.close().await;
        home.state.review(&review("confirmed")).await.unwrap();
        home.state.review(&review("undone")).await.unwrap();
        let log = home.state.audit_log(0, 2).await.unwrap();
        let told: Vec<_> = log.iter().map(|entry| (entry.who.as_str(), entry.what.as_str(), entry.at)).collect();
        assert_eq!(told, [("reviewer", "took-back", 7), ("reviewer", "decided", 7)]);
        assert_eq!(log[1].about, format!("{} confirmed", row.findings[0].id));
    });
}

#[test]
fn two_runs_on_one_home_do_not_meet() {
    let bench = Bench::new(8);
    bench.configure("[[watch]]\nwhen = \"@daily\"\nrun = \"sweep\"\nstores = [\"fake\"]\n");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let home = runtime.block_on(Home::open(&bench.path("home"))).unwrap();
    let held = home.lock().unwrap().expect("nobody has it");
    let swept = bench.run(&["sweep", "fake"]);
    let said = String::from_utf8_lossy(&swept.stderr).into_owned();
    assert!(swept.status.code() == Some(2) && said.contains("wait for it to end"), "{said}");
    let watched = bench.run(&["watch", "--once"]);
    assert_eq!(watched.status.code(), Some(3), "a run that could not begin is no success");
    assert!(bench.store.take_asked().is_empty(), "neither asked the store for anything");
    drop(held);
    assert!(bench.sweep(&[]).contains("audited 8,"), "the next one does its work");
}

#[test]
fn the_log_is_json_a_line_and_bars_are_for_terminals() {
    let bench = Bench::new(20);
    bench.store.fail_once(MISSING, 404);
    let output = bench.run(&["-v", "--log", "json", "sweep", "fake"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains('\u{1b}') && !said.contains('\r'), "no bars where nobody looks: {said:?}");
    // The last line is the one for people: what the run came to.
    let (summary, log): (Vec<&str>, Vec<&str>) = said.lines().partition(|line| line.starts_with("Run "));
    assert_eq!(summary.len(), 1, "{said}");
    let log: Vec<Value> =
        log.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
    for line in &log {
        assert!(line["timestamp"].as_str().is_some_and(|at| at.ends_with('Z')), "{line}");
        assert!(line["level"].as_str().is_some() && line["target"].as_str().is_some(), "{line}");
        assert!(line["fields"]["message"].as_str().is_some(), "{line}");
    }
    let skip = log.iter().find(|line| line["fields"]["code"] == "not-found").expect("the package that is not there");
    assert_eq!((&skip["fields"]["app"], &skip["fields"]["stage"]), (&"fake:cn.example.app10".into(), &"fetch".into()));
    #[cfg(target_os = "linux")]
    on_a_terminal(&bench);
}

/// `script` of util-linux gives the program a terminal.
#[cfg(target_os = "linux")]
fn on_a_terminal(bench: &Bench) {
    let own = Path::new(env!("CARGO_BIN_EXE_xunjian")).display().to_string();
    let line = [vec![own], bench.all(&["sweep", "fake", "--refresh"])].concat().join(" ");
    let slow = FakeStore::serve(20, Duration::from_millis(60));
    slow.adapter(&bench.path("stores"), 0.0, 1);
    let output = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(bench.dir.path())
        .env("TERM", "xterm")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains('\u{1b}') && said.contains("fetching"), "bars on a terminal: {said:?}");
}
