//! What `audit` was pointed at: files, folders, lists.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

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
    /// A line of a listings file.
    Listing(Box<Listing>),
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
        let is_file = std::fs::metadata(word).is_ok();
        if is_file || !word.contains(':') {
            targets.extend(on_disk(word));
            continue;
        }
        let stores = match &mut known {
            Some(stores) => stores,
            empty => empty.insert(stores()?),
        };
        targets.push(match stores.target(word) {
            Ok(Some(target)) => Target::Store(Box::new(target)),
            Ok(None) => skip(word, "no file, and no store is named; check the path, or give STORE:PACKAGE"),
            Err(why) => skip(word, why),
        });
    }
    Ok(targets)
}

fn skip(target: &str, reason: impl Into<String>) -> Target {
    let (stage, code) = ("target".into(), "no-target".into());
    Target::Skip(Skipped { target: target.into(), stage, code, reason: reason.into() })
}

/// What a path stands for.
pub(super) fn on_disk(word: &str) -> Vec<Target> {
    let path = Path::new(word);
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => folder(path),
        Ok(meta) if meta.is_file() => file(path),
        Ok(_) => vec![skip(word, "neither a file nor a folder")],
        Err(error) => vec![skip(word, format!("cannot be opened: {error}; check the path"))],
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
        targets.push(skip(&path.display().to_string(), "the folder is empty; give one that holds packages"));
    }
    targets
}

fn walk(path: &Path, depth: usize, files: &mut Vec<PathBuf>, faults: &mut Vec<Target>) {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            faults.push(skip(&path.display().to_string(), format!("cannot be opened: {error}")));
            return;
        }
    };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.file_type() {
            // A link may lead out of the folder or in a circle.
            Ok(kind) if kind.is_symlink() => {
                faults.push(skip(&path.display().to_string(), "a symbolic link; give its target instead"));
            }
            Ok(kind) if kind.is_dir() && depth < FOLDER_DEPTH => walk(&path, depth + 1, files, faults),
            Ok(kind) if kind.is_file() => files.push(path),
            Ok(_) => faults.push(skip(&path.display().to_string(), "not a regular file, or nested too deep")),
            Err(error) => faults.push(skip(&path.display().to_string(), format!("cannot be opened: {error}"))),
        }
    }
}

fn file(path: &Path) -> Vec<Target> {
    let is_list = path.extension().is_some_and(|ext| ext == "jsonl" || ext == "ndjson");
    if is_list { listings(path) } else { vec![Target::Package(path.to_owned())] }
}

/// Every line becomes a listing or a skip that names the line.
fn listings(path: &Path) -> Vec<Target> {
    let name = path.display().to_string();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return vec![skip(&name, format!("cannot be opened: {error}"))],
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
                targets.push(skip(&name, format!("line {number}: {error}")));
                break;
            }
        }
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        let target = format!("{name}:{number}");
        match std::str::from_utf8(text) {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => targets.push(match Listing::parse(text) {
                Ok(listing) => Target::Listing(Box::new(listing)),
                Err(error) => skip(&target, error.to_string()),
            }),
            Err(_) => targets.push(skip(&target, "not UTF-8; save the file as UTF-8")),
        }
    }
    if targets.is_empty() {
        targets.push(skip(&name, "no line in it; give one listing a line"));
    }
    targets
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
