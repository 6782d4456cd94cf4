//! What a worker tells of itself: alive, ready, and how much it did.

use std::collections::BTreeMap;
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
use crate::cli::usage::OrUsage;
use crate::review::listen::{Caps, serve};
use crate::runs::status::status;
use crate::runs::sweep::Tally;
use crate::store::{Database, Desk, DeskQuery, State, Work};

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
        self.stands(&mut out).await;
        let _ = write!(
            out,
            "# HELP xunjian_build_info The version.\n# TYPE xunjian_build_info gauge\nxunjian_build_info{{version={}}} 1\n",
            quoted(env!("CARGO_PKG_VERSION"))
        );
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
        let counts = self.state.counts("").await;
        let _ = write!(
            out,
            "# HELP xunjian_state_up The state answers.\n# TYPE xunjian_state_up gauge\nxunjian_state_up {}\n",
            u8::from(counts.is_ok())
        );
        out.push_str("# HELP xunjian_jobs Jobs of runs that go on.\n# TYPE xunjian_jobs gauge\n");
        let mut jobs: BTreeMap<(String, String), u64> = BTreeMap::new();
        for count in counts.unwrap_or_default() {
            // Without the run's number: each run would begin a series of its own.
            let queue = match count.queue.split_once('/') {
                Some((run, queue)) if run.bytes().all(|b| b.is_ascii_digit()) => queue.to_owned(),
                _ => count.queue,
            };
            *jobs.entry((queue, count.state)).or_default() += count.count;
        }
        for ((queue, state), count) in jobs {
            let _ = writeln!(out, "xunjian_jobs{{queue={},state={}}} {count}", quoted(&queue), quoted(&state));
        }
    }

    /// Stores, what waits, and what people have to look at.
    async fn stands(&self, out: &mut String) {
        let now = crate::runs::sweep::now();
        let seconds = |at: i64| now.saturating_sub(at).max(0) / 1000;
        if let Ok(status) = status(&self.state).await {
            let oldest = status.oldest_job.map_or(0, seconds);
            let _ = write!(
                out,
                "# HELP xunjian_oldest_job_seconds How long the oldest job that could be taken waits.\n# TYPE xunjian_oldest_job_seconds gauge\nxunjian_oldest_job_seconds {oldest}\n"
            );
            out.push_str("# HELP xunjian_store_last_success_seconds Seconds since a sweep last read a store.\n");
            out.push_str("# TYPE xunjian_store_last_success_seconds gauge\n");
            for (store, told) in &status.stores {
                if let Some(at) = told.last_success {
                    let (store, age) = (quoted(store), seconds(at));
                    let _ = writeln!(out, "xunjian_store_last_success_seconds{{store={store}}} {age}");
                }
            }
            out.push_str("# HELP xunjian_left_out Left out by the latest sweep of a store, by reason.\n");
            out.push_str("# TYPE xunjian_left_out gauge\n");
            for (store, told) in &status.stores {
                for (reason, count) in &told.left_out {
                    let (store, reason) = (quoted(store), quoted(reason));
                    let _ = writeln!(out, "xunjian_left_out{{store={store},reason={reason}}} {count}");
                }
            }
        }
        if let Ok(counts) = self.state.desk_counts(&DeskQuery::default()).await {
            // `mended`, `reassessed` and `unseen` that jump by many at once are worth an alarm.
            out.push_str("# HELP xunjian_apps Apps by tray of the inbox.\n# TYPE xunjian_apps gauge\n");
            for (tray, count) in counts.trays {
                let _ = writeln!(out, "xunjian_apps{{tray={}}} {count}", quoted(tray.id()));
            }
            out.push_str("# HELP xunjian_findings_waiting Findings to look at, by sign.\n");
            out.push_str("# TYPE xunjian_findings_waiting gauge\n");
            for (sign, count) in counts.signs {
                let _ = writeln!(out, "xunjian_findings_waiting{{sign={}}} {count}", quoted(&sign));
            }
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
        tokio::net::TcpListener::bind(address).await.or_usage(|| format!("--listen {address}: cannot be used"))?;
    println!("http://{}/", listener.local_addr().context("the listener has no address")?);
    let router = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health);
    let caps = Caps { all: 128, each: 64 };
    tokio::spawn(serve(listener, router, caps, std::future::pending()));
    Ok(())
}

async fn ready(Held(health): Held<Arc<Health>>) -> impl IntoResponse {
    if health.is_ready().await { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") }
}

async fn metrics(Held(health): Held<Arc<Health>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], health.metrics().await)
}
