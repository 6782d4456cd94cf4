//! Sweeps by several workers on shared engines: the same findings as alone, every app once,
//! politeness kept by all together, whoever is killed.

use crate::support;
use crate::support::engines;
use crate::support::services;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::fake_store::FakeStore;
use xunjian::store::{Database, JobCount, Work};

/// A fake store, a vault, and workers on some engines.
struct Cluster {
    dir: tempfile::TempDir,
    store: FakeStore,
    /// `[cluster.test]`
    engines: String,
}

impl Cluster {
    fn new(apps: usize, every: f64, at_once: u32, engines: &str) -> Self {
        Self::of(FakeStore::serve(apps, Duration::ZERO), every, at_once, engines)
    }

    fn of(store: FakeStore, every: f64, at_once: u32, engines: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        store.adapter(&dir.path().join("stores"), every, at_once);
        let me = Self { dir, store, engines: engines.to_owned() };
        let vault = me.path("vault");
        let config = format!(
            "[network]\nbackoff = 0.05\n[cluster.test]\n{}\nvault = {:?}\n",
            me.engines,
            vault.display().to_string()
        );
        std::fs::write(me.path("config.toml"), config).unwrap();
        me
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, command: &str, home: &str) -> Command {
        // Another build, to be measured: XUNJIAN_BIN.
        let own = std::env::var_os("XUNJIAN_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_xunjian").into());
        let mut all = Command::new(own);
        all.arg(command);
        if command == "sweep" {
            all.arg("fake").args(["--lang", "en", "--format", "jsonl", "--as-of", "2026-01-31"]);
            all.arg("--out").arg(self.path(&format!("{home}.jsonl")));
        }
        all.arg("--stores").arg(self.path("stores")).arg("--allow-private");
        all.arg("--config").arg(self.path("config.toml")).arg("--home").arg(self.path(home));
        all.stdout(Stdio::null()).stderr(std::fs::File::create(self.path(&format!("{home}.log"))).unwrap());
        all
    }

    /// Hands the sweep to the workers and waits in the background.
    fn submit(&self) -> Child {
        self.command("sweep", "submitter").args(["--on", "test", "--wait"]).spawn().unwrap()
    }

    fn worker(&self, name: &str) -> Child {
        self.command("worker", name).args(["--on", "test"]).spawn().unwrap()
    }

    /// The same sweep by one process on embedded engines.
    fn alone(&self) -> Vec<String> {
        let status = self.command("sweep", "alone").status().unwrap();
        assert!(matches!(status.code(), Some(0 | 3)), "{status}: {}", self.log("alone"));
        self.report("alone")
    }

    fn log(&self, home: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{home}.log"))).unwrap_or_default()
    }

    /// Audits, in an order of their own.
    fn report(&self, home: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.path(&format!("{home}.jsonl"))).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

/// Ended with SIGKILL when it is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for the submitter; its report.
fn finished(cluster: &Cluster, mut submitter: Child, patience: Duration) -> Vec<String> {
    let begun = Instant::now();
    loop {
        if let Some(status) = submitter.try_wait().unwrap() {
            assert!(matches!(status.code(), Some(0 | 3)), "{status}: {}", cluster.log("submitter"));
            return cluster.report("submitter");
        }
        if begun.elapsed() > patience {
            let _ = submitter.kill();
            panic!("not done in time: {} {}", cluster.log("submitter"), cluster.log("worker0"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn every_app_once(lines: &[String], apps: usize) {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines {
        let audit: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(title) = audit["app"]["title"].as_str() {
            *found.entry(title.to_owned()).or_default() += 1;
        }
    }
    let others: Vec<&String> = lines.iter().filter(|line| !line.contains("\"title\"")).collect();
    let lost: Vec<String> = (0..apps).map(|n| format!("测试应用 {n}")).filter(|t| !found.contains_key(t)).collect();
    assert!(lost.is_empty(), "nothing lost: {lost:?} {others:?}");
    assert!(found.values().all(|times| *times == 1), "every app exactly once");
}

/// `database` and, for `nats`, the line that names it.
async fn engines_of_this_machine(nats: bool) -> (String, services::Schema, Option<services::Streams>) {
    let schema = services::postgres().await;
    let mut text = format!("database = {:?}", schema.address);
    let streams = if nats { Some(services::nats(&schema.name).await) } else { None };
    if let Some(streams) = &streams {
        text += &format!("\nnats = {:?}", streams.server);
    }
    (text, schema, streams)
}

async fn workers_find_what_one_finds(nats: bool) {
    const APPS: usize = 240;
    let (engines, _schema, _streams) = engines_of_this_machine(nats).await;
    let cluster = Cluster::new(APPS, 0.0, 4, &engines);
    let submitter = cluster.submit();
    let mut workers: Vec<Killed> = (0..3).map(|n| Killed(cluster.worker(&format!("worker{n}")))).collect();
    // One is killed while it works, and another takes its place.
    while cluster.store.requests() < 100 {
        std::thread::sleep(Duration::from_millis(1));
    }
    workers[1] = Killed(cluster.worker("worker3"));
    let found = finished(&cluster, submitter, Duration::from_secs(240));
    drop(workers);
    every_app_once(&found, APPS);
    assert!(cluster.store.most_at_once() <= 4, "{}", cluster.store.most_at_once());
    assert_eq!(found, cluster.alone(), "the same findings, byte for byte");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn workers_on_postgres_find_what_one_finds() {
    workers_find_what_one_finds(false).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn workers_on_nats_find_what_one_finds() {
    workers_find_what_one_finds(true).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_host_is_asked_at_the_pace_of_one_by_all_together() {
    const EVERY: Duration = Duration::from_millis(40);
    let (engines, _schema, _streams) = engines_of_this_machine(false).await;
    let cluster = Cluster::new(40, EVERY.as_secs_f64(), 2, &engines);
    let submitter = cluster.submit();
    let workers: Vec<Killed> = (0..3).map(|n| Killed(cluster.worker(&format!("worker{n}")))).collect();
    let found = finished(&cluster, submitter, Duration::from_secs(120));
    drop(workers);
    every_app_once(&found, 40);
    assert!(cluster.store.most_at_once() <= 2, "{}", cluster.store.most_at_once());
    // Robots of each worker, one page, 40 apps, packages and pictures: on average not faster than one
    // in `EVERY`, whatever the network does to single requests.
    let (spread, requests) = cluster.store.spread();
    assert!(requests > 50, "{requests}");
    let least = EVERY * u32::try_from(requests - 1).unwrap();
    assert!(spread >= least.mul_f64(0.98), "{requests} requests in {spread:?}, not less than {least:?}");
}

/// A worker that is killed while a host answers it takes its turn with it: it counts no longer than a
/// turn lasts without a sign of life, or the last of them would stop the sweep for everybody.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn turns_of_a_killed_worker_are_free_soon() {
    let (engines, _schema, _streams) = engines_of_this_machine(false).await;
    let cluster = Cluster::of(FakeStore::serve(30, Duration::from_millis(150)), 0.0, 1, &engines);
    let submitter = cluster.submit();
    let first = Killed(cluster.worker("worker0"));
    // At most one request at a time, and each takes long: one is under way.
    while cluster.store.requests() < 10 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(first);
    let _second = Killed(cluster.worker("worker1"));
    every_app_once(&finished(&cluster, submitter, Duration::from_secs(90)), 30);
    assert_eq!(cluster.store.most_at_once(), 1);
}

/// A worker that is told to end finishes what is in hand, leaves the rest to others, and says when
/// it takes no more.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_worker_drains_and_tells_of_itself() {
    let (engines, _schema, _streams) = engines_of_this_machine(false).await;
    let cluster = Cluster::new(200, 0.01, 2, &engines);
    let submitter = cluster.submit();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let mut first = cluster.command("worker", "worker0").args(["--on", "test", "--listen", &listen]).spawn().unwrap();
    let get = async |path: &str| {
        let answer = reqwest::get(format!("http://{listen}{path}")).await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    while cluster.store.requests() < 40 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(get("/health").await, Some((200, "ok".into())));
    assert_eq!(get("/ready").await, Some((200, "ready".into())));
    let (status, metrics) = get("/metrics").await.unwrap();
    assert_eq!(status, 200);
    let of = |name: &str| -> f64 {
        let line = metrics.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {metrics}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(of("xunjian_listings_total") > 10.0);
    assert!(of("xunjian_host_requests_total{host=\"127.0.0.1\"}") >= 39.0);
    assert!(metrics.contains("state=\"ready\"}"), "{metrics}");
    let told = Command::new("kill").arg(first.id().to_string()).status().unwrap();
    assert!(told.success());
    let ended = first.wait().unwrap();
    assert_eq!(ended.code(), Some(0), "{}", cluster.log("worker0"));
    let after = cluster.store.requests();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(cluster.store.requests(), after, "nobody asks any more");
    let _second = Killed(cluster.worker("worker1"));
    let begun = Instant::now();
    let found = finished(&cluster, submitter, Duration::from_secs(120));
    // Nothing was left in the hands of the first: no lease had to run out.
    assert!(begun.elapsed() < Duration::from_secs(50), "{:?}", begun.elapsed());
    every_app_once(&found, 200);
}

/// Work is split by stage: each worker does its own, and together they find what one finds.
async fn each_stage_by_a_worker_of_its_own(nats: bool) {
    const APPS: usize = 60;
    let (engines, _schema, _streams) = engines_of_this_machine(nats).await;
    let cluster = Cluster::new(APPS, 0.0, 4, &engines);
    let submitter = cluster.submit();
    let stage = |name: &str| {
        let mut worker = cluster.command("worker", name);
        Killed(worker.args(["--on", "test", "--stages", name]).spawn().unwrap())
    };
    let asked = |path: &str| cluster.store.asked(path);
    let wait = |is_there: &dyn Fn() -> bool, why: &str| {
        let begun = Instant::now();
        while !is_there() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{why}: {}", cluster.log("catalogue"));
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let settled = || std::thread::sleep(Duration::from_millis(500));
    let _catalogue = stage("catalogue");
    wait(&|| asked("/list") == APPS.div_ceil(50), "pages");
    settled();
    assert_eq!((asked("/app"), asked("/apk")), (0, 0), "listings are another one's");
    let _listing = stage("listing");
    wait(&|| asked("/app") == APPS, "listings");
    settled();
    assert_eq!(asked("/apk"), 0, "packages are another one's");
    let _package = stage("package");
    wait(&|| asked("/apk") == APPS / 10, "packages");
    settled();
    assert_eq!(asked("/shot"), 0, "screenshots are another one's");
    let _pictures = stage("pictures");
    wait(&|| asked("/shot") > 0, "screenshots");
    let _audit = stage("audit");
    let found = finished(&cluster, submitter, Duration::from_secs(120));
    assert_eq!((asked("/app"), asked("/apk")), (APPS, APPS / 10), "everything once");
    every_app_once(&found, APPS);
    assert_eq!(found, cluster.alone(), "the same findings, byte for byte");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn each_stage_by_a_worker_of_its_own_on_postgres() {
    each_stage_by_a_worker_of_its_own(false).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn each_stage_by_a_worker_of_its_own_on_nats() {
    each_stage_by_a_worker_of_its_own(true).await;
}

/// Other signatures judge differently: such a worker joins nothing and says why.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_worker_with_other_signatures_joins_nothing() {
    let (engines, _schema, _streams) = engines_of_this_machine(false).await;
    let cluster = Cluster::new(4, 0.0, 2, &engines);
    let mut submitter = cluster.submit();
    let signatures = cluster.path("signatures");
    std::fs::create_dir_all(&signatures).unwrap();
    let own = "[[signature]]\nid = \"own.test\"\nsign = \"education\"\nintent = \"supports\"\n";
    let sample = support::project("signatures");
    // A copy of one of ours under another name is another pack.
    let first = std::fs::read_dir(sample).unwrap().flatten().map(|e| e.path()).find(|p| p.is_file());
    std::fs::write(
        signatures.join("own.toml"),
        first.map_or_else(|| own.into(), |p| std::fs::read_to_string(p).unwrap()),
    )
    .unwrap();
    let mut other = cluster.command("worker", "worker0");
    other.args(["--on", "test", "--once", "--signatures"]).arg(&signatures);
    let _ = other.status();
    let _ = submitter.kill();
    let _ = submitter.wait();
    assert_eq!(cluster.store.requests(), 0, "{}", cluster.log("worker0"));
}

/// The numbers of `benches/README.md` and the issue's own test: 20,000 apps, four workers, and
/// workers, NATS and PostgreSQL killed at random. `XUNJIAN_APPS` and `XUNJIAN_KILLS` set the size.
#[test]
#[ignore = "needs PostgreSQL and NATS"]
fn engines_and_workers_are_killed_and_every_app_is_there_once() {
    let number = |name: &str, or: usize| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(or);
    let (apps, kills) = (number("XUNJIAN_APPS", 300), number("XUNJIAN_KILLS", 4));
    let mut postgres = engines::Postgres::start();
    let mut nats = engines::Nats::start();
    let text = format!("database = {:?}\nnats = {:?}", postgres.address(), nats.address());
    let cluster = Cluster::new(apps, 0.0, 4, &text);
    let begun = Instant::now();
    let submitter = cluster.submit();
    let mut workers: Vec<Killed> = (0..4).map(|n| Killed(cluster.worker(&format!("worker{n}")))).collect();
    let mut dice = fastrand::Rng::with_seed(7);
    for kill in 0..kills {
        // Spread over the sweep, by the requests that the store has seen.
        let at = apps * (kill + 1) / (kills + 1);
        while cluster.store.requests() < at {
            assert!(begun.elapsed() < Duration::from_secs(3600), "{}", cluster.log("worker0"));
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(dice.u64(0..50)));
        match kill % 4 {
            1 => postgres.kill_and_restart(),
            3 => nats.kill_and_restart(),
            _ => {
                let one = dice.usize(0..workers.len());
                workers[one] = Killed(cluster.worker(&format!("again{kill}")));
            }
        }
    }
    let found = finished(&cluster, submitter, Duration::from_secs(3600));
    eprintln!("{apps} apps by four workers, {kills} kills: {:?}", begun.elapsed());
    drop(workers);
    every_app_once(&found, apps);
    assert!(cluster.store.most_at_once() <= 4, "{}", cluster.store.most_at_once());
    assert_eq!(found, cluster.alone(), "the same findings, byte for byte");
}

/// One line of the table in `benches/README.md`.
fn timed(name: &str, apps: usize, run: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    run();
    let seconds = begun.elapsed().as_secs_f64();
    eprintln!(
        "{name:<24} {seconds:>7.1} s {:>7.0} apps/s {:>7.2} ms an app",
        apps as f64 / seconds,
        seconds * 1e3 / apps as f64
    );
    seconds
}

/// `XUNJIAN_BIN=target/release/xunjian cargo test --test integration -- --ignored cluster::measured_throughput --nocapture`
#[test]
#[ignore = "a measurement; for a release build"]
fn measured_throughput_of_one_two_and_four_workers() {
    const APPS: usize = 2000;
    let postgres = engines::Postgres::start();
    let nats = engines::Nats::start();
    let lone = Cluster::new(APPS, 0.0, 8, "database = \"\"");
    let alone = timed("embedded, one process", APPS, || drop(lone.alone()));
    for engine in ["postgres", "nats"] {
        for workers in [1, 2, 4] {
            let schema = format!("{}&schema=t_{engine}_{workers}", postgres.address());
            let text = match engine {
                "nats" => format!("database = {schema:?}\nnats = {:?}", nats.address()),
                _ => format!("database = {schema:?}"),
            };
            let cluster = Cluster::new(APPS, 0.0, 8, &text);
            let seconds = timed(&format!("{engine}, {workers} workers"), APPS, || {
                let submitter = cluster.submit();
                let running: Vec<Killed> =
                    (0..workers).map(|n| Killed(cluster.worker(&format!("worker{n}")))).collect();
                every_app_once(&finished(&cluster, submitter, Duration::from_secs(900)), APPS);
                drop(running);
            });
            if workers == 1 {
                eprintln!("{:<24} {:>7.2} ms an app over embedded", "", (seconds - alone) * 1e3 / APPS as f64);
            }
        }
    }
}

/// Waits until nothing but audits is left to do.
async fn fetched(address: &str) {
    let state = Database::postgres(address).await.unwrap();
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let counts = state.counts("").await.unwrap();
        let is_open = |c: &&JobCount| matches!(c.state.as_str(), "ready" | "leased");
        let (audits, others): (Vec<_>, Vec<_>) =
            counts.iter().filter(is_open).partition(|count| count.queue.ends_with("/audit"));
        if !audits.is_empty() && others.is_empty() {
            return state.close().await;
        }
    }
}

/// Audits alone, with everything fetched before, by workers of one auditor and one thread each: do
/// they scale with cores? `XUNJIAN_BIN=target/release/xunjian cargo test --test integration -- --ignored cluster::measured_throughput_of_audits --nocapture`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement; for a release build"]
async fn measured_throughput_of_audits_by_one_and_two_workers() {
    const APPS: usize = 2000;
    let postgres = engines::Postgres::start();
    for workers in [1, 2] {
        let address = format!("{}&schema=t_{workers}", postgres.address());
        let cluster = Cluster::new(APPS, 0.0, 8, &format!("database = {address:?}"));
        let submitter = cluster.submit();
        let fetching = Killed(
            cluster
                .command("worker", "fetcher")
                .args(["--on", "test", "--stages", "catalogue,listing,package,pictures"])
                .spawn()
                .unwrap(),
        );
        fetched(&address).await;
        timed(&format!("audits, {workers} workers"), APPS, || {
            let running: Vec<Killed> = (0..workers)
                .map(|n| {
                    let mut worker = cluster.command("worker", &format!("worker{n}"));
                    worker.args(["--on", "test", "--stages", "audit", "--auditors", "1"]).env("RAYON_NUM_THREADS", "1");
                    Killed(worker.spawn().unwrap())
                })
                .collect();
            every_app_once(&finished(&cluster, submitter, Duration::from_secs(900)), APPS);
            drop(running);
        });
        drop(fetching);
    }
}
