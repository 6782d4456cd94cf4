//! The authority that stamps bags with the time (RFC 3161), asked over HTTP.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use super::EvidenceError;
use crate::acquire::Client;
use crate::model::config::Evidence;
use crate::model::fetch::{Ask, Method, Purpose};
use crate::preserve::{Bag, name, stamp};

/// Whether bags are stamped.
#[derive(Debug, Clone, Default)]
pub enum Stamping {
    /// No authority is configured.
    #[default]
    Off,
    /// One is configured, and whoever exports does without; the bag says so.
    LeftOut,
    /// By this one: a bag that it does not stamp does not come about.
    By(Authority),
}

impl Stamping {
    /// As the configuration says.
    #[must_use]
    pub fn of(config: &Evidence, client: &Arc<Client>) -> Self {
        if config.timestamp_authority.is_empty() {
            return Self::Off;
        }
        Self::By(Authority {
            client: Arc::clone(client),
            url: config.timestamp_authority.clone(),
            limit: Duration::from_secs_f64(config.timestamp_timeout),
        })
    }

    /// What `bag-info.txt` says of it.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Off => String::new(),
            Self::LeftOut => "left out".into(),
            Self::By(authority) => format!("{}{}", name::TIMESTAMP_BY, authority.url),
        }
    }
}

/// An authority and the way to it.
#[derive(Clone)]
pub struct Authority {
    client: Arc<Client>,
    url: String,
    limit: Duration,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Authority {
    /// Has a finished bag stamped. What comes back is checked as whoever verifies the bag will: a
    /// timestamp that does not hold is none.
    pub(super) async fn stamp(&self, bag: &Bag, tag_manifest: &[u8]) -> Result<(), EvidenceError> {
        let none = |why: String| EvidenceError::NoTimestamp(self.url.clone(), why);
        let mut nonce = [0; 16];
        SystemRandom::new().fill(&mut nonce).map_err(|_| none("no random numbers on this machine".into()))?;
        let query = stamp::query(tag_manifest, nonce).map_err(none)?;
        let reply = self.ask(&query).await.map_err(none)?;
        stamp::check(tag_manifest, &query, &reply).map_err(|fault| match fault {
            stamp::Fault::Query(what) => none(format!("the query {what}")),
            stamp::Fault::Reply(what) => none(what),
        })?;
        Ok(bag.stamp(&query, &reply)?)
    }

    async fn ask(&self, query: &[u8]) -> Result<Vec<u8>, String> {
        let ask = Ask {
            method: Method::Post,
            headers: vec![("content-type".into(), stamp::QUERY_TYPE.into())],
            body: query.to_vec(),
            ..Ask::get(self.url.clone(), Purpose::Service)
        };
        let answer = tokio::time::timeout(self.limit, self.client.fetch(&ask)).await;
        let answer = answer.map_err(|_| format!("no answer in {} s", self.limit.as_secs_f64()))?;
        let answer = answer.map_err(|fault| fault.to_string())?;
        if answer.status == 200 { Ok(answer.body) } else { Err(format!("HTTP {}", answer.status)) }
    }
}
