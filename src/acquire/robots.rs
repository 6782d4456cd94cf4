//! robots.txt (RFC 9309): fetched once per origin and lifetime, read off the async threads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use texting_robots::Robot;
use tokio::time::Instant;
use url::Url;

use super::host::lock;

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
    These(Arc<Robot>),
    /// It could not be had: nothing, and why.
    None(String),
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
        let lifetime = if matches!(rules, Rules::None(_)) { lifetime.min(UNREACHABLE_LIFETIME) } else { lifetime };
        *kept = Some(Kept { rules: rules.clone(), until: Instant::now() + Duration::from_secs_f64(lifetime) });
        rules
    }
}

impl Rules {
    /// Reads a robots.txt; one that cannot be read lets nothing through.
    pub(super) async fn read(body: Vec<u8>) -> Self {
        // A file of 20,000 rules takes seconds.
        match tokio::task::spawn_blocking(move || Robot::new(TOKEN, &body)).await {
            Ok(Ok(robot)) => Self::These(Arc::new(robot)),
            Ok(Err(error)) => Self::None(format!("robots.txt cannot be read: {error}")),
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

    /// Why an address must not be asked; nothing when it may.
    pub(super) fn forbid(&self, url: &Url) -> Option<String> {
        match self {
            Self::All => None,
            Self::None(why) => Some(why.clone()),
            Self::These(robot) => (!robot.allowed(url.as_str())).then(|| "robots.txt asks us not to".to_owned()),
        }
    }

    /// Seconds between requests that it asks for.
    pub(super) fn delay(&self) -> Option<f64> {
        if let Self::These(robot) = self { robot.delay.map(f64::from) } else { None }
    }
}
