//! Compound files: old documents of Office and WPS (`.xls`, `.doc`, `.ppt`, `.et`, `.wps`).
//!
//! Written against [MS-CFB]: sectors in chains behind an allocation table, short streams in
//! sectors of 64 bytes within one of them. A word that lies across two sectors is whole only
//! when the chain is followed. Every sector is read once, whatever the tables say, so that
//! loops and shared chains end; what no chain holds is searched for strings as it lies.

use std::collections::HashSet;

use super::bytes::{slice, utf16};
use super::ole_parts::{Tables, document, workbook};
use super::pool::{u16_at, u32_at};
use super::{Extracted, Input, native};
use crate::model::{Kind, Limit, LimitCode};

/// How a compound file begins.
pub(super) const MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// Length of the header, and of a row of the directory.
const HEADER: usize = 512;
const ROW: usize = 128;
/// Sectors of the allocation table that the header names itself.
const NAMED: usize = 109;
/// Numbers from here on are marks, not sectors.
const MARKS: u32 = 0xffff_fffa;
/// Longest name kept, in bytes.
const NAME_MAX: usize = 64;

/// Reads the streams of a compound file.
pub(super) fn read(input: Input<'_>, out: &mut Extracted) {
    let Some(mut file) = Compound::open(input) else {
        let detail = "an old document of Office whose tables are broken: only strings were searched for";
        out.limits.push(Limit::new(LimitCode::BadFormat, input.place, detail));
        return native::read(input, Kind::Asset, out);
    };
    let rows = file.directory();
    let streams: Vec<(String, Vec<u8>)> = rows.iter().map(|row| (row.name.clone(), file.stream(row))).collect();
    let tables = Tables::of(&streams);
    for (name, bytes) in streams.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        let place = format!("{}!/{name}", input.place);
        let part = input.part(bytes, &place);
        match name.as_str() {
            "Workbook" | "Book" => workbook(part, out),
            "WordDocument" => document(part, &tables, out),
            "EncryptedPackage" => sealed(&place, out),
            _ => stream(name, part, out),
        }
    }
    let rest = file.rest();
    native::read(input.part(&rest, input.place), Kind::Asset, out);
}

/// A document under a password.
pub(super) fn sealed(place: &str, out: &mut Extracted) {
    let detail = "a document of Office under a password: its text was not read";
    out.limits.push(Limit::new(LimitCode::UnreadFormat, place, detail));
}

/// Any other stream: a file that was put into the document, or strings.
fn stream(name: &str, input: Input<'_>, out: &mut Extracted) {
    match super::Format::of(input.bytes()) {
        super::Format::Other | super::Format::Compound => native::read(input, Kind::Asset, out),
        _ => out.take_in(super::inner(name, input.place, input.bytes(), input)),
    }
}

/// A row of the directory: a stream, or the root that holds the short ones.
struct Row {
    name: String,
    start: u32,
    size: usize,
}

/// The tables of one file, and which of its bytes were read.
struct Compound<'a> {
    input: Input<'a>,
    bytes: &'a [u8],
    /// Length of a sector.
    sector: usize,
    /// Length of a sector of a short stream, and of the shortest long stream.
    short: usize,
    cutoff: usize,
    next: Vec<u32>,
    next_short: Vec<u32>,
    /// The stream of short streams.
    shorts: Vec<u8>,
    read: HashSet<u32>,
    read_short: HashSet<u32>,
}

impl<'a> Compound<'a> {
    fn open(input: Input<'a>) -> Option<Self> {
        let bytes = input.bytes();
        let shift =
            |at: usize| u16_at(bytes, at).filter(|shift| (4..=20).contains(shift)).map(|shift| 1_usize << shift);
        let (sector, short) = (shift(30)?, shift(32)?);
        if sector < ROW || short > sector || bytes.len() < HEADER {
            return None;
        }
        let mut file = Self {
            input,
            bytes,
            sector,
            short,
            cutoff: u32_at(bytes, 56)? as usize,
            next: Vec::new(),
            next_short: Vec::new(),
            shorts: Vec::new(),
            read: HashSet::new(),
            read_short: HashSet::new(),
        };
        file.next = file.allocation()?;
        let short_table = file.chain(u32_at(bytes, 60)?, usize::MAX);
        file.next_short = numbers(&short_table);
        Some(file)
    }

    /// The allocation table: for each sector the next of its chain.
    fn allocation(&mut self) -> Option<Vec<u32>> {
        let mut sectors: Vec<u32> = (0..NAMED).filter_map(|n| u32_at(self.bytes, 76 + n * 4)).collect();
        let mut at = u32_at(self.bytes, 68)?;
        // More of them stand in sectors whose last number is that of the next.
        while at < MARKS && self.read.insert(at) && self.input.meter.step() {
            let Some(content) = self.content(at) else { break };
            let mut more = numbers(content);
            at = more.pop().unwrap_or(MARKS);
            sectors.extend(more);
        }
        let mut table = Vec::new();
        for number in sectors.into_iter().filter(|&number| number < MARKS) {
            if self.read.insert(number) && self.input.meter.step() {
                table.extend(self.content(number).map(numbers).unwrap_or_default());
            }
        }
        (!table.is_empty()).then_some(table)
    }

    /// The bytes of a sector, as far as the file goes.
    fn content(&self, number: u32) -> Option<&'a [u8]> {
        // The header takes the place of one, however long they are.
        let at = (number as usize).checked_add(1)?.checked_mul(self.sector)?;
        let rest = self.bytes.get(at..)?;
        Some(&rest[..rest.len().min(self.sector)])
    }

    /// The bytes of a chain, `size` of them at most, each sector once in the whole file.
    fn chain(&mut self, start: u32, size: usize) -> Vec<u8> {
        let (mut at, mut out) = (start, Vec::new());
        while at < MARKS && out.len() < size && self.read.insert(at) && self.input.meter.scan(self.sector) {
            let Some(content) = self.content(at) else { break };
            out.extend_from_slice(content);
            at = self.next.get(at as usize).copied().unwrap_or(MARKS);
        }
        out.truncate(size);
        out
    }

    /// The rows of streams; the root's stream is read on the way.
    fn directory(&mut self) -> Vec<Row> {
        let bytes = self.chain(u32_at(self.bytes, 48).unwrap_or(MARKS), usize::MAX);
        let mut rows = Vec::new();
        for row in bytes.chunks_exact(ROW) {
            let (kind, start, size) = (row[66], u32_at(row, 116).unwrap_or(MARKS), u32_at(row, 120).unwrap_or(0));
            match kind {
                2 => rows.push(Row { name: name(row), start, size: size as usize }),
                5 if self.shorts.is_empty() => self.shorts = self.chain(start, size as usize),
                _ => {}
            }
        }
        rows
    }

    fn stream(&mut self, row: &Row) -> Vec<u8> {
        if row.size >= self.cutoff {
            return self.chain(row.start, row.size);
        }
        let (mut at, mut out) = (row.start, Vec::new());
        while at < MARKS && out.len() < row.size && self.input.meter.scan(self.short) {
            let Some(from) = (at as usize).checked_mul(self.short) else { break };
            let Some(rest) = self.shorts.get(from..).filter(|rest| !rest.is_empty()) else { break };
            if !self.read_short.insert(at) {
                break;
            }
            out.extend_from_slice(&rest[..rest.len().min(self.short)]);
            at = self.next_short.get(at as usize).copied().unwrap_or(MARKS);
        }
        out.truncate(row.size);
        out
    }

    /// What no chain holds, with zeros for what was read: words that were deleted, or hidden.
    fn rest(&self) -> Vec<u8> {
        let mut rest = self.bytes.to_vec();
        let blank = |bytes: &mut Vec<u8>, from: usize, length: usize| {
            let end = bytes.len().min(from.saturating_add(length));
            if let Some(part) = bytes.get_mut(from..end) {
                part.fill(0);
            }
        };
        blank(&mut rest, 0, HEADER);
        for &number in &self.read {
            blank(&mut rest, (number as usize).saturating_add(1).saturating_mul(self.sector), self.sector);
        }
        let mut shorts = self.shorts.clone();
        for &number in &self.read_short {
            blank(&mut shorts, (number as usize).saturating_mul(self.short), self.short);
        }
        rest.extend(shorts);
        rest
    }
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks::<4>().0.iter().map(|raw| u32::from_le_bytes(*raw)).collect()
}

/// The name of a row, without the mark that system streams begin with.
fn name(row: &[u8]) -> String {
    let length = usize::from(u16_at(row, 64).unwrap_or(0)).min(NAME_MAX);
    let name = utf16(slice(row, 0, length).unwrap_or_default(), u16::from_le_bytes);
    name.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Budget, Meter};

    proptest! {
        #[test]
        fn any_tables_end(mut bytes in proptest::collection::vec(prop_oneof![Just(0_u8), 0..6_u8, any::<u8>()], 1_024..4_096)) {
            bytes[..8].copy_from_slice(MAGIC);
            bytes[30..34].copy_from_slice(&[7, 0, 6, 0]);
            let budget = Budget::default();
            let meter = Meter::new(&budget, bytes.len());
            let mut out = Extracted::default();
            read(Input::new(&bytes, "a", &meter), &mut out);
        }
    }
}
