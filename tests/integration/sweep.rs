//! Sweeps of a store over real HTTP: killed and resumed, repeated, polite.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::fake_store::FakeStore;
use crate::support::package::{Member, Package};
use crate::support::project;

struct Bench {
    dir: tempfile::TempDir,
    store: FakeStore,
}

impl Bench {
    fn new(apps: usize, slow: Duration, every: f64, at_once: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = FakeStore::serve(apps, slow);
        store.adapter(&dir.path().join("stores"), every, at_once);
        std::fs::write(dir.path().join("config.toml"), "[network]\nbackoff = 0.05\n").unwrap();
        Self { dir, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn start(&self, command: &str, more: &[&str]) -> Child {
        // Another build, to be measured: XUNJIAN_BIN.
        let own = std::env::var_os("XUNJIAN_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_xunjian").into());
        let mut all = Command::new(own);
        all.arg(command);
        if command == "sweep" {
            all.arg("fake").arg("--stores").arg(self.path("stores")).arg("--allow-private");
            all.arg("--config").arg(self.path("config.toml"));
        }
        all.arg("--home").arg(self.path("home")).args(["--as-of", "2026-01-31"]).args(more);
        all.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
    }

    /// Runs to the end; one line on stderr, the audits of the run.
    fn run(&self, command: &str, more: &[&str]) -> (String, Vec<serde_json::Value>) {
        let out = self.path("out.jsonl");
        let out_text = out.display().to_string();
        let more = [&["--lang", "en", "--format", "jsonl", "--out", &out_text], more].concat();
        let output = self.start(command, &more).wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{:?}: {said}", output.status);
        let text = std::fs::read_to_string(&out).unwrap();
        (said, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}

fn packages(audits: &[serde_json::Value]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for audit in audits {
        *found.entry(audit["app"]["title"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    found
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// Kills a sweep at `kills` random moments, told by the requests the store has seen: at most
/// `life` of one process. Then lets it end.
fn killed_and_resumed(bench: &Bench, kills: usize, life: u64) -> (String, Vec<serde_json::Value>) {
    let mut dice = Dice(0x2545_F491_4F6C_DD1D);
    for _ in 0..kills {
        let mut child = bench.start("sweep", &[]);
        let end = bench.store.requests() + 1 + dice.throw(life) as usize;
        while bench.store.requests() < end {
            assert!(child.try_wait().unwrap().is_none(), "it was to be killed before it ends");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(dice.throw(40)));
        // SIGKILL: nothing in the program may run any more.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    bench.run("sweep", &[])
}

fn every_app_once(bench: &Bench, apps: usize, kills: usize, life: u64) {
    let (line, audits) = killed_and_resumed(bench, kills, life);
    assert!(line.contains(&format!("apps seen {apps}, new {apps}, changed 0, audited {apps},")), "{line}");
    let found = packages(&audits);
    assert_eq!(found.len(), apps, "nothing lost");
    assert!(found.values().all(|times| *times == 1), "every app exactly once");
    let with_package = audits.iter().filter(|a| !a["artifacts"].as_array().unwrap().is_empty()).count();
    assert_eq!(with_package, apps.div_ceil(10), "packages were fetched and read");
    let asked = bench.store.take_asked();
    let fetched = asked.iter().filter(|(path, _)| path.starts_with("/apk/")).map(|(_, n)| *n as usize);
    // What was under way when the process was killed is fetched again, nothing else is.
    assert!(fetched.sum::<usize>() <= apps.div_ceil(10) + 4 * kills, "{asked:?}");
    assert!(bench.store.most_at_once() <= 4, "{}", bench.store.most_at_once());
}

/// A second sweep, a third after three apps changed.
fn only_what_changed(bench: &Bench, apps: usize) {
    let first = bench.store.take_sent();
    let (line, audits) = bench.run("sweep", &[]);
    assert!(line.contains(&format!("apps seen {apps}, new 0, changed 0, audited 0,")), "{line}");
    assert!(audits.is_empty());
    let second = bench.store.take_sent();
    eprintln!("traffic: first sweep {first} bytes, second {second}");
    assert!(second * 100 < first, "{second} of {first}");
    let asked = bench.store.take_asked();
    assert!(asked.keys().all(|path| path.starts_with("/list") || path == "/robots.txt"), "{asked:?}");

    for app in [0, 7, 30] {
        bench.store.update(app, 2);
    }
    let (line, audits) = bench.run("sweep", &[]);
    assert!(line.contains("new 0, changed 3, audited 3,"), "{line}");
    let titles: BTreeSet<String> = packages(&audits).into_keys().collect();
    assert_eq!(titles, ["测试应用 0", "测试应用 30", "测试应用 7"].map(String::from).into());
    let asked = bench.store.take_asked();
    assert_eq!(asked.keys().filter(|path| path.starts_with("/app/")).count(), 3);
    assert_eq!(asked.keys().filter(|path| path.starts_with("/apk/")).count(), 2);
}

#[test]
fn a_sweep_killed_at_random_moments_ends_with_every_app_once() {
    const APPS: usize = 1000;
    let bench = Bench::new(APPS, Duration::from_millis(2), 0.0, 4);
    every_app_once(&bench, APPS, 6, 150);
    only_what_changed(&bench, APPS);
}

/// A store hands out an archive of other apps for an app: the app is judged by its listing, and the archive told.
#[test]
fn an_archive_of_other_apps_is_not_held_against_the_app() {
    let bench = Bench::new(1, Duration::ZERO, 0.0, 4);
    let apk = |name: &str| std::fs::read(project(&format!("tests/fixtures/apks/{name}.apk"))).unwrap();
    let members = ["harmful", "preschool"].map(|name| Member::new(&format!("{name}.apk"), &apk(name), false));
    let archive = Package { members: members.to_vec(), ..Package::default() }.write();
    bench.store.replace(0, archive);
    let output = bench.start("sweep", &["--lang", "en", "--format", "json"]).wait_with_output().unwrap();
    let report = crate::support::report(&output);
    let [audit] = report["audits"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!(audit["artifacts"], serde_json::json!([]), "{audit}");
    let signs: Vec<_> = audit["findings"].as_array().unwrap().iter().map(|finding| &finding["sign"]).collect();
    assert!(signs.iter().all(|sign| *sign != "preschool-training" && *sign != "harmful-content"), "{signs:?}");
    let skipped = &report["skipped"][0];
    assert_eq!(skipped["code"], "other-apps", "{report}");
    let told = skipped["reason"].as_str().unwrap();
    for name in ["harmful", "preschool"] {
        assert!(told.contains(&xunjian::audit::sha256(&apk(name))), "{told}");
    }
}

/// Runs of versions that knew one queue a store are ended by this one.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_begun_before_there_were_stages_goes_on() {
    const APPS: usize = 200;
    let bench = Bench::new(APPS, Duration::from_millis(1), 0.0, 4);
    let mut child = bench.start("sweep", &[]);
    while bench.store.requests() < 20 {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let state = sqlx::SqlitePool::connect(&format!("sqlite:{}", bench.path("home/state.sqlite").display())).await;
    let state = state.unwrap();
    let renamed = sqlx::query(
        "UPDATE jobs SET queue = (SELECT max(id) FROM runs) || '/fetch/fake'
         WHERE queue LIKE '%/fake' AND state IN ('ready', 'leased')",
    );
    let renamed = renamed.execute(&state).await.unwrap().rows_affected();
    assert!(renamed > 10, "{renamed} jobs were left");
    state.close().await;
    let (line, audits) = bench.run("sweep", &[]);
    assert!(line.contains(&format!("apps seen {APPS}, new {APPS}, changed 0, audited {APPS},")), "{line}");
    assert_eq!(packages(&audits).len(), APPS);
}

/// Of the whole size: `cargo test --test integration -- --ignored sweep::measured --nocapture --test-threads 1`, and
/// `XUNJIAN_BIN=target/release/xunjian` for a release build.
#[test]
#[ignore = "minutes; the same with 1,000 apps runs always"]
fn measured_ten_thousand_apps_killed_twenty_times() {
    const APPS: usize = 10_000;
    let bench = Bench::new(APPS, Duration::ZERO, 0.0, 4);
    every_app_once(&bench, APPS, 20, 500);
    only_what_changed(&bench, APPS);
}

/// Peak memory of a whole sweep, in MiB, as the system counts it.
#[cfg(target_os = "linux")]
fn peak(apps: usize) -> u64 {
    let bench = Bench::new(apps, Duration::ZERO, 0.0, 4);
    let mut child = bench.start("sweep", &[]);
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = most.max(high_water(&status));
        std::thread::sleep(Duration::from_millis(20));
    }
    most
}

#[cfg(target_os = "linux")]
fn high_water(status: &Path) -> u64 {
    let text = std::fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0) >> 10
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "minutes; for a release build"]
fn measured_memory_does_not_grow_with_the_catalogue() {
    let (small, large) = (peak(1_000), peak(10_000));
    eprintln!("peak memory: {small} MiB for 1,000 apps, {large} MiB for 10,000");
    assert!(large < 300, "{large} MiB");
    assert!(large < small + small / 2 + 20, "{small} MiB, then {large} MiB");
}

/// A fetcher of the field at hand: many connections first.
fn other_fetcher(list: &Path, into: &Path) -> Option<(&'static str, Command)> {
    let on_path = |name: &str| Command::new(name).arg("--version").output().is_ok_and(|out| out.status.success());
    let name = ["aria2c", "wget2", "wget"].into_iter().find(|name| on_path(name))?;
    let mut command = Command::new(name);
    match name {
        "aria2c" => command.args(["-q", "-j4", "-i"]).arg(list).arg("-d").arg(into),
        "wget2" => command.args(["-q", "--max-threads=4", "-i"]).arg(list).arg("-P").arg(into),
        _ => command.args(["-q", "-i"]).arg(list).arg("-P").arg(into),
    };
    Some((name, command))
}

/// Throughput against a store without limits, beside another fetcher on the same addresses.
#[test]
#[ignore = "a measurement; for a release build"]
fn measured_throughput() {
    const APPS: usize = 2000;
    let bench = Bench::new(APPS, Duration::ZERO, 0.0, 4);
    let begun = Instant::now();
    bench.run("sweep", &[]);
    let ours = begun.elapsed().as_secs_f64();
    let bytes = bench.store.take_sent();
    let packages = APPS / 10;
    eprintln!(
        "xunjian: {APPS} listings and {packages} packages ({bytes} bytes) crawled, fetched, audited and remembered in \
         {ours:.1} s: {:.0} listings/s, {:.0} packages/s",
        APPS as f64 / ours,
        packages as f64 / ours
    );
    let base = format!("http://127.0.0.1:{}", bench.store.port);
    let listings = (0..APPS).map(|n| format!("{base}/app/cn.example.app{n}\n"));
    let files = (0..packages).map(|n| format!("{base}/apk/cn.example.app{}?v=1\n", n * 10));
    let list = bench.path("list.txt");
    std::fs::write(&list, listings.chain(files).collect::<String>()).unwrap();
    let other = other_fetcher(&list, &bench.path("other"));
    let (name, mut other) = other.expect("this measurement compares with aria2c, wget2 or wget");
    let begun = Instant::now();
    assert!(other.status().unwrap().success());
    let theirs = begun.elapsed().as_secs_f64();
    eprintln!("{name}: the same addresses fetched, nothing else done, in {theirs:.1} s");
}

#[test]
fn the_pace_is_kept_and_a_limit_holds() {
    let bench = Bench::new(200, Duration::from_millis(1), 0.05, 1);
    let (line, audits) = bench.run("sweep", &["--limit", "8"]);
    assert!(line.contains("apps seen 8,"), "{line}");
    assert_eq!(audits.len(), 8);
    assert_eq!(bench.store.most_at_once(), 1);
    // The server sees a request when its thread wakes up: a little late is not too early.
    assert!(bench.store.shortest_gap() > Duration::from_millis(35), "{:?}", bench.store.shortest_gap());
    let asked = bench.store.take_asked();
    assert_eq!(asked.keys().filter(|path| path.starts_with("/list")).count(), 1, "no page beyond the limit");
}

#[test]
fn what_fails_is_tried_again_or_told() {
    let bench = Bench::new(30, Duration::ZERO, 0.0, 4);
    bench.store.fail_once("/app/cn.example.app3", 500);
    bench.store.fail_once("/app/cn.example.app4", 429);
    bench.store.fail_once("/apk/cn.example.app10?v=1", 503);
    bench.store.fail_once("/app/cn.example.app5", 404);
    // Something that is no package, with a straight face.
    bench.store.fail_once("/apk/cn.example.app20?v=1", 200);
    let (line, audits) = bench.run("sweep", &[]);
    assert!(line.contains("audited 29,"), "{line}");
    assert_eq!(audits.len(), 29);
    let with_package = audits.iter().filter(|a| !a["artifacts"].as_array().unwrap().is_empty()).count();
    assert_eq!(with_package, 2);
    assert!(line.contains("left out by reason no-package 1, not-found 1,"), "{line}");
    bench.store.take_asked();
    let (line, audits) = bench.run("sweep", &[]);
    assert_eq!(audits.len(), 2, "the one that was not there, and the one whose package was none: {line}");
    let asked = bench.store.take_asked();
    let packages: Vec<_> = asked.keys().filter(|path| path.starts_with("/apk")).collect();
    assert_eq!(packages, ["/apk/cn.example.app20?v=1"], "what was no package is asked for again, and nothing else");
    let whole = audits.iter().filter(|a| !a["artifacts"].as_array().unwrap().is_empty()).count();
    assert_eq!(whole, 1, "{audits:?}");
}

#[test]
fn what_changed_between_versions_is_shown() {
    let bench = Bench::new(12, Duration::ZERO, 0.0, 4);
    bench.run("sweep", &[]);
    bench.store.update(0, 2);
    bench.run("sweep", &[]);
    let diff = |app: &str, more: &[&str]| {
        let args = [&[app, "--lang", "en"], more].concat();
        let mut all = Command::new(env!("CARGO_BIN_EXE_xunjian"));
        let output = all.arg("diff").args(args).arg("--home").arg(bench.path("home")).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = diff("fake:cn.example.app0", &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("listing description") && said.contains("第 2 版"), "{said}");
    let (_, said) = diff("cn.example.app0", &["--json"]);
    let json: serde_json::Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert!(json["listing"].as_array().unwrap().iter().any(|field| field["name"] == "version_code"), "{json}");
    assert_eq!(json["from"]["store"], "fake");
    assert_eq!(diff("cn.example.app1", &[]).1, "", "one version, one copy");
    assert_eq!(diff("cn.example.none", &[]).0, Some(2));
}

#[test]
fn what_is_scheduled_is_done_and_told_in_one_line() {
    let bench = Bench::new(40, Duration::ZERO, 0.0, 4);
    let schedules = r#"
[network]
backoff = 0.05

[[watch]]
when = "0 3 * * 1"
run = "sweep"
stores = ["fake"]

[[watch]]
when = "0 4 * * *"
run = "recheck"
stores = ["fake"]
apps = 3

[[watch]]
when = "0 5 * * *"
run = "reaudit"
stores = ["fake"]
apps = 2

[[watch]]
when = "@daily"
run = "rescore"
jitter = 5.0
"#;
    std::fs::write(bench.path("config.toml"), schedules).unwrap();
    let (stores, config) = (bench.path("stores"), bench.path("config.toml"));
    let of_stores = ["--stores", stores.to_str().unwrap(), "--config", config.to_str().unwrap(), "--allow-private"];
    let more = [&["--once", "--lang", "en"], &of_stores[..]].concat();
    let output = bench.start("watch", &more).wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    for (line, part) in lines.iter().zip(["audited 40,", "audited 3,", "audited 2,", "audited 0,"]) {
        assert!(line.contains(part), "{line}");
    }
    // Two at once would ask stores twice: the second waits for its next turn.
    let watching = bench.start("watch", &of_stores);
    std::thread::sleep(Duration::from_secs(3));
    let second = bench.run("rescore", &["--all"]);
    assert_eq!(second.1.len(), 40, "watching alone holds nothing");
    let mut watching = watching;
    assert!(watching.try_wait().unwrap().is_none(), "it waits for its time");
    watching.kill().unwrap();
    std::fs::write(&config, "[[watch]]\nwhen = \"never\"\nrun = \"rescore\"\n").unwrap();
    let wrong = bench.start("watch", &of_stores).wait_with_output().unwrap();
    assert_eq!(wrong.status.code(), Some(2), "{}", String::from_utf8_lossy(&wrong.stderr));
}

#[test]
fn another_pack_is_applied_without_a_request() {
    let bench = Bench::new(40, Duration::ZERO, 0.0, 4);
    let (_, first) = bench.run("sweep", &[]);
    bench.store.take_asked();
    let (line, again) = bench.run("rescore", &[]);
    assert!(again.is_empty(), "the same signatures have judged all: {line}");
    let (line, again) = bench.run("rescore", &["--all"]);
    assert_eq!(again.len(), 40, "{line}");
    let by_title = |audits: &[serde_json::Value]| -> BTreeMap<String, String> {
        audits.iter().map(|a| (a["app"]["title"].to_string(), a.to_string())).collect()
    };
    assert_eq!(by_title(&first), by_title(&again), "byte for byte");
    let pack = bench.path("signatures");
    std::fs::create_dir_all(pack.join("photo-search")).unwrap();
    let text = "title = { zh = \"绘本\", en = \"picture books\" }\n\n[[clue]]\nid = \"book\"\nin = [\"pitch\"]\n\
                any = [\"亲子绘本\"]\nweight = 40\nwhy = { zh = \"写明\", en = \"says so\" }\n";
    std::fs::write(pack.join("photo-search/book.toml"), text).unwrap();
    let (line, moved) = bench.run("rescore", &["--signatures", pack.to_str().unwrap()]);
    assert_eq!(moved.len(), 40, "{line}");
    assert_ne!(by_title(&first), by_title(&moved));
    assert!(bench.store.take_asked().is_empty(), "nothing was fetched");
}
