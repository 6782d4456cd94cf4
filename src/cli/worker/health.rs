//! What a worker tells of itself: alive, ready, and how much it did.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::extract::State as Held;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::acquire::Client;
use crate::cli::traces;
use crate::pipeline::sweep::Tally;
use crate::store::{Database, State, Work};

/// What is asked for, and where to find it.
pub(super) struct Health {
    state: Database,
    /// The worker is told to end, and finishes what is in hand.
    draining: Arc<AtomicBool>,
    /// What was done since it began.
    pub(super) tally: Arc<Tally>,
    client: Mutex<Option<Arc<Client>>>,
}

impl Health {
    pub(super) fn new(state: Database, draining: Arc<AtomicBool>) -> Self {
        Self { state, draining, tally: Arc::default(), client: Mutex::default() }
    }

    /// Tells of the hosts that this client asks.
    pub(super) fn watch(&self, client: &Arc<Client>) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(client));
    }

    /// Prometheus' text format, version 0.0.4.
    async fn metrics(&self) -> String {
        let told = self.tally.counts();
        let mut out = String::new();
        let mut counter = |name: &str, help: &str, value: u64| {
            let _ =
                write!(out, "# HELP xunjian_{name} {help}\n# TYPE xunjian_{name} counter\nxunjian_{name} {value}\n");
        };
        counter("pages_total", "Catalogue pages read.", told.pages);
        counter("unmodified_total", "Answers that were not modified since the last sweep.", told.unmodified);
        counter("listings_total", "Listings read.", told.listings);
        counter("unchanged_total", "Apps with nothing new.", told.unchanged);
        counter("packages_total", "Packages fetched.", told.packages);
        counter("package_bytes_total", "Bytes of packages fetched.", told.bytes);
        counter("audits_total", "Apps audited.", told.audits);
        counter("skips_total", "Things left out.", told.skips);
        counter("waits_total", "Jobs put off because a store asked for patience or the network failed.", told.waits);
        let (ended, sent) = traces::counts();
        counter("spans_total", "Spans that ended.", ended);
        counter("spans_sent_total", "Spans that the collector has.", sent);
        self.hosts(&mut out);
        self.jobs(&mut out).await;
        out
    }

    fn hosts(&self, out: &mut String) {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let hosts = client.map(|client| client.hosts()).unwrap_or_default();
        out.push_str(
            "# HELP xunjian_host_requests_total Requests begun.\n# TYPE xunjian_host_requests_total counter\n",
        );
        for host in &hosts {
            let _ = writeln!(out, "xunjian_host_requests_total{{host={}}} {}", quoted(&host.host), host.requests);
        }
        out.push_str("# HELP xunjian_host_rests_seconds Seconds a host is still left alone.\n");
        out.push_str("# TYPE xunjian_host_rests_seconds gauge\n");
        for host in &hosts {
            let _ = writeln!(out, "xunjian_host_rests_seconds{{host={}}} {}", quoted(&host.host), host.rests);
        }
    }

    async fn jobs(&self, out: &mut String) {
        let counts = self.state.counts("").await.unwrap_or_default();
        out.push_str("# HELP xunjian_jobs Jobs of runs that go on.\n# TYPE xunjian_jobs gauge\n");
        for count in counts {
            let (queue, state) = (quoted(&count.queue), quoted(&count.state));
            let _ = writeln!(out, "xunjian_jobs{{queue={queue},state={state}}} {}", count.count);
        }
    }

    async fn is_ready(&self) -> bool {
        !self.draining.load(Ordering::Relaxed) && self.state.runs(1).await.is_ok()
    }
}

/// A label's value: names of hosts and queues come from outside.
fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// Answers in the background for as long as the process lives.
pub(super) async fn listen(address: SocketAddr, health: Arc<Health>) -> anyhow::Result<()> {
    let listener =
        tokio::net::TcpListener::bind(address).await.with_context(|| format!("--listen {address}: cannot be used"))?;
    println!("http://{}/", listener.local_addr().context("the listener has no address")?);
    let router = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}

async fn ready(Held(health): Held<Arc<Health>>) -> impl IntoResponse {
    if health.is_ready().await { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") }
}

async fn metrics(Held(health): Held<Arc<Health>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], health.metrics().await)
}
