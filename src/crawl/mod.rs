//! Store catalogues into listings, without any network: a [`Store`] makes [`Todo`]s and reads
//! their answers. A store is one file under `stores/`, data that an operator mends without a new
//! build; the drivers here know forms (JSON, HTML, embedded JSON, JSON-LD, sitemap, F-Droid
//! index), never stores.
//!
//! A required field that is gone makes `adapter-broken` with the page kept, never an empty
//! listing. Lists are followed up to a cap and not in circles.

mod adapter;
mod answer;
mod charset;
mod fdroid;
mod field;
mod genuine;
mod jar;
mod linked;
mod list;
mod page;
mod select;
mod sitemap;
mod store;
mod stores;
mod template;
mod told;
mod xml;

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::Listing;
use crate::model::fetch::{Ask, Fault, Found};

pub use adapter::{Category, Text};
pub use jar::{JarError, Signed, open_jar};
pub use store::{FieldSeen, LACKS, Store};
pub use stores::{StoreError, Stores, Target};

/// Text in the charset that it is in, valid UTF-8 before any other, and how many places of it are in none.
#[must_use]
pub fn text_of(octets: &[u8]) -> (String, usize) {
    charset::decode(octets, None)
}

/// Where crawling a store begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Everything, or one category by its id.
    Catalogue(Option<String>),
    /// One app by its package name.
    Package(String),
    /// Apps by words.
    Words(String),
    /// One page of the store.
    Url(String),
}

/// A request with what is needed to read its answer. Plain data: a queue may hold it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Todo {
    /// The request.
    pub ask: Ask,
    /// The store's key for the app this leads to; empty for lists. A sweep does each key once.
    #[serde(default)]
    pub key: String,
    /// What the list said of the app, as a hash: when it has not changed since the last sweep,
    /// the app's page need not be asked. Empty where the list says nothing but the key.
    #[serde(default)]
    pub mark: String,
    /// Step of the adapter that reads the answer.
    pub step: String,
    /// Values for templates.
    #[serde(default)]
    pub vars: BTreeMap<String, String>,
    /// What is known of the app so far.
    #[serde(default)]
    pub partial: Listing,
    /// Only this package is wanted.
    #[serde(default)]
    pub want: Option<String>,
    /// Page of the list, from 0.
    #[serde(default)]
    pub page: u32,
    /// Fingerprints of the last pages of this list.
    #[serde(default)]
    pub seen: Vec<u64>,
}

/// Something to be remembered for the next sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The body of the answer, which whoever asked has kept: an index is long, and copies of it
    /// are what a sweep's memory goes on.
    Answer,
    /// This file in [`Memory::scratch`], which whoever keeps it takes over.
    File {
        /// Where.
        path: PathBuf,
        /// SHA-256 of its bytes in lower-case hex.
        sha256: String,
    },
}

/// What an answer yields. Nothing is dropped: what was there is an app, a further request or a
/// fault.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Harvest {
    /// Apps, complete; none where each was handed on.
    pub found: Vec<Found>,
    /// Further requests.
    pub next: Vec<Todo>,
    /// What went wrong.
    pub faults: Vec<Fault>,
    /// To be remembered for the next sweep, by name.
    pub keep: Vec<(String, Keep)>,
}

/// Takes an app that was read.
pub type Hand<'a> = &'a mut dyn FnMut(Found);

impl Harvest {
    fn fault(fault: Fault) -> Self {
        Self { faults: vec![fault], ..Self::default() }
    }
}

/// What an earlier sweep kept of a store.
pub trait Memory: Send + Sync {
    /// Bytes kept under a name.
    fn recall(&self, name: &str) -> Option<Vec<u8>>;

    /// The same, to be read bit by bit.
    fn open(&self, name: &str) -> Option<Box<dyn Read>> {
        self.recall(name).map(|bytes| Box::new(Cursor::new(bytes)) as Box<dyn Read>)
    }

    /// Folder for files that are to be kept.
    fn scratch(&self) -> PathBuf {
        std::env::temp_dir()
    }
}

/// Remembers nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Forgetful;

impl Memory for Forgetful {
    fn recall(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
}
