//! Entries packed once more: scripts, question banks, asset bundles. gzip, zlib, Zstandard,
//! LZMA, xz and bzip2 are unpacked, also behind a header of the format they serve (Flash,
//! Godot) or of an app's own; of what is packed otherwise, or is noise for no known reason,
//! it is said that nobody read it.

use std::io::Read;

use bzip2::read::BzDecoder;
use flate2::bufread::{DeflateDecoder, ZlibDecoder};
use flate2::read::MultiGzDecoder;
use lzma_rust2::{LzmaReader, XzReader};

use super::bytes::is_random;
use super::pool::u32_at;
use super::{Extracted, Format, Input, encoding, native};
use crate::model::{Budget, Kind, Limit, LimitCode};

/// How gzip begins, with its only method (RFC 1952).
const GZIP: &[u8] = &[0x1f, 0x8b, 8];
/// How Zstandard begins (RFC 8878).
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// How xz begins (<https://tukaani.org/xz/xz-file-format.txt>).
const XZ: &[u8] = b"\xfd7zXZ\0";
/// What stands behind the level of bzip2: the digits of pi, or of its root where it is empty.
const BZIP2: &[u8] = b"1AY&SY";
/// The largest window of Zstandard that is given memory, as a power of two: 8 MiB, which
/// RFC 8878 asks every decoder to support.
const ZSTD_WINDOW: u32 = 23;
/// Memory given to LZMA, in KiB: its strongest preset asks for 64 MiB.
const LZMA_MEMORY: u32 = 80 << 10;
/// What any file may unpack to, however small it is.
const SMALL: u64 = 1 << 20;
/// Bytes of a header of an app's own, before what is packed.
const OWN_HEADER: usize = 64;
/// Where a stream without a mark is looked for, how much of it is looked at, and how much text
/// is no chance.
const BARE: &[usize] = &[0, 1, 2, 4, 6, 8, 12, 16, 20, 24, 32];
const BARE_HEAD: u64 = 512;
const BARE_MIN: usize = 24;
/// Less than that behind a header is chance.
const OWN_MIN: usize = 16;
/// Forms that are told and not read: where their magic stands, and what it is.
const UNREAD: &[(usize, &[u8], &str)] =
    &[(0, b"\x04\x22\x4d\x18", "LZ4"), (0, b"7z\xbc\xaf\x27\x1c", "7-Zip"), (0, b"Rar!\x1a\x07", "RAR")];
/// Shorter noise is a key, a signature, a checksum.
const NOISE_MIN: usize = 4 << 10;
/// Noise of which it is known that it hides no words: signatures of large keys, the
/// compiler's profiles (lists of methods, deflated behind a header), the tables of SWETAKE's
/// QR library, which many a printing SDK brings along.
const WORDLESS: &[(&str, &str)] =
    &[("META-INF/", ".RSA"), ("assets/dexopt/", ".prof"), ("assets/dexopt/", ".profm"), ("/qrcode_data/", ".dat")];

/// How a file is packed, and where that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Gzip(usize),
    Zlib(usize),
    /// Without a header of its own.
    Deflate(usize),
    Zstd(usize),
    Xz,
    Bzip2,
    /// The file form: properties, dictionary, length.
    Lzma,
    /// Flash: its length, then properties and dictionary.
    LzmaFlash,
}

impl Packing {
    fn of(head: &[u8]) -> Option<Self> {
        Some(match head {
            _ if head.starts_with(GZIP) => Self::Gzip(0),
            _ if head.starts_with(ZSTD) => Self::Zstd(0),
            _ if head.starts_with(XZ) => Self::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] if rest.starts_with(BZIP2) => Self::Bzip2,
            _ if is_zlib(head) => Self::Zlib(0),
            // Flash: a version, the length of what it unpacks to.
            [b'C', b'W', b'S', 6..=60, _, _, _, _, rest @ ..] if is_zlib(rest) => Self::Zlib(8),
            [b'Z', b'W', b'S', 13..=60, ..] => Self::LzmaFlash,
            // Godot's scripts since 4.3: a version, the length.
            [b'G', b'D', b'S', b'C', _, _, _, _, _, _, _, _, rest @ ..] if rest.starts_with(ZSTD) => Self::Zstd(12),
            [0x5d, ..] if is_lzma(head) => Self::Lzma,
            _ => return None,
        })
    }

    /// Few bytes are a weak mark: something else may begin with them.
    const fn is_weak(self) -> bool {
        matches!(self, Self::Zlib(0) | Self::Lzma | Self::LzmaFlash)
    }

    /// Unpacks; how many bytes were left behind what is packed.
    fn unpack(self, bytes: &[u8], cap: u64, inside: &mut Vec<u8>) -> std::io::Result<usize> {
        let rest = |at: usize| bytes.get(at..).unwrap_or_default();
        match self {
            Self::Gzip(at) => MultiGzDecoder::new(rest(at)).take(cap).read_to_end(inside),
            Self::Zlib(at) => {
                let mut decoder = ZlibDecoder::new(rest(at)).take(cap);
                decoder.read_to_end(inside)?;
                return Ok(decoder.into_inner().into_inner().len());
            }
            Self::Deflate(at) => DeflateDecoder::new(rest(at)).take(cap).read_to_end(inside),
            Self::Zstd(at) => {
                let mut decoder = zstd::stream::read::Decoder::new(rest(at))?.single_frame();
                decoder.window_log_max(ZSTD_WINDOW)?;
                decoder.take(cap).read_to_end(inside)
            }
            Self::Xz => XzReader::new_mem_limit(bytes, true, LZMA_MEMORY).take(cap).read_to_end(inside),
            Self::Bzip2 => BzDecoder::new(bytes).take(cap).read_to_end(inside),
            Self::Lzma => LzmaReader::new_mem_limit(bytes, LZMA_MEMORY, None)?.take(cap).read_to_end(inside),
            Self::LzmaFlash => {
                // Without a length the stream says itself where it ends.
                let (length, dictionary) = (u32_at(bytes, 4).unwrap_or(0), u32_at(bytes, 13).unwrap_or(0));
                lzma(
                    rest(17),
                    u64::from(length).saturating_sub(8),
                    bytes.get(12).copied().unwrap_or(0xff),
                    dictionary,
                    cap,
                    inside,
                )
            }
        }
        .map(|_| 0)
    }
}

/// A stream of LZMA whose properties stand elsewhere. `length` is that of its content.
fn lzma(
    raw: &[u8],
    length: u64,
    properties: u8,
    dictionary: u32,
    cap: u64,
    inside: &mut Vec<u8>,
) -> std::io::Result<usize> {
    if dictionary >> 10 > LZMA_MEMORY {
        return Err(std::io::Error::other("its dictionary is too large"));
    }
    LzmaReader::new_with_props(raw, length, properties, dictionary, None)?.take(cap).read_to_end(inside)
}

/// A block of LZMA behind its five bytes of properties, which must come to `length` bytes.
pub(super) fn lzma_block(raw: &[u8], length: usize) -> Option<Vec<u8>> {
    let (properties, dictionary) = (*raw.first()?, u32_at(raw, 1)?);
    let mut inside = Vec::new();
    lzma(raw.get(5..)?, length as u64, properties, dictionary, length as u64 + 1, &mut inside).ok()?;
    (inside.len() == length).then_some(inside)
}

/// Whether these are the first bytes of something packed that is read.
pub(super) fn is_packed(head: &[u8]) -> bool {
    Packing::of(head).is_some()
}

/// Whether these may be the first bytes of a zlib stream (RFC 1950): deflate, no dictionary,
/// and a checksum of the header.
fn is_zlib(head: &[u8]) -> bool {
    matches!(head, [0x78, flags, ..] if (0x7800 | u16::from(*flags)).is_multiple_of(31) && flags & 0x20 == 0)
}

/// The header of `lzma` alone: the usual properties, a dictionary of a power of two (or of
/// one and a half), and a length that is unknown or can be.
fn is_lzma(head: &[u8]) -> bool {
    let dictionary = u32_at(head, 1).unwrap_or(0);
    let is_round = dictionary.count_ones() <= 2 && dictionary >= 1 << 12;
    let (low, high) = (u32_at(head, 5).unwrap_or(1), u32_at(head, 9).unwrap_or(1));
    is_round && (high == 0 || low == u32::MAX && high == u32::MAX) && head.get(13) == Some(&0)
}

/// Unpacks and reads what is inside, as the entry without its ending. `None` where it only
/// looked packed.
pub(super) fn read(path: &str, input: Input<'_>) -> Option<Extracted> {
    let bytes = input.bytes();
    let packing = Packing::of(bytes)?;
    let mut opened = Opened::new(packing, bytes, input.budget());
    if packing.is_weak() && opened.outcome.is_err() {
        return None;
    }
    let mut found = opened.read(path, input);
    let left = opened.outcome.unwrap_or(0).min(bytes.len());
    native::read(input.part(&bytes[bytes.len() - left..], input.place), Kind::Asset, &mut found);
    Some(found)
}

/// What is packed behind a header of the app's own; `None` where nothing is.
pub(super) fn behind_header(path: &str, input: Input<'_>) -> Option<Extracted> {
    let bytes = input.bytes();
    (1..OWN_HEADER.min(bytes.len())).find_map(|at| {
        let rest = &bytes[at..];
        let packing = match Packing::of(rest)? {
            Packing::Gzip(_) => Packing::Gzip(at),
            Packing::Zlib(0) => Packing::Zlib(at),
            Packing::Zstd(0) => Packing::Zstd(at),
            _ => return None,
        };
        let mut opened = Opened::new(packing, bytes, input.budget());
        if opened.outcome.is_err() || opened.inside.len() < OWN_MIN {
            return None;
        }
        let mut found = opened.read(path, input);
        // What stands before and behind may say something as well.
        native::read(input, Kind::Asset, &mut found);
        Some(found)
    })
}

/// What is deflated without any header, or behind one of the app's own; `None` where nothing is.
/// Nothing marks it but what comes out: text, to an end that the stream has.
pub(super) fn bare(path: &str, input: Input<'_>) -> Option<Extracted> {
    let bytes = input.bytes();
    if bytes.len() < OWN_MIN * 2 || encoding::decode(bytes).is_some() {
        return None;
    }
    BARE.iter().filter(|at| **at < bytes.len()).find_map(|&at| {
        let mut head = Vec::new();
        let taken = DeflateDecoder::new(&bytes[at..]).take(BARE_HEAD).read_to_end(&mut head);
        if taken.is_err()
            || head.len() < BARE_MIN
            || encoding::decode(&head).is_none_or(|text| text.contains('\u{fffd}'))
        {
            return None;
        }
        let mut opened = Opened::new(Packing::Deflate(at), bytes, input.budget());
        if opened.outcome.is_err() {
            return None;
        }
        let mut found = opened.read(path, input);
        native::read(input, Kind::Asset, &mut found);
        Some(found)
    })
}

/// What came out of a packed file.
struct Opened {
    inside: Vec<u8>,
    outcome: std::io::Result<usize>,
    cap: u64,
}

impl Opened {
    fn new(packing: Packing, bytes: &[u8], budget: &Budget) -> Self {
        let most = (bytes.len() as u64).saturating_mul(budget.ratio).max(SMALL);
        let cap = budget.bytes_left().min(budget.entry_bytes).min(most);
        let mut inside = Vec::new();
        let outcome = packing.unpack(bytes, cap, &mut inside);
        Self { inside, outcome, cap }
    }

    fn read(&mut self, path: &str, input: Input<'_>) -> Extracted {
        let (place, budget) = (input.place, input.budget());
        let mut found = Extracted::default();
        if !budget.take(self.inside.len() as u64) {
            found.limits.push(Limit::new(LimitCode::OverBudget, place, "the bytes for this app are used up"));
            return found;
        }
        if self.inside.len() as u64 >= self.cap {
            let detail = format!("larger than {} bytes; the rest was not read", self.cap);
            found.limits.push(Limit::new(LimitCode::OverBudget, place, detail));
        } else if let Err(error) = &self.outcome {
            found.limits.push(Limit::new(LimitCode::UnreadableEntry, place, format!("does not unpack: {error}")));
        }
        // One layer is a habit of tools; more of them are somebody's joke.
        if Format::of(&self.inside) == Format::Packed {
            found.limits.push(Limit::new(LimitCode::UnreadFormat, place, "a packed file inside a packed file"));
            return found;
        }
        if input.is_too_deep(&mut found) {
            return found;
        }
        let inside = super::inner(without_ending(path), place, &self.inside, input);
        found.read += inside.read;
        found.facts.append(inside.facts);
        found.archives.extend(inside.archives);
        found.limits.splice(0..0, inside.limits);
        found
    }
}

fn without_ending(path: &str) -> &str {
    [".gz", ".zst", ".zlib", ".xz", ".bz2", ".lzma"].iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(path)
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
