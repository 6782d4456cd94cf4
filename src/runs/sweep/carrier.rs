//! How a trace goes from job to job: OpenTelemetry's spans, carried as the `traceparent` of W3C Trace Context.

use std::cell::Cell;
use std::collections::HashMap;
use std::time::SystemTime;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Link, SpanBuilder, SpanContext, SpanId, TraceContextExt, TraceId, Tracer};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use sha2::{Digest, Sha256};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header that W3C Trace Context (section 3.2) carries a trace in.
const TRACEPARENT: &str = "traceparent";

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

/// Begins the trace of an app of a store in a run, with the span of its line in the catalogue, and returns the
/// `traceparent` of that span. `store` and `package` are told; `of` alone makes the trace's id.
pub(super) fn begin(of: [&str; 3], store: String, package: String, began: SystemTime) -> String {
    let tracer = global::tracer("xunjian");
    let page = Span::current().context().span().span_context().clone();
    let line = SpanBuilder::from_name("catalogue")
        .with_start_time(began)
        .with_attributes([KeyValue::new("store", store), KeyValue::new("package", package)])
        .with_links(if page.is_valid() { vec![Link::with_context(page)] } else { Vec::new() });
    BEGUN.set(Some(id_of(of)));
    let context = Context::new().with_span(tracer.build_with_context(line, &Context::new()));
    BEGUN.set(None);
    traceparent(context.span().span_context())
}

/// The `traceparent` of the current span; empty where this process makes none.
pub(super) fn here() -> String {
    traceparent(Span::current().context().span().span_context())
}

/// Puts a span below the one that `carried` names.
pub(super) fn follow(span: &Span, carried: &str) {
    let carried = HashMap::from([(TRACEPARENT.to_owned(), carried.to_owned())]);
    // Without a collector there is nothing to belong to; the log has the id all the same.
    let _ = span.set_parent(TraceContextPropagator::new().extract_with_context(&Context::new(), &carried));
}

fn traceparent(at: &SpanContext) -> String {
    let mut headers = HashMap::new();
    if at.is_valid() {
        let context = Context::new().with_remote_span_context(at.clone());
        TraceContextPropagator::new().inject_context(&context, &mut headers);
    }
    headers.remove(TRACEPARENT).unwrap_or_default()
}

/// The id of an app's trace in a run: of the run, the store and the app.
fn id_of(parts: [&str; 3]) -> TraceId {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    TraceId::from_bytes(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_has_one_id_a_run() {
        assert_eq!(id_of(["1 5", "s", "a"]), id_of(["1 5", "s", "a"]));
        assert_ne!(id_of(["1 5", "s", "a"]), id_of(["1 6", "s", "a"]));
        assert_ne!(id_of(["1 5", "s", "ab"]), id_of(["1 5", "sa", "b"]));
    }
}
