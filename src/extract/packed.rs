//! Entries packed once more: scripts, question banks, asset bundles. gzip, zlib and
//! Zstandard are unpacked; of what is packed otherwise, or is noise for no known reason, it
//! is said that nobody read it.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::bytes::is_random;
use super::{Extracted, Format};
use crate::model::{Budget, Limit, LimitCode};

/// How gzip begins, with its only method (RFC 1952).
pub(super) const GZIP: &[u8] = &[0x1f, 0x8b, 8];
/// How Zstandard begins (RFC 8878).
pub(super) const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// The largest window of Zstandard that is given memory, as a power of two: 8 MiB, which
/// RFC 8878 asks every decoder to support.
const ZSTD_WINDOW: u32 = 23;
/// What any file may unpack to, however small it is.
const SMALL: u64 = 1 << 20;
/// Forms that are told and not read: where their magic stands, and what it is.
const UNREAD: &[(usize, &[u8], &str)] = &[
    (0, b"\xfd7zXZ\0", "xz"),
    (4, b"1AY&SY", "bzip2"),
    (0, b"\x04\x22\x4d\x18", "LZ4"),
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (0, b"Rar!\x1a\x07", "RAR"),
];
/// Shorter noise is a key, a signature, a checksum.
const NOISE_MIN: usize = 4 << 10;
/// Noise of which it is known that it hides no words: signatures of large keys, the
/// compiler's profiles (lists of methods, deflated behind a header), the tables of SWETAKE's
/// QR library, which many a printing SDK brings along.
const WORDLESS: &[(&str, &str)] =
    &[("META-INF/", ".RSA"), ("assets/dexopt/", ".prof"), ("assets/dexopt/", ".profm"), ("/qrcode_data/", ".dat")];

/// Whether these may be the first bytes of a zlib stream (RFC 1950): deflate, no dictionary,
/// and a checksum of the header.
pub(super) fn is_zlib(head: &[u8]) -> bool {
    matches!(head, [0x78, flags, ..] if (0x7800 | u16::from(*flags)).is_multiple_of(31) && flags & 0x20 == 0)
}

/// Unpacks and reads what is inside, as the entry without its ending. `None` where it only
/// looked packed.
pub(super) fn read(path: &str, place: &str, bytes: &[u8], budget: &Budget) -> Option<Extracted> {
    let cap = budget.entry_bytes.min((bytes.len() as u64).saturating_mul(budget.ratio).max(SMALL));
    let mut inside = Vec::new();
    let outcome = unpack(bytes, cap, &mut inside);
    // Two bytes are a weak mark: a text may begin with them.
    if is_zlib(bytes) && outcome.is_err() {
        return None;
    }
    let mut limits = Vec::new();
    if !budget.take(inside.len() as u64) {
        limits.push(Limit::new(LimitCode::OverBudget, place, "the bytes for this app are used up"));
        inside.clear();
    } else if inside.len() as u64 >= cap {
        let detail = format!("larger than {cap} bytes; the rest was not read");
        limits.push(Limit::new(LimitCode::OverBudget, place, detail));
    } else if let Err(error) = outcome {
        limits.push(Limit::new(LimitCode::UnreadableEntry, place, format!("does not unpack: {error}")));
    }
    // One layer is a habit of tools; more of them are somebody's joke.
    let mut found = match Format::of(&inside) {
        Format::Packed | Format::Archive => {
            limits.push(Limit::new(LimitCode::UnreadFormat, place, "an archive inside a packed file"));
            Extracted::default()
        }
        _ => super::entry(without_ending(path), place, &inside, budget),
    };
    found.limits.extend(limits);
    Some(found)
}

fn unpack(bytes: &[u8], cap: u64, inside: &mut Vec<u8>) -> std::io::Result<()> {
    if bytes.starts_with(GZIP) {
        MultiGzDecoder::new(bytes).take(cap).read_to_end(inside)?;
    } else if bytes.starts_with(ZSTD) {
        let mut decoder = zstd::stream::read::Decoder::new(bytes)?;
        decoder.window_log_max(ZSTD_WINDOW)?;
        decoder.take(cap).read_to_end(inside)?;
    } else {
        ZlibDecoder::new(bytes).take(cap).read_to_end(inside)?;
    }
    Ok(())
}

fn without_ending(path: &str) -> &str {
    [".gz", ".zst", ".zlib"].iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(path)
}

/// What is packed in a way that is not read.
pub(super) fn unread(path: &str, place: &str, bytes: &[u8]) -> Option<Limit> {
    let known = UNREAD.iter().find(|(at, magic, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    let detail = match known {
        Some((_, _, name)) => format!("packed with {name}, which is not read"),
        None if is_noise(path, bytes) => "noise: encrypted, or packed in a way that is not known".into(),
        None => return None,
    };
    Some(Limit::new(LimitCode::UnreadFormat, place, detail))
}

fn is_noise(path: &str, bytes: &[u8]) -> bool {
    let is_wordless = || WORDLESS.iter().any(|(folder, ending)| path.contains(folder) && path.ends_with(ending));
    bytes.len() >= NOISE_MIN && is_random(bytes) && !is_wordless()
}
