//! The binary form: objects, a table of their offsets, a trailer that says where the
//! table is. Written against `CFBinaryPList.c` of
//! <https://github.com/swiftlang/swift-corelibs-foundation> (`Sources/CoreFoundation`).

use serde_json::Value;

use super::DEPTH_MAX;
use crate::extract::bytes::{Words, slice, utf16};
use crate::extract::{Extracted, Input};
use crate::model::{Kind, Limit, LimitCode};

/// Length of the trailer.
const TRAILER: usize = 32;
/// A key longer than this is a sentence: `.strings` use sentences as keys. It is cut.
const KEY_MAX: usize = 80;

/// Takes the strings: those of dictionaries by their key, others by object number. The
/// table is walked, not the tree, so that nothing can nest.
pub(in crate::extract) fn read(input: Input<'_>, out: &mut Extracted) {
    let (bytes, place) = (input.bytes(), input.place);
    let Some(list) = List::new(bytes) else {
        let detail = "a binary property list without a trailer that holds; searched for strings";
        out.limits.push(Limit::new(LimitCode::BadFormat, place, detail));
        return crate::extract::native::read(input, Kind::Asset, out);
    };
    if list.count < list.stated {
        let detail = format!("states {} objects, holds at most {}", list.stated, list.count);
        out.limits.push(Limit::new(LimitCode::BadFormat, place, detail));
    }
    let mut words = Words::new(Kind::Asset, place, "", bytes.len(), input.meter);
    let mut told = vec![false; list.count];
    // Dictionaries that share members could make more of them than the file holds.
    let mut left = bytes.len().saturating_mul(4);
    for (keys, values) in (0..list.count).filter_map(|index| list.dictionary(index)) {
        for (key, value) in keys.zip(values) {
            if left == 0 || words.is_full() || !input.meter.step() {
                break;
            }
            let (name, text) = (list.string(key), list.string(value));
            left = left.saturating_sub([&name, &text].map(|t| t.as_ref().map_or(1, String::len)).iter().sum());
            let (Some(name), Some(text)) = (name, text) else { continue };
            told[key] = true;
            told[value] = true;
            let cut: String = name.chars().take(KEY_MAX).collect();
            words.push_named(&format!("key {cut}"), &text);
        }
    }
    for index in (0..list.count).filter(|&index| !told[index]) {
        if let Some(text) = list.string(index) {
            words.push_named(&format!("object {index}"), &text);
        }
        if words.is_full() || !input.meter.step() {
            break;
        }
    }
    words.finish(out);
}

/// The list as a tree, as deep and as large as one that says who an app is.
pub(super) fn value(bytes: &[u8]) -> Option<Value> {
    let list = List::new(bytes)?;
    let top = number(&bytes[bytes.len() - TRAILER..][16..24])?;
    // Members may be shared: a tree may be larger than its file, but not without end.
    let mut left = bytes.len().saturating_mul(4);
    list.tree(top, 0, &mut left)
}

/// A list and its table of offsets.
struct List<'a> {
    bytes: &'a [u8],
    table: &'a [u8],
    /// Bytes of an offset, and of a reference to an object.
    offset_size: usize,
    reference_size: usize,
    stated: usize,
    count: usize,
}

impl<'a> List<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let trailer = &bytes[bytes.len().checked_sub(TRAILER)?..];
        let (offset_size, reference_size) = (usize::from(trailer[6]), usize::from(trailer[7]));
        let valid = |n| (1..=8).contains(&n);
        if !valid(offset_size) || !valid(reference_size) {
            return None;
        }
        let stated = number(&trailer[8..16])?;
        let table = bytes.get(number(&trailer[24..32])?..bytes.len() - TRAILER)?;
        let count = stated.min(table.len() / offset_size);
        Some(Self { bytes, table, offset_size, reference_size, stated, count })
    }

    /// The kind of an object, its length, and what follows.
    fn object(&self, index: usize) -> Option<(u8, usize, &'a [u8])> {
        let at = number(slice(self.table, index.checked_mul(self.offset_size)?, self.offset_size)?)?;
        let (&marker, rest) = self.bytes.get(at..)?.split_first()?;
        if marker & 0x0f != 0x0f {
            return Some((marker >> 4, usize::from(marker & 0x0f), rest));
        }
        // A length over fourteen is an integer object of its own.
        let (&integer, rest) = rest.split_first()?;
        let width = 1_usize << (integer & 0x0f).min(3);
        let (length, rest) = rest.split_at_checked(width)?;
        (integer >> 4 == 1).then_some((marker >> 4, number(length)?, rest))
    }

    fn tree(&self, index: usize, depth: usize, left: &mut usize) -> Option<Value> {
        let (kind, length, rest) = self.object(index)?;
        *left = left.checked_sub(1 + if matches!(kind, 5..=7) { length } else { 0 })?;
        let is_nested = matches!(kind, 10 | 12 | 13);
        if is_nested && depth >= DEPTH_MAX {
            return None;
        }
        match kind {
            0 => Some(Value::Bool(length == 9)),
            1 => Some(number(rest.get(..1_usize << length.min(3))?)?.into()),
            5..=7 => self.string(index).map(Value::String),
            10 | 12 => {
                let width = length.checked_mul(self.reference_size)?;
                let members = self.references(rest.get(..width)?);
                Some(Value::Array(members.filter_map(|member| self.tree(member, depth + 1, left)).collect()))
            }
            13 => {
                let (keys, values) = self.dictionary(index)?;
                let mut members = serde_json::Map::new();
                for (key, value) in keys.zip(values) {
                    if let (Some(key), Some(value)) = (self.string(key), self.tree(value, depth + 1, left)) {
                        *left = left.checked_sub(key.len())?;
                        members.insert(key, value);
                    }
                }
                Some(Value::Object(members))
            }
            _ => None,
        }
    }

    fn string(&self, index: usize) -> Option<String> {
        match self.object(index)? {
            (5 | 7, length, rest) => Some(String::from_utf8_lossy(rest.get(..length)?).into_owned()),
            (6, length, rest) => Some(utf16(rest.get(..length.checked_mul(2)?)?, u16::from_be_bytes)),
            _ => None,
        }
    }

    /// References of a dictionary: its keys and its values.
    fn dictionary(
        &self,
        index: usize,
    ) -> Option<(impl Iterator<Item = usize> + use<'a>, impl Iterator<Item = usize> + use<'a>)> {
        let (13, length, rest) = self.object(index)? else { return None };
        let width = length.checked_mul(self.reference_size)?;
        Some((self.references(rest.get(..width)?), self.references(slice(rest, width, width)?)))
    }

    /// One that points nowhere stays in its place: keys and values go in pairs.
    fn references(&self, bytes: &'a [u8]) -> impl Iterator<Item = usize> + use<'a> {
        let last = self.count.saturating_sub(1);
        bytes.chunks_exact(self.reference_size).filter_map(number).map(move |n| n.min(last))
    }
}

/// A big-endian number of up to eight bytes.
fn number(bytes: &[u8]) -> Option<usize> {
    usize::try_from(bytes.iter().fold(0_u64, |n, &b| n << 8 | u64::from(b))).ok()
}
