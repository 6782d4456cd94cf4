//! Binary property lists: `Info.plist` and localised `.strings` of iOS packages.
//!
//! Written against `CFBinaryPList.c` of <https://github.com/swiftlang/swift-corelibs-foundation>
//! (`Sources/CoreFoundation`): objects, a table of their offsets, a trailer that says
//! where the table is. The table is walked, not the tree, so that nothing can nest.
//! Property lists in XML and `.strings` in UTF-16 are text.

use super::Extracted;
use super::bytes::{Words, slice, utf16};
use crate::model::{Budget, Kind, Limit, LimitCode};

/// How a binary property list begins; two digits of a version follow.
pub(super) const MAGIC: &[u8] = b"bplist";
/// Length of the trailer.
const TRAILER: usize = 32;
/// Keys whose value is the app's name.
const NAMES: &[&str] = &["CFBundleDisplayName", "CFBundleName", "CFBundleSpokenName"];
/// A key longer than this is a sentence: `.strings` use sentences as keys. It is cut.
const KEY_MAX: usize = 80;

/// Takes the strings: those of dictionaries by their key, others by object number.
pub(super) fn read(bytes: &[u8], place: &str, budget: &Budget, out: &mut Extracted) {
    let Some(list) = List::new(bytes) else {
        let detail = "a binary property list without a trailer that holds; searched for strings";
        out.limits.push(Limit::new(LimitCode::BadFormat, place, detail));
        return super::native::read(bytes, place, Kind::Asset, budget, out);
    };
    if list.count < list.stated {
        let detail = format!("states {} objects, holds at most {}", list.stated, list.count);
        out.limits.push(Limit::new(LimitCode::BadFormat, place, detail));
    }
    let mut words = Words::new(Kind::Asset, place, "", bytes.len(), budget);
    let mut labels = Words::new(Kind::Label, place, "", bytes.len(), budget);
    let mut told = vec![false; list.count];
    // Dictionaries that share members could make more of them than the file holds.
    let mut left = bytes.len().saturating_mul(4);
    for (keys, values) in (0..list.count).filter_map(|index| list.dictionary(index)) {
        for (key, value) in keys.zip(values) {
            if left == 0 || words.is_full() {
                break;
            }
            let (name, text) = (list.string(key), list.string(value));
            left = left.saturating_sub([&name, &text].map(|t| t.as_ref().map_or(1, String::len)).iter().sum());
            let (Some(name), Some(text)) = (name, text) else { continue };
            told[key] = true;
            told[value] = true;
            let cut: String = name.chars().take(KEY_MAX).collect();
            let into = if NAMES.contains(&name.as_str()) { &mut labels } else { &mut words };
            into.push_named(&format!("key {cut}"), &text);
        }
    }
    for index in (0..list.count).filter(|&index| !told[index]) {
        if let Some(text) = list.string(index) {
            words.push_named(&format!("object {index}"), &text);
        }
        if words.is_full() {
            break;
        }
    }
    labels.finish(out);
    words.finish(out);
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

    fn string(&self, index: usize) -> Option<String> {
        match self.object(index)? {
            (5 | 7, length, rest) => Some(String::from_utf8_lossy(rest.get(..length)?).into_owned()),
            (6, length, rest) => Some(utf16(rest.get(..length.checked_mul(2)?)?, u16::from_be_bytes)),
            _ => None,
        }
    }

    /// References of a dictionary: its keys and its values.
    fn dictionary(&self, index: usize) -> Option<(impl Iterator<Item = usize>, impl Iterator<Item = usize>)> {
        let (13, length, rest) = self.object(index)? else { return None };
        let width = length.checked_mul(self.reference_size)?;
        let references = |bytes: &'a [u8]| {
            let all = bytes.chunks_exact(self.reference_size).filter_map(number);
            // One that points nowhere stays in its place: keys and values go in pairs.
            all.map(move |n| n.min(self.count.saturating_sub(1)))
        };
        Some((references(rest.get(..width)?), references(slice(rest, width, width)?)))
    }
}

/// A big-endian number of up to eight bytes.
fn number(bytes: &[u8]) -> Option<usize> {
    usize::try_from(bytes.iter().fold(0_u64, |n, &b| n << 8 | u64::from(b))).ok()
}
