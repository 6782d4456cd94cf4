//! Android's chunked formats put in order before a parser sees them.
//!
//! Shells wrap binary XML and resource tables in what Android's loader steps over and
//! other readers trip over: chunks of unknown type, headers longer than usual, attributes
//! of another width, counts that lie. This module walks the chunks as Android does
//! (`ResXMLTree::setTo` and `nextNode` in `ResourceTypes.cpp`, `LoadedArsc.cpp`), writes
//! the same document without any of it, and says what it left out. The parser behind it
//! then needs no trust: depth and counts are those of what was written.

mod table;

use std::collections::BTreeSet;

pub(super) use table::table;

use super::Input;
use super::pool::{u16_at, u32_at};
use crate::model::Meter;

/// Deeper nesting than any layout has; the parser's recursion must never meet more.
const DEPTH_MAX: usize = 512;
/// More elements than any manifest has.
const ELEMENTS_MAX: usize = 200_000;
/// More attributes than any element has: the parser compares their names with each other.
const ATTRIBUTES_MAX: usize = 1_000;
/// Oddities told of one document.
const ODD_MAX: usize = 200;
/// Width of an attribute (`ResXMLTree_attribute`).
const ATTRIBUTE: usize = 20;
/// Type of a value that is a string of the pool (`Res_value::TYPE_STRING`).
const STRING: u8 = 3;
/// Length of a pool's header (`ResStringPool_header`).
const POOL_HEADER: usize = 28;

/// A document in order, and what was odd about it.
pub(super) struct Tidy<'m> {
    /// The document.
    pub(super) bytes: Vec<u8>,
    /// What ordinary readers would have tripped over, in words.
    pub(super) odd: BTreeSet<String>,
    /// What the parser behind it is going to do is paid for here, before it does it.
    meter: &'m Meter<'m>,
    /// Stated lengths, in bytes, of the strings of the pool that was written last.
    lengths: Vec<u32>,
}

/// One chunk: where its header and its content lie.
#[derive(Clone, Copy)]
struct Chunk {
    kind: u16,
    at: usize,
    /// Where its content begins.
    body: usize,
    end: usize,
}

impl<'m> Tidy<'m> {
    const fn new(meter: &'m Meter<'m>) -> Self {
        Self { bytes: Vec::new(), odd: BTreeSet::new(), meter, lengths: Vec::new() }
    }

    /// Notes what is odd; a document made of nothing else is told of in part.
    fn odd(&mut self, what: impl FnOnce() -> String) {
        if self.odd.len() < ODD_MAX {
            self.odd.insert(what());
        }
    }

    /// The chunk at `at`; one that states an impossible length is cut or given up.
    fn chunk(&mut self, bytes: &[u8], at: usize, limit: usize) -> Option<Chunk> {
        let (kind, header, size) = (u16_at(bytes, at)?, u16_at(bytes, at + 2)?, u32_at(bytes, at + 4)?);
        if at + 8 > limit || !self.meter.step() {
            return None;
        }
        let mut end = at.saturating_add(size as usize);
        if size < 8 {
            self.odd(|| format!("a chunk of type {kind:#06x} states {size} bytes"));
            end = at + natural(kind)?;
        }
        if end > limit {
            self.odd(|| format!("a chunk of type {kind:#06x} ends past the document"));
            end = limit;
        }
        Some(Chunk { kind, at, body: (at + usize::from(header).max(8)).min(end), end })
    }

    fn u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Begins a chunk; its size is filled in by [`Tidy::end`].
    fn begin(&mut self, kind: u16, header: u16) -> usize {
        let at = self.bytes.len();
        self.u16(kind);
        self.u16(header);
        self.u32(0);
        at
    }

    fn end(&mut self, at: usize) {
        let size = (self.bytes.len() - at) as u32;
        self.bytes[at + 4..at + 8].copy_from_slice(&size.to_le_bytes());
    }

    /// Writes a string pool with a header of the usual length, honest counts and no styles.
    fn pool(&mut self, bytes: &[u8], chunk: Chunk) {
        let field = |n: usize| u32_at(bytes, chunk.at + n).unwrap_or(0);
        let (stated, styles, flags, strings) = (field(8) as usize, field(12) as usize, field(16), field(20) as usize);
        let header = (chunk.body - chunk.at).max(POOL_HEADER);
        let data = chunk.at.saturating_add(strings).min(chunk.end);
        let room = data.saturating_sub(chunk.at + header) / 4;
        if stated.saturating_add(styles) != room {
            self.odd(|| format!("a string pool states {stated} strings and {styles} styles and has room for {room}"));
        }
        if header != POOL_HEADER {
            self.odd(|| format!("a string pool has a header of {header} bytes"));
        }
        let count = if stated == 0 || stated > room { room } else { stated };
        let at = self.begin(1, POOL_HEADER as u16);
        self.u32(count as u32);
        self.u32(0);
        self.u32(flags);
        self.u32((POOL_HEADER + count * 4) as u32);
        self.u32(0);
        let offsets = chunk.at + header;
        self.bytes.extend_from_slice(bytes.get(offsets..offsets + count * 4).unwrap_or(&[]));
        self.bytes.extend_from_slice(bytes.get(data..chunk.end).unwrap_or(&[]));
        while !self.bytes.len().is_multiple_of(4) {
            self.bytes.push(0);
        }
        self.end(at);
        self.measure(at, count, flags & 0x100 != 0);
    }

    /// Measures the strings of the pool written at `at`, by the lengths they state.
    fn measure(&mut self, at: usize, count: usize, utf8: bool) {
        self.lengths.clear();
        let data = at + POOL_HEADER + count * 4;
        for index in 0..count {
            if !self.meter.step() {
                return;
            }
            let offset = u32_at(&self.bytes, at + POOL_HEADER + index * 4).unwrap_or(u32::MAX) as usize;
            let length = data.checked_add(offset).and_then(|from| stated(&self.bytes, from, utf8)).unwrap_or(0);
            self.lengths.push(u32::try_from(length).unwrap_or(u32::MAX));
        }
    }

    /// Pays for the parser to decode a string once more.
    fn pay(&self, string: Option<u32>) -> bool {
        let length = string.and_then(|index| self.lengths.get(index as usize)).map_or(0, |&length| length as usize);
        self.meter.decode(length + 1)
    }

    /// The document, if what is in it could be paid for.
    fn sound(self) -> Result<Self, String> {
        if self.meter.is_spent() { Err("says more than a file of its size holds".into()) } else { Ok(self) }
    }
}

/// Bytes that the string at `at` states.
fn stated(bytes: &[u8], at: usize, utf8: bool) -> Option<usize> {
    if !utf8 {
        let first = usize::from(u16_at(bytes, at)?);
        let units =
            if first & 0x8000 == 0 { first } else { (first & 0x7fff) << 16 | usize::from(u16_at(bytes, at + 2)?) };
        // Two bytes a unit, which become three at most.
        return units.checked_mul(3);
    }
    let at = at + if bytes.get(at)? & 0x80 == 0 { 1 } else { 2 };
    let first = usize::from(*bytes.get(at)?);
    Some(if first & 0x80 == 0 { first } else { (first & 0x7f) << 8 | usize::from(*bytes.get(at + 1)?) })
}

/// Length of a node that states none.
fn natural(kind: u16) -> Option<usize> {
    match kind {
        0x0100 | 0x0101 | 0x0103 => Some(24),
        0x0104 => Some(28),
        _ => None,
    }
}

/// Puts a binary XML document in order.
///
/// # Errors
/// When it holds no strings or no elements, or nests deeper than the parser may go.
pub(super) fn document<'m>(input: Input<'m>) -> Result<Tidy<'m>, String> {
    let bytes = input.bytes();
    let mut tidy = Tidy::new(input.meter);
    let (mut at, limit) = tidy.outermost(bytes, 3, 8)?;
    let (mut pool, mut map) = (None, None);
    let mut nodes = Vec::new();
    while let Some(chunk) = tidy.chunk(bytes, at, limit) {
        match chunk.kind {
            0x0001 if nodes.is_empty() => pool = Some(chunk),
            0x0180 if nodes.is_empty() => map = Some(chunk),
            0x0100..=0x0104 => nodes.push(chunk),
            kind => {
                tidy.odd(|| format!("a chunk of type {kind:#06x} lies where it means nothing"));
            }
        }
        at = chunk.end;
    }
    let pool = pool.ok_or("no string pool")?;
    let start = tidy.begin(3, 8);
    tidy.pool(bytes, pool);
    let ids = tidy.begin(0x0180, 8);
    tidy.bytes.extend_from_slice(map.and_then(|m| bytes.get(m.body..m.end)).unwrap_or(&[]));
    tidy.end(ids);
    tidy.nodes(bytes, &nodes)?;
    tidy.end(start);
    tidy.sound()
}

impl Tidy<'_> {
    /// The outermost header: where its chunks begin and end.
    fn outermost(&mut self, bytes: &[u8], kind: u16, header: usize) -> Result<(usize, usize), String> {
        let (Some(stated_kind), Some(stated), Some(size)) = (u16_at(bytes, 0), u16_at(bytes, 2), u32_at(bytes, 4))
        else {
            return Err("shorter than its header".into());
        };
        if stated_kind != kind {
            self.odd(|| format!("begins with {stated_kind:#06x} instead of {kind:#06x}"));
        }
        if usize::from(stated) != header {
            self.odd(|| format!("has a header of {stated} bytes instead of {header}"));
        }
        let size = size as usize;
        if size != bytes.len() {
            self.odd(|| format!("states {size} bytes and has {}", bytes.len()));
        }
        // What follows the stated end is dead to Android; a size that cannot be is no end.
        let limit = if (header + 8..=bytes.len()).contains(&size) { size } else { bytes.len() };
        Ok((usize::from(stated).max(header), limit))
    }

    fn nodes(&mut self, bytes: &[u8], nodes: &[Chunk]) -> Result<(), String> {
        let (mut depth, mut elements) = (0_usize, 0_usize);
        for &node in nodes {
            let header = node.body - node.at;
            if header != 16 {
                self.odd(|| format!("a node has a header of {header} bytes"));
            }
            let at = self.begin(node.kind, 16);
            self.bytes.extend_from_slice(&padded::<8>(bytes, node.at + 8, node.end));
            let ext = if header < 16 { node.at + 16 } else { node.body };
            match node.kind {
                0x0102 => {
                    self.element(bytes, ext, node.end)?;
                    (depth, elements) = (depth + 1, elements + 1);
                }
                0x0104 => self.bytes.extend_from_slice(&padded::<12>(bytes, ext, node.end)),
                kind => {
                    self.bytes.extend_from_slice(&padded::<8>(bytes, ext, node.end));
                    depth = depth.saturating_sub(usize::from(kind == 0x0103));
                }
            }
            self.end(at);
            if depth > DEPTH_MAX {
                return Err(format!("elements nested more than {DEPTH_MAX} deep"));
            }
            if elements > ELEMENTS_MAX {
                return Err(format!("more than {ELEMENTS_MAX} elements"));
            }
        }
        Ok(())
    }

    /// Writes a start element with its attributes in the usual place and width.
    fn element(&mut self, bytes: &[u8], ext: usize, end: usize) -> Result<(), String> {
        let field = |n: usize| u16_at(bytes, ext + n).map_or(0, usize::from);
        let (start, width, stated) = (field(8), field(10), field(12));
        let room = end.saturating_sub(ext + start) / width.max(ATTRIBUTE);
        let count = stated.min(room);
        if count > ATTRIBUTES_MAX {
            return Err(format!("an element with {count} attributes"));
        }
        // The parser compares the name of each with those before it.
        let compared = (count * count / 2) as u64;
        if !self.pay(u32_at(bytes, ext + 4)) || !self.meter.steps(compared) {
            return Err("says more than a file of its size holds".into());
        }
        if stated > 0 && (start != 20 || width != ATTRIBUTE) {
            self.odd(|| format!("attributes of {width} bytes begin at {start}"));
        }
        if stated > room {
            self.odd(|| format!("an element states {stated} attributes and has room for {room}"));
        }
        self.bytes.extend_from_slice(&padded::<8>(bytes, ext, end));
        for value in [20, ATTRIBUTE, count, field(14), field(16), field(18)] {
            self.u16(value as u16);
        }
        for index in 0..count {
            let at = ext + start + index * width.max(ATTRIBUTE);
            let attribute = padded::<ATTRIBUTE>(bytes, at, end);
            let value = u32_at(&attribute, 16).filter(|_| attribute[15] == STRING);
            if !self.pay(u32_at(&attribute, 4)) || !self.pay(value) {
                return Err("says more than a file of its size holds".into());
            }
            self.bytes.extend_from_slice(&attribute);
        }
        Ok(())
    }
}

/// `N` bytes at `at`, zeros where they are past `end`.
fn padded<const N: usize>(bytes: &[u8], at: usize, end: usize) -> [u8; N] {
    let mut out = [0; N];
    if let Some(there) = bytes.get(at..(at + N).min(end)) {
        out[..there.len()].copy_from_slice(there);
    }
    out
}
