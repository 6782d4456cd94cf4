//! One trace per app, from its line in the catalogue to its findings, read as a collector reads it.

use crate::support::collector;
use crate::support::services;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::fake_store::FakeStore;
use collector::{Collector, Mood, Span};

struct Bench {
    dir: tempfile::TempDir,
    store: FakeStore,
}

impl Bench {
    fn new(apps: usize, more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = FakeStore::serve(apps, Duration::ZERO);
        store.adapter(&dir.path().join("stores"), 0.0, 4);
        let vault = dir.path().join("vault").display().to_string();
        let config = format!(
            "[network]\nbackoff = 0.01\nretries = 0\n{more}\n[cluster.test]\ndatabase = \"\"\nvault = {vault:?}\n"
        );
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        Self { dir, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, command: &str, home: &str) -> Command {
        let mut all = Command::new(env!("CARGO_BIN_EXE_xunjian"));
        all.arg(command).args(if command == "sweep" { vec!["fake", "--lang", "en"] } else { vec![] });
        all.arg("--stores").arg(self.path("stores")).arg("--allow-private");
        all.arg("--config").arg(self.path("config.toml")).arg("--home").arg(self.path(home));
        all.env_remove("OTEL_EXPORTER_OTLP_ENDPOINT").stdout(Stdio::null()).stderr(Stdio::piped());
        all
    }

    /// A sweep on embedded engines; what it said.
    fn sweep(&self, home: &str, more: &[&str], collector: Option<&Collector>) -> String {
        let mut sweep = self.command("sweep", home);
        if let Some(collector) = collector {
            sweep.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url);
        }
        said(&sweep.args(more).output().unwrap())
    }
}

fn said(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{:?}: {said}", output.status);
    said
}

/// Traces of apps by package. Each has one id, one beginning, and no span that belongs nowhere.
fn traces(spans: &[Span]) -> BTreeMap<String, Vec<&Span>> {
    let mut of: BTreeMap<&str, Vec<&Span>> = BTreeMap::new();
    for span in spans {
        of.entry(&span.trace).or_default().push(span);
    }
    let mut found = BTreeMap::new();
    for (trace, spans) in of {
        let Some(root) = spans.iter().find(|span| span.name == "catalogue") else {
            assert!(spans.iter().all(|span| span.name == "page"), "{trace} begins nowhere: {spans:?}");
            continue;
        };
        assert_eq!(spans.iter().filter(|span| span.parent.is_empty()).count(), 1, "{trace}: {spans:?}");
        let ids: BTreeSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
        let orphans: Vec<_> = spans.iter().filter(|s| !s.parent.is_empty() && !ids.contains(&*s.parent)).collect();
        assert!(orphans.is_empty(), "{orphans:?}");
        let again = found.insert(root.attributes["package"].clone(), spans);
        assert!(again.is_none(), "one trace an app");
    }
    found
}

/// Every app of the fake store has all it should have, and nothing is told that should not be.
fn every_app_is_told(spans: &[Span], apps: usize) {
    let traces = traces(spans);
    assert_eq!(traces.len(), apps, "{:?}", traces.keys());
    for n in 0..apps {
        let spans = &traces[&format!("cn.example.app{n}")];
        let times = |name: &str| spans.iter().filter(|span| span.name == name).count();
        let is_packed = n.is_multiple_of(10);
        for name in ["catalogue", "listing", "audit", "remember"] {
            assert_eq!(times(name), 1, "{n} {name}: {spans:?}");
        }
        // Whether an app's pictures are wanted is judged by what is known before them, too.
        for name in ["detect", "conclude", "score"] {
            assert!(times(name) >= 1, "{n} {name}: {spans:?}");
        }
        for name in ["package", "read"] {
            assert_eq!(times(name), usize::from(is_packed), "{n} {name}: {spans:?}");
        }
        let audit = spans.iter().find(|span| span.name == "audit").unwrap();
        assert_eq!(times("finding").to_string(), audit.attributes["findings"], "{n}: {spans:?}");
        // Words of this sort are found: see `FakeStore`.
        assert!(n % 4 != 0 || times("finding") > 0, "{n}: {spans:?}");
    }
    assert!(spans.iter().any(|span| span.name == "pictures"));
    assert!(spans.iter().any(|s| s.name == "package" && s.attributes["bytes"].parse::<u64>().unwrap() > 1000));
    let keys: BTreeSet<&str> = spans.iter().flat_map(|span| span.attributes.keys().map(String::as_str)).collect();
    let told = ["apps", "bytes", "confidence", "findings", "outcome", "package", "run", "sign", "store", "trace"];
    assert!(keys.iter().all(|key| told.contains(key)), "{keys:?}");
    for span in spans {
        assert_eq!(span.events, 0, "the log stays here: {span:?}");
        let value = span.attributes.values().find(|value| value.contains("://") || !value.is_ascii());
        assert_eq!(value, None, "{span:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_on_embedded_engines_tells_one_trace_an_app() {
    let collector = Collector::start(Mood::Takes).await;
    let bench = Bench::new(20, "");
    // Before the second one, which has nothing to do and begins no trace.
    bench.sweep("home", &[], Some(&collector));
    every_app_is_told(&collector.spans(), 20);
    let before = collector.spans().len();
    bench.sweep("home", &[], Some(&collector));
    let after = collector.spans();
    assert!(after[before..].iter().all(|span| span.name == "page"), "{:?}", &after[before..]);
    bench.store.update(3, 2);
    bench.sweep("home", &[], Some(&collector));
    let all = collector.spans();
    let third = traces(&all[after.len()..]);
    assert_eq!(third.keys().collect::<Vec<_>>(), ["cn.example.app3"]);
    assert_ne!(third["cn.example.app3"][0].trace, traces(&all[..before])["cn.example.app3"][0].trace, "a run, a trace");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn two_workers_tell_one_trace_an_app() {
    let schema = services::postgres().await;
    let collector = Collector::start(Mood::Takes).await;
    let bench = Bench::new(20, &format!("[traces]\nendpoint = {:?}", collector.url));
    let on = ["--on", "test", "--database", &schema.address];
    let worker = |name: &str, stages: &str| {
        let mut worker = bench.command("worker", name);
        worker.args(on).args(["--stages", stages]).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut workers = [worker("one", "catalogue,listing"), worker("two", "package,pictures,audit")];
    said(&bench.command("sweep", "submitter").args(on).arg("--wait").output().unwrap());
    for worker in &mut workers {
        assert!(Command::new("kill").arg(worker.id().to_string()).status().unwrap().success());
        assert_eq!(worker.wait().unwrap().code(), Some(0));
    }
    let spans = collector.spans();
    every_app_is_told(&spans, 20);
    for (app, spans) in traces(&spans) {
        let instances: BTreeSet<&str> = spans.iter().map(|span| span.instance.as_str()).collect();
        assert_eq!(instances.len(), 2, "{app} was worked on by both: {spans:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_the_trace_of_the_app_it_speaks_of() {
    let collector = Collector::start(Mood::Takes).await;
    let bench = Bench::new(10, "");
    bench.store.fail_once("/app/cn.example.app5", 404);
    let said = bench.sweep("home", &["-v"], Some(&collector));
    let spans = collector.spans();
    let lost = &traces(&spans)["cn.example.app5"];
    let line = said.lines().find(|line| line.contains("not-found")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.contains(&format!("trace=\"{}\"", lost[0].trace)), "{line}");
    let listing = lost.iter().find(|span| span.name == "listing").unwrap();
    assert_eq!((listing.attributes["outcome"].as_str(), listing.is_error), ("not-found", true));
    assert_eq!(lost.len(), 2, "it ends there: {lost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_in_trouble_costs_spans_and_nothing_else() {
    const APPS: usize = 120;
    let bench = Bench::new(APPS, "");
    let timed = |home: &str, collector: Option<&Collector>| {
        let begun = Instant::now();
        let said = bench.sweep(home, &[], collector);
        assert!(said.contains(&format!("audited {APPS},")), "{said}");
        (begun.elapsed(), said)
    };
    let (alone, quiet) = timed("alone", None);
    assert!(!quiet.contains("span"), "{quiet}");
    for mood in [Mood::Hangs, Mood::Refuses, Mood::Gone] {
        let collector = Collector::start(mood).await;
        let (beside, said) = timed(&format!("{mood:?}"), Some(&collector));
        // Three seconds are the most that the end waits for; the rest is what a busy machine varies by.
        let most = alone.mul_f64(1.5) + Duration::from_secs(5);
        assert!(beside < most, "{mood:?}: {beside:?}, alone {alone:?}");
        assert_eq!(said.matches("spans did not reach the collector").count(), 1, "{mood:?}: {said}");
        let lost = said.split("lost=").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok());
        assert!(lost.is_some_and(|lost| lost > 8 * APPS), "{mood:?}: all of them are counted: {said}");
    }
    let mut wrong = bench.command("sweep", "alone");
    let wrong = wrong.env("OTEL_EXPORTER_OTLP_ENDPOINT", "not an address?token=t0ps3cret").output().unwrap();
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert_eq!(wrong.status.code(), Some(2), "{said}");
    assert!(said.contains("OTEL_EXPORTER_OTLP_ENDPOINT") && !said.contains("t0ps3cret"), "{said}");
}
