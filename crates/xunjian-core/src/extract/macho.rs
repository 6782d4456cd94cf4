//! Mach-O, the code of iOS apps: what the store encrypts in it, and the literals of its sections.
//!
//! Other strings are taken as of any library. Written against `mach-o/loader.h` and
//! `mach-o/fat.h` of <https://github.com/apple-oss-distributions/cctools>.

use std::collections::HashSet;

use super::bytes::{slice, u32_be, utf16};
use super::pool::u32_at;
use super::{Extracted, Input};
use crate::model::{Block, Kind, Limit, LimitCode};
use crate::signature::is_han;

/// `LC_ENCRYPTION_INFO` and its 64-bit form.
const ENCRYPTION: &[u32] = &[0x21, 0x2c];
/// Load commands and architectures looked at.
const COMMANDS_MAX: u32 = 4_096;
const ARCHITECTURES_MAX: u32 = 16;

/// Whether these are the first bytes of a Mach-O file, or of a fat one. Java classes
/// share the magic of the latter: their version, 45 and more, stands where the number of
/// architectures does.
pub(super) fn is_binary(head: &[u8]) -> bool {
    matches!(head, [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..])
        || matches!(head, [0xca, 0xfe, 0xba, 0xbe | 0xbf, 0, 0, 0, 1..=16, ..])
}

/// Where the files of a fat one begin, or the one that there is.
fn slices(bytes: &[u8]) -> Vec<usize> {
    if bytes.starts_with(&[0xca, 0xfe, 0xba]) {
        let wide = bytes.get(3) == Some(&0xbf);
        let count = u32_be(bytes, 4).unwrap_or(0).min(ARCHITECTURES_MAX) as usize;
        // Offsets of the 64-bit form have their low half four bytes later.
        let (width, field) = if wide { (32, 12) } else { (20, 8) };
        (0..count).filter_map(|i| u32_be(bytes, 8 + i * width + field)).map(|n| n as usize).collect()
    } else {
        vec![0]
    }
}

/// Code that only a device of the buyer can decrypt (FairPlay).
pub(super) fn sealed(bytes: &[u8], place: &str) -> Option<Limit> {
    let encrypted = slices(bytes).into_iter().filter_map(|at| bytes.get(at..)).any(is_encrypted);
    encrypted.then(|| {
        let detail = "code encrypted by the store (FairPlay): its words were not read";
        Limit::new(LimitCode::Packed, place, detail)
    })
}

/// Takes the strings of the sections `__ustring`, where the compiler puts every literal of
/// Objective-C with a character beyond ASCII: UTF-16, each up to its NUL, of any length. Those
/// that the search found already are left out.
pub(super) fn literals(input: Input<'_>, out: &mut Extracted) {
    let (bytes, place) = (input.bytes(), input.place);
    let known: HashSet<&str> = out.facts.of(Kind::Native).collect();
    let mut block = Block::new(Kind::Native, place, "__ustring offset");
    // Sections that share bytes could make the whole far larger than the file.
    let mut left = bytes.len();
    for (start, length) in slices(bytes).into_iter().filter_map(|at| Some((at, bytes.get(at..)?))).flat_map(sections) {
        let Some(section) = slice(bytes, start, length.min(left)) else { continue };
        left -= section.len();
        let mut at = 0;
        for text in section.as_chunks::<2>().0.split(|unit| *unit == [0, 0]) {
            let length = text.len();
            let text = utf16(text.as_flattened(), u16::from_le_bytes);
            if text.chars().any(is_han) && !known.contains(text.as_str()) {
                block.push(u32::try_from(start + at).unwrap_or(u32::MAX), &text);
            }
            at += (length + 1) * 2;
        }
    }
    out.read.strings += block.len() as u64;
    out.facts.push(block);
}

/// Start and length of the sections named `__ustring` of a file that begins at `base`.
fn sections((base, file): (usize, &[u8])) -> Vec<(usize, usize)> {
    let is_wide = file.first() == Some(&0xcf);
    let (mut at, command, header, width) = if is_wide { (32_usize, 0x19, 72, 80) } else { (28, 0x01, 56, 68) };
    let mut found = Vec::new();
    for _ in 0..u32_at(file, 16).unwrap_or(0).min(COMMANDS_MAX) {
        let (Some(kind), Some(size)) = (u32_at(file, at), u32_at(file, at + 4)) else { break };
        let count = u32_at(file, at + header - 8).unwrap_or(0) as usize;
        let room = (size as usize).saturating_sub(header) / width;
        for index in 0..if kind == command { count.min(room) } else { 0 } {
            let section = at + header + index * width;
            if slice(file, section, 16).is_some_and(|name| name.starts_with(b"__ustring\0")) {
                let (length, offset) = if is_wide { (40, 48) } else { (36, 40) };
                let number = |field: usize| u32_at(file, section + field).unwrap_or(0) as usize;
                found.push((base.saturating_add(number(offset)), number(length)));
            }
        }
        let Some(next) = at.checked_add((size as usize).max(8)) else { break };
        at = next;
    }
    found
}

fn is_encrypted(file: &[u8]) -> bool {
    let mut at = if file.first() == Some(&0xcf) { 32_usize } else { 28 };
    let count = u32_at(file, 16).unwrap_or(0).min(COMMANDS_MAX);
    for _ in 0..count {
        let (Some(command), Some(size)) = (u32_at(file, at), u32_at(file, at + 4)) else { return false };
        if ENCRYPTION.contains(&command) && u32_at(file, at + 16).is_some_and(|id| id != 0) {
            return true;
        }
        let Some(next) = at.checked_add((size as usize).max(8)) else { return false };
        at = next;
    }
    false
}
