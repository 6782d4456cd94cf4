//! The stores at hand: the embedded files, a folder laid over them, F-Droid repositories by address.

use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};

use super::adapter::{Adapter, File};
use super::store::{Store, route_of};
use crate::model::config::{Config, StoreSettings};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/stores");

/// No store's file is near this size.
const FILE_MAX: u64 = 1 << 20;
/// The store that reads pages of stores nobody described.
const GENERIC: &str = "page";
/// The store whose file F-Droid repositories by address borrow.
const FDROID: &str = "fdroid";

/// A fault in a store's file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct StoreError {
    /// Its path.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl StoreError {
    fn at(file: &str, text: &str, offset: usize, message: &str) -> Self {
        let head = text.get(..offset).unwrap_or("");
        let start = head.rfind('\n').map_or(0, |i| i + 1);
        let (line, column) = (head.matches('\n').count() + 1, head[start..].chars().count() + 1);
        Self { file: file.into(), line, column, message: message.trim_end().into() }
    }
}

/// Stores by id.
#[derive(Debug, Clone, Default)]
pub struct Stores {
    stores: BTreeMap<String, Store>,
}

/// What a word of the command line asks of stores.
#[derive(Debug, Clone)]
pub enum Target {
    /// One app: `STORE:PACKAGE`, or `#PACKAGE` behind an F-Droid repository.
    App(Box<Store>, String),
    /// Apps by words: `STORE:?WORDS`, or `*:?WORDS` in every store that can search.
    Words(Vec<Store>, String),
    /// A page of a store.
    Page(Box<Store>, String),
    /// A whole catalogue: `fdroid+http(s)://HOST/repo`.
    Catalogue(Box<Store>),
}

impl Stores {
    /// The embedded stores, `folder` laid over them, as the configuration has them.
    ///
    /// # Errors
    /// The first fault in a file, with its place.
    pub fn load(folder: Option<&Path>, config: &Config) -> Result<Self, StoreError> {
        let mut files: BTreeMap<String, (String, String)> = BTreeMap::new();
        for file in EMBEDDED.files().filter(|f| f.path().extension().is_some_and(|e| e == "toml")) {
            let id = file.path().file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            let text = file.contents_utf8().unwrap_or("").to_owned();
            files.insert(id, (format!("stores/{}", file.path().display()), text));
        }
        if let Some(folder) = folder {
            overlay(folder, &mut files)?;
        }
        let mut stores = BTreeMap::new();
        for (id, (path, text)) in &files {
            let settings = config.store.get(id).cloned().unwrap_or_default();
            stores.insert(id.clone(), parse(id, path, text, &settings, config.caps.pages)?);
        }
        if let Some(id) = config.store.keys().find(|id| !stores.contains_key(*id)) {
            let message = format!("[store.{id}]: no such store; there are {}", ids(&stores));
            return Err(StoreError::at("configuration", "", 0, &message));
        }
        Ok(Self { stores })
    }

    /// A store by its id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Store> {
        self.stores.get(id)
    }

    /// Every store, by id.
    pub fn all(&self) -> impl Iterator<Item = &Store> {
        self.stores.values()
    }

    /// Ids, for messages.
    #[must_use]
    pub fn ids(&self) -> String {
        ids(&self.stores)
    }

    /// What `sweep STORE` means: an id, or an F-Droid repository by its address.
    ///
    /// # Errors
    /// When there is no such store, in words.
    pub fn by_word(&self, word: &str) -> Result<Store, String> {
        match word.strip_prefix("fdroid+") {
            Some(address) => Ok(self.repository(address)?.0),
            None => self.named(word).cloned(),
        }
    }

    /// A store as people name it: by its id in whatever case, or by part of its Chinese or English name.
    ///
    /// # Errors
    /// When there is none, with the nearest one there is.
    pub fn named(&self, word: &str) -> Result<&Store, String> {
        let lower = word.trim().to_lowercase();
        if let Some(store) = self.get(&lower) {
            return Ok(store);
        }
        let is_meant = |store: &&Store| {
            let title = store.title();
            let is_chinese = lower.chars().count() >= 2 && !lower.is_ascii() && title.zh.contains(&lower);
            is_chinese || title.en.to_lowercase() == lower || title.zh.to_lowercase() == lower
        };
        let mut meant = self.all().filter(is_meant);
        if let (Some(store), None) = (meant.next(), meant.next()) {
            return Ok(store);
        }
        let near = self
            .stores
            .keys()
            .map(|id| (strsim::levenshtein(id, &lower), id))
            .filter(|(distance, _)| *distance <= NEAR);
        let near = near.min().map(|(_, id)| format!(" (did you mean `{id}`?)")).unwrap_or_default();
        Err(format!("no store `{word}`{near}; there are {}", self.ids()))
    }

    /// Reads a word of the command line; nothing when it does not speak of stores.
    ///
    /// # Errors
    /// When it does, but of none that is there, in words.
    pub fn target(&self, word: &str) -> Result<Option<Target>, String> {
        if let Some(address) = word.strip_prefix("fdroid+") {
            let (store, package) = self.repository(address)?;
            return Ok(Some(match package {
                Some(package) => Target::App(Box::new(store), package),
                None => Target::Catalogue(Box::new(store)),
            }));
        }
        if word.starts_with("http://") || word.starts_with("https://") {
            return self.page(word).map(Some);
        }
        let Some((id, what)) = word.split_once(':') else { return Ok(None) };
        if id.contains(['/', '\\']) {
            return Ok(None);
        }
        let words = what.strip_prefix('?').map(str::trim);
        if id == "*" {
            let searching: Vec<Store> = self.all().filter(|s| s.starts()[2] && s.id != GENERIC).cloned().collect();
            let words = words.ok_or("`*` takes words: `*:?WORDS`")?;
            return Ok(Some(Target::Words(searching, words.to_owned())));
        }
        let store = self.named(id)?.clone();
        Ok(Some(match words {
            Some(words) => Target::Words(vec![store], words.to_owned()),
            None => Target::App(Box::new(store), what.to_owned()),
        }))
    }

    fn page(&self, address: &str) -> Result<Target, String> {
        let start = super::Start::Url(address.to_owned());
        // The generic reader takes any page, so it comes last.
        let own = self.all().filter(|store| store.id != GENERIC).chain(self.get(GENERIC));
        let store = own.into_iter().find(|store| store.start(&start).is_ok());
        let store = store.ok_or_else(|| format!("{address}: no store knows this page"))?;
        let route = url::Url::parse(address).ok().and_then(|url| route_of(&url).map(str::to_owned));
        if let Some(route) = route.filter(|_| store.id == GENERIC) {
            return Err(format!(
                "{address}: the app is named behind `#` ({route}), which no server is sent, and no store's file knows \
                 this form; give STORE:PACKAGE or the page's other address"
            ));
        }
        Ok(Target::Page(Box::new(store.clone()), address.to_owned()))
    }

    /// An F-Droid repository by its address, with the fingerprint and package it names.
    fn repository(&self, address: &str) -> Result<(Store, Option<String>), String> {
        let mut url = url::Url::parse(address).map_err(|e| format!("fdroid+{address}: no address: {e}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("fdroid+{address}: neither http nor https"));
        }
        let mut store = self.get(FDROID).cloned().ok_or("no store `fdroid`")?;
        let fingerprint =
            url.query_pairs().find(|(k, _)| k.eq_ignore_ascii_case("fingerprint")).map(|(_, v)| v.into_owned());
        let package = url.fragment().map(str::to_owned);
        url.set_query(None);
        url.set_fragment(None);
        let base = url.as_str().trim_end_matches('/').to_owned();
        store.id = format!("fdroid+{base}");
        store.hosts = BTreeMap::from([("repo".to_owned(), base)]);
        store.vars.remove("fingerprint");
        store.vars.extend(fingerprint.map(|f| ("fingerprint".to_owned(), f)));
        Ok((store, package))
    }
}

/// Slips of the pen between a word and the store that is meant.
const NEAR: usize = 2;

fn ids(stores: &BTreeMap<String, Store>) -> String {
    stores.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn overlay(folder: &Path, files: &mut BTreeMap<String, (String, String)>) -> Result<(), StoreError> {
    let fail = |path: &Path, why: String| StoreError::at(&path.display().to_string(), "", 0, &why);
    let entries = std::fs::read_dir(folder).map_err(|e| fail(folder, e.to_string()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|e| e != "toml") || !path.is_file() {
            continue;
        }
        if entry.metadata().is_ok_and(|m| m.len() > FILE_MAX) {
            return Err(fail(&path, "over 1 MiB".into()));
        }
        let text = std::fs::read_to_string(&path).map_err(|e| fail(&path, e.to_string()))?;
        let id = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        files.insert(id, (path.display().to_string(), text));
    }
    Ok(())
}

fn parse(id: &str, path: &str, text: &str, settings: &StoreSettings, pages: u32) -> Result<Store, StoreError> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if id.is_empty() || !id.bytes().all(fits) {
        return Err(StoreError::at(path, text, 0, "a store's file is named by its id: a-z, 0-9 and -"));
    }
    let file: File =
        toml::from_str(text).map_err(|e| StoreError::at(path, text, e.span().map_or(0, |s| s.start), e.message()))?;
    let adapter = Adapter::new(file)
        .map_err(|(about, message)| StoreError::at(path, text, text.find(&about).unwrap_or(0), &message))?;
    if let Some(base) = &settings.base
        && !url::Url::parse(base).is_ok_and(|u| matches!(u.scheme(), "http" | "https"))
    {
        let message = format!("[store.{id}] base `{base}` is no address");
        return Err(StoreError::at("configuration", "", 0, &message));
    }
    Ok(Store::new(id, adapter, settings, pages))
}
