//! Jobs of a sweep: what they carry, what they are called, who takes them.

use serde::{Deserialize, Serialize};

use crate::model::fetch::{Ask, Wanted};
use crate::model::hex;
use crate::store::NewJob;

/// Deeper jobs first: the queue stays short, and apps are whole before others begin.
const PAGE: i64 = 0;
const APP: i64 = 10;
const PACKAGE: i64 = 20;
/// Screenshots are evidence of apps that are judged already.
const PICTURE: i64 = 5;

/// A job of the queue of one store.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "kebab-case")]
pub(super) enum Errand<S> {
    /// A page of the catalogue.
    Page { step: S },
    /// An app's own page.
    App { step: S, name: String, summary: String },
    /// A package.
    Package { about: About, wanted: Box<Wanted> },
    /// A screenshot.
    Picture { about: About, ask: Ask },
}

/// Which app, and which version of its listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) store: String,
    pub(super) name: String,
    pub(super) app: i64,
    pub(super) listing: i64,
    /// Hash of what the listing promises; empty without a package.
    pub(super) offer: String,
}

impl About {
    /// How reports name it.
    pub(super) fn target(&self) -> String {
        format!("{}:{}", self.store, self.name)
    }
}

/// A job of the queue of auditors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Judge {
    pub(super) about: About,
    /// The file, and the answer it came in; `None` to judge the listing alone.
    pub(super) file: Option<(String, Option<i64>)>,
}

pub(super) fn prefix(run: i64) -> String {
    format!("{run}/")
}

pub(super) fn fetch_queue(run: i64, store: &str) -> String {
    format!("{run}/fetch/{store}")
}

pub(super) fn audit_queue(run: i64) -> String {
    format!("{run}/audit")
}

pub(super) fn errand<S: Serialize>(run: i64, store: &str, errand: &Errand<S>, ask: &Ask) -> serde_json::Result<NewJob> {
    let (priority, key) = match errand {
        // Two ways may lead over one address and look for different things there.
        Errand::Page { step } => {
            (PAGE, format!("{run}/page/{store}/{}", digest(&[&ask_key(ask), &serde_json::to_string(step)?])))
        }
        // The address too: an app's page may lead to another of its own.
        Errand::App { name, .. } => (APP, format!("{run}/app/{store}/{name}/{}", ask_key(ask))),
        Errand::Package { about, .. } => (PACKAGE, format!("{run}/package/{store}/{}", about.name)),
        Errand::Picture { about, .. } => (PICTURE, format!("{run}/picture/{store}/{}/{}", about.name, ask_key(ask))),
    };
    Ok(NewJob { key, queue: fetch_queue(run, store), priority, payload: serde_json::to_string(errand)? })
}

pub(super) fn judge(run: i64, judge: &Judge) -> serde_json::Result<NewJob> {
    Ok(NewJob {
        key: format!("{run}/audit/{}/{}", judge.about.store, judge.about.name),
        queue: audit_queue(run),
        priority: PAGE,
        payload: serde_json::to_string(judge)?,
    })
}

/// The same question has the same key: validators and purpose do not make another one.
pub(in crate::pipeline) fn ask_key(ask: &Ask) -> String {
    digest(&[ask.method.name(), &ask.url, &ask.text()])
}

/// What a listing promises of its package: the hash where it is told, else version and address.
pub(super) fn offer(wanted: &Wanted, version_name: &str, version_code: u64) -> String {
    match &wanted.expected.sha256 {
        Some(sha256) => digest(&["sha256", &sha256.to_ascii_lowercase()]),
        None => digest(&["version", version_name, &version_code.to_string(), &wanted.ask.url, &wanted.ask.text()]),
    }
}

fn digest(parts: &[&str]) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}
