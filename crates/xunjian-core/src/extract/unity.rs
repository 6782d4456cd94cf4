//! Unity's compiled C#: string literals of IL2CPP metadata and of .NET assemblies.
//!
//! `global-metadata.dat` is written against the headers that Unity ships with its
//! editor (`GlobalMetadataFileInternals.h`, collected at
//! <https://github.com/nneonneo/Il2CppVersions>): a table of literals and their data in
//! UTF-8. Two things changed over the versions, and both are told by the table itself:
//! a literal lost its stored length, and the header's sections gained a count.
//!
//! Assemblies are written against ECMA-335 II.24 and II.25
//! (<https://ecma-international.org/publications-and-standards/standards/ecma-335/>):
//! literals stand in the heap `#US`, UTF-16 behind a compressed length.

use super::bytes::{Words, slice, utf16};
use super::pool::{u16_at, u32_at};
use super::{Extracted, Input, native, text};
use crate::model::{Kind, Limit, LimitCode};

/// Literals looked at to tell one layout from another.
const SAMPLE: usize = 4_096;
/// Streams a metadata root has at most; real ones have five or six.
const STREAMS_MAX: usize = 32;

/// Takes the literals of `global-metadata.dat`, named by their number.
pub(super) fn metadata(input: Input<'_>, out: &mut Extracted) {
    let (bytes, place) = (input.bytes(), input.place);
    let Some(table) = Literals::find(bytes) else {
        let version = u32_at(bytes, 4).unwrap_or(0);
        let detail = format!("IL2CPP metadata version {version}: no table of literals; searched for strings");
        out.limits.push(Limit::new(LimitCode::BadFormat, place, detail));
        return native::read(input, Kind::Code, out);
    };
    let mut words = Words::new(Kind::Code, place, "literal", bytes.len(), input.meter);
    let mut unreadable = 0_usize;
    for index in 0..table.count {
        if !input.meter.step() {
            break;
        }
        match table.range(index).and_then(|(at, length)| slice(table.data, at, length)) {
            Some(raw) => words.push(index, &String::from_utf8_lossy(raw)),
            None => unreadable += 1,
        }
        if words.is_full() {
            break;
        }
    }
    if unreadable > 0 {
        let detail = format!("{unreadable} of {} literals lie outside the file", table.count);
        out.limits.push(Limit::new(LimitCode::BadFormat, place, detail));
    }
    words.finish(out);
}

/// `global-metadata.dat` without its magic: games encrypt it, and the strings of the
/// whole code are in it.
pub(super) fn sealed(path: &str, place: &str) -> Option<Limit> {
    path.ends_with("/global-metadata.dat").then(|| {
        let detail = "global-metadata.dat without its magic: the strings of the app's C# code are encrypted";
        Limit::new(LimitCode::EncryptedEntry, place, detail)
    })
}

/// The table of literals and the data it points into.
struct Literals<'a> {
    table: &'a [u8],
    data: &'a [u8],
    /// Bytes of a row: length and index, or index alone.
    width: usize,
    count: usize,
}

impl<'a> Literals<'a> {
    /// The layout under which most rows follow each other without a gap.
    fn find(bytes: &'a [u8]) -> Option<Self> {
        // Sections of (offset, size), and since version 38 of (offset, size, count).
        let sections = [(8, 16), (8, 20)];
        let layouts = sections.into_iter().flat_map(|s| [8, 4].map(|width| (s, width)));
        // The best share of rows so far, as (sound, looked at).
        let mut best: Option<((usize, usize), Self)> = None;
        for ((table, data), width) in layouts {
            let Some(found) = Self::at(bytes, table, data, width) else { continue };
            let sampled = found.count.min(SAMPLE);
            let sound = (0..sampled).filter(|&i| found.follows(i)).count();
            let better = best.as_ref().is_none_or(|((most, of), _)| sound * of > most * sampled);
            if sound * 2 > sampled && better {
                best = Some(((sound, sampled), found));
            }
        }
        best.map(|(_, found)| found)
    }

    fn at(bytes: &'a [u8], table: usize, data: usize, width: usize) -> Option<Self> {
        let section = |at| Some((u32_at(bytes, at)? as usize, u32_at(bytes, at + 4)? as usize));
        let ((table, rows), (data, size)) = (section(table)?, section(data)?);
        // The data follow the table; this also tells a count from an offset.
        if data < table.checked_add(rows)? {
            return None;
        }
        // A cut file keeps what it has of a section.
        let part = |from: usize, size| bytes.get(from..).map(|rest| rest.get(..size).unwrap_or(rest));
        let (table, data) = (part(table, rows)?, part(data, size)?);
        Some(Self { table, data, width, count: table.len() / width })
    }

    /// Offset and length of a literal in the data.
    fn range(&self, index: usize) -> Option<(usize, usize)> {
        let row = index * self.width;
        if self.width == 8 {
            return Some((u32_at(self.table, row + 4)? as usize, u32_at(self.table, row)? as usize));
        }
        let start = u32_at(self.table, row)? as usize;
        let end = u32_at(self.table, row + 4).map_or(self.data.len(), |next| next as usize);
        Some((start, end.checked_sub(start)?))
    }

    /// The literal begins where the one before it ended.
    fn follows(&self, index: usize) -> bool {
        let end = match index.checked_sub(1).map(|before| self.range(before)) {
            None => Some(0),
            Some(range) => range.and_then(|(at, length)| at.checked_add(length)),
        };
        let inside = |(at, length): (usize, usize)| slice(self.data, at, length).is_some();
        self.range(index).is_some_and(|range| inside(range) && Some(range.0) == end)
    }
}

/// Takes the literals of a .NET assembly, named by their offset in the heap, as
/// `ldstr` names them. What only begins like an executable is read as anything else.
pub(super) fn assembly(input: Input<'_>, out: &mut Extracted) {
    let Some(metadata) = metadata_root(input.bytes()) else {
        return text::read(input, out);
    };
    literals(input.part(metadata, input.place), out);
}

/// Takes the literals behind a metadata root.
pub(super) fn literals(input: Input<'_>, out: &mut Extracted) {
    let place = input.place;
    let Some(heap) = user_strings(input.bytes()) else {
        // An assembly without literals has no such heap.
        return;
    };
    let mut words = Words::new(Kind::Code, place, "#US offset", heap.len(), input.meter);
    let mut at = 1;
    while at < heap.len() && !words.is_full() {
        let Some((length, skip)) = compressed(&heap[at..]) else { break };
        let Some(raw) = slice(heap, at + skip, length) else {
            let detail = format!("a literal at {at} of #US lies outside the heap");
            out.limits.push(Limit::new(LimitCode::BadFormat, place, detail));
            break;
        };
        // The last byte is a flag, not text.
        words.push(at, &utf16(&raw[..length & !1], u16::from_le_bytes));
        at += skip + length;
    }
    words.finish(out);
}

/// The metadata of a PE file with a CLI header.
fn metadata_root(bytes: &[u8]) -> Option<&[u8]> {
    let pe = u32_at(bytes, 0x3c)? as usize;
    if slice(bytes, pe, 4)? != b"PE\0\0" {
        return None;
    }
    let optional = pe + 24;
    // The data directories stand behind 96 bytes of PE32 and 112 of PE32+; the CLI
    // header is the fifteenth.
    let directory = optional + 14 * 8 + if u16_at(bytes, optional)? == 0x20b { 112 } else { 96 };
    let sections = optional + usize::from(u16_at(bytes, pe + 20)?);
    let count = usize::from(u16_at(bytes, pe + 6)?).min(bytes.len() / 40);
    let offset_of = |rva: u32| {
        (0..count).find_map(|i| {
            let section = sections + i * 40;
            let (start, size) = (u32_at(bytes, section + 12)?, u32_at(bytes, section + 16)?);
            let inside = rva.checked_sub(start).filter(|&n| n < size)?;
            (u32_at(bytes, section + 20)? as usize).checked_add(inside as usize)
        })
    };
    let cli = offset_of(u32_at(bytes, directory)?)?;
    let root = bytes.get(offset_of(u32_at(bytes, cli.checked_add(8)?)?)?..)?;
    root.starts_with(b"BSJB").then_some(root)
}

/// The heap `#US` of a metadata root.
fn user_strings(root: &[u8]) -> Option<&[u8]> {
    let version = u32_at(root, 12)? as usize;
    let streams = usize::from(u16_at(root, version.checked_add(18)?)?).min(STREAMS_MAX);
    let mut at = version + 20;
    for _ in 0..streams {
        let (offset, size) = (u32_at(root, at)? as usize, u32_at(root, at + 4)? as usize);
        let name = root.get(at + 8..)?;
        let name = &name[..memchr::memchr(0, name.get(..name.len().min(32))?)?];
        if name == b"#US" {
            let rest = root.get(offset..)?;
            return Some(rest.get(..size).unwrap_or(rest));
        }
        at += 8 + (name.len() / 4 + 1) * 4;
    }
    None
}

/// A compressed unsigned number (II.23.2) and how many bytes it takes.
fn compressed(bytes: &[u8]) -> Option<(usize, usize)> {
    let first = usize::from(*bytes.first()?);
    let more = |i: usize| bytes.get(i).map(|&b| usize::from(b));
    match first {
        0..0x80 => Some((first, 1)),
        0x80..0xc0 => Some(((first & 0x3f) << 8 | more(1)?, 2)),
        0xc0..0xe0 => Some(((first & 0x1f) << 24 | more(1)? << 16 | more(2)? << 8 | more(3)?, 4)),
        _ => None,
    }
}
