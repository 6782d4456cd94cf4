//! Requests into answers, politely: robots.txt, one limiter and one breaker per host,
//! `Retry-After`, backoff with jitter, conditional requests, redirects checked one by one, public
//! addresses only, caps on bytes and time. Knows nothing of stores.
//!
//! [`Client::fetch`] reads a page, [`Client::download`] writes a package to a file.

mod coding;
mod download;
mod file;
mod guard;
mod host;
mod part;
mod resolver;
mod robots;
mod send;
mod sniff;
mod turns;
mod wait;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

pub use guard::{Refused, check, is_public};
pub use host::HostState;
pub use resolver::{Lookup, Names, SystemNames};
pub use turns::{Answered, Turns};

use crate::model::config::{Config, Pace};
use crate::model::fetch::{Answer, Ask, Fault, Outcome, Purpose};
use host::{Host, lock};
use robots::Robots;

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A setting is unusable.
    #[error("{0}: {1}")]
    Setting(&'static str, String),
    /// The HTTP library refused.
    #[error("no HTTP client: {0}")]
    Library(#[from] reqwest::Error),
}

/// A polite client; cheap to share behind an [`Arc`].
pub struct Client {
    pub(self) config: Config,
    http: reqwest::Client,
    names: Arc<dyn Names>,
    robots: Robots,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
    own_pace: Mutex<HashMap<String, Pace>>,
    turns: Option<Arc<dyn Turns>>,
}

/// Bytes of a service's answer; a timestamp with its chain has some 10 kB.
const SERVICE_MAX: u64 = 256 << 10;
/// Hosts remembered at most; a sweep of a store needs a handful.
const HOSTS_MAX: usize = 4096;

impl Client {
    /// A client that looks names up as the system does.
    ///
    /// # Errors
    /// When proxy or client certificate are unusable.
    pub fn new(config: &Config) -> Result<Self, ClientError> {
        Self::with_names(config, Arc::new(SystemNames))
    }

    /// A client that looks names up elsewhere.
    ///
    /// # Errors
    /// When proxy or client certificate are unusable.
    pub fn with_names(config: &Config, names: Arc<dyn Names>) -> Result<Self, ClientError> {
        Ok(Self {
            config: config.clone(),
            http: send::library(config, &names)?,
            names,
            robots: Robots::default(),
            hosts: Mutex::default(),
            own_pace: Mutex::default(),
            turns: None,
        })
    }

    /// Shares turns at hosts with other processes.
    #[must_use]
    pub fn sharing(mut self, turns: Arc<dyn Turns>) -> Self {
        self.turns = Some(turns);
        self
    }

    /// Sets the pace that a store's own file asks for; the configuration's `[host]` still wins.
    /// Holds for hosts that were not asked yet.
    pub fn set_pace(&self, host: &str, pace: Pace) {
        lock(&self.own_pace).insert(host.to_owned(), pace);
    }

    /// What every host asked so far is doing, by name.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostState> {
        let mut states: Vec<_> = lock(&self.hosts).values().map(|host| host.state()).collect();
        states.sort_by(|a, b| a.host.cmp(&b.host));
        states
    }

    /// Fetches a page: tries again where that may help, then gives up with the last failure.
    /// Any status but 429 and 5xx is an answer; what it means the store's adapter knows.
    ///
    /// # Errors
    /// `throttled`, `blocked-by-robots`, `network`, or `adapter-broken` for a body over its cap.
    pub async fn fetch(&self, ask: &Ask) -> Result<Answer, Fault> {
        let mut attempt = 0;
        loop {
            let fault = match self.page(ask).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            attempt += 1;
            self.pause(&fault, attempt).await.ok_or(fault)?;
        }
    }

    async fn page(&self, ask: &Ask) -> Result<Answer, Fault> {
        let cap = match ask.purpose {
            Purpose::Page => self.config.caps.page_bytes,
            Purpose::Index | Purpose::Repository => self.config.caps.index_bytes,
            Purpose::Picture => self.config.caps.picture_bytes,
            Purpose::Package => self.config.caps.package_bytes,
            Purpose::Service => SERVICE_MAX,
        };
        let limit = match ask.purpose {
            Purpose::Page | Purpose::Picture | Purpose::Service => self.config.network.page_timeout,
            Purpose::Index | Purpose::Repository | Purpose::Package => self.config.network.package_timeout,
        };
        let reading = async {
            let opened = self.open(ask, &[], limit).await?;
            let answer = opened.read(cap).await?;
            self.judge(ask, answer)
        };
        reading.await
    }

    /// Waits before the next try; nothing when there is to be none.
    pub(self) async fn pause(&self, fault: &Fault, attempt: u32) -> Option<()> {
        let network = &self.config.network;
        if !fault.outcome.is_passing() || attempt > network.retries {
            return None;
        }
        let asked = std::time::Duration::from_secs(fault.retry_after.unwrap_or(0));
        if asked.as_secs_f64() > network.backoff_max {
            return None;
        }
        tokio::time::sleep(wait::backoff(network, attempt).max(asked)).await;
        Some(())
    }

    /// Tells pleas to slow down and failures of the server from answers.
    pub(self) fn judge(&self, ask: &Ask, answer: Answer) -> Result<Answer, Fault> {
        let host = url::Url::parse(&answer.url).ok().map(|url| self.host(&url));
        let asked = answer.header("retry-after").and_then(|v| wait::retry_after(v, std::time::SystemTime::now()));
        let refuses = matches!(answer.status, 403 | 429);
        let is_plea = answer.status == 429 || (matches!(answer.status, 403 | 503) && asked.is_some());
        let captcha = captcha(ask, &answer);
        if let Some(host) = &host
            && (refuses || captcha.is_some())
            && asked.is_none()
        {
            host.slow(&self.config.network);
        }
        if is_plea || captcha.is_some() {
            let detail = match captcha {
                Some(sign) => format!("{}: a page that asks for patience or a captcha ({sign})", answer.url),
                None => format!("{}: HTTP {}", answer.url, answer.status),
            };
            return Err(Fault { retry_after: asked, ..Fault::with_page(Outcome::Throttled, detail, &answer) });
        }
        if answer.status >= 500 {
            if let Some(host) = &host {
                host.failed(&self.config.network);
            }
            let detail = format!("{}: HTTP {}", answer.url, answer.status);
            return Err(Fault::with_page(Outcome::Network, detail, &answer));
        }
        if answer.is_unchanged() && !is_conditional(ask) {
            let detail = format!("{}: says that nothing changed, though nobody asked that", answer.url);
            return Err(Fault::new(Outcome::Network, detail));
        }
        if let Some(host) = host.filter(|_| !refuses) {
            host.succeeded();
        }
        Ok(answer)
    }

    /// Slows down at the host of an answer that turned out to be a plea when it was read.
    pub fn slow_down(&self, answered_by: &str) {
        if let Ok(url) = url::Url::parse(answered_by) {
            self.host(&url).slow(&self.config.network);
        }
    }

    pub(self) fn host(&self, url: &url::Url) -> Arc<Host> {
        let name = url.host_str().unwrap_or("").to_owned();
        let mut hosts = lock(&self.hosts);
        if hosts.len() >= HOSTS_MAX && !hosts.contains_key(&name) {
            // Those in use live on in their requests.
            hosts.retain(|_, host| Arc::strong_count(host) > 1 || host.state().rests > 0);
        }
        let own = lock(&self.own_pace).get(&name).cloned();
        let pace = self.config.pace_of(&name, own.as_ref());
        Arc::clone(hosts.entry(name.clone()).or_insert_with(|| Arc::new(Host::new(&name, &pace, self.turns.clone()))))
    }
}

/// Whether a request names what is here already.
fn is_conditional(ask: &Ask) -> bool {
    ask.validators.as_ref().is_some_and(|known| known.etag.is_some() || known.last_modified.is_some())
}

/// Bytes of a page in which the signs of a captcha are looked for.
const CAPTCHA_HEAD: usize = 256 << 10;

/// The sign of a captcha in an answer: in the address that answered, and in what came instead of a file.
/// Pages are looked at by whoever reads them, because an app's own words may hold any sign.
fn captcha(ask: &Ask, answer: &Answer) -> Option<String> {
    if answer.is_unchanged() {
        return None;
    }
    let head = &answer.body[..answer.body.len().min(CAPTCHA_HEAD)];
    let holds = |octets: &[u8]| !octets.is_empty() && memchr::memmem::find(head, octets).is_some();
    let is_there = |sign: &&String| {
        answer.url.contains(sign.as_str())
            || (ask.purpose == Purpose::Package
                && (holds(sign.as_bytes()) || holds(&encoding_rs::GB18030.encode(sign).0)))
    };
    ask.captcha.iter().find(is_there).cloned()
}
