//! What is told and remembered is true: random histories of apps, judges and decisions, checked
//! against a model that says what may be told; and each case of it once by name.

use crate::support::services;
use crate::support::shop::{self, Shop};

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use xunjian::audit::{Auditor, sha256};
use xunjian::model::config::Engine;
use xunjian::model::{Budget, Finding, Listed, Listing, Sign};
use xunjian::runs::asked::{Grounds, Sent, audit_file};
use xunjian::runs::evidence::{Stamping, export, rerun};
use xunjian::runs::prune::{Limits, prune};
use xunjian::signature::{Pack, Source};
use xunjian::store::{Desk, FindingRow, Home, Keep, Letter, Outbox, Review, State, Vault};

/// A clue that speaks against every app of the shop.
const AWAY: &str = r#"
title = { zh = "另一判断", en = "Another judgement" }

[[clue]]
id = "away"
in = ["pitch"]
any = ["学习工具"]
weight = -90
group = "away"
why = { zh = "仅供测试", en = "For a test" }

[[match]]
clues = ["away"]
description = "学习工具。"

[[no-match]]
description = "花园。"
"#;
const FILE: &str = "photo-search/away.toml";
const IN_FORCE: &str = "bj-in-force";
const FINAL: &str = "bj-2022-04-final";

/// Who judges: whether with the clue of [`AWAY`], and by which policy.
pub type Judge = (bool, &'static str);
pub const JUDGES: [Judge; 3] = [(false, IN_FORCE), (true, IN_FORCE), (false, FINAL)];

fn auditor((away, policy): Judge) -> Auditor {
    let mut source = Source::embedded();
    if away {
        source.files.insert(FILE.into(), AWAY.into());
    }
    let pack = Pack::load(&source).unwrap();
    let policy = pack.policies[policy].clone();
    Auditor { pack: pack.into(), policy, budget: Budget::default(), registers: Arc::default() }
}

/// A shop, a home and the program.
pub struct World {
    pub dir: tempfile::TempDir,
    pub shop: Shop,
    engine: Engine,
    pub home: Home,
    told: i64,
}

impl World {
    pub async fn new(apps: usize, engine: Engine) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::open(apps);
        shop.adapter(&dir.path().join("stores"));
        std::fs::create_dir_all(dir.path().join("away/photo-search")).unwrap();
        std::fs::write(dir.path().join("away").join(FILE), AWAY).unwrap();
        let config = "[network]\nbackoff = 0.01\nretries = 0\nwithheld-rest = 0.001\ncontact = \"a@example.org\"\n[pace]\nevery = 0.0\n";
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        let home = Home::open_on(&dir.path().join("home"), &engine).await.unwrap();
        Self { dir, shop, engine, home, told: 0 }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn run(&self, args: &[&str], (away, policy): Judge) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xunjian"));
        command.args(args).args(["--policy", policy, "--lang", "en", "--home"]).arg(self.path("home"));
        if away {
            command.arg("--signatures").arg(self.path("away"));
        }
        if args[0] == "sweep" {
            command.arg("--stores").arg(self.path("stores")).arg("--allow-private");
            command.arg("--config").arg(self.path("config.toml"));
        }
        if !self.engine.database.is_empty() {
            command.args(["--database", &self.engine.database]);
        }
        let output = command.output().expect("the program starts");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{args:?}: {said}");
        said
    }

    pub fn sweep(&self, judge: Judge) -> String {
        self.run(&["sweep", "shop"], judge)
    }

    pub fn rescore(&self, judge: Judge) -> String {
        self.run(&["rescore", "--all"], judge)
    }

    pub async fn finding(&self, number: usize) -> Option<FindingRow> {
        let listed = Listed { store: "shop".into(), name: shop::name_of(number) };
        self.home.state.finding(&Finding::id_of(Sign::PhotoSearch, &listed)).await.unwrap()
    }

    pub async fn decide(&self, finding: &FindingRow, verdict: &str, mend_by: &str) {
        let row = self.home.state.desk_row(finding.app).await.unwrap().unwrap();
        let now = row.findings.iter().find(|f| f.id == finding.id).unwrap();
        let review = Review {
            finding: finding.id.clone(),
            audit: now.last_audit,
            evidence: now.evidence.clone(),
            who: "reviewer".into(),
            verdict: verdict.into(),
            mend_by: mend_by.into(),
            at: xunjian::runs::sweep::now(),
            ..Review::default()
        };
        self.home.state.review(&review).await.unwrap();
    }

    /// A file that somebody sends, under the listing of an app of the shop or under none.
    pub async fn upload(&self, listing: Option<&Listing>, barred: bool, name: &str) {
        let places = (&self.home.state, &self.home.vault);
        let sent = self.home.vault.put(&shop::package_of(barred)).await.unwrap();
        let grounds = Grounds {
            auditor: Arc::new(auditor(JUDGES[0])),
            timeout: 60,
            as_of: "2026-01-01".into(),
            registers: String::new(),
            incoming: self.home.vault.incoming(),
        };
        let run = self.home.state.begin("asked", &format!("{sent} {name}"), 1).await.unwrap().id;
        audit_file(places, &grounds, run, Sent { sha256: &sent, name, listing, client: "somebody" }).await.unwrap();
        self.home.state.end(run, "{}", 2).await.unwrap();
    }

    /// Letters written since the last call, by app of the shop.
    pub async fn letters(&mut self) -> BTreeMap<i64, Vec<Letter>> {
        let mut by_app: BTreeMap<i64, Vec<Letter>> = BTreeMap::new();
        let mut all = self.home.state.letters("", 1_000_000).await.unwrap();
        all.reverse();
        let told = self.told;
        for letter in all.into_iter().filter(|letter| letter.id > told) {
            self.told = letter.id;
            by_app.entry(letter.app).or_default().push(letter);
        }
        by_app
    }

    pub async fn kinds(&mut self) -> Vec<String> {
        self.letters().await.into_values().flatten().map(|letter| letter.kind).collect()
    }

    pub async fn event(&self, letter: &Letter) -> Value {
        xunjian::feed::event(&self.home.state, letter, "urn:test", "").await.unwrap()
    }

    /// The bag of every open finding of these apps holds, byte for byte.
    pub async fn bags_hold(&self, most: usize) -> usize {
        let mut held = 0;
        for app in self.home.state.apps(0, 10_000).await.unwrap() {
            let Some(row) = self.home.state.desk_row(app.id).await.unwrap() else { continue };
            for finding in row.findings.iter().filter(|finding| finding.is_open) {
                if held >= most {
                    return held;
                }
                let bag = self.path(&format!("bag-{}", finding.id));
                let places = (&self.home.state, &self.home.vault);
                export(places, &finding.id, &Stamping::Off, &bag, 1_900_000_000_000).await.unwrap();
                assert_eq!(rerun(&bag), [], "{} of {}", finding.sign, app.name);
                let report: Value =
                    serde_json::from_slice(&std::fs::read(bag.join("data/report.json")).unwrap()).unwrap();
                assert_eq!(report["audits"][0]["findings"][0]["id"].as_str().map(str::len), Some(16));
                std::fs::remove_dir_all(&bag).unwrap();
                held += 1;
            }
        }
        held
    }
}

/// What an audit rested on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Basis {
    version: u64,
    words: bool,
    package: Option<bool>,
    judge: usize,
}

/// The evidence, and whether some of it is in the package.
type Found = (BTreeSet<String>, bool);

/// What a judge makes of texts and package.
struct Truth(BTreeMap<(usize, bool, Option<bool>), Option<Found>>);

impl Truth {
    fn of(shop: &Shop) -> Self {
        let mut all = BTreeMap::new();
        for (number, judge) in JUDGES.into_iter().enumerate() {
            let auditor = auditor(judge);
            for words in [false, true] {
                for package in [None, Some(false), Some(true)] {
                    let listing = Listing { description: shop::description_of(words).into(), ..shop.listing(0) };
                    let bytes = package.map(shop::package_of);
                    let readings = bytes.iter().map(|bytes| auditor.read("a.apk", &sha256(bytes), bytes).unwrap());
                    let audit = auditor.conclude(Some(&listing), readings.collect());
                    let found = audit.findings.iter().find(|found| found.sign == Sign::PhotoSearch);
                    let told = found.map(|found| {
                        let counted = found.evidence.iter().filter(|e| e.counted);
                        let texts = counted.clone().map(|e| format!("{} {} {}", e.signature, e.clue, e.text));
                        (texts.collect(), counted.clone().any(|e| e.weight > 0 && e.kind != "listing"))
                    });
                    all.insert((number, words, package), told);
                }
            }
        }
        Self(all)
    }

    fn at(&self, basis: Basis) -> Option<&Found> {
        self.0[&(basis.judge, basis.words, basis.package)].as_ref()
    }
}

/// Says what may be told of one app's finding.
#[derive(Debug, Clone, Default)]
struct Model {
    /// The audit that last had the finding whole, or the one that ended it; and whether it is open.
    stands: Option<(Basis, bool)>,
    last: Option<Basis>,
    decisions: Vec<(String, String)>,
}

impl Model {
    fn verdict(&self) -> (&str, &str) {
        self.decisions.last().map_or(("", ""), |(verdict, day)| (verdict, day))
    }

    /// An audit: what is told of it.
    fn audit(&mut self, now: Basis, truth: &Truth) -> Option<&'static str> {
        self.last = Some(now);
        let found = truth.at(now);
        let Some((base, is_open)) = self.stands else {
            self.stands = found.map(|_| (now, true));
            return None;
        };
        let of_then = truth.at(base);
        let reads_less = base.package.is_some() && now.package.is_none();
        if is_open && reads_less && of_then.is_some_and(|(_, inside)| *inside) {
            // What could not be read is neither mended nor changed, unless there is more than before.
            let is_more = found.is_some_and(|(texts, _)| !texts.is_subset(&of_then.unwrap().0));
            if is_more {
                self.stands = Some((now, true));
            }
            return None;
        }
        if found.is_some() == is_open {
            self.stands = Some((if is_open { now } else { base }, is_open));
            return None;
        }
        let is_same = (base.version, base.words) == (now.version, now.words)
            && (base.package.is_none() || now.package.is_none() || base.package == now.package);
        let reads_more = base.package.is_none() && now.package.is_some();
        // The bytes of then, as whoever judges now sees them.
        let control = Basis { judge: now.judge, package: base.package.or(now.package), ..base };
        let by_app =
            !is_same && (base.judge == now.judge && !reads_more || truth.at(control).is_some() != found.is_some());
        self.stands = Some((now, found.is_some()));
        match (self.verdict().0, by_app, found.is_some()) {
            ("confirmed", true, false) => Some("app.mended"),
            ("confirmed", true, true) => Some("finding.confirmed"),
            ("confirmed", false, _) => Some("finding.reassessed"),
            _ => None,
        }
    }

    /// A decision: what is told of it.
    fn decide(&mut self, verdict: &str, day: &str) -> Option<&'static str> {
        let before = self.verdict().0.to_owned();
        if verdict == "undone" {
            self.decisions.pop();
        } else {
            self.decisions.push((verdict.into(), day.into()));
        }
        match (before.as_str(), self.verdict().0) {
            (_, "confirmed") => Some("finding.confirmed"),
            ("confirmed", _) => Some("finding.withdrawn"),
            _ => None,
        }
    }
}

/// Random histories of many apps at once, each with a model of its own.
async fn random_histories(engine: Engine, apps: usize, steps: usize, seed: u64) {
    let mut world = World::new(apps, engine).await;
    let truth = Truth::of(&world.shop);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut models = vec![Model::default(); apps];
    let mut at_hand: Vec<Option<u64>> = vec![None; apps];
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for step in 0..steps {
        let mut expected: Vec<Vec<&'static str>> = vec![Vec::new(); apps];
        let judge = if random.u8(0..10) < 6 { 0 } else { random.usize(0..JUDGES.len()) };
        let is_rescore = step > 0 && random.u8(0..4) == 0;
        for number in 0..apps {
            world.shop.change(number, |app| match random.u8(0..12) {
                0 | 1 => (app.words, app.version) = (!app.words, app.version + 1),
                2 | 3 => (app.package, app.version) = (app.package.map(|p| !p), app.version + 1),
                4 => (app.package, app.words, app.version) = (app.package.map(|p| !p), random.bool(), app.version + 1),
                5 | 6 => (app.readable, app.version) = (false, app.version + 1),
                7 | 8 => app.readable = true,
                9 => app.listed = !app.listed,
                _ => {}
            });
            if random.u8(0..15) == 0 {
                let listing = world.shop.listing(number);
                world
                    .upload(random.bool().then_some(&listing), random.bool(), &format!("sent {step} {number}.apk"))
                    .await;
            }
        }
        if is_rescore {
            world.rescore(JUDGES[judge])
        } else {
            world.sweep(JUDGES[judge])
        };
        for (number, model) in models.iter_mut().enumerate() {
            let app = world.shop.apps.lock().unwrap()[number];
            let now = match (is_rescore, model.last) {
                (true, Some(last)) => Some(Basis { judge, ..last }),
                (false, _) if app.listed => {
                    if app.readable {
                        at_hand[number] = Some(app.version);
                    }
                    let package = app.package.filter(|_| at_hand[number] == Some(app.version));
                    Some(Basis { version: app.version, words: app.words, package, judge })
                }
                _ => None,
            };
            expected[number].extend(now.and_then(|now| model.audit(now, &truth)));
        }
        for (number, model) in models.iter_mut().enumerate() {
            let Some(row) = world.finding(number).await else {
                assert_eq!(model.stands, None, "step {step}, app {number}");
                continue;
            };
            assert_eq!(
                model.stands.map(|(_, open)| open),
                Some(row.state == "open"),
                "step {step}, app {number}: {row:?} {model:?}"
            );
            if random.u8(0..3) == 0 {
                let verdict = ["confirmed", "confirmed", "dismissed", "undone"][random.usize(0..4)];
                let day = if verdict == "confirmed" { format!("2030-01-{:02}", 1 + step % 28) } else { String::new() };
                if verdict == "undone" && model.decisions.is_empty() {
                    continue;
                }
                world.decide(&row, verdict, &day).await;
                expected[number].extend(model.decide(verdict, &day));
                let row = world.finding(number).await.unwrap();
                assert_eq!(row.verdict, model.verdict().0);
            }
        }
        let mut letters = world.letters().await;
        for (number, (expected, model)) in expected.iter().zip(&models).enumerate() {
            let Some(row) = world.finding(number).await else { continue };
            let told = letters.remove(&row.app).unwrap_or_default();
            let kinds: Vec<&str> = told.iter().map(|letter| letter.kind.as_str()).collect();
            assert_eq!(&kinds, expected, "step {step}, app {number}: {model:?} {row:?}");
            for letter in &told {
                *seen.entry(letter.kind.clone()).or_default() += 1;
            }
            if let Some(last) = told.last().filter(|letter| letter.kind.starts_with("finding.")) {
                let data = world.event(last).await["data"].take();
                let (verdict, day) = model.verdict();
                let force = &data["decision"];
                assert_eq!(
                    (force["verdict"].as_str().unwrap_or_default(), force["mend_by"].as_str().unwrap_or_default()),
                    (verdict, day)
                );
                assert_eq!(data["app"]["number"], row.app);
            }
        }
        assert!(letters.is_empty(), "step {step}: nothing is told of files that somebody sent: {letters:?}");
        if step % 3 == 2 {
            let keep = Keep { before: i64::MAX, runs: 1, listings: 1, died_before: i64::MAX };
            let stop = std::sync::atomic::AtomicBool::new(false);
            let limits = Limits { keep, put_before: i64::MAX };
            prune((&world.home.state, &world.home.vault), limits, false, &stop).await.unwrap();
        }
    }
    for kind in ["finding.confirmed", "finding.withdrawn", "finding.reassessed", "app.mended"] {
        assert!(seen.get(kind).is_some_and(|n| *n > 0), "the histories hold each case: {seen:?}");
    }
    assert!(world.bags_hold(60).await > 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_random_histories_tell_what_the_model_allows() {
    random_histories(Engine::default(), 200, 9, 16).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn two_hundred_random_histories_tell_what_the_model_allows_on_postgres() {
    let schema = services::postgres().await;
    let engine = Engine { database: schema.address.clone(), ..Engine::default() };
    random_histories(engine, 200, 9, 17).await;
}
