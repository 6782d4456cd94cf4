//! F-Droid repositories: `entry.jar` (signed) or `entry.json`, then `index-v2.json` or a diff to
//! the one at hand; else `index-v1.jar` or `index-v1.json`. Format:
//! <https://f-droid.org/docs/All_our_APIs/>, read 2025.
//!
//! A signed index is checked against the fingerprint that the operator gave, or else against the
//! certificate met first; what is signed wrongly is refused, never read as if unsigned.

mod soft;
mod v1;
mod v2;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::jar::open_jar;
use super::store::Store;
use super::{Hand, Harvest, Keep, Memory, Start, Todo, answer};
use crate::model::fetch::{Answer, Ask, Fault, Found, Outcome, Purpose};
use crate::model::{Listing, hex};

/// Fields of an app in an index, and whether it must be there.
pub(super) const FIELDS: &[(&str, bool)] = &[
    ("package", true),
    ("title", true),
    ("developer", false),
    ("category", false),
    ("description", false),
    ("changelog", false),
    ("permissions", false),
    ("screenshots", false),
    ("icon", false),
    ("banner", false),
    ("version_name", false),
    ("version_code", true),
    ("download_url", true),
    ("updated", false),
];
/// Bytes that an index may have: twice the largest known.
const INDEX_MAX: u64 = 96 << 20;
/// Bytes of a diff that is taken: it is held as a tree. The index itself comes in its place.
const DIFF_MAX: u64 = 8 << 20;
/// Apps of one index.
const APPS_MAX: usize = 200_000;
/// Names under which things are remembered.
const INDEX: &str = "index-v2.json";
const TIMESTAMP: &str = "timestamp";
const SIGNER: &str = "signer";

#[derive(Debug, Deserialize)]
struct Entry {
    timestamp: i64,
    index: EntryFile,
    #[serde(default)]
    diffs: BTreeMap<String, EntryFile>,
}

#[derive(Debug, Deserialize)]
struct EntryFile {
    name: String,
    sha256: String,
    size: u64,
}

pub(super) fn start(store: &Store, start: &Start) -> Result<Vec<Todo>, Fault> {
    let mut todo = ask(store, "entry.jar", "entry.jar")?;
    match start {
        Start::Catalogue(None) => {}
        Start::Catalogue(Some(_)) => return Err(Fault::new(Outcome::NotFound, "a repository has no parts")),
        Start::Package(package) => todo.want = Some(package.clone()),
        Start::Words(words) => drop(todo.vars.insert("words".into(), words.to_lowercase())),
        Start::Url(url) => {
            let base = store.hosts.get("site").map_or("", String::as_str);
            let package = url.strip_prefix(base).and_then(|rest| rest.split('/').rfind(|part| !part.is_empty()));
            let package = package.filter(|p| !base.is_empty() && p.contains('.') && super::field::is_package(p));
            todo.want =
                Some(package.ok_or_else(|| Fault::new(Outcome::NotFound, "no page of this repository"))?.into());
        }
    }
    Ok(vec![todo])
}

fn ask(store: &Store, step: &str, path: &str) -> Result<Todo, Fault> {
    let none = || Fault::new(Outcome::AdapterBroken, format!("stores/{}.toml: [hosts] names no `repo`", store.id));
    let repo = store.hosts.get("repo").ok_or_else(none)?;
    let url = format!("{repo}/{}", path.trim_start_matches('/'));
    Ok(Todo { ask: Ask::get(url, Purpose::Repository), step: step.into(), ..Todo::default() })
}

/// The request after this one, with what is wanted carried over.
fn next(store: &Store, todo: &Todo, step: &str, path: &str, vars: &[(&str, String)]) -> Harvest {
    match ask(store, step, path) {
        Ok(mut next) => {
            next.want.clone_from(&todo.want);
            next.vars.clone_from(&todo.vars);
            next.vars.extend(vars.iter().map(|(k, v)| ((*k).to_owned(), v.clone())));
            Harvest { next: vec![next], ..Harvest::default() }
        }
        Err(fault) => Harvest::fault(fault),
    }
}

pub(super) fn read(store: &Store, todo: &Todo, answer: &Answer, memory: &dyn Memory, hand: Hand<'_>) -> Harvest {
    let reader = Reader { store, todo, answer, memory };
    if let Some(fault) = answer::by_status(answer).filter(|_| !answer.is_unchanged()) {
        return reader.absent(fault);
    }
    let result = match todo.step.as_str() {
        "entry.jar" => reader.signed("entry.json", false).and_then(|(bytes, keep)| reader.entry(&bytes, keep, hand)),
        "entry.json" => reader.bytes().and_then(|bytes| reader.entry(&bytes, Vec::new(), hand)),
        "index" => reader.index(hand),
        "diff" => reader.diff(hand),
        "index-v1.jar" => reader.signed("index-v1.json", true).and_then(|(bytes, keep)| {
            let mut harvest = reader.apps(|each| v1::read(&mut bytes.as_slice(), each), hand)?;
            harvest.keep.extend(keep);
            Ok(harvest)
        }),
        _ => reader.apps(|each| v1::read(&mut reader.body()?, each), hand),
    };
    result.unwrap_or_else(Harvest::fault)
}

struct Reader<'a> {
    store: &'a Store,
    todo: &'a Todo,
    answer: &'a Answer,
    memory: &'a dyn Memory,
}

/// Takes an app that was read.
type Each<'a> = &'a mut dyn FnMut(App) -> Result<(), String>;

type Keeps = Vec<(String, Keep)>;

impl Reader<'_> {
    fn broken(&self, why: impl std::fmt::Display) -> Fault {
        // The page is an archive or a large index; where it came from says enough.
        Fault::new(Outcome::AdapterBroken, format!("{}: {why}", self.answer.url))
    }

    /// The body, to be read bit by bit.
    fn body(&self) -> Result<Box<dyn Read + '_>, String> {
        match &self.answer.file {
            Some(path) => Ok(Box::new(File::open(path).map_err(|e| e.to_string())?)),
            None => Ok(Box::new(self.answer.body.as_slice())),
        }
    }

    /// The index of the sweep before.
    fn kept(&self) -> Result<Box<dyn Read>, String> {
        self.memory.open(INDEX).ok_or_else(|| "the index of the last sweep is gone".to_owned())
    }

    /// The body whole, for what is short or packed.
    fn bytes(&self) -> Result<Cow<'_, [u8]>, Fault> {
        match &self.answer.file {
            Some(path) => Ok(Cow::Owned(std::fs::read(path).map_err(|e| self.broken(e))?)),
            None => Ok(Cow::Borrowed(&self.answer.body)),
        }
    }

    /// The next form of index when this one is not there. With a fingerprint only signed ones count.
    fn absent(&self, fault: Fault) -> Harvest {
        let must_be_signed = self.store.vars.contains_key("fingerprint") || self.memory.recall(SIGNER).is_some();
        if !matches!(fault.outcome, Outcome::NotFound | Outcome::Delisted) {
            return Harvest::fault(fault);
        }
        match (self.todo.step.as_str(), must_be_signed) {
            ("entry.jar", true) => next(self.store, self.todo, "index-v1.jar", "index-v1.jar", &[]),
            ("entry.jar", false) => next(self.store, self.todo, "entry.json", "entry.json", &[]),
            ("entry.json", _) => next(self.store, self.todo, "index-v1.jar", "index-v1.jar", &[]),
            ("index-v1.jar", false) => next(self.store, self.todo, "index-v1.json", "index-v1.json", &[]),
            // A diff that is gone is no loss.
            ("diff", _) => {
                let path = self.todo.vars.get("index").cloned().unwrap_or_default();
                let sha256 = self.todo.vars.get("index_sha256").cloned().unwrap_or_default();
                next(self.store, self.todo, "index", &path, &[("sha256", sha256)])
            }
            _ => {
                let why = if must_be_signed { "no signed index" } else { "no index" };
                Harvest::fault(Fault { detail: format!("{}: {why}: {}", self.store.id, fault.detail), ..fault })
            }
        }
    }

    /// The inside of a signed index, its signer checked.
    fn signed(&self, name: &str, old: bool) -> Result<(Vec<u8>, Keeps), Fault> {
        if self.answer.is_unchanged() {
            return Err(self.broken("304 to a request that was not conditional"));
        }
        let signed = open_jar(&self.bytes()?, name, INDEX_MAX, old).map_err(|e| self.broken(e))?;
        let wanted = match self.store.vars.get("fingerprint") {
            Some(fingerprint) => Some(plain(fingerprint)),
            None => self.memory.recall(SIGNER).and_then(|bytes| String::from_utf8(bytes).ok()),
        };
        if let Some(wanted) = wanted.filter(|wanted| *wanted != signed.signer) {
            return Err(self.broken(format!("signed by {}, not by {wanted}", signed.signer)));
        }
        Ok((signed.bytes, vec![(SIGNER.to_owned(), Keep::Bytes(signed.signer.into_bytes()))]))
    }

    fn entry(&self, bytes: &[u8], keep: Keeps, hand: Hand<'_>) -> Result<Harvest, Fault> {
        let entry: Entry = serde_json::from_slice(bytes).map_err(|e| self.broken(format!("no entry: {e}")))?;
        let at_hand = self.memory.recall(TIMESTAMP).and_then(|t| String::from_utf8(t).ok());
        let is_kept = at_hand.is_some() && self.memory.open(INDEX).is_some();
        let timestamp = entry.timestamp.to_string();
        if let Some(at_hand) = at_hand.as_ref().filter(|_| is_kept) {
            if *at_hand == timestamp {
                let mut harvest = self.apps(|each| v2::read(&mut self.kept()?, each), hand)?;
                harvest.keep = keep;
                return Ok(harvest);
            }
            if at_hand.parse().is_ok_and(|old: i64| old > entry.timestamp) {
                return Err(self.broken(format!("an index older than the one at hand ({timestamp} < {at_hand})")));
            }
        }
        let file = at_hand.filter(|_| is_kept).and_then(|t| entry.diffs.get(&t));
        let file = file.filter(|file| file.size <= DIFF_MAX).map(|file| ("diff", file));
        let (step, file) = file.unwrap_or(("index", &entry.index));
        if file.size > INDEX_MAX {
            return Err(self.broken(format!("an index of {} bytes", file.size)));
        }
        let vars = [
            ("sha256", file.sha256.to_ascii_lowercase()),
            ("timestamp", timestamp),
            ("index", entry.index.name.clone()),
            ("index_sha256", entry.index.sha256.to_ascii_lowercase()),
        ];
        let mut harvest = next(self.store, self.todo, step, &file.name, &vars);
        harvest.keep = keep;
        Ok(harvest)
    }

    /// The body is the one that the entry vouches for.
    fn vouched(&self) -> Result<(), Fault> {
        let mut body = self.body().map_err(|e| self.broken(e))?;
        let ours = hash_of(&mut body).map_err(|e| self.broken(e))?;
        let theirs = self.todo.vars.get("sha256").map_or("", String::as_str);
        if ours == theirs {
            return Ok(());
        }
        // Entry and index may be fetched across an update.
        let detail = format!("{}: SHA-256 is {ours}, the entry says {theirs}", self.answer.url);
        Err(Fault::new(Outcome::Network, detail))
    }

    fn index(&self, hand: Hand<'_>) -> Result<Harvest, Fault> {
        self.vouched()?;
        let mut harvest = self.apps(|each| v2::read(&mut self.body()?, each), hand)?;
        harvest.keep = self.keep(Keep::Answer);
        Ok(harvest)
    }

    fn diff(&self, hand: Hand<'_>) -> Result<Harvest, Fault> {
        self.vouched()?;
        let (mut old, diff) = (self.kept().map_err(|e| self.broken(e))?, self.bytes()?);
        if diff.len() as u64 > DIFF_MAX {
            return Err(self.broken(format!("a diff of {} bytes", diff.len())));
        }
        let disk = |e: std::io::Error| Fault::new(Outcome::Network, format!("the index cannot be written: {e}"));
        let merged = tempfile::Builder::new().prefix("index-").suffix(".part").tempfile_in(self.memory.scratch());
        let merged = merged.map_err(disk)?;
        v2::merge(&mut old, &diff, &mut BufWriter::new(merged.as_file())).map_err(|e| self.broken(e))?;
        if merged.as_file().metadata().map_err(disk)?.len() > INDEX_MAX {
            return Err(self.broken(format!("with the diff the index is over {INDEX_MAX} bytes")));
        }
        let open = || File::open(merged.path()).map_err(|e| e.to_string());
        let mut harvest = self.apps(|each| v2::read(&mut open()?, each), hand)?;
        let sha256 = hash_of(&mut merged.reopen().map_err(disk)?).map_err(disk)?;
        let (_, path) = merged.keep().map_err(|e| disk(e.error))?;
        harvest.keep = self.keep(Keep::File { path, sha256 });
        Ok(harvest)
    }

    fn keep(&self, index: Keep) -> Keeps {
        let timestamp = self.todo.vars.get("timestamp").cloned().unwrap_or_default();
        vec![(INDEX.to_owned(), index), (TIMESTAMP.to_owned(), Keep::Bytes(timestamp.into_bytes()))]
    }

    /// Hands on the apps of an index, those wanted; each is done with before the next one is read.
    /// The index is read twice: what is wrong with it shows before any of it is believed.
    fn apps(&self, mut read: impl FnMut(Each<'_>) -> Result<(), String>, hand: Hand<'_>) -> Result<Harvest, Fault> {
        let (mut count, mut fit, mut unfit, mut odd) = (0usize, 0usize, 0usize, 0usize);
        let (mut first, mut lost) = (Vec::new(), Vec::new());
        let mut look = |app: App| {
            count += 1;
            if count > APPS_MAX {
                return Err(format!("more than {APPS_MAX} apps"));
            }
            if self.is_wanted(&app) {
                if !app.lost.is_empty() {
                    odd += 1;
                    lost.extend((odd <= 3).then(|| format!("{}: {}", app.listing.package, app.lost.join(", "))));
                }
                match app.found(self.store) {
                    Ok(_) => fit += 1,
                    Err(why) => {
                        unfit += 1;
                        first.extend((unfit <= 3).then_some(why));
                    }
                }
            }
            Ok(())
        };
        read(&mut look).map_err(|e| self.broken(e))?;
        let mut pass_on = |app: App| {
            if self.is_wanted(&app)
                && let Ok(found) = app.found(self.store)
            {
                hand(found);
            }
            Ok(())
        };
        read(&mut pass_on).map_err(|e| self.broken(e))?;
        let mut harvest = Harvest::default();
        if unfit > 0 {
            harvest.faults.push(self.broken(format!("{unfit} apps lack what is required: {}", first.join("; "))));
        }
        if odd > 0 {
            harvest.faults.push(self.broken(format!("{odd} apps have fields of no use: {}", lost.join("; "))));
        }
        let is_search = self.todo.want.is_some() || self.todo.vars.contains_key("words");
        if fit == 0 && unfit == 0 && is_search {
            let wanted = self.todo.want.as_ref().or_else(|| self.todo.vars.get("words")).cloned().unwrap_or_default();
            let detail = format!("{}: none of {count} apps is `{wanted}`", self.store.id);
            return Err(Fault::new(Outcome::NotFound, detail));
        }
        Ok(harvest)
    }

    fn is_wanted(&self, app: &App) -> bool {
        let words = self.todo.vars.get("words");
        self.todo.want.as_ref().is_none_or(|want| *want == app.listing.package)
            && words.is_none_or(|words| {
                let said = format!("{}\n{}\n{}", app.listing.title, app.summary, app.listing.package).to_lowercase();
                words.split_whitespace().all(|word| said.contains(word))
            })
    }
}

fn hash_of(from: &mut dyn Read) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut part = vec![0; 1 << 16];
    loop {
        match from.read(&mut part)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&part[..read]),
        }
    }
}

/// A fingerprint without the blanks and colons it may be written with.
fn plain(fingerprint: &str) -> String {
    fingerprint.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase()
}

/// An app of either index. Addresses are still names within the repository.
#[derive(Debug, Default)]
struct App {
    listing: Listing,
    summary: String,
    file: String,
    sha256: String,
    bytes: u64,
    /// Fields that were of no use.
    lost: Vec<String>,
}

impl App {
    /// Takes over what a version says.
    fn fill(&mut self, version: Self) {
        let said = version.listing;
        self.listing.version_name = said.version_name;
        self.listing.version_code = said.version_code;
        self.listing.changelog = said.changelog;
        self.listing.permissions = said.permissions;
        self.listing.more.extend(said.more);
        (self.file, self.sha256, self.bytes) = (version.file, version.sha256, version.bytes);
        self.lost.extend(version.lost);
    }

    fn found(self, store: &Store) -> Result<Found, String> {
        let mut listing = self.listing;
        if !self.lost.is_empty() {
            listing.unread.push(format!("{} of its fields in the index are of no use", self.lost.len()));
        }
        if !super::field::is_package(&listing.package) {
            return Err(format!("{:?} is no package name", listing.package));
        }
        if listing.title.is_empty() {
            // A repository may name an app by its package alone.
            listing.title.clone_from(&listing.package);
        }
        listing.id.clone_from(&listing.package);
        listing.store.clone_from(&store.id);
        let repo = store.hosts.get("repo").map_or("", String::as_str);
        let address = |name: &str| {
            let url = url::Url::parse(&format!("{repo}/{}", as_path(name.trim_start_matches('/')))).ok()?;
            Some(url.to_string())
        };
        listing.screenshots = listing.screenshots.iter().filter_map(|name| address(name)).collect();
        for picture in [&mut listing.icon, &mut listing.banner].into_iter().filter(|name| !name.is_empty()) {
            *picture = address(picture).unwrap_or_default();
        }
        listing.url = match store.hosts.get("site") {
            Some(page) => format!("{page}/{}/", listing.package),
            None => format!("{repo}/{}", self.file.trim_start_matches('/')),
        };
        let package = if self.file.is_empty() {
            None
        } else {
            let url =
                address(&self.file).ok_or_else(|| format!("{}: {:?} is no file name", listing.package, self.file))?;
            listing.download_url.clone_from(&url);
            let expected = crate::model::fetch::Expected {
                sha256: (!self.sha256.is_empty()).then(|| self.sha256.to_ascii_lowercase()),
                bytes: (self.bytes > 0).then_some(self.bytes),
            };
            Some(crate::model::fetch::Wanted { ask: Ask::get(url, Purpose::Package), expected })
        };
        Ok(Found { listing, package, is_named: true })
    }
}

/// The name of a file as part of an address: each sign that means something there stands for itself.
fn as_path(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '#' | '?' | '%' | '\\' | ' ' | '[' | ']' => out.push_str(&format!("%{:02X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// The text of the locale that fits Chinese readers best, of those that have one.
fn localised(texts: &BTreeMap<String, String>) -> Option<&String> {
    let said = texts.iter().filter(|(_, text)| !text.trim().is_empty());
    said.min_by_key(|(locale, _)| ranks(locale)).map(|(_, text)| text)
}

/// How well a locale fits Chinese readers: the least number fits best.
fn ranks(locale: &str) -> usize {
    const FIRST: &[&str] = &["zh-CN", "zh-Hans-CN", "zh-Hans", "zh"];
    let others = [locale.starts_with("zh"), locale == "en-US", locale == "en", locale.starts_with("en")];
    FIRST
        .iter()
        .position(|first| *first == locale)
        .or_else(|| others.iter().position(|fits| *fits).map(|at| FIRST.len() + at))
        .unwrap_or(FIRST.len() + others.len())
}
