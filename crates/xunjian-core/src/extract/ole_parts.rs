//! Workbooks and documents within compound files.
//!
//! A workbook keeps its strings in one table that is cut into records of 8,224 bytes; a
//! string that is cut begins anew with a byte that says how wide its characters are
//! ([MS-XLS] 2.4.265, 2.5.293). A document is a list of pieces, each in one or two bytes a
//! character, in an order that another stream states ([MS-DOC] 2.4.1, 2.8.35).

use super::bytes::{Words, slice, utf16};
use super::pool::{u16_at, u32_at};
use super::{Extracted, Input, native, ole};
use crate::model::Kind;

/// Records of a workbook: the table of strings, what continues it, a password.
const STRINGS: u16 = 0x00fc;
const CONTINUE: u16 = 0x003c;
const PASSWORD: u16 = 0x002f;
/// Text of one paragraph beyond this starts another.
const PARAGRAPH_MAX: usize = 8 << 10;

/// Takes the strings of a workbook.
pub(super) fn workbook(input: Input<'_>, out: &mut Extracted) {
    let bytes = input.bytes();
    let (mut table, mut others) = (Vec::new(), Vec::new());
    let (mut at, mut is_table) = (0, false);
    while let (Some(kind), Some(length)) = (u16_at(bytes, at), u16_at(bytes, at + 2)) {
        let rest = bytes.get(at + 4..).unwrap_or_default();
        let record = &rest[..rest.len().min(usize::from(length))];
        if kind == PASSWORD {
            return ole::sealed(input.place, out);
        }
        is_table = kind == STRINGS || kind == CONTINUE && is_table;
        if is_table {
            table.push(record);
        } else {
            // Its length stays before it: it vouches for short strings.
            others.extend_from_slice(bytes.get(at..at + 4 + record.len()).unwrap_or_default());
        }
        at += 4 + record.len();
        if !input.meter.step() {
            return;
        }
    }
    let mut words = Words::new(Kind::Asset, input.place, "string", bytes.len(), input.meter);
    let mut strings = Strings { records: table, record: 0, at: 8 };
    let mut number = 0;
    while !words.is_full()
        && let Some(text) = strings.next_text()
    {
        words.push(number, &text);
        number += 1;
    }
    words.finish(out);
    native::read(input.part(&others, input.place), Kind::Asset, out);
}

/// The table of strings, cut into records.
struct Strings<'a> {
    records: Vec<&'a [u8]>,
    record: usize,
    at: usize,
}

impl Strings<'_> {
    /// The next bytes, which no record cuts.
    fn take(&mut self, length: usize) -> Option<&[u8]> {
        if self.at >= self.records.get(self.record)?.len() {
            (self.record, self.at) = (self.record + 1, 0);
        }
        let taken = slice(self.records.get(self.record)?, self.at, length)?;
        self.at += length;
        Some(taken)
    }

    /// Steps over bytes that records may cut.
    fn skip(&mut self, mut length: usize) {
        while let Some(record) = self.records.get(self.record) {
            let here = length.min(record.len() - self.at.min(record.len()));
            self.at += here;
            length -= here;
            if length == 0 {
                return;
            }
            (self.record, self.at) = (self.record + 1, 0);
        }
    }

    fn next_text(&mut self) -> Option<String> {
        let count = self.take(2).and_then(|raw| u16_at(raw, 0))?;
        let flags = *self.take(1)?.first()?;
        let runs = if flags & 8 == 0 { 0 } else { usize::from(u16_at(self.take(2)?, 0)?) };
        let phonetic = if flags & 4 == 0 { 0 } else { u32_at(self.take(4)?, 0)? as usize };
        let text = self.characters(usize::from(count), flags);
        self.skip(runs * 4 + phonetic);
        Some(text)
    }

    fn characters(&mut self, mut count: usize, mut flags: u8) -> String {
        let mut text = String::new();
        while count > 0
            && let Some(record) = self.records.get(self.record)
        {
            let width = 1 + usize::from(flags & 1);
            let rest = record.get(self.at..).unwrap_or_default();
            let here = count.min(rest.len() / width);
            let raw = &rest[..here * width];
            if width == 2 {
                text += &utf16(raw, u16::from_le_bytes);
            } else {
                text.extend(raw.iter().map(|&byte| char::from(byte)));
            }
            self.at += raw.len();
            count -= here;
            if count > 0 {
                self.record += 1;
                flags = self.records.get(self.record).and_then(|record| record.first()).copied().unwrap_or(0);
                self.at = 1;
            }
        }
        text
    }
}

/// The streams beside a document that say where its pieces are.
#[derive(Default)]
pub(super) struct Tables<'a>([&'a [u8]; 2]);

impl<'a> Tables<'a> {
    /// The two that a document may have.
    pub(super) fn of(streams: &'a [(String, Vec<u8>)]) -> Self {
        let named = |name: &str| {
            streams.iter().find(|(stream, _)| stream == name).map_or(&[][..], |(_, bytes)| bytes.as_slice())
        };
        Self([named("0Table"), named("1Table")])
    }
}

/// Takes the paragraphs of a document, its pieces put together; then what no piece holds.
pub(super) fn document(input: Input<'_>, tables: &Tables<'_>, out: &mut Extracted) {
    let bytes = input.bytes();
    let flags = u16_at(bytes, 10).unwrap_or(0);
    if flags & 0x0100 != 0 {
        return ole::sealed(input.place, out);
    }
    let table = tables.0[usize::from(flags & 0x0200 != 0)];
    let pieces = pieces(bytes, table, input).unwrap_or_default();
    let mut rest = bytes.to_vec();
    let mut words = Words::new(Kind::Asset, input.place, "paragraph", bytes.len(), input.meter);
    let mut text = String::new();
    for (at, length, is_wide) in pieces {
        let Some(raw) = slice(bytes, at, length).filter(|_| input.meter.decode(length)) else { break };
        if is_wide {
            text += &utf16(raw, u16::from_le_bytes);
        } else {
            text += &encoding_rs::GBK.decode_without_bom_handling(raw).0;
        }
        if let Some(part) = rest.get_mut(at..at + length) {
            part.fill(0);
        }
    }
    // Ends of paragraphs, cells, lines and pages.
    for (number, paragraph) in text.split(['\r', '\u{7}', '\u{b}', '\u{c}']).enumerate() {
        let plain: String = paragraph.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        let mut left = plain.as_str();
        while !left.is_empty() && !words.is_full() {
            let mut end = left.len().min(PARAGRAPH_MAX);
            while !left.is_char_boundary(end) {
                end -= 1;
            }
            words.push(number + 1, &left[..end]);
            left = &left[end..];
        }
    }
    words.finish(out);
    native::read(input.part(&rest, input.place), Kind::Asset, out);
}

/// Offset, length in bytes and width of each piece.
fn pieces(bytes: &[u8], table: &[u8], input: Input<'_>) -> Option<Vec<(usize, usize, bool)>> {
    let (at, length) = (u32_at(bytes, 0x01a2)? as usize, u32_at(bytes, 0x01a6)? as usize);
    let mut list = slice(table, at, length)?;
    // Formats of pieces stand before them.
    while let [1, rest @ ..] = list {
        list = rest.get(2 + usize::from(u16_at(rest, 0)?)..)?;
    }
    let [2, rest @ ..] = list else { return None };
    let plan = slice(rest, 4, u32_at(rest, 0)? as usize)?;
    let count = plan.len().checked_sub(4)? / 12;
    let mut pieces = Vec::new();
    for piece in (0..count).take_while(|_| input.meter.step()) {
        let characters = u32_at(plan, piece * 4 + 4)?.checked_sub(u32_at(plan, piece * 4)?)? as usize;
        let place = u32_at(plan, (count + 1) * 4 + piece * 8 + 2)?;
        let (is_wide, place) = (place & 0x4000_0000 == 0, (place & 0x3fff_ffff) as usize);
        pieces.push(if is_wide { (place, characters * 2, true) } else { (place / 2, characters, false) });
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Budget, Meter};

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn record(kind: u16, body: &[u8]) -> Vec<u8> {
        [&kind.to_le_bytes()[..], &(body.len() as u16).to_le_bytes(), body].concat()
    }

    fn said(read: impl Fn(Input<'_>, &mut Extracted), bytes: &[u8]) -> Vec<String> {
        let budget = Budget::default();
        let meter = Meter::new(&budget, bytes.len());
        let mut out = Extracted::default();
        read(Input::new(bytes, "a", &meter), &mut out);
        out.facts.of(Kind::Asset).map(str::to_owned).collect()
    }

    #[test]
    fn a_string_that_records_cut_is_whole() {
        // Two strings: one cut in the middle and narrow behind the cut, one with formats.
        let first = [&[8, 0, 1][..], &wide("拍照搜")].concat();
        let second = [&[1][..], &wide("题"), &[0], b""].concat();
        let table = [&[0; 8][..], &first].concat();
        let rest =
            [&second[..3], &wide("abcd"), &[3, 0, 9, 1, 0], &wide("解题器"), &[0; 4], &[2, 0, 0], b"ok"].concat();
        let bytes = [record(0x0809, &[0; 16]), record(STRINGS, &table), record(CONTINUE, &rest)].concat();
        assert_eq!(said(workbook, &bytes), ["拍照搜题abcd", "解题器", "ok"]);
    }

    #[test]
    fn a_text_in_pieces_is_put_together() {
        let mut bytes = vec![0; 0x0400];
        bytes[0x01a6..0x01aa].copy_from_slice(&[33, 0, 0, 0]);
        bytes[0x0300..0x0304].copy_from_slice(&wide("搜题"));
        bytes[0x0380..0x0384].copy_from_slice(&wide("拍照"));
        let plan = [0_u32, 2, 4].iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
        let piece = |at: u32| [&[0, 0][..], &at.to_le_bytes(), &[0, 0]].concat();
        let table = [&[2, 28, 0, 0, 0][..], &plan, &piece(0x0380), &piece(0x0300)].concat();
        let streams = [("0Table".to_owned(), table)];
        let tables = Tables::of(&streams);
        assert_eq!(said(|input, out| document(input, &tables, out), &bytes), ["拍照搜题"]);
    }
}
