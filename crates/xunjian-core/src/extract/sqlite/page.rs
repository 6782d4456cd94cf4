//! Pages, trees and payloads of a database file.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;

use super::record::varint;
use crate::extract::Input;
use crate::extract::bytes::{slice, u16_be, u32_be, utf16};
use crate::extract::encoding;
use crate::model::Meter;

/// Longest payload put together from overflow pages.
const PAYLOAD_MAX: usize = 4 << 20;

/// How a database writes text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    pub(super) fn decode(self, raw: &[u8]) -> String {
        match self {
            // Programs write their own bytes into columns of text: GBK among them.
            Self::Utf8 => match std::str::from_utf8(raw) {
                Ok(text) => text.to_owned(),
                Err(_) => encoding::decode(raw)
                    .map_or_else(|| String::from_utf8_lossy(raw).into_owned(), std::borrow::Cow::into_owned),
            },
            Self::Utf16Le => utf16(raw, u16::from_le_bytes),
            Self::Utf16Be => utf16(raw, u16::from_be_bytes),
        }
    }
}

/// A database file and what its header says.
pub(super) struct Database<'a> {
    bytes: &'a [u8],
    page_size: usize,
    /// Bytes of a page in use: extensions reserve some at its end.
    usable: usize,
    /// Pages that the file holds, the last perhaps in part.
    pub(super) pages: usize,
    /// Pages that the header states.
    pub(super) stated: usize,
    /// How it writes text.
    pub(super) encoding: Encoding,
    /// Bytes of records that may still be read: cells and overflow pages that many rows
    /// share would make the whole far larger than the file.
    left: Cell<usize>,
    /// Rows, cells and pages are steps on it.
    pub(super) meter: &'a Meter<'a>,
}

/// One cell of a leaf.
pub(super) struct Row<'a> {
    /// Its number; none in an index or a table without rowid.
    pub(super) rowid: Option<i64>,
    length: usize,
    /// Payload from its start to the end of the page.
    rest: &'a [u8],
    is_index: bool,
}

impl<'a> Database<'a> {
    pub(super) fn new(input: Input<'a>) -> Option<Self> {
        let bytes = input.bytes();
        let page_size = match u16_be(bytes, 16)? {
            1 => 65_536,
            size => usize::from(size),
        };
        if !page_size.is_power_of_two() || page_size < 512 {
            return None;
        }
        let usable = page_size.checked_sub(usize::from(*bytes.get(20)?)).filter(|&n| n >= 480)?;
        let encoding = match u32_be(bytes, 56)? {
            2 => Encoding::Utf16Le,
            3 => Encoding::Utf16Be,
            _ => Encoding::Utf8,
        };
        let pages = bytes.len().div_ceil(page_size);
        // Versions before 3.7 leave the count alone: it holds only beside its change counter.
        let counted = u32_be(bytes, 24) == u32_be(bytes, 92);
        let stated = u32_be(bytes, 28).filter(|&n| counted && n > 0).map_or(pages, |n| n as usize);
        let left = Cell::new(bytes.len().saturating_mul(2));
        Some(Self { bytes, page_size, usable, pages, stated, encoding, left, meter: input.meter })
    }

    pub(super) fn is_cut(&self) -> bool {
        self.stated > self.pages
    }

    /// The used part of a page, cut where the file is, and where its header begins.
    fn page(&self, number: u32) -> Option<(&'a [u8], usize)> {
        let start = (number as usize).checked_sub(1)?.checked_mul(self.page_size)?;
        let rest = self.bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let header = if number == 1 { 100 } else { 0 };
        Some((&rest[..rest.len().min(self.usable)], header))
    }

    /// Pages with rows of the tree at `root`, in order, and how many pages were no good.
    /// `seen` holds what was visited: trees of a sound file share nothing.
    pub(super) fn leaves(&self, root: u32, seen: &mut HashSet<u32>) -> (Vec<u32>, usize) {
        let (mut leaves, mut broken) = (Vec::new(), 0);
        let mut open = vec![root];
        while let Some(number) = open.pop() {
            if !self.meter.step() {
                break;
            }
            let Some((page, header)) = self.page(number).filter(|_| seen.insert(number)) else {
                broken += 1;
                continue;
            };
            match page.get(header) {
                Some(0x0d | 0x0a) => leaves.push(number),
                Some(kind @ (0x05 | 0x02)) => {
                    // Interior pages of an index hold rows as well.
                    if *kind == 0x02 {
                        leaves.push(number);
                    }
                    let below = self.cells(number).map(|at| u32_be(page, at));
                    let right = std::iter::once(u32_be(page, header + 8));
                    let mut children: Vec<u32> = below.chain(right).flatten().collect();
                    children.reverse();
                    open.append(&mut children);
                }
                _ => broken += 1,
            }
        }
        (leaves, broken)
    }

    /// Offsets of the cells of a tree page.
    fn cells(&self, number: u32) -> impl Iterator<Item = usize> + use<'a> {
        let (page, header) = self.page(number).unwrap_or((&[], 0));
        let interior = matches!(page.get(header), Some(0x05 | 0x02));
        let pointers = header + if interior { 12 } else { 8 };
        // A cell takes two bytes of pointer and four of content.
        let count = u16_be(page, header + 3).map_or(0, usize::from).min(page.len() / 6);
        (0..count).filter_map(move |i| u16_be(page, pointers + i * 2).map(usize::from))
    }

    /// Rows of a page that [`Database::leaves`] named.
    pub(super) fn rows(&self, number: u32) -> impl Iterator<Item = Row<'a>> + use<'a> {
        let (page, header) = self.page(number).unwrap_or((&[], 0));
        let kind = page.get(header).copied().unwrap_or(0);
        self.cells(number).filter_map(move |at| {
            let mut at = if kind == 0x02 { at + 4 } else { at };
            let (length, width) = varint(page, at)?;
            at += width;
            let rowid = if kind == 0x0d {
                let (rowid, width) = varint(page, at)?;
                at += width;
                Some(rowid as i64)
            } else {
                None
            };
            Some(Row { rowid, length: usize::try_from(length).ok()?, rest: page.get(at..)?, is_index: rowid.is_none() })
        })
    }

    /// More was asked of the records than a sound file holds.
    pub(super) fn is_spent(&self) -> bool {
        self.left.get() == 0 || self.meter.is_spent()
    }

    /// The record of a row, its overflow pages included; cut where the file is, and empty
    /// when the database is spent.
    pub(super) fn payload(&self, row: &Row<'a>) -> Cow<'a, [u8]> {
        self.left.set(self.left.get().saturating_sub(row.length.clamp(1, PAYLOAD_MAX)));
        if self.is_spent() || !self.meter.scan(row.length.min(PAYLOAD_MAX)) {
            return Cow::Borrowed(&[]);
        }
        let usable = self.usable;
        let most = if row.is_index { (usable - 12) * 64 / 255 - 23 } else { usable - 35 };
        if row.length <= most {
            return row.rest.get(..row.length).unwrap_or(row.rest).into();
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let spill = least + (row.length - least) % (usable - 4);
        let local = if spill <= most { spill } else { least };
        let mut payload = row.rest.get(..local).unwrap_or(row.rest).to_vec();
        let wanted = row.length.min(PAYLOAD_MAX);
        let mut next = u32_be(row.rest, local).unwrap_or(0);
        // The chain holds as many pages as the length needs: a loop in it ends there.
        while payload.len() < wanted && next != 0 {
            let Some(page) = (next as usize).checked_sub(1).and_then(|n| n.checked_mul(self.page_size)) else { break };
            let Some(content) = slice(self.bytes, page, usable) else { break };
            let take = (wanted - payload.len()).min(usable - 4);
            payload.extend_from_slice(&content[4..4 + take]);
            next = u32_be(content, 0).unwrap_or(0);
        }
        payload.into()
    }
}
