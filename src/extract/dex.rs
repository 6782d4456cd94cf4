//! Dalvik executables: strings, types, classes; nothing more.
//!
//! Written against <https://source.android.com/docs/core/runtime/dex-format>. No crate
//! holds up here: they refuse files with a wrong checksum, which ART runs. Every count
//! is capped by what the file could hold, checksums are not looked at, and what parses
//! is kept.

use super::Extracted;
use super::bytes::decode_mutf8;
use super::pool::u32_at;
use crate::model::{Block, Budget, Kind, Limit, LimitCode};

const HEADER: usize = 0x70;

/// Reads all DEX files in `bytes`: a container (version 41) holds several in a row.
pub(super) fn read(bytes: &[u8], place: &str, budget: &Budget, out: &mut Extracted) {
    let mut rest = bytes;
    for _ in 0..64 {
        one(rest, place, budget, out);
        let size = u32_at(rest, 32).unwrap_or(0) as usize;
        match rest.get(size.max(HEADER)..) {
            Some(next) if next.starts_with(b"dex\n") => rest = next,
            _ => break,
        }
    }
}

fn one(bytes: &[u8], place: &str, budget: &Budget, out: &mut Extracted) {
    let mut bad = |detail: String| out.limits.push(Limit::new(LimitCode::BadDex, place, detail));
    if bytes.len() < HEADER {
        return bad("shorter than its header".into());
    }
    let strings = Table::new(bytes, 0x38, 4);
    let types = Table::new(bytes, 0x40, 4);
    let classes = Table::new(bytes, 0x60, 32);
    for (name, table) in [("strings", &strings), ("types", &types), ("classes", &classes)] {
        if table.cut {
            bad(format!("states {} {name}, holds at most {}", table.stated, table.count));
        }
    }
    if strings.count > budget.strings {
        bad(format!("{} strings, the first {} were read", strings.count, budget.strings));
    }
    let mut unreadable = 0_usize;
    let mut code = Block::new(Kind::Code, place, "string");
    let mut scratch = String::new();
    for index in 0..strings.count.min(budget.strings) {
        match string(bytes, &strings, index, &mut scratch) {
            Some(text) if is_descriptor(text) => {}
            Some(text) => code.push(index as u32, text),
            None => unreadable += 1,
        }
    }
    let mut names = Block::new(Kind::Class, place, "class");
    for index in 0..classes.count.min(budget.strings) {
        let type_index = classes.u32(bytes, index).filter(|&t| (t as usize) < types.count);
        let string_index = type_index.and_then(|t| types.u32(bytes, t as usize));
        let name = string_index
            .filter(|&s| (s as usize) < strings.count)
            .and_then(|s| string(bytes, &strings, s as usize, &mut scratch));
        match name.and_then(dotted) {
            Some(name) => names.push(index as u32, &name),
            None => unreadable += 1,
        }
    }
    if unreadable > 0 {
        bad(format!("{unreadable} strings or classes lie outside the file"));
    }
    out.read.strings += code.len() as u64;
    out.read.classes += names.len() as u64;
    out.facts.push(code);
    out.facts.push(names);
}

/// A table of the header: count and offset, cut to what fits the file.
struct Table {
    at: usize,
    width: usize,
    stated: usize,
    count: usize,
    cut: bool,
}

impl Table {
    fn new(bytes: &[u8], field: usize, width: usize) -> Self {
        let stated = u32_at(bytes, field).unwrap_or(0) as usize;
        let at = u32_at(bytes, field + 4).unwrap_or(0) as usize;
        let room = bytes.len().saturating_sub(at) / width;
        let count = if at < HEADER { 0 } else { stated.min(room) };
        Self { at, width, stated, count, cut: count < stated }
    }

    fn u32(&self, bytes: &[u8], index: usize) -> Option<u32> {
        u32_at(bytes, self.at + index * self.width)
    }
}

/// String data: a ULEB128 length in UTF-16 units, then MUTF-8, then NUL.
fn string<'a>(bytes: &'a [u8], table: &Table, index: usize, scratch: &'a mut String) -> Option<&'a str> {
    let mut at = table.u32(bytes, index)? as usize;
    for _ in 0..5 {
        let byte = *bytes.get(at)?;
        at += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let rest = bytes.get(at..)?;
    let raw = &rest[..memchr::memchr(0, rest)?];
    // ASCII and plain UTF-8 need no decoding; surrogates and C0 80 are not UTF-8.
    if let Ok(text) = std::str::from_utf8(raw) {
        return Some(text);
    }
    scratch.clear();
    decode_mutf8(raw, scratch);
    Some(scratch)
}

/// Type descriptors are names of code and no words: `Ljava/lang/Object;`, `[I`.
pub(super) fn is_descriptor(text: &str) -> bool {
    let element = text.trim_start_matches('[');
    text.is_empty()
        || element.len() < text.len() && matches!(element, "Z" | "B" | "S" | "C" | "I" | "J" | "F" | "D")
        || element.starts_with('L') && element.ends_with(';') && !element.contains(' ') && element.is_ascii()
}

/// `Lcom/example/Main$1;` to `com.example.Main$1`.
pub(super) fn dotted(descriptor: &str) -> Option<String> {
    descriptor.strip_prefix('L')?.strip_suffix(';').map(|name| name.replace('/', "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_told_from_words_in_brackets() {
        assert!(is_descriptor("[[I") && is_descriptor("[Ljava/lang/Object;") && is_descriptor("Lcn/example/A$1;"));
        assert!(!is_descriptor("[拍照搜题]") && !is_descriptor("[INFO] ask the tutor") && !is_descriptor("L 1;"));
    }
}
