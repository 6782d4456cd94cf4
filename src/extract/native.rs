//! Readable strings of binaries: ASCII and UTF-8, Chinese included, and two-byte Chinese.

use super::{Extracted, flutter, wide};
use crate::model::{Block, Budget, Kind, Limit, LimitCode};

/// Shortest run of ASCII that is a string, as `strings(1)` has 4; 6 keeps code bytes out.
const ASCII_MIN: usize = 6;
/// Shortest run of Han characters, which random bytes seldom form.
const HAN_MIN: usize = 2;
/// A longer run is one string of data (tables, keys): cut.
pub(super) const LONGEST: usize = 4_096;

/// Takes the strings of a binary as facts of `kind`, named by offset.
pub(super) fn read(bytes: &[u8], place: &str, kind: Kind, budget: &Budget, out: &mut Extracted) {
    let mut block = Block::new(kind, place, "offset");
    let mut at = 0;
    while let Some(start) = next_start(bytes, at) {
        at = start;
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
        out.made_by("content=dart-snapshot", place);
        flutter::strings(bytes, &mut block);
    } else {
        wide::strings(bytes, &mut block);
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

/// 1 for each place of the view at which six bytes of whole characters begin.
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
    let mut starts = [0; BLOCK];
    for at in 0..BLOCK {
        starts[at] = text[at] & text[at + 1] & text[at + 2] & text[at + 3] & text[at + 4] & text[at + 5];
    }
    starts
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What [`next_start`] finds, byte by byte.
    fn next_start_plainly(bytes: &[u8], from: usize) -> Option<usize> {
        (from..bytes.len()).find(|&at| run(bytes, at).0 - at >= ASCII_MIN)
    }

    proptest! {
        #[test]
        fn blocks_miss_no_string(
            parts in proptest::collection::vec(prop_oneof!["[a-z\t中文。]{0,12}".prop_map(String::into_bytes), proptest::collection::vec(any::<u8>(), 0..70)], 0..8)
        ) {
            let bytes = parts.concat();
            let mut at = 0;
            loop {
                let found = next_start(&bytes, at);
                prop_assert_eq!(found, next_start_plainly(&bytes, at));
                let Some(start) = found else { break };
                at = run(&bytes, start).0;
            }
        }
    }
}
