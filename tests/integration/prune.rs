//! What no longer serves is forgotten, and nothing else: random histories, then a prune, then a look
//! at everything that must be there.

use crate::support::services;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use xunjian::audit::Auditor;
use xunjian::model::config::Engine;
use xunjian::model::{ArtifactKind, Audit, Budget, Listing, Skipped};
use xunjian::runs::prune::{Limits, Pruned, prune};
use xunjian::signature::{Pack, Source};
use xunjian::store::{
    Desk, Folder, Home, Keep, NewAudit, NewFetch, NewJob, Outbox, PackageFile, Review, Rows, Seen, State, Vault, Work,
};

const DAY: i64 = 86_400_000;
/// In the past of any machine that runs this.
const BEGAN: i64 = 1_700_000_000_000;
const APPS: usize = 10;
const RUNS: i64 = 12;

static PACK: LazyLock<Arc<Pack>> = LazyLock::new(|| Arc::new(Pack::load(&Source::embedded()).unwrap()));

/// A home on some engine, with a history of random runs.
struct History {
    home: Home,
    auditor: Auditor,
    random: fastrand::Rng,
    /// Asks so far.
    asks: BTreeSet<String>,
    now: i64,
}

impl History {
    async fn new(dir: &Path, engine: &Engine, seed: u64) -> Self {
        let pack = Arc::clone(&PACK);
        let policy = pack.policies["bj-in-force"].clone();
        let auditor = Auditor { pack, policy, budget: Budget::default(), registers: Arc::default() };
        let home = Home::open_on(dir, engine).await.unwrap();
        let mut me = Self { home, auditor, random: fastrand::Rng::with_seed(seed), asks: BTreeSet::new(), now: BEGAN };
        for _ in 0..RUNS {
            me.run().await;
        }
        me
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.random.u32(..100) < percent
    }

    async fn run(&mut self) {
        self.now += DAY * self.random.i64(1..20);
        let (kind, scope) = [("sweep", "s"), ("rescore", ""), ("sweep", "s")][self.random.usize(..3)];
        let run = self.home.state.begin(kind, scope, self.now).await.unwrap().id;
        let registers = if self.chance(50) {
            self.home.vault.put(format!("registers {run}").as_bytes()).await.unwrap()
        } else {
            String::new()
        };
        for app in 0..APPS {
            if self.chance(70) {
                self.app(run, app, &registers).await;
            }
        }
        let skipped =
            Skipped { target: "s:x".into(), stage: "crawl".into(), code: "network".into(), reason: "503".into() };
        self.home.state.skip(run, "network", &skipped, self.now).await.unwrap();
        self.die(run).await;
        self.home.state.end(run, "{}", self.now).await.unwrap();
        // Sometimes whoever ended the run was killed before this.
        if self.chance(80) {
            self.home.state.forget(&format!("{run}/")).await.unwrap();
        }
    }

    async fn fetched(&mut self, ask: &str, body: &str) -> i64 {
        self.asks.insert(ask.into());
        let name = self.home.vault.put(body.as_bytes()).await.unwrap();
        let fetch = NewFetch {
            ask: ask.into(),
            outcome: "ok".into(),
            status: 200,
            body: name,
            at: self.now,
            ..NewFetch::default()
        };
        self.home.state.fetched(&fetch).await.unwrap()
    }

    async fn app(&mut self, run: i64, number: usize, registers: &str) {
        let version = self.random.u32(1..6);
        let words = if self.chance(50) {
            "拍照搜题，秒出答案，小学初中数学作业辅导。"
        } else {
            "记账与待办。"
        };
        let listing = Listing {
            store: "s".into(),
            package: format!("cn.a{number}"),
            title: format!("应用 {number}"),
            description: format!("{words} 第 {version} 版"),
            ..Listing::default()
        };
        let page = self.fetched(&format!("page {number}"), &format!("page {number} {version} {words}")).await;
        if self.chance(20) {
            let failed = NewFetch {
                ask: format!("page {number}"),
                outcome: "network".into(),
                at: self.now,
                ..NewFetch::default()
            };
            self.home.state.fetched(&failed).await.unwrap();
        }
        let seen = Seen { run, listing: &listing, key: Some((&listing.package, "m")), fetch: Some(page), at: self.now };
        let sight = self.home.state.see(seen).await.unwrap();
        let artifact = if self.chance(60) { Some(self.package(sight.app, number, version).await) } else { None };
        if self.chance(15) {
            return;
        }
        let audit: Audit = self.auditor.conclude(Some(&listing), Vec::new());
        let new = NewAudit {
            run,
            app: sight.app,
            listing: Some(sight.listing),
            artifact: artifact.as_deref(),
            audit: &audit,
            made_by: &self.auditor.made_by(),
            as_of: "2026-01-01",
            registers,
            facts: "",
            controls: &[],
            at: self.now,
        };
        self.home.state.remember(new).await.unwrap();
        for finding in &audit.findings {
            if self.chance(20) {
                self.decide(&finding.id).await;
            }
        }
    }

    async fn package(&mut self, app: i64, number: usize, version: u32) -> String {
        let bytes = format!("package {number} {version}");
        let fetch = self.fetched(&format!("apk {number} {version}"), &bytes).await;
        let sha256 = self.home.vault.put(bytes.as_bytes()).await.unwrap();
        let file = PackageFile {
            app,
            offer: &format!("offer {version}"),
            sha256: &sha256,
            bytes: bytes.len() as u64,
            kind: Some(ArtifactKind::Apk),
            certificates: &[],
            identity: ("cn.a", "1", 1),
            fetch: Some(fetch),
            at: self.now,
        };
        self.home.state.package(file).await.unwrap();
        let facts = self.home.vault.put(format!("facts {number} {version}").as_bytes()).await.unwrap();
        self.home.state.keep_facts(&sha256, "a.apk", &facts, "1", self.now).await.unwrap();
        sha256
    }

    async fn decide(&mut self, finding: &str) {
        let row = self.home.state.finding(finding).await.unwrap().unwrap();
        let review = Review {
            finding: finding.into(),
            audit: row.last_audit,
            who: "reviewer".into(),
            verdict: ["confirmed", "dismissed", "again"][self.random.usize(..3)].into(),
            reason: "other".into(),
            at: self.now,
            ..Review::default()
        };
        self.home.state.review(&review).await.unwrap();
    }

    /// A job dies, another is done.
    async fn die(&mut self, run: i64) {
        let (state, queue) = (&self.home.state, format!("{run}/fetch/s"));
        let job =
            |key: &str| NewJob { key: format!("{run}/{key}"), queue: queue.clone(), priority: 0, payload: "{}".into() };
        state.push(&[job("dies"), job("is done")], self.now).await.unwrap();
        let lease = state.lease(&[&queue], self.now, self.now + 1_000).await.unwrap().unwrap();
        let why = Skipped { target: "s:y".into(), stage: "crawl".into(), code: "network".into(), reason: "cut".into() };
        state.fail(&lease, &why, self.now, self.now, 0).await.unwrap();
        let lease = state.lease(&[&queue], self.now, self.now + 1_000).await.unwrap().unwrap();
        state.complete(&lease, &[], self.now).await.unwrap();
    }

    /// Some run in the middle is the first that is kept for its age.
    fn limits(&mut self) -> Limits {
        let before = BEGAN + (self.now - BEGAN) * self.random.i64(30..110) / 100;
        let keep = Keep { before, runs: self.random.u32(1..3), listings: self.random.u32(1..3), died_before: before };
        Limits { keep, put_before: i64::MAX }
    }

    async fn prune(&self, limits: Limits, is_dry: bool) -> Pruned {
        prune((&self.home.state, &self.home.vault), limits, is_dry, &AtomicBool::new(false)).await.unwrap()
    }

    async fn has(&self, blob: &str) {
        assert!(blob.is_empty() || self.home.vault.size(blob).await.unwrap().is_some(), "{blob} is lost");
    }

    /// Fails where something is lost that an audit rests on; what it is made of, to be compared.
    async fn whole(&self, audit: i64) -> String {
        let state = &self.home.state;
        let row = state.audit(audit).await.unwrap().unwrap_or_else(|| panic!("audit {audit} is lost"));
        let listing = state.listing(row.listing.unwrap()).await.unwrap().expect("the listing is kept");
        let page = state.fetch(listing.fetch.unwrap()).await.unwrap().expect("the page is kept");
        self.has(&page.fetch.body).await;
        self.has(&row.registers).await;
        assert!(state.run(row.run).await.unwrap().is_some(), "its run is kept");
        if let Some(artifact) = &row.artifact {
            self.has(artifact).await;
            let came = state.package_fetch(row.app, artifact).await.unwrap().expect("it is known how it came");
            self.has(&state.fetch(came).await.unwrap().expect("the answer is kept").fetch.body).await;
            self.has(&state.any_facts(artifact).await.unwrap().expect("its facts are kept").1).await;
        }
        format!("{row:?} {listing:?} {page:?}")
    }

    /// Everything that must stay, whatever is pruned by these limits.
    async fn must_stay(&self, keep: &Keep) -> BTreeMap<String, String> {
        let state = &self.home.state;
        let mut must = BTreeMap::new();
        for app in state.apps(0, 1_000).await.unwrap() {
            let name = format!("app {}", app.id);
            let listing = state.listing(app.listing.unwrap()).await.unwrap();
            must.insert(name.clone(), format!("{app:?} {listing:?}"));
            must.insert(format!("{name} desk"), format!("{:?}", state.desk_row(app.id).await.unwrap()));
            let history = state.history(app.id, 1_000).await.unwrap();
            let Some(latest) = history.first() else { continue };
            let of = |row: &xunjian::store::AuditRow| (row.listing, row.artifact.clone());
            must.insert(format!("{name} latest"), self.whole(latest.id).await);
            if let Some(before) = history.iter().find(|row| of(row) != of(latest)) {
                must.insert(format!("{name} the version before"), self.whole(before.id).await);
            }
            for finding in &state.desk_row(app.id).await.unwrap().map_or(Vec::new(), |row| row.findings) {
                let row = state.finding(&finding.id).await.unwrap().unwrap();
                for audit in [row.first_audit, row.last_audit] {
                    must.insert(format!("finding {} {audit}", row.id), self.whole(audit).await);
                }
                for review in state.reviews(&row.id).await.unwrap() {
                    must.insert(format!("decision {} {}", row.id, review.at), self.whole(review.audit).await);
                }
            }
        }
        for letter in state.letters("", 1_000).await.unwrap() {
            must.insert(format!("letter {}", letter.id), format!("{letter:?} {}", self.whole(letter.audit).await));
        }
        for ask in &self.asks {
            let last = state.last_fetch(ask).await.unwrap().unwrap();
            self.has(&last.fetch.body).await;
            must.insert(format!("last answer to {ask}"), format!("{last:?}"));
        }
        let mut nth: BTreeMap<(String, String), u32> = BTreeMap::new();
        for run in state.runs(1_000).await.unwrap() {
            let place = nth.entry((run.kind.clone(), run.scope.clone())).or_default();
            *place += 1;
            if *place <= keep.runs || run.ended.unwrap() >= keep.before {
                let audits = state.audits(run.id, 0, 1_000).await.unwrap();
                let skips = state.skips(run.id, 0, 1_000).await.unwrap();
                must.insert(format!("run {}", run.id), format!("{audits:?} {skips:?}"));
            }
        }
        must
    }

    async fn blobs(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for digits in 0..256 {
            all.extend(
                self.home.vault.list(&format!("{digits:02x}")).await.unwrap().into_iter().map(|blob| blob.sha256),
            );
        }
        all
    }
}

async fn only_what_no_longer_serves_goes(history: &mut History) -> bool {
    let limits = history.limits();
    let must = history.must_stay(&limits.keep).await;
    let would = history.prune(limits, true).await;
    assert_eq!(must, history.must_stay(&limits.keep).await, "a dry run changes nothing");
    let did = history.prune(limits, false).await;
    assert!(did.is_done && did.held_by.is_none());
    assert_eq!(would, did, "what a dry run says is what goes");
    assert_eq!(must, history.must_stay(&limits.keep).await, "{limits:?}");
    let again = history.prune(limits, false).await;
    assert!(again.rows.values().chain([&again.blobs]).all(|gone| gone.count == 0), "nothing is left to do: {again:?}");
    let mut referred = BTreeSet::new();
    for digit in "0123456789abcdef".chars() {
        referred
            .extend(xunjian::store::Prune::referred(&history.home.state, digit, &limits.keep, false).await.unwrap());
    }
    assert_eq!(history.blobs().await, referred, "what is left is referred to, and all of it is there");
    let dead = history.home.state.dead(&xunjian::store::DeadQuery { most: 1_000, ..Default::default() }).await.unwrap();
    assert!(dead.iter().all(|job| job.died >= limits.keep.died_before));
    [Rows::Audits, Rows::Listings, Rows::Fetches].iter().all(|rows| did.rows[rows].count > 0) && did.blobs.bytes > 0
}

#[tokio::test(flavor = "multi_thread")]
async fn random_histories_lose_nothing_on_sqlite() {
    let mut telling = 0;
    for seed in 0..12 {
        let dir = tempfile::tempdir().unwrap();
        let mut history = History::new(dir.path(), &Engine::default(), seed).await;
        telling += u32::from(only_what_no_longer_serves_goes(&mut history).await);
    }
    assert!(telling >= 6, "in most histories something goes: {telling}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn random_histories_lose_nothing_on_postgres() {
    let mut telling = 0;
    for seed in 100..106 {
        let schema = services::postgres().await;
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine { database: schema.address.clone(), ..Engine::default() };
        let mut history = History::new(dir.path(), &engine, seed).await;
        telling += u32::from(only_what_no_longer_serves_goes(&mut history).await);
        history.home.state.close().await;
    }
    assert!(telling >= 3, "in most histories something goes: {telling}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto_server"]
async fn a_vault_on_s3_loses_nothing_either() {
    let s3 = services::s3().await;
    let dir = tempfile::tempdir().unwrap();
    let engine = Engine { vault: s3.bucket().await, ..Engine::default() };
    let mut history = History::new(dir.path(), &engine, 3).await;
    assert!(only_what_no_longer_serves_goes(&mut history).await, "something goes");
}

/// Killed at any moment nothing is lost, and in the end the same is gone as by one prune that was not.
/// How often one was killed that had begun and not ended.
async fn killed_half_way(dir: &Path, engine: &Engine, seed: u64) -> u32 {
    let history = History::new(dir, engine, seed).await;
    age(&dir.join("vault"));
    std::fs::write(dir.join("config.toml"), "[keep]\nrun-days = 0\nruns = 1\nlistings = 1\n").unwrap();
    let keep = Keep { before: i64::MAX, runs: 1, listings: 1, died_before: i64::MAX };
    let limits = Limits { keep, put_before: i64::MAX };
    let must = history.must_stay(&keep).await;
    let would = history.prune(limits, true).await;
    assert!(would.rows[&Rows::Audits].count > 0 && would.blobs.count > 0);
    let total = |pruned: &Pruned| pruned.rows.values().chain([&pruned.blobs]).map(|gone| gone.count).sum::<u64>();
    // Longer each time, until one comes to its end: somewhere between it is at work.
    let (mut half_way, mut left) = (0, total(&would));
    for patience in 1..200 {
        let mut child = pruning(dir, engine).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(patience * 7));
        child.kill().unwrap();
        child.wait().unwrap();
        let now = total(&history.prune(limits, true).await);
        half_way += u32::from(now < left && now > 0);
        left = now;
        assert_eq!(must, history.must_stay(&keep).await);
        if now == 0 {
            break;
        }
    }
    let said = pruning(dir, engine).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert_eq!(must, history.must_stay(&keep).await);
    let left = history.prune(limits, true).await;
    assert!(left.rows.values().chain([&left.blobs]).all(|gone| gone.count == 0), "{left:?}");
    history.home.state.close().await;
    half_way
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_half_way_nothing_is_lost_and_the_next_one_goes_on() {
    let mut killed = 0;
    for seed in 1_000..1_003 {
        let dir = tempfile::tempdir().unwrap();
        killed += killed_half_way(dir.path(), &Engine::default(), seed).await;
    }
    assert!(killed >= 3, "some were killed at work: {killed}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn killed_half_way_nothing_is_lost_on_postgres() {
    let schema = services::postgres().await;
    let dir = tempfile::tempdir().unwrap();
    let engine = Engine { database: schema.address.clone(), ..Engine::default() };
    assert!(killed_half_way(dir.path(), &engine, 1_010).await >= 1, "some were killed at work");
}

fn pruning(home: &Path, engine: &Engine) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xunjian"));
    command.args(["prune", "--lang", "en", "--home"]).arg(home).arg("--config").arg(home.join("config.toml"));
    if !engine.database.is_empty() {
        command.args(["--engine", "postgres", "--database", &engine.database]);
    }
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    command
}

/// Makes everything in a vault a month old.
fn age(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => age(&entry.path()),
            false => {
                let file = std::fs::File::options().write(true).open(entry.path()).unwrap();
                file.set_modified(SystemTime::now() - Duration::from_secs(30 * 86_400)).unwrap();
            }
        }
    }
}

/// Bytes that were put long ago and forgotten are put again just when they are removed: they stay.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_again_while_it_is_removed_stays() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Folder::open(dir.path()).unwrap();
    let before = chrono::Utc::now().timestamp_millis() - 7 * DAY;
    let (mut removed, mut stayed) = (0, 0);
    for round in 0..400 {
        let bytes = format!("page {round}");
        let name = vault.put(bytes.as_bytes()).await.unwrap();
        age(dir.path());
        let (one, other) = (vault.clone(), vault.clone());
        let removing = tokio::spawn(async move { one.remove(&name, before).await.unwrap() });
        let putting = tokio::spawn(async move { other.put(bytes.as_bytes()).await.unwrap() });
        let name = putting.await.unwrap();
        if removing.await.unwrap() {
            removed += 1
        } else {
            stayed += 1
        }
        assert!(vault.size(&name).await.unwrap().is_some(), "round {round}");
        // Young now: the next rounds make it old again, so out of the way with it.
        assert!(vault.remove(&name, i64::MAX).await.unwrap());
    }
    assert!(removed > 0 && stayed > 0, "both came first at times: {removed} {stayed}");
}

/// Workers go on while others forget: every answer and package that is remembered is there.
#[tokio::test(flavor = "multi_thread")]
async fn beside_a_running_sweep_nothing_of_it_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut history = History::new(dir.path(), &Engine::default(), 77).await;
    age(&dir.path().join("vault"));
    let (state, vault) = (history.home.state.clone(), history.home.vault.clone());
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let pruner = tokio::spawn(async move {
        let mut rounds = 0;
        while !told.load(std::sync::atomic::Ordering::Relaxed) {
            let now = chrono::Utc::now().timestamp_millis();
            let keep = Keep { before: now, runs: 1, listings: 1, died_before: now };
            let limits = Limits { keep, put_before: now - 7 * DAY };
            prune((&state, &vault), limits, false, &AtomicBool::new(false)).await.unwrap();
            rounds += 1;
        }
        rounds
    });
    history.now = chrono::Utc::now().timestamp_millis();
    let run = history.home.state.begin("sweep", "s", history.now).await.unwrap().id;
    for _ in 0..6 {
        for app in 0..APPS {
            history.now = chrono::Utc::now().timestamp_millis();
            // The same bodies as in the history: some of them are about to be forgotten.
            history.app(run, app, "").await;
        }
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(pruner.await.unwrap() > 1);
    history.home.state.end(run, "{}", history.now).await.unwrap();
    let keep = Keep { before: 0, runs: 9, listings: 9, died_before: 0 };
    for row in history.home.state.audits(run, 0, 1_000).await.unwrap() {
        history.whole(row.id).await;
    }
    let mut referred = BTreeSet::new();
    for digit in "0123456789abcdef".chars() {
        referred.extend(xunjian::store::Prune::referred(&history.home.state, digit, &keep, false).await.unwrap());
    }
    assert!(referred.is_subset(&history.blobs().await));
}

/// A reading goes with the last answer that held its picture; what else is noted stays.
#[tokio::test(flavor = "multi_thread")]
async fn readings_go_with_their_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::new(dir.path(), &Engine::default(), 5).await;
    let (state, vault) = (&history.home.state, &history.home.vault);
    let picture = vault.put(b"a picture that an answer holds").await.unwrap();
    let held = NewFetch { ask: "picture".into(), body: picture.clone(), at: 1, ..NewFetch::default() };
    state.fetched(&held).await.unwrap();
    let gone = xunjian::audit::sha256(b"a picture of long ago");
    let mut blobs = Vec::new();
    for (store, name) in [("pictures a", &picture), ("pictures a", &gone), ("pictures b", &gone), ("xunjian", &gone)] {
        let blob = vault.put(format!("read by {store} of {name}").as_bytes()).await.unwrap();
        state.note(store, name, &blob).await.unwrap();
        blobs.push(blob);
    }
    let keep = Keep { before: i64::MAX, runs: 1, listings: 1, died_before: 0 };
    let would = history.prune(Limits { keep, put_before: i64::MAX }, true).await;
    assert_eq!(would.rows[&Rows::Readings].count, 2);
    let did = history.prune(Limits { keep, put_before: i64::MAX }, false).await;
    assert_eq!(did.rows[&Rows::Readings].count, 2);
    assert_eq!(state.noted("pictures a", &picture).await.unwrap().as_ref(), Some(&blobs[0]));
    assert_eq!(state.noted("pictures a", &gone).await.unwrap(), None);
    assert_eq!(state.noted("xunjian", &gone).await.unwrap().as_ref(), Some(&blobs[3]));
    let left = history.blobs().await;
    assert_eq!(blobs.iter().map(|blob| left.contains(blob)).collect::<Vec<_>>(), [true, false, false, true]);
}

/// A run that was killed and not ended keeps everything since it began, and it is said so.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_run_holds_back_what_came_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut history = History::new(dir.path(), &Engine::default(), 5).await;
    let open = history.home.state.begin("sweep", "other", BEGAN).await.unwrap();
    let keep = Keep { before: i64::MAX, runs: 1, listings: 1, died_before: 0 };
    let young = history.home.vault.put(b"put just now, and not referred to yet").await.unwrap();
    let now = chrono::Utc::now().timestamp_millis();
    let did = history.prune(Limits { keep, put_before: now - DAY }, false).await;
    assert_eq!(did.held_by.map(|run| run.id), Some(open.id));
    // Jobs left over of runs that have ended are nobody's.
    assert!(did.rows.iter().all(|(rows, gone)| *rows == Rows::Jobs || gone.count == 0), "{:?}", did.rows);
    history.has(&young).await;
    history.now += DAY;
    history.home.state.end(open.id, "{}", history.now).await.unwrap();
    assert!(history.prune(Limits { keep, put_before: now - DAY }, false).await.rows[&Rows::Audits].count > 0);
    history.has(&young).await;
}
