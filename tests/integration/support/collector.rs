//! A collector that takes OTLP over HTTP, and keeps what it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as Code;
use prost::Message;

/// What it does with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Takes,
    /// Never answers.
    Hangs,
    Refuses,
    /// Nobody listens there.
    Gone,
}

/// A span as it came.
#[derive(Debug, Clone)]
pub struct Span {
    /// In hex, as are all ids.
    pub trace: String,
    pub id: String,
    /// Empty for a beginning.
    pub parent: String,
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub events: usize,
    pub is_error: bool,
    /// Which process told it.
    pub instance: String,
}

#[derive(Clone)]
pub struct Collector {
    mood: Mood,
    spans: Arc<Mutex<Vec<Span>>>,
    /// Endpoint, without the path of traces.
    pub url: String,
}

impl Collector {
    pub async fn start(mood: Mood) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self { mood, spans: Arc::default(), url };
        let router = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        if mood != Mood::Gone {
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        }
        collector
    }

    /// What came so far.
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }
}

async fn take(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) -> (StatusCode, Vec<u8>) {
    match collector.mood {
        Mood::Takes => {}
        Mood::Hangs => tokio::time::sleep(Duration::from_secs(3600)).await,
        Mood::Refuses | Mood::Gone => return (StatusCode::FORBIDDEN, Vec::new()),
    }
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let told = ExportTraceServiceRequest::decode(body).unwrap();
    let mut spans = collector.spans.lock().unwrap();
    for of in told.resource_spans {
        let resource = attributes(&of.resource.unwrap().attributes);
        assert_eq!(resource["service.name"], "xunjian");
        for span in of.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
            spans.push(Span {
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                name: span.name,
                attributes: attributes(&span.attributes),
                events: span.events.len(),
                is_error: span.status.is_some_and(|status| status.code == Code::Error as i32),
                instance: resource["service.instance.id"].clone(),
            });
        }
    }
    (StatusCode::OK, Vec::new())
}

fn attributes(told: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    };
    told.iter().map(|pair| (pair.key.clone(), text(pair.value.as_ref().unwrap().value.as_ref().unwrap()))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
