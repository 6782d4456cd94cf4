//! A string pool of Android's resource formats, read without trust.
//!
//! `apk-info` reads pools too; ours serves where only the words matter and where a
//! document does not parse as a whole (`ResourceTypes.h`, `ResStringPool_header`).

/// Strings taken from one pool at most.
const STRINGS_MAX: usize = 2_000_000;
/// Chunks stepped over before the pool at most.
const CHUNKS_MAX: usize = 4_096;

/// The strings of the first pool at or after `start`; empty where there is none.
pub(super) fn strings(bytes: &[u8], start: usize) -> Vec<String> {
    find(bytes, start).map(|at| read(bytes, at)).unwrap_or_default()
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

fn read(bytes: &[u8], at: usize) -> Vec<String> {
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
    (0..count)
        .map(|i| {
            u32_at(bytes, at + header + i * 4)
                .and_then(|offset| data.checked_add(offset as usize))
                .and_then(|from| if utf8 { utf8_at(bytes, from) } else { utf16_at(bytes, from) })
                .unwrap_or_default()
        })
        .collect()
}

fn utf8_at(bytes: &[u8], mut at: usize) -> Option<String> {
    // Length in characters, then in bytes; the high bit makes each two bytes long.
    at += if bytes.get(at)? & 0x80 == 0 { 1 } else { 2 };
    let first = usize::from(*bytes.get(at)?);
    let (length, skip) =
        if first & 0x80 == 0 { (first, 1) } else { ((first & 0x7f) << 8 | usize::from(*bytes.get(at + 1)?), 2) };
    at += skip;
    let stated = bytes.get(at..at.checked_add(length)?);
    // Strings over 32,767 bytes state a short length: they end at their NUL all the same.
    let content = stated.filter(|_| bytes.get(at + length) == Some(&0)).or_else(|| {
        let rest = bytes.get(at..)?;
        Some(&rest[..memchr::memchr(0, rest).unwrap_or(rest.len())])
    })?;
    Some(String::from_utf8_lossy(content).into_owned())
}

fn utf16_at(bytes: &[u8], mut at: usize) -> Option<String> {
    let first = usize::from(u16_at(bytes, at)?);
    at += 2;
    let length = if first & 0x8000 == 0 {
        first
    } else {
        at += 2;
        (first & 0x7fff) << 16 | usize::from(u16_at(bytes, at - 2)?)
    };
    let content = bytes.get(at..at.checked_add(length.checked_mul(2)?)?)?;
    let units = content.as_chunks::<2>().0.iter().map(|c| u16::from_le_bytes(*c));
    Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect())
}

/// A little-endian number, if it is there.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?).map(|b| u16::from_le_bytes([b[0], b[1]]))
}

/// A little-endian number, if it is there.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}
