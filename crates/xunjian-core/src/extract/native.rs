//! Readable strings of binaries: ASCII and UTF-8, Chinese included, and Chinese in every
//! other encoding between them.

use super::eastern::Eastern;
use super::{Extracted, Input, flutter};
use crate::model::{Block, Kind, Limit, LimitCode};

/// Shortest run of ASCII that is a string, as `strings(1)` has 4; 6 keeps code bytes out.
const ASCII_MIN: usize = 6;
/// Shortest run of Han characters, which random bytes seldom form.
const HAN_MIN: usize = 2;
/// A longer run is one string of data (tables, keys): cut.
pub(super) const LONGEST: usize = 4_096;

/// Takes the strings of a binary as facts of `kind`, named by offset.
pub(super) fn read(input: Input<'_>, kind: Kind, out: &mut Extracted) {
    let (bytes, place, budget) = (input.bytes(), input.place, input.budget());
    let mut block = Block::new(kind, place, "offset");
    let is_snapshot = flutter::is_snapshot(bytes);
    let mut eastern = Eastern::new(bytes, is_snapshot, input.meter);
    let (mut at, mut gap) = (0, 0);
    while let Some(start) = next_start(bytes, at) {
        let (end, han) = run(bytes, start);
        at = end.max(start + 1);
        if !input.meter.scan(end - start) {
            break;
        }
        if (end - start >= ASCII_MIN || han >= HAN_MIN)
            && let Ok(text) = std::str::from_utf8(&bytes[start..end])
        {
            eastern.take(gap, start, &mut block);
            gap = at;
            if block.len() >= budget.strings {
                out.limits.push(Limit::new(LimitCode::OverBudget, place, "more strings than the budget allows"));
                break;
            }
            block.push(start as u32, text);
        }
    }
    eastern.take(gap, bytes.len(), &mut block);
    if is_snapshot {
        out.made_by("content=dart-snapshot", place);
        flutter::strings(bytes, &mut block);
    }
    out.read.strings += block.len() as u64;
    out.facts.push(block);
}

/// Starting places looked at together.
const BLOCK: usize = 64;
/// Bytes that tell whether a string starts in the block: six more, and two to end a character.
const VIEW: usize = BLOCK + 8;

/// Where the next run of six bytes of text starts, which is the least that a string has.
/// Machine code has few: it is passed over in blocks, without a branch a byte.
fn next_start(bytes: &[u8], mut at: usize) -> Option<usize> {
    while at < bytes.len() {
        let mut view = [0; VIEW];
        let there = bytes.len().min(at + VIEW);
        view[..there - at].copy_from_slice(&bytes[at..there]);
        let starts = starts(&view);
        if starts.iter().fold(0, |any, &start| any | start) != 0 {
            return starts.iter().position(|&start| start != 0).map(|i| at + i);
        }
        at += BLOCK;
    }
    None
}

/// 1 for each place of the view at which six bytes of whole characters begin, or a character
/// of three bytes that something else may follow.
fn starts(view: &[u8; VIEW]) -> [u8; BLOCK] {
    let ascii = view.map(|b| u8::from(b.wrapping_sub(0x20) < 0x5f) | u8::from(b == b'\t'));
    let wide = view.map(|b| u8::from(b.wrapping_sub(0xe2) < 8) | u8::from(b == 0xef));
    let tail = view.map(|b| u8::from(b & 0xc0 == 0x80));
    // Whole characters of three bytes, at their first byte; two places further on, to look back.
    let mut whole = [0; VIEW + 2];
    for at in 0..VIEW - 2 {
        whole[at + 2] = wide[at] & tail[at + 1] & tail[at + 2];
    }
    let mut text = [0; VIEW];
    for at in 0..VIEW {
        text[at] = ascii[at] | whole[at] | whole[at + 1] | whole[at + 2];
    }
    // A sign of two or four bytes, or the end of a line, does not end a text.
    let goes_on = view.map(|b| u8::from(b >= 0xc2) | u8::from(b == b'\n') | u8::from(b == b'\r'));
    let mut starts = [0; BLOCK];
    for at in 0..BLOCK {
        starts[at] = text[at] & text[at + 1] & text[at + 2] & text[at + 3] & text[at + 4] & text[at + 5]
            | whole[at + 2] & goes_on[at + 3];
    }
    starts
}

/// End of the run of text at `start`, and how many Han characters it holds. Signs of two and
/// of four bytes (middle dots, accents, emoji) and ends of lines belong to it only beside a
/// character of three: elsewhere they are code.
fn run(bytes: &[u8], start: usize) -> (usize, usize) {
    let (mut at, mut han) = (start, 0);
    let mut beside = false;
    while at < bytes.len() && at - start < LONGEST {
        let width = width(bytes, at);
        match bytes[at] {
            0x20..0x7f | b'\t' => beside = false,
            lead if width == 3 => {
                han += usize::from((0xe4..=0xe9).contains(&lead));
                beside = true;
            }
            _ if at == start || width == 0 => break,
            _ if beside || self::width(bytes, at + width) == 3 => {}
            _ => break,
        }
        at += width;
    }
    (at, han)
}

/// Bytes of the character at `at`; 0 where none is that a text has.
fn width(bytes: &[u8], at: usize) -> usize {
    let has_tail = |n: usize| bytes.get(at + 1..at + n).is_some_and(|t| t.iter().all(|b| b & 0xc0 == 0x80));
    match bytes.get(at) {
        Some(0x20..0x7f | b'\t' | b'\n' | b'\r') => 1,
        Some(0xc2..=0xdf) if has_tail(2) => 2,
        // Three-byte sequences of punctuation, kana, Han, full-width forms.
        Some(0xe2..=0xe9 | 0xef) if has_tail(3) => 3,
        Some(0xf0) if has_tail(4) && bytes[at + 1] >= 0x90 => 4,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Budget, Meter};

    /// What [`next_start`] finds, byte by byte.
    fn next_start_plainly(bytes: &[u8], from: usize) -> Option<usize> {
        let is_text = |at: usize| matches!(width(bytes, at), 1 | 3) && !matches!(bytes[at], b'\n' | b'\r');
        let six = |start: usize| {
            let mut at = start;
            while at < start + ASCII_MIN && is_text(at) {
                at += width(bytes, at);
            }
            at >= start + ASCII_MIN
        };
        let goes_on = |at: usize| {
            width(bytes, at) == 3 && bytes.get(at + 3).is_some_and(|&b| b >= 0xc2 || b == b'\n' || b == b'\r')
        };
        (from..bytes.len()).find(|&at| six(at) || goes_on(at))
    }

    #[test]
    fn a_sign_within_does_not_break_a_text() {
        for text in ["拍照📷搜题", "拍照·搜题", "拍照\n搜题", "拍\r\n照·搜·题", "拍📷照"] {
            let mut out = Extracted::default();
            let (bytes, budget) = ([&[1, 0], text.as_bytes(), &[0, 2]].concat(), Budget::default());
            let meter = Meter::new(&budget, bytes.len());
            read(Input::new(&bytes, "", &meter), Kind::Native, &mut out);
            assert!(out.facts.of(Kind::Native).any(|found| found == text), "{text}: {:?}", out.facts);
        }
    }

    proptest! {
        #[test]
        fn blocks_miss_no_string(
            parts in proptest::collection::vec(prop_oneof!["[a-z\t\n中文。·📷]{0,12}".prop_map(String::into_bytes), proptest::collection::vec(any::<u8>(), 0..70)], 0..8)
        ) {
            let bytes = parts.concat();
            let mut at = 0;
            loop {
                let found = next_start(&bytes, at);
                prop_assert_eq!(found, next_start_plainly(&bytes, at));
                let Some(start) = found else { break };
                at = run(&bytes, start).0.max(start + 1);
            }
        }
    }
}
