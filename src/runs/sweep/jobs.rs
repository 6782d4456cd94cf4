//! Jobs of a sweep: what they carry, what they are called, who takes them.

use serde::{Deserialize, Serialize};

use super::trace::Trace;
use crate::model::fetch::{Ask, Wanted};
use crate::model::hex;
use crate::store::NewJob;

/// Work of one sort, which a worker may take without the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Pages of catalogues.
    Catalogue,
    /// Apps' own pages.
    Listing,
    /// Packages, and screenshots as evidence.
    Package,
    /// Screenshots, fetched and read for words before their app is judged.
    Pictures,
    /// Audits.
    Audit,
}

impl Stage {
    /// Every sort.
    pub const ALL: [Self; 5] = [Self::Catalogue, Self::Listing, Self::Package, Self::Pictures, Self::Audit];
}

const CATALOGUE: &str = "catalogue";
const LISTING: &str = "listing";
const PACKAGE: &str = "package";
const PICTURE: &str = "picture";
const PICTURES: &str = "pictures";
/// Held every job of a store in runs that were begun before there were stages; empty in others.
const BEFORE_STAGES: &str = "fetch";

/// A job of a store.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "kebab-case")]
pub(super) enum Errand<S> {
    /// A page of the catalogue.
    Page { step: S },
    /// An app's own page.
    App {
        step: S,
        name: String,
        summary: String,
        #[serde(default, skip_serializing_if = "Trace::is_empty")]
        trace: Trace,
    },
    /// A package.
    Package { about: About, wanted: Box<Wanted> },
    /// A screenshot as evidence.
    Picture { about: About, ask: Ask },
    /// All screenshots of an app, to be read before it is judged.
    Pictures { asks: Vec<Ask>, judge: Judge },
}

/// Which app, and which version of its listing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) store: String,
    pub(super) name: String,
    pub(super) app: i64,
    pub(super) listing: i64,
    /// Hash of what the listing promises; empty without a package.
    pub(super) offer: String,
    /// The listing names the package's hash, against which it was checked.
    #[serde(default)]
    pub(super) is_vouched: bool,
    /// Where its job belongs.
    #[serde(default, skip_serializing_if = "Trace::is_empty")]
    pub(super) trace: Trace,
}

impl About {
    /// Stands for the offer while what came for it is not whole: no answer to it is at hand.
    pub(super) fn incomplete_offer(&self) -> String {
        format!("incomplete {}", self.offer)
    }

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

fn queue(run: i64, word: &str, store: &str) -> String {
    format!("{run}/{word}/{store}")
}

/// Queues of a store that hold work of these stages, in the order in which they are worked off.
/// Deeper jobs first: the queues stay short, and apps are whole before others begin; but
/// screenshots are evidence of apps that are judged already.
pub(super) fn store_queues(run: i64, store: &str, stages: &[Stage]) -> Vec<String> {
    let words = [
        (PICTURES, Stage::Pictures),
        (PACKAGE, Stage::Package),
        (LISTING, Stage::Listing),
        (PICTURE, Stage::Package),
        (CATALOGUE, Stage::Catalogue),
    ];
    let taken = words.into_iter().filter(|(_, stage)| stages.contains(stage)).map(|(word, _)| word);
    let mut queues: Vec<String> = taken.map(|word| queue(run, word, store)).collect();
    if !queues.is_empty() {
        queues.push(queue(run, BEFORE_STAGES, store));
    }
    queues
}

/// The store of a queue. Its id may hold slashes: `fdroid+https://HOST/repo`.
pub(super) fn store_of(queue: &str) -> &str {
    queue.splitn(3, '/').nth(2).unwrap_or_default()
}

pub(super) fn audit_queue(run: i64) -> String {
    format!("{run}/audit")
}

pub(super) fn errand<S: Serialize>(run: i64, store: &str, errand: &Errand<S>, ask: &Ask) -> serde_json::Result<NewJob> {
    let (word, key) = match errand {
        // Two ways may lead over one address and look for different things there.
        Errand::Page { step } => {
            (CATALOGUE, format!("{run}/page/{store}/{}", digest(&[&ask_key(ask), &serde_json::to_string(step)?])))
        }
        // The address too: an app's page may lead to another of its own.
        Errand::App { name, .. } => (LISTING, format!("{run}/app/{store}/{name}/{}", ask_key(ask))),
        Errand::Package { about, .. } => (PACKAGE, format!("{run}/package/{store}/{}", about.name)),
        Errand::Pictures { judge, .. } => (PICTURES, format!("{run}/pictures/{store}/{}", judge.about.name)),
        Errand::Picture { about, .. } => (PICTURE, format!("{run}/picture/{store}/{}/{}", about.name, ask_key(ask))),
    };
    Ok(NewJob { key, queue: queue(run, word, store), priority: 0, payload: serde_json::to_string(errand)? })
}

pub(super) fn judge(run: i64, judge: &Judge) -> serde_json::Result<NewJob> {
    Ok(NewJob {
        key: format!("{run}/audit/{}/{}", judge.about.store, judge.about.name),
        queue: audit_queue(run),
        priority: 0,
        payload: serde_json::to_string(judge)?,
    })
}

/// The same question has the same key: validators and purpose do not make another one.
pub(in crate::runs) fn ask_key(ask: &Ask) -> String {
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
