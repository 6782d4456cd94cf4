//! Spans to an OpenTelemetry collector, for `sweep`, `watch`, `worker` and `serve`.
//!
//! They wait in a bounded queue and are sent by a thread of their own: a collector that is slow, gone
//! or refuses costs spans, which are counted, and nothing else.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, Span, SpanData, SpanExporter as Exporter, SpanProcessor,
};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::usage::OrUsage;
use crate::model::config::Config;
use crate::runs::sweep::Ids;

/// Longest that a request to the collector takes.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest that the end of the program waits for what is not sent yet.
const FLUSH: Duration = Duration::from_secs(3);
/// Time between sendings.
const EVERY: Duration = Duration::from_secs(1);
/// Spans that wait at most, some 10 MB; a page of a catalogue may begin thousands of traces at once.
const WAITING_MAX: usize = 16_384;
/// Path of traces under an endpoint (OTLP specification 1.5, "OTLP/HTTP").
const PATH: &str = "/v1/traces";
/// Where the environment may say which collector.
const SAID: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Spans that ended in this process, and those that a collector has.
static ENDED: AtomicU64 = AtomicU64::new(0);
static SENT: AtomicU64 = AtomicU64::new(0);
static FAILED: AtomicU64 = AtomicU64::new(0);

/// Spans that ended so far, and those that the collector has.
pub(super) fn counts() -> (u64, u64) {
    (ENDED.load(Ordering::Relaxed), SENT.load(Ordering::Relaxed))
}

/// The way to a collector; what is left is sent when it is dropped.
pub struct Traces {
    provider: SdkTracerProvider,
    /// Threads of its own, which outlive those of the command.
    _runtime: tokio::runtime::Runtime,
}

impl Traces {
    /// The way to the collector that environment or configuration name; `None` where they name none.
    pub(super) fn start(config: &Config) -> anyhow::Result<Option<Self>> {
        let is_said = SAID.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        let is_off = std::env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
        if is_off || !is_said && config.traces.endpoint.is_empty() {
            return Ok(None);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let exporter = exporter((!is_said).then_some(config.traces.endpoint.as_str()), &runtime)?;
        let mut queue = BatchConfigBuilder::default().with_scheduled_delay(EVERY);
        if std::env::var_os("OTEL_BSP_MAX_QUEUE_SIZE").is_none() {
            queue = queue.with_max_queue_size(WAITING_MAX);
        }
        let batches = BatchSpanProcessor::builder(Counting(exporter)).with_batch_config(queue.build()).build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource())
            .with_id_generator(Ids::default())
            .with_span_processor(Counted(batches))
            .build();
        global::set_tracer_provider(provider.clone());
        Ok(Some(Self { provider, _runtime: runtime }))
    }

    /// Takes our spans, and no events: what the log says stays in the log.
    pub(super) fn layer<S>(&self) -> impl Layer<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("xunjian"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|of| of.is_span() && of.target().starts_with("xunjian")))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // Whether it came to an end in time the counts tell.
        let _ = self.provider.shutdown_with_timeout(FLUSH);
        let (ended, sent) = counts();
        if ended > sent {
            tracing::warn!(lost = ended - sent, sent, "spans did not reach the collector");
        }
    }
}

fn exporter(endpoint: Option<&str>, runtime: &tokio::runtime::Runtime) -> anyhow::Result<SpanExporter> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("xunjian/", env!("CARGO_PKG_VERSION")))
        .build()?;
    let sender = Sender { client, runtime: runtime.handle().clone() };
    let builder = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(PATIENCE)
        .with_http_client(sender);
    let builder = match endpoint {
        Some(endpoint) => builder.with_endpoint(format!("{}{PATH}", endpoint.trim_end_matches('/'))),
        None => builder,
    };
    // The address is not repeated: it may hold a token.
    builder.build().ok().or_usage(|| "--config: [traces] endpoint, or OTEL_EXPORTER_OTLP_ENDPOINT, cannot be used: give an address as http://HOST:4318")
}

/// Who sends: several workers are told apart by their numbers.
fn resource() -> Resource {
    let instance = format!("{:016x}", fastrand::u64(..));
    let resource = Resource::builder().with_attributes([
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", instance),
    ]);
    match std::env::var_os("OTEL_SERVICE_NAME") {
        Some(_) => resource.build(),
        None => resource.with_service_name("xunjian").build(),
    }
}

/// Sends on threads that can wait for a network; the thread of the queue cannot.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: tokio::runtime::Handle,
}

type Answer = Result<Response<Bytes>, HttpError>;

impl HttpClient for Sender {
    fn send_bytes<'a, 'f>(&'a self, request: Request<Bytes>) -> Pin<Box<dyn Future<Output = Answer> + Send + 'f>>
    where
        'a: 'f,
    {
        let client = self.client.clone();
        let sending = self.runtime.spawn(async move { client.send_bytes(request).await });
        Box::pin(async move { sending.await? })
    }
}

/// Counts spans that end.
#[derive(Debug)]
struct Counted(BatchSpanProcessor);

impl SpanProcessor for Counted {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        ENDED.fetch_add(1, Ordering::Relaxed);
        self.0.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// Counts spans that arrive, and says once that some do not.
#[derive(Debug)]
struct Counting(SpanExporter);

impl Exporter for Counting {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let done = self.0.export(batch).await;
        match &done {
            Ok(()) => {
                SENT.fetch_add(spans, Ordering::Relaxed);
            }
            Err(error) => {
                if FAILED.fetch_add(spans, Ordering::Relaxed) == 0 {
                    tracing::warn!("the collector does not take spans: {error}; work goes on, what is lost is counted");
                }
            }
        }
        done
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
