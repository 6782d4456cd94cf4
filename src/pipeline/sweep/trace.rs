//! One OpenTelemetry trace per app and run, from its line in the catalogue to its findings,
//! whichever workers do the jobs: each job carries where in the trace it belongs.
//!
//! Where nobody set OpenTelemetry up there are no spans and nothing is carried. Spans tell store,
//! package, outcome, counts and bytes; no addresses, no texts of listings, nothing of people.

use std::cell::Cell;
use std::collections::HashMap;
use std::time::SystemTime;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Link, SpanBuilder, SpanContext, SpanId, TraceContextExt, TraceId, Tracer};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::model::Finding;

/// The header that W3C Trace Context (section 3.2) carries a trace in.
const TRACEPARENT: &str = "traceparent";
/// Longest name of a store or package that is told: Android allows packages of 255 bytes.
const NAME_MAX: usize = 255;

thread_local! {
    /// Id of the trace that is being begun on this thread.
    static BEGUN: Cell<Option<TraceId>> = const { Cell::new(None) };
}

/// Ids for OpenTelemetry: random, but an app's trace in a run has the same id whoever begins it, and
/// however often. An app may stand on several pages, and a page may be read again after a crash.
#[derive(Debug, Default)]
pub struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        BEGUN.take().unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

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
        let tracer = global::tracer("xunjian");
        let page = Span::current().context().span().span_context().clone();
        let line = SpanBuilder::from_name("catalogue")
            .with_start_time(began)
            .with_attributes([KeyValue::new("store", plain(store)), KeyValue::new("package", package(app))])
            .with_links(if page.is_valid() { vec![Link::with_context(page)] } else { Vec::new() });
        BEGUN.set(Some(id_of(run, store, app)));
        let context = Context::new().with_span(tracer.build_with_context(line, &Context::new()));
        BEGUN.set(None);
        Self::of(context.span().span_context())
    }

    fn of(at: &SpanContext) -> Self {
        let mut headers = HashMap::new();
        if at.is_valid() {
            let context = Context::new().with_remote_span_context(at.clone());
            TraceContextPropagator::new().inject_context(&context, &mut headers);
        }
        Self(headers.remove(TRACEPARENT).unwrap_or_default())
    }

    /// Where what follows from the current span belongs; where this process makes no spans, where
    /// the job belongs itself.
    fn here(&self) -> Self {
        let here = Self::of(Span::current().context().span().span_context());
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
        let carried = HashMap::from([(TRACEPARENT.to_owned(), self.0.clone())]);
        // Without a collector there is nothing to belong to; the log has the id all the same.
        let _ = span.set_parent(TraceContextPropagator::new().extract_with_context(&Context::new(), &carried));
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

/// The id of an app's trace in a run.
fn id_of(run: &str, store: &str, app: &str) -> TraceId {
    let mut hash = Sha256::new();
    for part in [run, store, app] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    TraceId::from_bytes(id)
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
    fn a_trace_has_one_id_a_run_and_nothing_is_carried_where_nobody_traces() {
        assert_eq!(id_of("1 5", "s", "a"), id_of("1 5", "s", "a"));
        assert_ne!(id_of("1 5", "s", "a"), id_of("1 6", "s", "a"));
        assert_ne!(id_of("1 5", "s", "ab"), id_of("1 5", "sa", "b"));
        assert!(Way::Line { run: "", began: SystemTime::now() }.next("s", "a").is_empty());
        let carried = Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
        assert_eq!(carried.id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(Way::Job(&carried).next("s", "a"), carried, "an untraced worker hands it on");
        assert!(Trace::default().span("listing", 1, "s", "a").is_none());
    }
}
