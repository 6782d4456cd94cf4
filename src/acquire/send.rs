//! One request on the wire: redirects followed by hand, each address checked like the first.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use reqwest::redirect::Policy;
use tokio::time::Instant;
use url::Url;

use super::guard::{self, Refused};
use super::host::{Host, Permit};
use super::resolver::{Guarded, Names};
use super::robots::{self, Rules};
use super::wait::retry_after;
use super::{Client, ClientError, coding};
use crate::model::config::Config;
use crate::model::fetch::{Answer, Ask, Fault, Hop, Method, Outcome, Purpose, octets_text, text_octets};

/// Octets of a redirect's own body that are kept as evidence.
const HOP_BODY: u64 = 16 << 10;
/// Longest wait for it.
const HOP_WAIT: Duration = Duration::from_secs(3);

/// Builds the HTTP library's client. Bodies come as they lie on the server.
pub(super) fn library(config: &Config, names: &Arc<dyn Names>) -> Result<reqwest::Client, ClientError> {
    // Fails when there is one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let network = &config.network;
    let proxy = match network.proxy.as_str() {
        "" => None,
        address => {
            Some(reqwest::Proxy::all(address).map_err(|e| ClientError::Setting("network.proxy", e.to_string()))?)
        }
    };
    let proxy_host = Url::parse(&network.proxy).ok().and_then(|url| url.host_str().map(str::to_owned));
    let resolver = Guarded { names: Arc::clone(names), allow_private: network.allow_private, proxy: proxy_host };
    // Proxies of the environment would resolve names behind the guard's back.
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .dns_resolver(Arc::new(resolver))
        .connect_timeout(Duration::from_secs_f64(network.connect_timeout))
        .read_timeout(Duration::from_secs_f64(network.idle_timeout))
        .pool_idle_timeout(Duration::from_secs(30))
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate();
    if let Some(proxy) = proxy {
        builder = builder.proxy(proxy);
    }
    if !network.client_certificate.is_empty() {
        let fail = |e: String| ClientError::Setting("network.client-certificate", e);
        let pem = std::fs::read(&network.client_certificate).map_err(|e| fail(e.to_string()))?;
        builder = builder.identity(reqwest::Identity::from_pem(&pem).map_err(|e| fail(e.to_string()))?);
    }
    Ok(builder.build()?)
}

/// An answer whose body has not been read yet. Holds the host's permit until it is dropped.
pub(super) struct Opened {
    pub(super) answer: Answer,
    pub(super) response: reqwest::Response,
    pub(super) host: Arc<Host>,
    pub(super) deadline: Instant,
    _permit: Permit,
}

impl Client {
    fn user_agent(&self) -> String {
        let contact = self.config.network.contact.trim();
        let version = env!("CARGO_PKG_VERSION");
        if contact.is_empty() { format!("xunjian/{version}") } else { format!("xunjian/{version} (+{contact})") }
    }

    /// Sends a request and follows redirects to an answer. `limit` is in seconds and counts
    /// from the moment each request is sent, waiting for a turn not included.
    pub(super) async fn open(&self, ask: &Ask, extra: &[(&str, String)], limit: f64) -> Result<Opened, Fault> {
        let mut url = parse(&ask.url)?;
        let mut method = ask.method;
        let mut hops = Vec::new();
        loop {
            self.admit(&url, ask.purpose).await?;
            let mut opened = self.send(ask, method, &url, extra, limit).await?;
            let Some(next) = redirect(&opened.answer, &url)? else {
                opened.answer.hops = hops;
                return Ok(opened);
            };
            let keeps_method = matches!(opened.answer.status, 307 | 308);
            hops.push(opened.hop(method, ask).await);
            let is_circle = hops.iter().any(|hop: &Hop| hop.url == next.as_str());
            if hops.len() > self.config.network.redirects as usize || is_circle {
                let detail =
                    format!("{}: redirects in a circle or more than {}", ask.url, self.config.network.redirects);
                return Err(Fault::new(Outcome::AdapterBroken, detail));
            }
            if !keeps_method {
                method = Method::Get;
            }
            url = next;
        }
    }

    /// The checks before every request: form and address, then robots.txt.
    async fn admit(&self, url: &Url, purpose: Purpose) -> Result<(), Fault> {
        self.allow(url).await?;
        if purpose == Purpose::Service {
            return Ok(());
        }
        let origin = url.origin().ascii_serialization();
        let lifetime = self.config.network.robots_lifetime;
        let rules = self.robots.rules(&origin, lifetime, self.robots_of(&origin)).await;
        if let Some(delay) = rules.delay() {
            self.host(url).crawl_delay(delay);
        }
        match rules.forbid(url) {
            None => Ok(()),
            Some(fault) => Err(fault),
        }
    }

    async fn allow(&self, url: &Url) -> Result<(), Fault> {
        let network = &self.config.network;
        guard::check(url, network.allow_private).map_err(|e| refused(url, &e))?;
        // A proxy looks names up itself, behind the back of the resolver that checks addresses.
        match url.host() {
            Some(url::Host::Domain(name)) if !network.proxy.is_empty() && !network.allow_private => {
                self.is_public_name(name).await.map_err(|e| refused(url, &e))
            }
            _ => Ok(()),
        }
    }

    /// Checks a name before a proxy is asked for it, and where it leads as far as can be seen from here.
    async fn is_public_name(&self, name: &str) -> Result<(), Refused> {
        guard::check_name(name)?;
        if self.config.network.proxy_resolves {
            return Ok(());
        }
        let unresolved = |why: String| Refused::Unresolved { name: name.to_owned(), why };
        let limit = Duration::from_secs_f64(self.config.network.connect_timeout);
        let found = tokio::time::timeout(limit, self.names.look_up(name)).await;
        let found =
            found.map_err(|_| unresolved("no answer".into()))?.map_err(|error| unresolved(error.to_string()))?;
        // All of them: which one the proxy takes is not for us to say.
        match found.iter().find(|address| !guard::is_public(**address)) {
            Some(address) => Err(Refused::Name { name: name.to_owned(), address: *address }),
            None if found.is_empty() => Err(unresolved("it has no address".into())),
            None => Ok(()),
        }
    }

    async fn robots_of(&self, origin: &str) -> Rules {
        let mut url = match parse(&format!("{origin}/robots.txt")) {
            Ok(url) => url,
            Err(fault) => return Rules::None(fault.detail),
        };
        // RFC 9309, 2.3.1.2: at least five redirects.
        for _ in 0..=5 {
            if let Err(fault) = self.allow(&url).await {
                return Rules::Unreachable(fault);
            }
            let ask = Ask::default();
            let limit = self.config.network.page_timeout;
            let opened = match self.send(&ask, Method::Get, &url, &[], limit).await {
                Ok(opened) => opened,
                Err(fault) => return Rules::Unreachable(fault),
            };
            match redirect(&opened.answer, &url) {
                Ok(Some(next)) => url = next,
                Ok(None) => return self.rules_of(opened).await,
                Err(fault) => return Rules::None(fault.detail),
            }
        }
        // More redirects than that count as none there (RFC 9309, 2.3.1.2).
        Rules::All
    }

    async fn rules_of(&self, opened: Opened) -> Rules {
        let status = opened.answer.status;
        if let Some(rules) = Rules::of_status(status) {
            if status >= 500 {
                opened.host.failed(&self.config.network);
            }
            return rules;
        }
        match opened.head(robots::BYTES_MAX).await {
            Ok(answer) => Rules::read(answer.body).await,
            Err(fault) => Rules::Unreachable(fault),
        }
    }

    async fn send(
        &self,
        ask: &Ask,
        method: Method,
        url: &Url,
        extra: &[(&str, String)],
        limit: f64,
    ) -> Result<Opened, Fault> {
        let host = self.host(url);
        let permit = host.turn(&self.config.network).await?;
        let headers = self.headers(ask, url, extra)?;
        let mut request = match method {
            Method::Get => self.http.get(url.clone()),
            Method::Post => self.http.post(url.clone()).body(ask.body.clone()),
        };
        request = request.headers(headers.clone());
        let deadline = Instant::now() + Duration::from_secs_f64(limit);
        let result = match tokio::time::timeout_at(deadline, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.failure(url, &error)),
            Err(_) => Err(Fault::new(Outcome::Network, format!("{url}: no answer in {limit} s"))),
        };
        let response = result.inspect_err(|_| host.failed(&self.config.network))?;
        // What was connected to is what was resolved; this only says so once more.
        if let Some(peer) = response.remote_addr()
            && self.config.network.proxy.is_empty()
            && !self.config.network.allow_private
            && !guard::is_public(peer.ip())
        {
            return Err(refused(url, &Refused::Private(peer.ip())));
        }
        let answer = Answer {
            status: response.status().as_u16(),
            headers: plain(response.headers()),
            url: url.to_string(),
            sent: plain(&headers),
            peer: response.remote_addr(),
            ..Answer::default()
        };
        // Whatever else the answer is, it says when to come back (RFC 9110, 10.2.3).
        if let Some(seconds) = answer.header("retry-after").and_then(|v| retry_after(v, SystemTime::now())) {
            host.hold(Duration::from_secs(seconds));
        }
        Ok(Opened { answer, response, host, deadline, _permit: permit })
    }

    fn headers(&self, ask: &Ask, url: &Url, extra: &[(&str, String)]) -> Result<HeaderMap, Fault> {
        let mut map = HeaderMap::new();
        let mut put = |name: &str, value: &str| {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| e.to_string());
            let value = HeaderValue::from_str(value).map_err(|e| e.to_string());
            name.and_then(|name| value.map(|value| map.insert(name, value)))
                .map(|_| ())
                .map_err(|e| Fault::new(Outcome::AdapterBroken, format!("{url}: header cannot be sent: {e}")))
        };
        put("accept", "*/*")?;
        put("accept-language", "zh-CN,zh;q=0.9,en;q=0.5")?;
        put("accept-encoding", coding::ACCEPTED)?;
        // A token meant for one host is not handed to the next one.
        let is_home = parse(&ask.url).is_ok_and(|first| first.origin() == url.origin());
        for (name, value) in ask.headers.iter().filter(|_| is_home) {
            put(name, value)?;
        }
        if let Some(validators) = &ask.validators {
            if let Some(etag) = &validators.etag {
                put("if-none-match", etag)?;
            }
            if let Some(date) = &validators.last_modified {
                put("if-modified-since", date)?;
            }
        }
        for (name, value) in extra {
            put(name, value)?;
        }
        put(USER_AGENT.as_str(), &self.user_agent())?;
        Ok(map)
    }

    pub(super) fn failure(&self, url: &Url, error: &reqwest::Error) -> Fault {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut last = error.to_string();
        while let Some(inner) = cause {
            if let Some(refused_by) = inner.downcast_ref::<Refused>() {
                return refused(url, refused_by);
            }
            last = inner.to_string();
            cause = inner.source();
        }
        Fault::new(Outcome::Network, format!("{url}: {last}"))
    }
}

/// A refusal is ours and will not pass: trying again gains nothing, so it names no wait.
fn refused(url: &Url, why: &Refused) -> Fault {
    // But a name that cannot be looked up now may be later.
    let outcome = match why {
        Refused::Unresolved { .. } => Outcome::Network,
        Refused::Form(_) => Outcome::AdapterBroken,
        _ => Outcome::PrivateAddress,
    };
    Fault::new(outcome, format!("{url}: refused: {why}"))
}

pub(super) fn parse(url: &str) -> Result<Url, Fault> {
    Url::parse(url).map_err(|e| Fault::new(Outcome::AdapterBroken, format!("{url}: no address: {e}")))
}

/// Where an answer sends us; nothing when it is no redirect.
fn redirect(answer: &Answer, from: &Url) -> Result<Option<Url>, Fault> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let broken = |detail: String| Fault::new(Outcome::AdapterBroken, format!("{from}: {detail}"));
    let to = answer.header(LOCATION.as_str()).ok_or_else(|| broken("a redirect that names no address".into()))?;
    let mut next = from.join(&octet_for_octet(to)).map_err(|e| broken(format!("redirects to no address: {e}")))?;
    next.set_fragment(None);
    Ok(Some(next))
}

/// An address as it came: where it is no UTF-8, each octet that is not ASCII is percent-encoded for itself,
/// as the charset in which the server reads it is not known.
fn octet_for_octet(to: &str) -> Cow<'_, str> {
    let octets = text_octets(to);
    if std::str::from_utf8(&octets).is_ok() {
        return Cow::Borrowed(to);
    }
    let mut out = String::new();
    for octet in octets {
        if octet.is_ascii() { out.push(octet.into()) } else { out.push_str(&format!("%{octet:02X}")) }
    }
    Cow::Owned(out)
}

fn plain(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), octets_text(value.as_bytes()))).collect()
}

impl Opened {
    /// The next bytes of the body; nothing at its end.
    pub(super) async fn chunk(&mut self, client: Option<&Client>) -> Result<Option<impl AsRef<[u8]> + use<>>, Fault> {
        let url = &self.answer.url;
        let broken = |detail: String| Fault::new(Outcome::Network, format!("{url}: {detail}"));
        match tokio::time::timeout_at(self.deadline, self.response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => {
                let mut detail = error.to_string();
                let mut cause = std::error::Error::source(&error);
                while let Some(inner) = cause {
                    detail = inner.to_string();
                    cause = inner.source();
                }
                if let Some(client) = client {
                    self.host.failed(&client.config.network);
                }
                Err(broken(format!("broke off: {detail}")))
            }
            Err(_) => Err(broken("took too long".into())),
        }
    }

    /// Reads the body to its end and decodes it.
    pub(super) async fn read(self, cap: u64) -> Result<Answer, Fault> {
        let url = self.answer.url.clone();
        let over = || Fault::new(Outcome::AdapterBroken, format!("{url}: the body is over {cap} bytes"));
        let (mut answer, was_cut) = self.gather(cap).await?;
        if was_cut {
            return Err(over());
        }
        let (codings, body) = (coding::codings(&answer), std::mem::take(&mut answer.body));
        answer.body = if coding::is_plain(&codings, &body) {
            body
        } else {
            let decoding = tokio::task::spawn_blocking(move || coding::decoded(&codings, body, cap)).await;
            let broken = |e: String| Fault::new(Outcome::Network, format!("{url}: the body does not decode: {e}"));
            decoding.map_err(|e| broken(e.to_string()))?.map_err(|e| broken(e.to_string()))?
        };
        if answer.body.len() as u64 > cap { Err(over()) } else { Ok(answer) }
    }

    /// Reads the first `cap` bytes of the body, decoded as far as they go.
    pub(super) async fn head(self, cap: u64) -> Result<Answer, Fault> {
        let (mut answer, _) = self.gather(cap).await?;
        let codings = coding::codings(&answer);
        if !coding::is_plain(&codings, &answer.body)
            && let Ok(body) = coding::decoded(&codings, answer.body.clone(), cap)
        {
            answer.body = body;
        }
        answer.body.truncate(usize::try_from(cap).unwrap_or(usize::MAX));
        Ok(answer)
    }

    /// The redirect that this answer is, for evidence.
    async fn hop(self, method: Method, ask: &Ask) -> Hop {
        let answer = self.answer.clone();
        // A redirect whose body breaks off, or never ends, is a redirect.
        let read = tokio::time::timeout(HOP_WAIT, self.gather(HOP_BODY)).await;
        let (body, is_cut) = match read {
            Ok(Ok((read, is_cut))) => (read.body, is_cut),
            Ok(Err(_)) | Err(_) => (Vec::new(), true),
        };
        Hop {
            method: method.name().into(),
            url: answer.url,
            sent: answer.sent,
            sent_body: if method == Method::Post { octets_text(&ask.body) } else { String::new() },
            status: answer.status,
            headers: answer.headers,
            body: octets_text(&body),
            is_cut,
            peer: answer.peer.map(|peer| peer.to_string()),
        }
    }

    /// Reads the body, after what was read of it already, up to `cap` bytes; whether there was more.
    async fn gather(mut self, cap: u64) -> Result<(Answer, bool), Fault> {
        let mut body = std::mem::take(&mut self.answer.body);
        let mut was_cut = false;
        while let Some(chunk) = self.chunk(None).await? {
            let room = usize::try_from(cap).unwrap_or(usize::MAX).saturating_sub(body.len());
            let chunk = chunk.as_ref();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                was_cut = true;
                break;
            }
        }
        self.answer.body = body;
        Ok((self.answer, was_cut))
    }
}
