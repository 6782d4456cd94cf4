//! Dalvik executables: strings, types, classes; nothing more.
//!
//! Written against <https://source.android.com/docs/core/runtime/dex-format>. No crate
//! holds up here: they refuse files with a wrong checksum, which ART runs. Every count
//! is capped by what the file could hold, checksums are not looked at, and what parses
//! is kept.

use super::bytes::decode_mutf8;
use super::eastern::Eastern;
use super::literals::Users;
use super::pool::u32_at;
use super::{Extracted, Input};
use crate::model::{Block, Kind, Limit, LimitCode, Meter};
use crate::signature::is_han;

const HEADER: usize = 0x70;

/// How the first version begins whose offsets count from the start of the container.
const CONTAINER: &[u8] = b"dex\n041";
/// Length of its header, which states the container's length and its own offset in it.
const CONTAINER_HEADER: usize = 0x78;
/// Files of one container at most.
const FILES_MAX: usize = 64;

/// Reads all DEX files in `bytes`: since version 41 a container holds several in a row, and
/// their offsets count from its start; files that somebody put together count from their own.
pub(super) fn read(input: Input<'_>, out: &mut Extracted) {
    let bytes = input.bytes();
    let (mut start, mut container) = (0, 0);
    for _ in 0..FILES_MAX {
        let file = &bytes[start..];
        let is_contained = file.starts_with(CONTAINER);
        if !is_contained || u32_at(file, 0x74) == Some(0) {
            container = start;
        }
        one(input.part(&bytes[container..], input.place), start - container, out);
        let least = if is_contained { CONTAINER_HEADER } else { HEADER };
        let size = (u32_at(file, 32).unwrap_or(0) as usize).max(least);
        match file.get(size..) {
            Some(next) if next.starts_with(b"dex\n") && !input.meter.is_spent() => start += size,
            _ => break,
        }
    }
}

/// One file: its header stands at `start`, its offsets count from the start of the bytes.
fn one(input: Input<'_>, start: usize, out: &mut Extracted) {
    let (bytes, place, budget, meter) = (input.bytes(), input.place, input.budget(), input.meter);
    let mut bad = |detail: String| out.limits.push(Limit::new(LimitCode::BadDex, place, detail));
    if bytes.len() < start + HEADER {
        return bad("shorter than its header".into());
    }
    let strings = Table::new(bytes, start + 0x38, 4);
    let types = Table::new(bytes, start + 0x40, 4);
    let classes = Table::new(bytes, start + 0x60, 32);
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
    let mut wanted = Vec::new();
    let mut odd = OddStrings::default();
    for index in 0..strings.count.min(budget.strings) {
        match string(bytes, &strings, index, &mut scratch, meter) {
            Some(text) if is_descriptor(text) && !text.is_empty() => {}
            Some(text) => {
                odd.note(bytes, strings.u32(bytes, index), text);
                if text.contains(is_han) {
                    wanted.resize(index, false);
                    wanted.push(true);
                }
                code.push(index as u32, text);
            }
            None if meter.is_spent() => break,
            None => unreadable += 1,
        }
    }
    let mut names = Block::new(Kind::Class, place, "class");
    for index in 0..classes.count.min(budget.strings) {
        let type_index = classes.u32(bytes, index).filter(|&t| (t as usize) < types.count);
        let string_index = type_index.and_then(|t| types.u32(bytes, t as usize));
        let name = string_index
            .filter(|&s| (s as usize) < strings.count)
            .and_then(|s| string(bytes, &strings, s as usize, &mut scratch, meter));
        match name.and_then(dotted) {
            Some(name) => names.push(index as u32, &name),
            None if meter.is_spent() => break,
            None => unreadable += 1,
        }
    }
    if unreadable > 0 {
        bad(format!("{unreadable} strings or classes lie outside the file"));
    }
    if let Some(maker) = names.iter().find_map(|fact| encryptor(fact.text)) {
        let detail = format!("{maker}: the words of its constants are encrypted");
        out.limits.push(Limit::new(LimitCode::EncryptedStrings, place, detail));
    }
    out.read.strings += code.len() as u64;
    out.read.classes += names.len() as u64;
    out.facts.push(code);
    out.facts.push(names);
    odd.read(input, out);
    out.facts.push(literals(input, &wanted, [&strings, &types, &classes]));
}

/// Strings whose length is not the one they state: their bytes may be wide characters, which a
/// runtime would not show, and an app may put together itself.
#[derive(Default)]
struct OddStrings {
    bytes: Vec<u8>,
    count: usize,
}

impl OddStrings {
    /// Strings kept of one file, and bytes of one.
    const MOST: usize = 4_096;
    const LONGEST: usize = 1_024;

    fn note(&mut self, bytes: &[u8], at: Option<u32>, text: &str) {
        let Some(rest) = at.and_then(|at| bytes.get(at as usize..)) else { return };
        let width = 1 + rest.iter().take(4).take_while(|byte| **byte >= 0x80).count();
        let stated = rest.iter().take(width).rev().fold(0_usize, |number, byte| number << 7 | usize::from(byte & 0x7f));
        let units = if text.is_ascii() { text.len() } else { text.encode_utf16().count() };
        if (stated > units || text.contains('\u{fffd}')) && self.count < Self::MOST {
            let length = stated.saturating_mul(4).min(Self::LONGEST);
            let raw = rest.get(width..).unwrap_or_default();
            self.bytes.extend([0; 8]);
            self.bytes.extend_from_slice(&raw[..raw.len().min(length)]);
            self.count += 1;
        }
    }

    /// Takes what is writing of the East among them.
    fn read(self, input: Input<'_>, out: &mut Extracted) {
        let bytes = [self.bytes.as_slice(), &[0; 8]].concat();
        let mut block = Block::new(Kind::Code, input.place, "odd string");
        Eastern::new(&bytes, false, input.meter).take(0, bytes.len(), &mut block);
        if !block.is_empty() {
            out.read.strings += block.len() as u64;
            out.facts.push(block);
        }
    }
}

/// The strings that are words, each under the names of the classes that use it.
fn literals(input: Input<'_>, wanted: &[bool], [strings, types, classes]: [&Table; 3]) -> Block {
    let mut block = Block::new(Kind::Literal, input.place, "");
    if wanted.is_empty() {
        return block;
    }
    let (bytes, meter) = (input.bytes(), input.meter);
    let mut users = Users::new(bytes, wanted, meter);
    for index in 0..classes.count {
        users.class(index as u32, classes.at + index * classes.width);
    }
    let (mut scratch, mut spelling) = (String::new(), String::new());
    for (number, users) in users.into_found() {
        let Some(text) = string(bytes, strings, number as usize, &mut scratch, meter) else { continue };
        for class in users {
            let name = classes.u32(bytes, class as usize).and_then(|t| types.u32(bytes, t as usize));
            let name =
                name.and_then(|name| string(bytes, strings, name as usize, &mut spelling, meter)).and_then(dotted);
            block.push_named(name.as_deref().unwrap_or_default(), text);
        }
    }
    block
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

/// String data: a ULEB128 length in UTF-16 units, then MUTF-8, then NUL. Ids may point at
/// one string again and again: each time is paid for, whatever becomes of it.
fn string<'a>(
    bytes: &'a [u8],
    table: &Table,
    index: usize,
    scratch: &'a mut String,
    meter: &Meter<'_>,
) -> Option<&'a str> {
    let mut at = table.u32(bytes, index)? as usize;
    for _ in 0..5 {
        let byte = *bytes.get(at)?;
        at += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let rest = bytes.get(at..)?;
    let end = memchr::memchr(0, rest);
    if !meter.decode(end.unwrap_or(rest.len()) + 1) {
        return None;
    }
    let raw = &rest[..end?];
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

/// Who encrypts the constants of an app whose build leaves such a class behind: StringFog
/// (<https://github.com/MegatronKing/StringFog>), NP Manager and what is made after them.
fn encryptor(class: &str) -> Option<&'static str> {
    const CLASSES: &[(&str, &str)] =
        &[("com.github.megatronking.stringfog.", "StringFog"), ("obfuse.NPStringFog", "NP Manager (NPStringFog)")];
    const NAMES: &[(&str, &str)] = &[
        ("StringFog", "StringFog"),
        ("NPStringFog", "NP Manager (NPStringFog)"),
        ("StringFogImpl", "StringFog"),
        ("StringFogWrapper", "StringFog"),
        ("ParanoidStringFog", "StringFog"),
    ];
    let name = class.rsplit('.').next().unwrap_or(class);
    let named = NAMES.iter().find(|(simple, _)| *simple == name);
    named.or_else(|| CLASSES.iter().find(|(prefix, _)| class.starts_with(prefix))).map(|(_, maker)| *maker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encryptors_of_constants_are_known_by_their_classes() {
        assert_eq!(encryptor("com.github.megatronking.stringfog.xor.StringFogImpl"), Some("StringFog"));
        assert_eq!(encryptor("cn.example.StringFog"), Some("StringFog"));
        assert_eq!(encryptor("obfuse.NPStringFog"), Some("NP Manager (NPStringFog)"));
        assert_eq!(encryptor("cn.example.StringFogging"), None);
    }

    #[test]
    fn descriptors_are_told_from_words_in_brackets() {
        assert!(is_descriptor("[[I") && is_descriptor("[Ljava/lang/Object;") && is_descriptor("Lcn/example/A$1;"));
        assert!(!is_descriptor("[拍照搜题]") && !is_descriptor("[INFO] ask the tutor") && !is_descriptor("L 1;"));
    }
}
