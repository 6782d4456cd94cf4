//! A string pool of Android's resource formats, read without trust.
//!
//! `apk-info` reads pools too; ours serves where only the words matter and where a
//! document does not parse as a whole (`ResourceTypes.h`, `ResStringPool_header`).

use super::Input;
use super::bytes::{decode_mutf8, utf16};
use super::encoding;

/// Strings taken from one pool at most.
const STRINGS_MAX: usize = 2_000_000;
/// Chunks stepped over before the pool at most.
const CHUNKS_MAX: usize = 4_096;

/// The strings of the first pool at or after `start`; empty where there is none. They end
/// where the meter does: offsets that share bytes make more of them than there are.
pub(super) fn strings(input: Input<'_>, start: usize) -> Vec<String> {
    let bytes = input.bytes();
    find(bytes, start).map(|at| read(bytes, at, input)).unwrap_or_default()
}

/// Offset of the first chunk of type string pool, stepping over chunks of other types.
fn find(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    for _ in 0..CHUNKS_MAX {
        if u16_at(bytes, at)? == 1 && u16_at(bytes, at + 2)? >= 28 {
            return Some(at);
        }
        let size = u32_at(bytes, at + 4)? as usize;
        at = at.checked_add(size.max(8))?;
    }
    None
}

fn read(bytes: &[u8], at: usize, input: Input<'_>) -> Vec<String> {
    let header = usize::from(u16_at(bytes, at + 2).unwrap_or(28));
    let (Some(count), Some(styles), Some(flags), Some(start)) =
        (u32_at(bytes, at + 8), u32_at(bytes, at + 12), u32_at(bytes, at + 16), u32_at(bytes, at + 20))
    else {
        return Vec::new();
    };
    let utf8 = flags & 0x100 != 0;
    // The count may lie; the offsets lie between the header and the strings.
    let room = (start as usize).saturating_sub(header) / 4;
    let count = if room >= styles as usize { room - styles as usize } else { count as usize };
    let count = count.min(STRINGS_MAX).min(bytes.len() / 4);
    let data = at.saturating_add(start as usize);
    let raw = |index: usize| {
        let offset = u32_at(bytes, at + header + index * 4)? as usize;
        let from = data.checked_add(offset)?;
        if utf8 { utf8_at(bytes, from) } else { utf16_at(bytes, from) }
    };
    let text = |raw: &[u8]| if utf8 { text_of(raw) } else { utf16(raw, u16::from_le_bytes) };
    (0..count)
        .map(raw)
        .take_while(|raw| input.meter.decode(raw.map_or(1, |raw| raw.len() + 1)))
        .map(|raw| raw.map(text).unwrap_or_default())
        .collect()
}

/// A string of a pool of UTF-8. Android's compiler writes characters beyond the basic plane
/// as two surrogates of three bytes each (CESU-8), as Java does; a NUL within its length says
/// that it is in another encoding altogether.
fn text_of(raw: &[u8]) -> String {
    if memchr::memchr(0, raw).is_some() {
        return encoding::decode(raw).unwrap_or_else(|| String::from_utf8_lossy(raw)).into_owned();
    }
    match std::str::from_utf8(raw) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let mut text = String::with_capacity(raw.len());
            decode_mutf8(raw, &mut text);
            // Neither: what else it may be is asked as of any bytes.
            let other = text.contains(char::REPLACEMENT_CHARACTER).then(|| encoding::decode(raw)).flatten();
            other.map_or(text, std::borrow::Cow::into_owned)
        }
    }
}

fn utf8_at(bytes: &[u8], mut at: usize) -> Option<&[u8]> {
    // Length in characters, then in bytes; the high bit makes each two bytes long.
    at += if bytes.get(at)? & 0x80 == 0 { 1 } else { 2 };
    let first = usize::from(*bytes.get(at)?);
    let (length, skip) =
        if first & 0x80 == 0 { (first, 1) } else { ((first & 0x7f) << 8 | usize::from(*bytes.get(at + 1)?), 2) };
    at += skip;
    let stated = bytes.get(at..at.checked_add(length)?);
    // Strings over 32,767 bytes state a short length: they end at their NUL all the same.
    stated.filter(|_| bytes.get(at + length) == Some(&0)).or_else(|| {
        let rest = bytes.get(at..)?;
        Some(&rest[..memchr::memchr(0, rest).unwrap_or(rest.len())])
    })
}

fn utf16_at(bytes: &[u8], mut at: usize) -> Option<&[u8]> {
    let first = usize::from(u16_at(bytes, at)?);
    at += 2;
    let length = if first & 0x8000 == 0 {
        first
    } else {
        at += 2;
        (first & 0x7fff) << 16 | usize::from(u16_at(bytes, at - 2)?)
    };
    bytes.get(at..at.checked_add(length.checked_mul(2)?)?)
}

/// A little-endian number, if it is there.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?).map(|b| u16::from_le_bytes([b[0], b[1]]))
}

/// A little-endian number, if it is there.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}
