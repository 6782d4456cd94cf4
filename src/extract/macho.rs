//! Mach-O, the code of iOS apps: what the store encrypts in it.
//!
//! Strings are taken as of any library. Written against `mach-o/loader.h` and
//! `mach-o/fat.h` of <https://github.com/apple-oss-distributions/cctools>.

use super::bytes::u32_be;
use super::pool::u32_at;
use crate::model::{Limit, LimitCode};

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

/// Code that only a device of the buyer can decrypt (FairPlay).
pub(super) fn sealed(bytes: &[u8], place: &str) -> Option<Limit> {
    let slices: Vec<usize> = if bytes.starts_with(&[0xca, 0xfe, 0xba]) {
        let wide = bytes.get(3) == Some(&0xbf);
        let count = u32_be(bytes, 4).unwrap_or(0).min(ARCHITECTURES_MAX) as usize;
        // Offsets of the 64-bit form have their low half four bytes later.
        let (width, field) = if wide { (32, 12) } else { (20, 8) };
        (0..count).filter_map(|i| u32_be(bytes, 8 + i * width + field)).map(|n| n as usize).collect()
    } else {
        vec![0]
    };
    let encrypted = slices.into_iter().filter_map(|at| bytes.get(at..)).any(is_encrypted);
    encrypted.then(|| {
        let detail = "code encrypted by the store (FairPlay): its words were not read";
        Limit::new(LimitCode::Packed, place, detail)
    })
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
