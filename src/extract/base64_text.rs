//! Chinese hidden in base64.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::signature::is_han;

/// Shorter runs are words and identifiers; four Han characters make sixteen.
const SHORTEST: usize = 16;
/// Longer runs are pictures and fonts.
const LONGEST: usize = 64 << 10;

/// Texts with Han characters that stand as base64 in a line.
pub(super) fn in_line(line: &str) -> Vec<String> {
    runs(line).filter(|run| run.len() <= LONGEST).filter_map(decode).collect()
}

/// Runs of at least [`SHORTEST`] characters of base64. Each must cover a multiple of that
/// length, so that only one byte in [`SHORTEST`] needs looking at where there is none.
fn runs(line: &str) -> impl Iterator<Item = &str> {
    let bytes = line.as_bytes();
    let is_base64 = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
    let mut probe = SHORTEST - 1;
    std::iter::from_fn(move || {
        while probe < bytes.len() {
            if !is_base64(&bytes[probe]) {
                probe += SHORTEST;
                continue;
            }
            let start = probe - bytes[..probe].iter().rev().take_while(|b| is_base64(b)).count();
            let end = probe + bytes[probe..].iter().take_while(|b| is_base64(b)).count();
            probe = end + SHORTEST;
            if end - start >= SHORTEST {
                return Some(&line[start..end]);
            }
        }
        None
    })
}

fn decode(run: &str) -> Option<String> {
    let engine = if run.contains(['-', '_']) { &URL_SAFE_NO_PAD } else { &STANDARD_NO_PAD };
    if !begins_as_text(run, engine) {
        return None;
    }
    let text = String::from_utf8(engine.decode(run).ok()?).ok()?;
    let han = text.chars().filter(|&c| is_han(c)).count();
    let readable = !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    (han >= 2 && readable).then_some(text)
}

/// Whether the first bytes could be text: nearly no identifier or path decodes to any.
fn begins_as_text(run: &str, engine: &impl Engine) -> bool {
    let mut head = [0; SHORTEST / 4 * 3];
    if engine.decode_slice(&run[..SHORTEST], &mut head).is_err() {
        return false;
    }
    let is_utf8 = std::str::from_utf8(&head).map_or_else(|e| e.error_len().is_none(), |_| true);
    is_utf8 && head.iter().all(|&b| b >= b' ' || b.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SHORTEST, in_line, runs};

    proptest! {
        #[test]
        fn every_long_run_is_seen(line in "[a-zA-Z0-9+/ ,中]{0,120}") {
            let expected: Vec<&str> = line
                .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_')))
                .filter(|run| run.len() >= SHORTEST)
                .collect();
            prop_assert_eq!(runs(&line).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn finds_chinese_and_nothing_else() {
        assert_eq!(in_line("{\"t\":\"5ouN54Wn5pCc6aKY5Yqp5omL\"}"), ["拍照搜题助手"]);
        assert!(in_line("iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB").is_empty());
    }
}
