//! Flutter's compiled Dart: two-byte strings of an AOT snapshot (`libapp.so`, `App`).
//!
//! Written against `runtime/vm/app_snapshot.cc`, `raw_object.h` and `datastream.h` of
//! <https://github.com/dart-lang/sdk>, and checked against snapshots that Dart 3 made.
//! A string with any character past Latin-1 is UTF-16 with no mark and no end: its
//! length stands before it. As an object (32-bit and uncompressed 64-bit code) that is
//! a Smi, twice the length, in four or eight bytes; in a serialised cluster (64-bit
//! Android) a variable-length number, twice the length plus one, at odd offsets too.
//! Latin-1 strings are found by the ordinary search.

use super::bytes::{common_han, utf16};
use super::pool::{u16_at, u32_at};
use crate::model::Block;
use crate::signature::is_han;

/// Marks the start of a snapshot (`Snapshot::kMagicValue`).
const MAGIC: &[u8] = b"\xf5\xf5\xdc\xdc";
/// Prefix of the symbols that the engine looks up; their number and names changed.
const SYMBOL: &[u8] = b"_kDart";
/// Units of a string taken at most.
const LONGEST: usize = 4_096;
/// Shortest run of text with Han in it that is taken without a length before it.
const BARE_MIN: usize = 4;
/// Bytes of text judged in vain for each byte of the file, at most.
const VAIN: usize = 4;
/// Bytes of a text that are judged; what begins as Chinese goes on as text.
const JUDGED: usize = 256;

/// Whether a library holds a Dart snapshot.
pub(super) fn is_snapshot(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, SYMBOL).is_some() && memchr::memmem::find(bytes, MAGIC).is_some()
}

/// Adds the two-byte strings with Han characters, by offset.
pub(super) fn strings(bytes: &[u8], block: &mut Block) {
    let vain = bytes.len().saturating_mul(VAIN);
    let mut scan = Scan { bytes, ends: [0; 2], judged: [0; 2], floors: [0; 2], vain };
    let mut at = 0;
    while at + 1 < bytes.len() {
        let found = u16_at(bytes, at).filter(|&unit| is_han_value(unit)).and_then(|_| scan.string(at));
        at = match found {
            Some((start, text)) => {
                block.push(start as u32, &text);
                scan.pass((start + text.encode_utf16().count() * 2).max(at + 2))
            }
            None => at + 1,
        };
    }
}

const fn is_han_value(unit: u16) -> bool {
    matches!(unit, 0x4e00..=0x9fff)
}

/// Han, ASCII, punctuation, kana, signs, surrogates: what strings with Han are made of.
const fn is_text(unit: u16) -> bool {
    matches!(unit, 9 | 10 | 13 | 0x20..=0x7e | 0xa0..=0xff | 0x370..=0x3ff | 0x2000..=0x27ff | 0x3000..=0x30ff)
        || is_han_value(unit)
        || matches!(unit, 0xd800..=0xdfff | 0xfe0f | 0xff01..=0xff9f)
}

/// Whether people wrote a text: the fewer characters it has, the more of them must be
/// common ones, for machine code has a Han character in every third pair of bytes.
fn is_written(text: &str, has_length: bool) -> bool {
    let least = match (text.chars().filter(|&c| is_han(c)).count(), has_length) {
        (0 | 1, _) => return false,
        (2 | 3, _) => 100,
        (4 | 5, true) | (6.., false) => 70,
        (6.., true) => 45,
        (4 | 5, false) => 100,
    };
    common_han(text) >= least
}

/// A walk over all offsets that judges no run of text twice.
struct Scan<'a> {
    bytes: &'a [u8],
    /// Where the run of text ends that was met last on even and on odd offsets.
    ends: [usize; 2],
    /// Up to where runs were judged without a length, on even and on odd offsets.
    judged: [usize; 2],
    /// Starts before these were tried, on even and on odd offsets: the walks back are
    /// linear in all.
    floors: [usize; 2],
    /// Bytes that may still be judged in vain: a hostile file could make every offset
    /// look like the start of a long string.
    vain: usize,
}

impl Scan<'_> {
    /// Leaves everything before `end` behind.
    const fn pass(&mut self, end: usize) -> usize {
        self.floors = [end; 2];
        end
    }

    /// The string that holds the Han character at `at`, and where it starts.
    fn string(&mut self, at: usize) -> Option<(usize, String)> {
        let end = self.run_end(at);
        let floor = std::mem::replace(&mut self.floors[at % 2], at + 2);
        let mut start = at;
        loop {
            if let Some(text) = self.with_length(start, at + 2, end) {
                return Some((start, text));
            }
            match start.checked_sub(2) {
                Some(before) if before >= floor && u16_at(self.bytes, before).is_some_and(is_text) => start = before,
                _ => break,
            }
        }
        if at < self.judged[at % 2] {
            return None;
        }
        self.judged[at % 2] = end;
        // A run may be ASCII or a length, read as Han, in front of a string that has its
        // length: that one comes in its turn.
        let next = (at + 2..end).step_by(2).find(|&ahead| self.with_length(ahead, ahead + 4, end).is_some());
        let end = next.map_or(end, |ahead| ahead - 2).min(at + LONGEST * 2);
        let text = self.judge(at, end, false)?;
        (end - at >= BARE_MIN * 2).then_some((at, text))
    }

    /// The text at `start` whose length stands before it, if it reaches `least` and stays
    /// within the run of text that ends at `end`.
    fn with_length(&mut self, start: usize, least: usize, end: usize) -> Option<String> {
        let lengths = self.lengths(start).into_iter().flatten().filter(|&n| n <= LONGEST);
        let last = lengths.map(|n| start + n * 2).filter(|last| (least..=end).contains(last)).max()?;
        self.judge(start, last, true)
    }

    /// The text of a range, if people wrote it.
    fn judge(&mut self, start: usize, end: usize, has_length: bool) -> Option<String> {
        let judged = (end - start).min(JUDGED);
        self.vain = self.vain.checked_sub(judged)?;
        let head = utf16(self.bytes.get(start..start + judged)?, u16::from_le_bytes);
        if !is_written(&head, has_length) {
            return None;
        }
        self.vain += judged;
        Some(utf16(self.bytes.get(start..end)?, u16::from_le_bytes))
    }

    /// End of the run of text that `at` lies in.
    fn run_end(&mut self, at: usize) -> usize {
        let known = self.ends[at % 2];
        if known > at {
            return known;
        }
        let mut end = at;
        while u16_at(self.bytes, end).is_some_and(is_text) {
            end += 2;
        }
        self.ends[at % 2] = end;
        end
    }

    /// Lengths that stand before `start`, in units: as a Smi of eight bytes, of four, and
    /// as a variable-length number of one byte and of two.
    fn lengths(&self, start: usize) -> [Option<usize>; 4] {
        let word = |back| start.checked_sub(back).and_then(|at| u32_at(self.bytes, at)).map(|n| n as usize);
        let byte = |back| start.checked_sub(back).and_then(|at| self.bytes.get(at)).map(|&b| usize::from(b));
        // Objects are aligned, and a Smi has its lowest bit clear.
        let smi = |n: usize| (n.is_multiple_of(2) && start.is_multiple_of(4)).then_some(n / 2);
        let eight = word(4).filter(|&high| high == 0).and_then(|_| word(8)).and_then(smi);
        let four = word(4).and_then(smi);
        // Groups of seven bits, lowest first, the last marked by its highest bit
        // (`WriteUnsigned`); the lowest bit of the number says two-byte.
        let two_byte = |n: usize| (n % 2 == 1).then_some(n / 2);
        let last = byte(1).and_then(|b| b.checked_sub(0x80));
        let low = byte(2).filter(|&b| b < 0x80);
        [eight, four, last.and_then(two_byte), last.zip(low).map(|(high, low)| high << 7 | low).and_then(two_byte)]
    }
}
