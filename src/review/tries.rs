//! Passwords, tried: counted as wrong before they are looked at, so that of any number at once no
//! more than a few are, and counted by where they come from, so that a stranger who guesses at a
//! name keeps its owner out of nothing.
//!
//! A source is a browser that signed in before (it has a cookie that says so), else an address. Five
//! wrong ones from one source lock it for a quarter of an hour. Sources from which a name never
//! signed in share a bound for that name, and each address one for all names.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use tokio::sync::Semaphore;

use super::failure::Failure;
use super::listen::network_of;
use super::session::{kept, note, random_or_ours, secure};
use super::{Shared, password, time};
use crate::store::{Counted, Limit, People, Person};

/// Cookie by which a browser is known that signed in before.
pub(super) const DEVICE: &str = "xunjian-device";
/// How long a source is known after the right password came from there, in milliseconds: 90 days.
const KNOWN: i64 = 90 * 86_400_000;
/// A day, in milliseconds.
const DAY: i64 = 86_400_000;
/// Wrong passwords for a name from one source.
const OWN: Limit = Limit { most: 5, lock: 15 * 60_000 };
/// For a name, from all sources that are not known.
const UNKNOWN: Limit = Limit { most: 50, lock: 60 * 60_000 };
/// For any name, from one address that is not known to that name.
const ADDRESS: Limit = Limit { most: 30, lock: 15 * 60_000 };
/// Longest wait until a password can be looked at.
const WAIT: Duration = Duration::from_secs(10);

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

impl FromRequestParts<Shared> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Shared) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
        // The proxy in front adds at the end whom it heard; what stands before that anybody may have written.
        let forwarded = parts.headers.get_all("x-forwarded-for").into_iter().next_back();
        let forwarded = forwarded.filter(|_| site.options.is_behind_tls).and_then(|value| value.to_str().ok());
        let last = forwarded.and_then(|all| all.rsplit(',').next()).and_then(|last| last.trim().parse().ok());
        Ok(Self(network_of(last.unwrap_or(peer))))
    }
}

/// What a try was counted on.
struct Try {
    source: String,
    /// A password came right from there before.
    is_known: bool,
    /// If it is wrong, the source is locked.
    is_last: bool,
}

/// The person, if name and password fit and the source is not locked. A name that nobody has takes
/// as long as one that somebody has.
pub(super) async fn is_let_in(
    site: &Shared,
    name: &str,
    secret: String,
    peer: &Peer,
    device: Option<&str>,
) -> Result<Option<Person>, Failure> {
    let Some(tried) = begin(site, name, peer, device).await? else { return Ok(None) };
    let places = if tried.is_known { &site.known_passwords } else { &site.passwords };
    let before = is_right(site, places, name, secret).await?;
    // What was true before the wait need not be true any more.
    let now = site.home.state.person(name).await?;
    let person = now.zip(before).filter(|(now, before)| now.is_active && now.password == before.password);
    let Some((person, _)) = person else {
        if tried.is_last && site.home.state.person(name).await?.is_some() {
            note(site, name, "locked", &peer.0.to_string()).await?;
        }
        // Now and then: what strangers leave behind does not grow.
        if fastrand::u8(..) == 0 {
            forget(site).await?;
        }
        return Ok(None);
    };
    let (state, at) = (&site.home.state, time::now());
    state.uncount(name, &tried.source, OWN, true, at).await?;
    if !tried.is_known {
        state.uncount(name, "*", UNKNOWN, false, at).await?;
        state.uncount("", &peer.0.to_string(), ADDRESS, false, at).await?;
    }
    forget(site).await?;
    Ok(Some(person))
}

async fn forget(site: &Shared) -> Result<(), Failure> {
    let now = time::now();
    Ok(site.home.state.forget_tries(now - DAY, now - KNOWN).await?)
}

/// Counts a try; `None` where it is not to be looked at.
async fn begin(site: &Shared, name: &str, peer: &Peer, device: Option<&str>) -> Result<Option<Try>, Failure> {
    let (state, now, address) = (&site.home.state, time::now(), peer.0.to_string());
    let device = device.filter(|token| token.len() == 64).map(|token| format!("device {}", kept(token)));
    let since = now - KNOWN;
    let (source, is_known) = match device {
        Some(device) if state.was_right(name, &device, since).await? => (device, true),
        _ => {
            let is_known = state.was_right(name, &address, since).await?;
            (address.clone(), is_known)
        }
    };
    let counted = state.count(name, &source, OWN, now).await?;
    if counted == Counted::Locked {
        return Ok(None);
    }
    if !is_known {
        for (name, source, limit) in [(name, "*", UNKNOWN), ("", &*address, ADDRESS)] {
            match state.count(name, source, limit, now).await? {
                Counted::Locked => return Ok(None),
                Counted::Last => tracing::warn!(source, "many wrong passwords: more from there wait for a while"),
                Counted::Go => {}
            }
        }
    }
    Ok(Some(Try { source, is_known, is_last: counted == Counted::Last }))
}

/// The cookie that makes a browser known which has just signed in.
pub(super) async fn known_device(site: &Shared, name: &str, device: Option<String>) -> Result<String, Failure> {
    let token = match device.filter(|token| token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit())) {
        Some(token) => token,
        None => random_or_ours()?,
    };
    let source = format!("device {}", kept(&token));
    site.home.state.uncount(name, &source, OWN, true, time::now()).await?;
    Ok(format!("{DEVICE}={token}; Path=/sign-in; Max-Age=7776000; HttpOnly; SameSite=Strict{}", secure(site)))
}

/// Whether somebody who is signed in knows their password: counted like one who is not.
pub(super) async fn knows_own(site: &Shared, name: &str, secret: String) -> Result<Known, Failure> {
    let state = &site.home.state;
    let counted = state.count(name, "me", OWN, time::now()).await?;
    if counted == Counted::Locked {
        return Ok(Known::Locked);
    }
    if is_right(site, &site.known_passwords, name, secret).await?.is_some() {
        state.uncount(name, "me", OWN, true, time::now()).await?;
        return Ok(Known::Yes);
    }
    Ok(if counted == Counted::Last { Known::Locked } else { Known::No })
}

/// What somebody who is signed in knows of their password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It.
    Yes,
    /// Not it.
    No,
    /// Not it too often.
    Locked,
}

/// Checks a password, a few at a time and away from the threads that serve pages; the person as they
/// were when it was checked.
async fn is_right(site: &Shared, places: &Semaphore, name: &str, secret: String) -> Result<Option<Person>, Failure> {
    let _place = tokio::time::timeout(WAIT, places.acquire()).await.ok().and_then(Result::ok).ok_or(Failure::Busy)?;
    let person = site.home.state.person(name).await?;
    let hash = person.as_ref().map_or_else(|| site.nobody.clone(), |person| person.password.clone());
    let is_right = tokio::task::spawn_blocking(move || password::is_right(&secret, &hash));
    let is_right = is_right.await.map_err(Failure::ours)?;
    Ok(person.filter(|_| is_right))
}
