//! Readable strings of binaries: ASCII and UTF-8, Chinese included, and two-byte Chinese.

use super::{Extracted, flutter};
use crate::model::{Block, Budget, Kind, Limit, LimitCode};

/// Shortest run of ASCII that is a string, as `strings(1)` has 4; 6 keeps code bytes out.
const ASCII_MIN: usize = 6;
/// Shortest run of Han characters, which random bytes seldom form.
const HAN_MIN: usize = 2;
/// A longer run is one string of data (tables, keys): cut.
const LONGEST: usize = 4_096;

/// Takes the strings of a binary as facts of `kind`, named by offset.
pub(super) fn read(bytes: &[u8], place: &str, kind: Kind, budget: &Budget, out: &mut Extracted) {
    let mut block = Block::new(kind, place, "offset");
    let mut at = 0;
    while at < bytes.len() {
        if !starts_text(bytes[at]) {
            at += 1;
            continue;
        }
        let (end, han) = run(bytes, at);
        if (end - at >= ASCII_MIN || han >= HAN_MIN)
            && let Ok(text) = std::str::from_utf8(&bytes[at..end])
        {
            if block.len() >= budget.strings {
                out.limits.push(Limit::new(LimitCode::OverBudget, place, "more strings than the budget allows"));
                break;
            }
            block.push(at as u32, text);
        }
        at = end.max(at + 1);
    }
    if flutter::is_snapshot(bytes) {
        flutter::strings(bytes, &mut block);
    } else {
        wide(bytes, &mut block);
    }
    out.read.strings += block.len() as u64;
    out.facts.push(block);
}

const fn starts_text(byte: u8) -> bool {
    matches!(byte, 0x20..0x7f | b'\t' | 0xe2..=0xe9 | 0xef)
}

/// End of the run of text at `at`, and how many Han characters it holds.
fn run(bytes: &[u8], start: usize) -> (usize, usize) {
    let (mut at, mut han) = (start, 0);
    while at < bytes.len() && at - start < LONGEST {
        match bytes[at] {
            0x20..0x7f | b'\t' => at += 1,
            // Three-byte sequences of punctuation, kana, Han, full-width forms.
            lead @ (0xe2..=0xe9 | 0xef) => {
                let tail = bytes.get(at + 1..at + 3);
                if !tail.is_some_and(|t| t.iter().all(|b| b & 0xc0 == 0x80)) {
                    break;
                }
                han += usize::from((0xe4..=0xe9).contains(&lead));
                at += 3;
            }
            _ => break,
        }
    }
    (at, han)
}

/// Two-byte Chinese strings of four characters and more, on even offsets, ending in NUL or ASCII.
fn wide(bytes: &[u8], block: &mut Block) {
    const WIDE_MIN: usize = 4;
    let units = bytes.as_chunks::<2>().0;
    let is_han = |c: &[u8; 2]| (0x4e..=0x9f).contains(&c[1]);
    let mut at = 0;
    while at < units.len() {
        if !is_han(&units[at]) {
            at += 1;
            continue;
        }
        let start = at;
        while at < units.len() && at - start < LONGEST && (is_han(&units[at]) || is_wide_mark(&units[at])) {
            at += 1;
        }
        // Characters of real words come from the common part of the block; noise does not.
        let common = units[start..at].iter().filter(|c| (0x4e..=0x8f).contains(&c[1])).count();
        let ends = at >= units.len() || units[at] == [0, 0];
        if at - start >= WIDE_MIN && common * 4 >= (at - start) * 3 && ends {
            let text: String = char::decode_utf16(units[start..at].iter().map(|c| u16::from_le_bytes(*c)))
                .map(|c| c.unwrap_or('\u{fffd}'))
                .collect();
            block.push((start * 2) as u32, &text);
        }
    }
}

/// CJK punctuation, full-width forms and ASCII as two bytes.
const fn is_wide_mark(unit: &[u8; 2]) -> bool {
    matches!(unit, [0x20..0x7f, 0] | [_, 0x30] | [_, 0xff])
}
