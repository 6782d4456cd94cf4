//! robots.txt (RFC 9309): fetched once per origin and lifetime, read off the async threads.

mod rules;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::host::lock;
use crate::model::fetch::{Fault, Outcome};
use rules::Ruled;

/// Bytes read at most; RFC 9309, 2.5 asks for at least 500 KiB.
pub(super) const BYTES_MAX: u64 = 500 << 10;
/// Name by which rules address us.
pub(super) const TOKEN: &str = "xunjian";
/// Seconds until an unreachable robots.txt is tried again.
const UNREACHABLE_LIFETIME: f64 = 300.0;
/// Origins remembered at most.
const ORIGINS_MAX: usize = 4096;

/// What an origin lets us ask.
#[derive(Clone)]
pub(super) enum Rules {
    /// No robots.txt: everything.
    All,
    /// What it says.
    These(Arc<Ruled>),
    /// The server answers and does not tell it: nothing, and why.
    None(String),
    /// No server answers, or its address is not asked: whatever is asked there comes to the same.
    Unreachable(Fault),
}

struct Kept {
    rules: Rules,
    until: Instant,
}

type Cell = Arc<tokio::sync::Mutex<Option<Kept>>>;

/// Rules by origin.
#[derive(Default)]
pub(super) struct Robots {
    origins: Mutex<HashMap<String, Cell>>,
}

impl Robots {
    /// The rules of an origin, fetched by `fetch` when there are none or they are too old. Only
    /// one fetch runs for an origin.
    pub(super) async fn rules<F>(&self, origin: &str, lifetime: f64, fetch: F) -> Rules
    where
        F: Future<Output = Rules>,
    {
        let cell = {
            let mut origins = lock(&self.origins);
            if origins.len() >= ORIGINS_MAX {
                origins.clear();
            }
            Arc::clone(origins.entry(origin.to_owned()).or_default())
        };
        let mut kept = cell.lock().await;
        if let Some(kept) = kept.as_ref().filter(|k| k.until > Instant::now()) {
            return kept.rules.clone();
        }
        let rules = fetch.await;
        let lifetime = match rules {
            Rules::None(_) => lifetime.min(UNREACHABLE_LIFETIME),
            // The next try is the job's own, with its own wait.
            Rules::Unreachable(_) => 0.0,
            Rules::All | Rules::These(_) => lifetime,
        };
        *kept = Some(Kept { rules: rules.clone(), until: Instant::now() + Duration::from_secs_f64(lifetime) });
        rules
    }
}

impl Rules {
    /// Reads a robots.txt; one that cannot be read lets nothing through.
    pub(super) async fn read(mut body: Vec<u8>) -> Self {
        // A rule that the cap cuts in two would be another rule.
        if body.len() as u64 >= BYTES_MAX {
            body.truncate(body.iter().rposition(|b| matches!(b, b'\n' | b'\r')).unwrap_or(0));
        }
        match tokio::task::spawn_blocking(move || Ruled::read(&body, TOKEN)).await {
            Ok(ruled) => Self::These(Arc::new(ruled)),
            Err(_) => Self::None("robots.txt cannot be read".into()),
        }
    }

    /// What a status means for us (RFC 9309, 2.3.1); nothing where the body decides.
    pub(super) fn of_status(status: u16) -> Option<Self> {
        match status {
            200..=299 => None,
            // 429 is a plea to go away, not the absence of rules.
            429 | 500..=599 => Some(Self::None(format!("robots.txt answered {status}"))),
            _ => Some(Self::All),
        }
    }

    /// Why an address must not, or cannot, be asked; nothing when it may.
    pub(super) fn forbid(&self, url: &Url) -> Option<Fault> {
        let blocked = |why: &str| Some(Fault::new(Outcome::BlockedByRobots, format!("{url}: {why}")));
        match self {
            Self::All => None,
            Self::None(why) => blocked(why),
            Self::Unreachable(fault) => Some(fault.clone()),
            Self::These(ruled) if ruled.allows(&url[url::Position::BeforePath..url::Position::AfterQuery]) => None,
            Self::These(_) => blocked("robots.txt asks us not to"),
        }
    }

    /// Seconds between requests that it asks for.
    pub(super) fn delay(&self) -> Option<f64> {
        if let Self::These(ruled) = self { ruled.delay } else { None }
    }
}
