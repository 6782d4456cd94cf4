//! Checking a bag: every hash, every file, the chain of custody, and nothing but the bag.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::name::TAG_MANIFEST;
use super::stamp::{self, Stamp};
use super::{Custody, name};
use crate::model::hex;

/// Something that is not as the bag says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// File below the bag.
    pub file: String,
    /// What is wrong.
    pub what: String,
}

/// Bytes of a tag file: a manifest of a bag of ours has some hundred lines.
const TAG_MAX: u64 = 16 << 20;
/// Files of a bag.
const FILES_MAX: usize = 100_000;
/// Folders within folders.
const DEPTH_MAX: usize = 16;
/// Tag files that must be there, and be covered by the tag manifest.
const TAGS: &[&str] = &["bag-info.txt", "bagit.txt", "manifest-sha256.txt"];
/// Tag files that no manifest lists: the first is checked by the second, the others by each other.
const UNLISTED: &[&str] = &[TAG_MANIFEST, name::TIMESTAMP_QUERY, name::TIMESTAMP_REPLY];

/// Names of what differs, sorted; nothing where the bag is whole.
#[must_use]
pub fn verify(root: &Path) -> Vec<Difference> {
    let mut found = BTreeSet::new();
    let mut tell = |file: &str, what: String| {
        found.insert(Difference { file: file.to_owned(), what });
    };
    let tags = manifest(root, TAG_MANIFEST, &mut tell);
    for name in TAGS.iter().filter(|name| !tags.contains_key(**name)) {
        tell(TAG_MANIFEST, format!("does not name {name}"));
    }
    let payload = manifest(root, "manifest-sha256.txt", &mut tell);
    for (name, hash) in tags.iter().chain(&payload) {
        match hash_of(root, name) {
            Ok(is) if is == *hash => {}
            Ok(is) => tell(name, format!("its SHA-256 is {is}, the manifest says {hash}")),
            Err(error) => tell(name, format!("cannot be read: {error}")),
        }
    }
    // Nothing vouches for the tag manifest: where the two disagree, either may have been changed.
    let doubted = tags.iter().filter(|(name, hash)| hash_of(root, name).is_ok_and(|is| is != **hash));
    for (name, _) in doubted {
        tell(TAG_MANIFEST, format!("says another SHA-256 of {name}: one of the two was changed"));
    }
    let mut files = BTreeSet::new();
    if let Err(error) = walk(root, root, 0, &mut files) {
        tell("", format!("the folder cannot be read: {error}"));
    }
    for name in files.iter().filter(|name| !payload.contains_key(*name) && !tags.contains_key(*name)) {
        if !UNLISTED.contains(&name.as_str()) {
            tell(name, "is in no manifest".into());
        }
    }
    for name in payload.keys().filter(|name| !name.starts_with("data/")) {
        tell("manifest-sha256.txt", format!("names {name}, which is no payload"));
    }
    declaration(root, &mut tell);
    custody(root, &mut tell);
    if let Err(Difference { file, what }) = stamped(root) {
        tell(&file, what);
    }
    found.into_iter().collect()
}

/// The timestamp of a bag; none where it has none and says of none.
///
/// # Errors
/// What does not hold about it, or that it is missing.
pub fn stamped(root: &Path) -> Result<Option<Stamp>, Difference> {
    let differs = |file: &str, what: String| Difference { file: file.into(), what };
    let is_there = |name: &str| fs::symlink_metadata(root.join(name)).is_ok();
    let info = read(root, "bag-info.txt").unwrap_or_default();
    let said = info.lines().find_map(|line| line.strip_prefix(name::TIMESTAMP_INFO)).unwrap_or_default();
    if !is_there(name::TIMESTAMP_QUERY) && !is_there(name::TIMESTAMP_REPLY) && !said.starts_with(name::TIMESTAMP_BY) {
        return Ok(None);
    }
    let part =
        |name: &str| bytes(root, name, stamp::BYTES_MAX).map_err(|e| differs(name, format!("cannot be read: {e}")));
    let (query, reply) = (part(name::TIMESTAMP_QUERY)?, part(name::TIMESTAMP_REPLY)?);
    let manifest = bytes(root, TAG_MANIFEST, TAG_MAX).unwrap_or_default();
    stamp::check(&manifest, &query, &reply).map(Some).map_err(|fault| match fault {
        stamp::Fault::Query(what) => differs(name::TIMESTAMP_QUERY, what),
        stamp::Fault::Reply(what) => differs(name::TIMESTAMP_REPLY, what),
    })
}

fn declaration(root: &Path, tell: &mut impl FnMut(&str, String)) {
    let text = read(root, "bagit.txt").unwrap_or_default();
    if text != "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n" {
        tell("bagit.txt", "is not the declaration of a BagIt 1.0 bag".into());
    }
}

fn custody(root: &Path, tell: &mut impl FnMut(&str, String)) {
    let info = read(root, "bag-info.txt").unwrap_or_default();
    let head = info.lines().find_map(|line| line.strip_prefix("Xunjian-Custody-Head: "));
    let Some(head) = head else { return tell("bag-info.txt", "does not name the head of the chain of custody".into()) };
    match read(root, name::CUSTODY) {
        Ok(text) => {
            if let Err(what) = Custody::check(&text, head) {
                tell(name::CUSTODY, what);
            }
        }
        Err(error) => tell(name::CUSTODY, format!("cannot be read: {error}")),
    }
}

fn manifest(root: &Path, file: &str, tell: &mut impl FnMut(&str, String)) -> BTreeMap<String, String> {
    let text = match read(root, file) {
        Ok(text) => text,
        Err(error) => {
            tell(file, format!("cannot be read: {error}"));
            return BTreeMap::new();
        }
    };
    let mut lines = BTreeMap::new();
    for (number, line) in text.split_terminator('\n').enumerate().take(FILES_MAX) {
        let entry = line.split_once("  ").filter(|(hash, name)| is_hash(hash) && is_below(name));
        match entry {
            Some((hash, name)) => {
                let name = name.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%");
                if lines.insert(name, hash.to_owned()).is_some() {
                    tell(file, format!("line {}: a file named twice", number + 1));
                }
            }
            None => tell(file, format!("line {}: not a hash and a name", number + 1)),
        }
    }
    if !text.ends_with('\n') {
        tell(file, "is cut off".into());
    }
    lines
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// A name that cannot lead out of the bag.
fn is_below(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    !name.contains('\\') && !name.contains(':') && parts.iter().all(|part| !matches!(*part, "" | "." | ".."))
}

/// Opens a file of a bag. Links are none, nor is what lies behind a folder that is one: they
/// could lead anywhere. Nor are pipes and devices, which have no end.
///
/// # Errors
/// When it is no regular file of the bag, or cannot be opened.
pub fn open(root: &Path, name: &str) -> io::Result<File> {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let path = folder_of(root, folder)?.join(file);
    if !fs::symlink_metadata(&path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a regular file"));
    }
    File::open(path)
}

/// A folder of a bag, each part of whose name is a folder itself.
///
/// # Errors
/// When one of them is not, or is not there.
pub fn folder_of(root: &Path, name: &str) -> io::Result<PathBuf> {
    let mut path = root.to_owned();
    for part in name.split('/').filter(|part| !part.is_empty()) {
        path.push(part);
        if !fs::symlink_metadata(&path)?.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "lies behind something that is no folder of the bag",
            ));
        }
    }
    Ok(path)
}

fn read(root: &Path, name: &str) -> io::Result<String> {
    String::from_utf8(bytes(root, name, TAG_MAX)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8"))
}

fn bytes(root: &Path, name: &str, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(root, name)?.take(max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn hash_of(root: &Path, name: &str) -> io::Result<String> {
    let mut file = open(root, name)?;
    let mut hash = Sha256::new();
    let mut part = vec![0; 1 << 16];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&part[..read]),
        }
    }
}

fn walk(root: &Path, folder: &Path, depth: usize, files: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() && depth < DEPTH_MAX {
            walk(root, &path, depth + 1, files)?;
        } else if files.len() < FILES_MAX {
            let below = path.strip_prefix(root).unwrap_or(&path);
            files.insert(below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"));
        }
    }
    Ok(())
}
