//! Entry names that readers disagree on. Names are labels to us, never paths.

use std::collections::{HashMap, HashSet};

use encoding_rs::GB18030;

use super::Entry;
use super::headers::{u16_at, u32_at};

/// Id of Info-ZIP's extra field with the name in UTF-8 (APPNOTE 4.6.9).
const UNICODE_PATH: u16 = 0x7075;

/// The name of an entry. Old tools write names in the code page of their system: they may add
/// the name in UTF-8, which counts while its checksum says that it is of this name; else what
/// is no UTF-8 and reads as GB18030 is that.
pub(super) fn decode(raw: &[u8], extra: &[u8]) -> String {
    if let Some(name) = unicode_path(raw, extra) {
        return name;
    }
    match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) if is_gbk(raw) => GB18030.decode_without_bom_handling(raw).0.into_owned(),
        Err(_) => String::from_utf8_lossy(raw).into_owned(),
    }
}

/// The name of the extra field: a version, the checksum of the other name, UTF-8.
fn unicode_path(raw: &[u8], extra: &[u8]) -> Option<String> {
    let mut at = 0;
    while at + 4 <= extra.len() {
        let (id, length) = (u16_at(extra, at), usize::from(u16_at(extra, at + 2)));
        let field = extra.get(at + 4..at + 4 + length)?;
        if id == UNICODE_PATH && length > 5 && u32_at(field, 1) == crc32fast::hash(raw) {
            return String::from_utf8(field[5..].to_vec()).ok();
        }
        at += 4 + length;
    }
    None
}

/// Pairs of bytes of the characters that people use.
fn is_gbk(raw: &[u8]) -> bool {
    let (mut at, mut pairs, mut rare) = (0, 0_usize, 0_usize);
    while at < raw.len() {
        match &raw[at..] {
            [0..=0x7f, ..] => at += 1,
            [0xa1..=0xf7, 0xa1..=0xfe, ..] => (at, pairs) = (at + 2, pairs + 1),
            [0x81..=0xfe, 0x40..=0x7e | 0x80..=0xfe, ..] => (at, rare) = (at + 2, rare + 1),
            _ => return false,
        }
    }
    pairs > rare
}

/// Numbers the copies of each name and tells what is odd about the names.
pub(super) fn note(entries: &mut [Entry]) -> Vec<String> {
    let mut odd: Vec<String> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for entry in entries.iter_mut() {
        let times = seen.entry(entry.name.clone()).or_default();
        entry.copy = *times;
        *times += 1;
        if *times > 1 {
            odd.push(format!("the name {} stands {times} times", show(&entry.name)));
        }
        if is_odd(&entry.name) {
            odd.push(format!("an entry is named {}", show(&entry.name)));
        }
        if entry.name.ends_with('/') && entry.size > 0 {
            odd.push(format!("{} looks like a folder and holds data", show(&entry.name)));
        }
    }
    odd.extend(collisions(entries));
    odd
}

fn is_odd(name: &str) -> bool {
    let plain = name.trim_end_matches('/');
    plain.is_empty()
        || plain.starts_with(['/', '\\'])
        || plain.split(['/', '\\']).any(|part| part == "..")
        || plain.contains(|c: char| c.is_control())
}

/// Names that fall together where packages are written to disk: one that is both file
/// and folder, and the parts of a package in another case. (Shrinkers name resources
/// `res/aB.xml` and `res/ab.xml`; that is ordinary.)
fn collisions(entries: &[Entry]) -> Vec<String> {
    let files: HashSet<&str> = entries.iter().map(|e| e.name.as_str()).filter(|n| !n.ends_with('/')).collect();
    let mut folders: HashSet<&str> = HashSet::new();
    for entry in entries {
        let mut rest = entry.name.as_str();
        // A path of ten thousand parts would make this quadratic.
        for _ in 0..32 {
            let Some((parent, _)) = rest.rsplit_once('/') else { break };
            folders.insert(parent);
            rest = parent;
        }
    }
    let mut both: Vec<&str> = folders.intersection(&files).copied().filter(|n| !n.is_empty()).collect();
    both.sort_unstable();
    let mut odd: Vec<String> = both.iter().map(|name| format!("{} is both a file and a folder", show(name))).collect();
    for name in &files {
        let lower = name.to_ascii_lowercase();
        if let Some(part) = PARTS.iter().find(|p| p.to_ascii_lowercase() == lower && *p != name) {
            odd.push(format!("{} differs from {part} only in case", show(name)));
        }
    }
    odd.sort();
    odd
}

/// Parts of a package that the system looks up by name.
const PARTS: &[&str] = &["AndroidManifest.xml", "classes.dex", "classes2.dex", "classes3.dex", "resources.arsc"];

/// A hostile name, shortened and quoted.
fn show(name: &str) -> String {
    let mut shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
    if name.chars().nth(80).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_old_tools_are_read() {
        let gbk = b"\xc5\xc4\xd5\xd5\xcb\xd1\xcc\xe2\xbd\xcc\xb3\xcc/\xb5\xda1\xbd\xb2.mp4";
        assert_eq!(decode(gbk, &[]), "拍照搜题教程/第1讲.mp4");
        let name = "拍照.txt";
        let crc = crc32fast::hash(b"????.txt").to_le_bytes();
        let field = [&[1][..], &crc, name.as_bytes()].concat();
        let extra = [b"up".as_slice(), &(field.len() as u16).to_le_bytes(), &field].concat();
        assert_eq!(decode(b"????.txt", &[b"\x99\x99\0\0".as_slice(), &extra].concat()), "拍照.txt");
        assert_eq!(decode(b"other.txt", &extra), "other.txt");
        assert_eq!(decode("名师.txt".as_bytes(), &[]), "名师.txt");
        assert_eq!(decode(b"caf\x82.txt", &[]), "caf\u{fffd}.txt");
    }
}
