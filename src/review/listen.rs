//! Connections: how many there may be, how long each may take to say what it wants, and which one
//! gives way when there is no room for another.
//!
//! Whoever connects and says nothing, or half of something, costs a place and no more: when all
//! places are taken, the one that has waited longest without a whole request is closed. So a page
//! that strangers hold a thousand half requests open to still answers the next whole one.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// Longest that the head of a request may take, and that a connection may be idle.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Bytes of a request's head at most.
const HEAD_BYTES: usize = 64 << 10;
/// An answer that is not taken for this long may be closed when there is no room.
const STALLED: Duration = Duration::from_secs(70);
/// Time that open requests have to end when the program is told to stop.
const GRACE: Duration = Duration::from_secs(10);
/// Rest after the system had no more connections to give.
const REST: Duration = Duration::from_millis(50);

/// How many connections there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caps {
    /// In all.
    pub(crate) all: usize,
    /// Of one address (IPv6: of one network of 64 bits).
    pub(crate) each: usize,
}

/// Answers until `stop` comes, then lets what is under way end.
pub(crate) async fn serve(listener: TcpListener, router: Router, caps: Caps, stop: impl Future<Output = ()>) {
    let lines = Lines { caps, open: Arc::default() };
    let (told, closing) = watch::channel(false);
    let mut talks = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = talks.join_next(), if !talks.is_empty() => {}
            taken = listener.accept() => match taken {
                Ok((stream, peer)) => {
                    if let Some(line) = lines.open(peer.ip()) {
                        talks.spawn(talk(stream, peer, line, router.clone(), closing.clone()));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    lines.make_room();
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }
    drop(listener);
    let _ = told.send(true);
    let ended = async { while talks.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, ended).await;
}

async fn talk(
    stream: TcpStream,
    peer: std::net::SocketAddr,
    line: Open,
    router: Router,
    mut closing: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let router = TowerToHyperService::new(router);
    let held = Arc::clone(&line.line);
    let service = service_fn(|request: Request<Incoming>| {
        let answering = Arc::new(Answering { line: Arc::clone(&held), has_arrived: AtomicBool::new(false) });
        let mut request = request.map(|body| arriving(body, &answering));
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(Held(Arc::clone(&held)));
        let answer = router.call(request);
        async move {
            let answer: Response<Body> = answer.await?;
            answering.arrived();
            Ok::<_, Infallible>(answer.map(|body| With { body, _with: answering }))
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_BYTES);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let mut is_told = false;
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            () = line.line.close.notified() => return,
            _ = closing.changed(), if !is_told => {
                is_told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// A body that tells when it has been read or let go.
fn arriving(body: Incoming, answering: &Arc<Answering>) -> Body {
    if body.is_end_stream() {
        answering.arrived();
    }
    Body::new(With { body, _with: Arrival(Arc::clone(answering)) })
}

/// Where a connection stands.
struct Stage {
    since: Instant,
    /// Requests that came whole and are being answered.
    whole: usize,
    /// Somebody we know sends or takes something long.
    is_held: bool,
}

/// A connection, as the others see it.
struct Line {
    address: IpAddr,
    stage: Mutex<Stage>,
    close: Notify,
}

impl Line {
    fn stage(&self) -> std::sync::MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when it could be closed without loss; `None` while it must not.
    fn idle_since(&self) -> Option<Instant> {
        let stage = self.stage();
        let may = !stage.is_held && (stage.whole == 0 || stage.since.elapsed() > STALLED);
        may.then_some(stage.since)
    }
}

/// In the extensions of a request: keeps its connection open, however many others wait.
#[derive(Clone)]
pub(crate) struct Held(Arc<Line>);

impl Held {
    /// To be called once it is known who asks.
    pub(crate) fn keep(&self) {
        self.0.stage().is_held = true;
    }
}

/// A request until its answer was taken.
struct Answering {
    line: Arc<Line>,
    has_arrived: AtomicBool,
}

impl Answering {
    fn arrived(&self) {
        if !self.has_arrived.swap(true, Ordering::Relaxed) {
            let mut stage = self.line.stage();
            stage.whole += 1;
            stage.since = Instant::now();
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut stage = self.line.stage();
        if self.has_arrived.load(Ordering::Relaxed) {
            stage.whole -= 1;
        }
        stage.is_held = false;
        stage.since = Instant::now();
    }
}

/// Tells that a request's body has come when it is dropped.
struct Arrival(Arc<Answering>);

impl Drop for Arrival {
    fn drop(&mut self) {
        self.0.arrived();
    }
}

/// A body with something that lives as long.
struct With<B, T> {
    body: B,
    _with: T,
}

impl<B: HttpBody + Unpin, T: Unpin> HttpBody for With<B, T> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The connections there are.
#[derive(Clone)]
struct Lines {
    caps: Caps,
    open: Arc<Mutex<Vec<Arc<Line>>>>,
}

/// A place among the connections, until it is dropped.
struct Open {
    line: Arc<Line>,
    open: Arc<Mutex<Vec<Arc<Line>>>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|line| !Arc::ptr_eq(line, &self.line));
    }
}

impl Lines {
    /// A place for a connection from an address; `None` where every other one is at work.
    fn open(&self, address: IpAddr) -> Option<Open> {
        let address = network_of(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.iter().filter(|line| line.address == address).count();
        if own >= self.caps.each {
            close_longest(&mut open, Some(address))?;
        } else if open.len() >= self.caps.all {
            close_longest(&mut open, None)?;
        }
        let stage = Stage { since: Instant::now(), whole: 0, is_held: false };
        let line = Arc::new(Line { address, stage: Mutex::new(stage), close: Notify::new() });
        open.push(Arc::clone(&line));
        Some(Open { line, open: Arc::clone(&self.open) })
    }

    fn make_room(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = close_longest(&mut open, None);
    }
}

/// Closes the connection that has been idle longest: of an address, or of the address that has most.
fn close_longest(open: &mut Vec<Arc<Line>>, of: Option<IpAddr>) -> Option<()> {
    let mut counts = std::collections::HashMap::new();
    for line in open.iter() {
        *counts.entry(line.address).or_insert(0_usize) += 1;
    }
    let idle = open.iter().enumerate().filter(|(_, line)| of.is_none_or(|address| line.address == address));
    let idle = idle.filter_map(|(at, line)| Some((at, line.address, line.idle_since()?)));
    let (at, ..) = idle.min_by_key(|(_, address, since)| {
        (std::cmp::Reverse(counts.get(address).copied().unwrap_or_default()), *since)
    })?;
    open.swap_remove(at).close.notify_one();
    Some(())
}

/// What counts as one address: whoever has an IPv6 address has a network of 64 bits of them.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => v6
            .to_ipv4_mapped()
            .map_or_else(|| IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))), IpAddr::V4),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    fn lines(all: usize, each: usize) -> Lines {
        Lines { caps: Caps { all, each }, open: Arc::default() }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_longest_idle_of_the_address_with_most_gives_way() {
        let lines = lines(3, 2);
        let first = lines.open(address("192.0.2.1")).unwrap();
        let second = lines.open(address("192.0.2.1")).unwrap();
        let other = lines.open(address("192.0.2.2")).unwrap();
        let third = lines.open(address("192.0.2.3")).unwrap();
        let open = |line: &Open| lines.open.lock().unwrap().iter().any(|known| Arc::ptr_eq(known, &line.line));
        assert!(!open(&first) && open(&second) && open(&other) && open(&third));
    }

    #[test]
    fn who_is_at_work_is_not_closed() {
        let lines = lines(8, 1);
        let one = lines.open(address("2001:db8::1")).unwrap();
        one.line.stage().whole = 1;
        assert!(lines.open(address("2001:db8::2")).is_none(), "the same network");
        assert!(lines.open(address("2001:db8:0:1::2")).is_some());
        one.line.stage().whole = 0;
        assert!(lines.open(address("2001:db8::2")).is_some());
        let held = lines.open(address("192.0.2.9")).unwrap();
        Held(Arc::clone(&held.line)).keep();
        assert!(lines.open(address("192.0.2.9")).is_none());
    }
}
