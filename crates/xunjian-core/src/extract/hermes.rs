//! React Native's compiled bundles: the string table of Hermes bytecode.
//!
//! Written against `BytecodeFileFormat.h` and `StringKind.h` of
//! <https://github.com/facebook/hermes>. The header's first twelve fields and the order
//! of the tables have not changed since version 59; function headers shrank from
//! 16 to 12 bytes in version 97. Which of the two a file has is told by its string
//! table, not by its version: a version is one number that anyone can patch.

use super::bytes::{Words, slice, utf16};
use super::pool::u32_at;
use super::{Extracted, Input, native};
use crate::model::{Kind, Limit, LimitCode};

/// Length of the file header, all versions.
const HEADER: usize = 128;
/// A length that means: offset and length stand in the overflow table.
const OVERFLOWED: usize = 0xff;
/// Entries looked at to tell one layout from another.
const SAMPLE: usize = 4_096;

/// Takes every string of a bundle, named by its number in the string table.
pub(super) fn read(input: Input<'_>, out: &mut Extracted) {
    let (bytes, place) = (input.bytes(), input.place);
    let mut bad = |detail: String| out.limits.push(Limit::new(LimitCode::BadFormat, place, detail));
    let version = u32_at(bytes, 8).unwrap_or(0);
    let Some(table) = Table::find(bytes, version) else {
        bad(format!("Hermes bytecode version {version}: no string table where it should be; searched for strings"));
        return native::read(input, Kind::Code, out);
    };
    if table.count < table.stated {
        bad(format!("states {} strings, holds at most {}", table.stated, table.count));
    }
    let mut words = Words::new(Kind::Code, place, "string", bytes.len(), input.meter);
    let mut unreadable = 0_usize;
    for index in 0..table.count {
        if !input.meter.step() {
            break;
        }
        match table.string(index) {
            Some(text) => words.push(index, &text),
            None => unreadable += 1,
        }
        if words.is_full() {
            break;
        }
    }
    if unreadable > 0 {
        bad(format!("{unreadable} strings lie outside the file"));
    }
    words.finish(out);
}

/// The string table with what it points into.
struct Table<'a> {
    entries: &'a [u8],
    overflow: &'a [u8],
    storage: &'a [u8],
    stated: usize,
    count: usize,
}

impl<'a> Table<'a> {
    /// The layout whose entries all lie within the string storage, or most of them.
    fn find(bytes: &'a [u8], version: u32) -> Option<Self> {
        let widths = if version >= 97 { [12, 16] } else { [16, 12] };
        let candidates = widths.into_iter().filter_map(|width| Self::at(bytes, width));
        let mut best: Option<(usize, Self)> = None;
        for table in candidates {
            let sampled = table.count.min(SAMPLE);
            let sound = (0..sampled).filter(|&i| table.raw(i).is_some()).count();
            let better = best.as_ref().is_none_or(|(most, _)| sound > *most);
            if better && sound * 2 > sampled {
                best = Some((sound, table));
            }
        }
        best.map(|(_, table)| table)
    }

    /// The table if each function header takes `width` bytes.
    fn at(bytes: &'a [u8], width: usize) -> Option<Self> {
        let field = |at| u32_at(bytes, at).map(|n| n as usize);
        let (functions, kinds, identifiers) = (field(40)?, field(44)?, field(48)?);
        let (stated, overflowed, stored) = (field(52)?, field(56)?, field(60)?);
        let before = functions.checked_mul(width)?.checked_add(kinds.checked_add(identifiers)?.checked_mul(4)?)?;
        let at = HEADER.checked_add(before)?;
        let rest = bytes.get(at..)?;
        let count = stated.min(rest.len() / 4);
        let (entries, rest) = rest.split_at_checked(count * 4)?;
        let overflow = rest.get(..overflowed.min(rest.len() / 8) * 8)?;
        let storage = rest.get(overflow.len()..)?;
        // A cut file keeps what it has of its storage.
        let storage = storage.get(..stored).unwrap_or(storage);
        Some(Self { entries, overflow, storage, stated, count })
    }

    /// Bytes of a string, and whether they are UTF-16.
    fn raw(&self, index: usize) -> Option<(&'a [u8], bool)> {
        let entry = u32_at(self.entries, index.checked_mul(4)?)? as usize;
        let is_wide = entry & 1 == 1;
        let (mut offset, mut length) = (entry >> 1 & 0x7f_ffff, entry >> 24);
        if length == OVERFLOWED {
            let row = offset * 8;
            (offset, length) = (u32_at(self.overflow, row)? as usize, u32_at(self.overflow, row + 4)? as usize);
        }
        let width = if is_wide { length.checked_mul(2)? } else { length };
        Some((slice(self.storage, offset, width)?, is_wide))
    }

    fn string(&self, index: usize) -> Option<String> {
        let (raw, is_wide) = self.raw(index)?;
        // The narrow form is ASCII by contract; a byte over it is at least one character.
        Some(if is_wide { utf16(raw, u16::from_le_bytes) } else { raw.iter().map(|&b| char::from(b)).collect() })
    }
}
