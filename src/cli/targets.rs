//! What `audit` was pointed at: files, folders, lists.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::names;
use crate::crawl::Stores;
use crate::model::{Listing, Skipped};

/// Why a target cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    /// `--listing` with several packages, or none.
    #[error("--listing goes with exactly one package")]
    ListingNeedsOnePackage,
    /// A file named on the command line cannot be read.
    #[error("{0}: cannot be read as UTF-8 text: {1}")]
    Unreadable(String, std::io::Error),
    /// The listing file is unusable.
    #[error("--listing {0}: {1}")]
    Listing(String, String),
}

/// One thing to audit.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// A package file.
    Package(PathBuf),
    /// A line of a listings file, and the folder of that.
    Listing(Box<Listing>, PathBuf),
    /// A package by its address.
    Link(String),
    /// Something to fetch from a store.
    Store(Box<crate::crawl::Target>),
    /// Nothing that can be audited.
    Skip(Skipped),
}

/// Folders below this depth are not entered.
const FOLDER_DEPTH: usize = 32;
/// A listing of this many bytes is no listing.
const LINE_MAX: usize = 8 << 20;

/// Resolves the words of the command line, in order.
pub(super) fn resolve(words: &[String], stores: &dyn Fn() -> anyhow::Result<Stores>) -> anyhow::Result<Vec<Target>> {
    // Whoever audits files needs no stores.
    let mut known: Option<Stores> = None;
    let mut targets = Vec::new();
    for word in words {
        let is_file = std::fs::symlink_metadata(word).is_ok();
        if word == "-" && !is_file {
            targets.extend(names::standard_input()?);
        } else if is_file || names::is_drive(word) {
            targets.extend(on_disk(word));
        } else if let Some(files) = names::expanded(word) {
            targets.extend(files.iter().flat_map(|file| on_disk(file)));
        } else if names::is_link(word) {
            targets.push(Target::Link(word.clone()));
        } else if let Some(word) = names::of_store(word) {
            let stores = match &mut known {
                Some(stores) => stores,
                empty => empty.insert(stores()?),
            };
            targets.push(match stores.target(&word) {
                Ok(Some(target)) => Target::Store(Box::new(target)),
                Ok(None) => skip(&word, "no-file", "no such file, and no store is named"),
                Err(why) => skip(&word, "no-store", why),
            });
        } else {
            targets.extend(on_disk(word));
        }
    }
    Ok(targets)
}

pub(super) fn skip(target: &str, code: &str, reason: impl Into<String>) -> Target {
    let (stage, code) = ("target".into(), code.into());
    Target::Skip(Skipped { target: target.into(), stage, code, reason: reason.into() })
}

/// Sort of reason why a file cannot be opened.
fn code_of(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no-file",
        std::io::ErrorKind::PermissionDenied => "no-permission",
        _ => "no-target",
    }
}

/// What a path stands for.
pub(super) fn on_disk(word: &str) -> Vec<Target> {
    let path = Path::new(word);
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => folder(path),
        Ok(meta) if meta.is_file() => file(path),
        Ok(_) => vec![skip(word, "no-target", "neither a file nor a folder")],
        Err(error) => {
            let hint = names::hint(word).unwrap_or_default();
            vec![skip(word, code_of(&error), format!("cannot be opened: {error}; check the path{hint}"))]
        }
    }
}

fn folder(path: &Path) -> Vec<Target> {
    let mut files = Vec::new();
    let mut faults = Vec::new();
    walk(path, 0, &mut files, &mut faults);
    files.sort();
    let mut targets: Vec<Target> = files.iter().flat_map(|f| file(f)).collect();
    targets.extend(faults);
    if targets.is_empty() {
        targets.push(skip(
            &path.display().to_string(),
            "no-target",
            "the folder is empty; give one that holds packages",
        ));
    }
    targets
}

fn walk(path: &Path, depth: usize, files: &mut Vec<PathBuf>, faults: &mut Vec<Target>) {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            faults.push(skip(&path.display().to_string(), code_of(&error), format!("cannot be opened: {error}")));
            return;
        }
    };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.file_type() {
            // A link may lead out of the folder or in a circle.
            Ok(kind) if kind.is_symlink() => {
                faults.push(skip(&path.display().to_string(), "no-target", "a symbolic link; give its target instead"));
            }
            Ok(kind) if kind.is_dir() && depth < FOLDER_DEPTH => walk(&path, depth + 1, files, faults),
            Ok(kind) if kind.is_file() => files.push(path),
            Ok(_) => {
                faults.push(skip(&path.display().to_string(), "no-target", "not a regular file, or nested too deep"))
            }
            Err(error) => {
                faults.push(skip(&path.display().to_string(), code_of(&error), format!("cannot be opened: {error}")))
            }
        }
    }
}

fn file(path: &Path) -> Vec<Target> {
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase()).unwrap_or_default();
    match ending.to_str() {
        Some("jsonl" | "ndjson") => listings(path),
        Some("json") => documents(path),
        _ => vec![Target::Package(path.to_owned())],
    }
}

/// Bytes of a JSON file that holds listings.
const DOCUMENT_MAX: u64 = 64 << 20;

/// A JSON file: one listing, an array of them, or one a line.
fn documents(path: &Path) -> Vec<Target> {
    let name = path.display().to_string();
    let read = || -> std::io::Result<String> {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut std::io::Read::take(File::open(path)?, DOCUMENT_MAX), &mut text)?;
        Ok(text)
    };
    let text = match read() {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            return vec![skip(&name, "no-listing", "not UTF-8; save the file as UTF-8")];
        }
        Err(error) => return vec![skip(&name, code_of(&error), format!("cannot be opened: {error}"))],
    };
    let parsed = |name: &str, text: &str| match Listing::parse(text) {
        Ok(listing) => Target::Listing(Box::new(listing), folder_of(path)),
        Err(error) => skip(name, "no-listing", error.to_string()),
    };
    match serde_json::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}')) {
        Ok(serde_json::Value::Array(all)) if all.is_empty() => vec![skip(&name, "no-listing", "an empty array")],
        Ok(serde_json::Value::Array(all)) => {
            let named = all.iter().enumerate();
            named.map(|(index, one)| parsed(&format!("{name}[{index}]"), &one.to_string())).collect()
        }
        Ok(one) => vec![parsed(&name, &one.to_string())],
        Err(_) => listings(path),
    }
}

/// The folder that a file lies in.
pub(super) fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or_else(|| Path::new(".")).to_owned()
}

/// Every line becomes a listing or a skip that names the line.
fn listings(path: &Path) -> Vec<Target> {
    let name = path.display().to_string();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return vec![skip(&name, code_of(&error), format!("cannot be opened: {error}"))],
    };
    let mut targets = Vec::new();
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        match read_line(&mut reader, &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                targets.push(skip(&name, "no-listing", format!("line {number}: {error}")));
                break;
            }
        }
        let target = format!("{name}:{number}");
        targets.extend(match one_line(&line) {
            Ok(None) => None,
            Ok(Some(listing)) => Some(Target::Listing(Box::new(listing), folder_of(path))),
            Err(why) => Some(skip(&target, "no-listing", why)),
        });
    }
    if targets.is_empty() {
        targets.push(skip(&name, "no-listing", "no line in it; give one listing a line"));
    }
    targets
}

/// A line of a list. Octets that are in no charset cost their place, and the listing says so.
fn one_line(line: &[u8]) -> Result<Option<Listing>, String> {
    // Cut at line breaks, text of two octets a character would read as other characters.
    if line.contains(&0) {
        return Err("not UTF-8; save the file as UTF-8".into());
    }
    let (text, lost) = crate::crawl::text_of(line);
    if text.trim().is_empty() {
        return Ok(None);
    }
    let mut listing = match Listing::parse(&text) {
        Ok(listing) => listing,
        Err(_) if std::str::from_utf8(line).is_err() => return Err("not UTF-8; save the file as UTF-8".into()),
        Err(error) => return Err(error.to_string()),
    };
    if lost > 0 {
        listing.unread.push(format!("{lost} places of the line are in no charset that it could be in"));
    }
    Ok(Some(listing))
}

fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<usize> {
    let read = std::io::Read::take(&mut *reader, LINE_MAX as u64).read_until(b'\n', line)?;
    if read == LINE_MAX {
        return Err(std::io::Error::other("longer than 8 MiB; no listing is"));
    }
    Ok(read)
}

/// Reads the file of `--listing`.
pub(super) fn listing(path: &Path) -> Result<Listing, TargetError> {
    let fail = |reason: String| TargetError::Listing(path.display().to_string(), reason);
    let text = std::fs::read_to_string(path).map_err(|e| fail(format!("cannot be read: {e}")))?;
    Listing::parse(text.trim_start_matches('\u{feff}').trim()).map_err(|e| fail(e.to_string()))
}
