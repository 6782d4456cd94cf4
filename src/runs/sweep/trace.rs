//! One OpenTelemetry trace per app and run, from its line in the catalogue to its findings,
//! whichever workers do the jobs: each job carries where in the trace it belongs.
//!
//! Where nobody set OpenTelemetry up there are no spans and nothing is carried. Spans tell store,
//! package, outcome, counts and bytes; no addresses, no texts of listings, nothing of people.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tracing::Span;
use tracing::field::Empty;

use super::carrier;
use crate::model::Finding;

/// Longest name of a store or package that is told: Android allows packages of 255 bytes.
const NAME_MAX: usize = 255;

/// Where an app's next job belongs: a `traceparent`; empty where nobody traces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Trace(String);

/// What leads to an app's next job.
pub(super) enum Way<'a> {
    /// A line of a catalogue, or somebody's wish: the trace begins.
    Line {
        /// What tells this run from every other one; empty where nobody traces.
        run: &'a str,
        began: SystemTime,
    },
    /// Another job: the trace goes on.
    Job(&'a Trace),
}

impl Way<'_> {
    /// Where the next job of this app belongs.
    pub(super) fn next(&self, store: &str, app: &str) -> Trace {
        match self {
            Self::Line { run: "", .. } => Trace::default(),
            Self::Line { run, began } => Trace::begin(run, store, app, *began),
            Self::Job(trace) => trace.here(),
        }
    }
}

/// Somebody takes spans.
pub(super) fn is_on() -> bool {
    tracing::span_enabled!(tracing::Level::TRACE)
}

impl Trace {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Begins an app's trace with the span of its line in the catalogue.
    fn begin(run: &str, store: &str, app: &str, began: SystemTime) -> Self {
        Self(carrier::begin([run, store, app], plain(store), package(app), began))
    }

    /// Where what follows from the current span belongs; where this process makes no spans, where
    /// the job belongs itself.
    fn here(&self) -> Self {
        let here = Self(carrier::here());
        if here.is_empty() { self.clone() } else { here }
    }

    /// The trace's id, for the log.
    fn id(&self) -> &str {
        self.0.get(3..35).unwrap_or_default()
    }

    /// The span of a job of an app; none where nobody traces.
    pub(super) fn span(&self, job: &'static str, run: i64, store: &str, app: &str) -> Span {
        if self.is_empty() {
            return Span::none();
        }
        // At this level, so that the log tells the trace's id with whatever it tells of the app.
        let span = tracing::error_span!(
            "app",
            otel.name = job,
            otel.status_code = Empty,
            trace = self.id(),
            run,
            store = plain(store),
            package = package(app),
            outcome = Empty,
            bytes = Empty,
            findings = Empty,
        );
        carrier::follow(&span, &self.0);
        span
    }
}

/// The span of a page of a catalogue, in a trace of its own.
pub(super) fn page(run: i64, store: &str) -> Span {
    tracing::debug_span!("page", run, store = plain(store), otel.status_code = Empty, outcome = Empty, apps = Empty)
}

/// How a job ended: `ok`, or the id of an outcome that is a fault.
pub(super) fn ended(outcome: &str) {
    let span = Span::current();
    span.record("outcome", outcome);
    if outcome != "ok" {
        span.record("otel.status_code", "ERROR");
    }
}

/// The span of a finding, within that of remembering it.
pub(super) fn finding(finding: &Finding) {
    tracing::debug_span!("finding", sign = finding.sign.id(), confidence = ?finding.confidence).in_scope(|| ());
}

/// A store's id without what may be secret in the address of a repository: user and query.
fn plain(store: &str) -> String {
    let path = store.split(['?', '#']).next().unwrap_or_default();
    let told = match (path.find("://"), path.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}{}", &path[..scheme + 3], &path[at + 1..]),
        _ => path.to_owned(),
    };
    told.chars().take(NAME_MAX).collect()
}

/// A package; empty where an app is known by something else, which may be its title.
fn package(app: &str) -> String {
    let is_package = app.len() <= NAME_MAX && app.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if is_package { app.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_users_and_queries_are_not_told() {
        assert_eq!(package("cn.example.app-1_x"), "cn.example.app-1_x");
        assert_eq!(package("作业帮手"), "");
        assert_eq!(package("https://store.example/app?id=1"), "");
        assert_eq!(plain("fdroid+https://me:secret@f.example/repo?token=1"), "fdroid+https://f.example/repo");
        assert_eq!(plain("huawei"), "huawei");
    }

    #[test]
    fn nothing_is_carried_where_nobody_traces() {
        assert!(Way::Line { run: "", began: SystemTime::now() }.next("s", "a").is_empty());
        let carried = Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
        assert_eq!(carried.id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(Way::Job(&carried).next("s", "a"), carried, "an untraced worker hands it on");
        assert!(Trace::default().span("listing", 1, "s", "a").is_none());
    }
}
