//! Chinese hidden in base64.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

use super::bytes::utf16;
use super::escaped_bytes::chinese;
use super::han;
use super::unescape::unescape;
use crate::signature::is_han;

/// What is left over in the last character need not be zero.
const LOOSE: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));
const LOOSE_URL: GeneralPurpose =
    GeneralPurpose::new(&alphabet::URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// Shorter runs are words and identifiers; four Han characters make sixteen.
const SHORTEST: usize = 16;
/// Longer runs are pictures and fonts.
const LONGEST: usize = 64 << 10;

/// Texts with Han characters that stand as base64 in `text`, and where each begins.
pub(super) fn in_text(text: &str) -> impl Iterator<Item = (usize, String)> + '_ {
    runs(text).filter(|(_, run)| run.len() <= LONGEST).filter_map(|(at, run)| Some((at, decode(run)?)))
}

/// Runs of at least [`SHORTEST`] characters of base64. Each must cover a multiple of that
/// length, so that only one byte in [`SHORTEST`] needs looking at where there is none.
fn runs(line: &str) -> impl Iterator<Item = (usize, &str)> {
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
                return Some((start, &line[start..end]));
            }
        }
        None
    })
}

/// A text of UTF-8 or GBK with Han characters, escaped ones among them.
fn decode(run: &str) -> Option<String> {
    // One character too many belongs to what follows.
    let run = if run.len() % 4 == 1 { &run[..run.len() - 1] } else { run };
    if run.contains(['-', '_']) { decode_with(run, &LOOSE_URL) } else { decode_with(run, &LOOSE) }
}

fn decode_with(run: &str, engine: &GeneralPurpose) -> Option<String> {
    if !begins_as_text(run, engine) {
        return wide(run, engine);
    }
    let raw = engine.decode(run).ok()?;
    let readable = |text: &str| !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    let text = match String::from_utf8(raw) {
        Ok(text) => text,
        // A line of a longer text ends within a character.
        Err(error) if error.utf8_error().error_len().is_none() => {
            let end = error.utf8_error().valid_up_to();
            String::from_utf8(error.into_bytes()[..end].to_vec()).ok()?
        }
        Err(error) => chinese(error.as_bytes())?,
    };
    let has_words = |text: &str| text.chars().filter(|&c| is_han(c)).count() >= 2;
    let is_layered = || runs(&text).any(|(_, inner)| inner.len() * 2 > text.len() && inner.len() < run.len());
    (readable(&text) && (has_words(&text) || has_words(&unescape(&text)) || is_layered())).then_some(text)
}

/// Wide characters of the East in either order of bytes.
fn wide(run: &str, engine: &impl Engine) -> Option<String> {
    let mut head = [0; SHORTEST / 4 * 3];
    engine.decode_slice(&run[..SHORTEST], &mut head).ok()?;
    let units: [fn([u8; 2]) -> u16; 2] = [u16::from_le_bytes, u16::from_be_bytes];
    let unit = units.into_iter().find(|unit| {
        let is_text = |pair: &[u8; 2]| {
            let unit = unit(*pair);
            han::is_common(unit) || han::is_sign(unit) || (0x20..0x7f).contains(&unit)
        };
        head.as_chunks::<2>().0.iter().all(is_text)
    })?;
    let text = utf16(&engine.decode(run).ok()?, unit);
    let common = text.chars().filter(|c| u16::try_from(u32::from(*c)).is_ok_and(han::is_common)).count();
    (common >= 3 && common * 2 >= text.chars().count()).then_some(text)
}

/// Whether the first bytes could be text: nearly no identifier or path decodes to any.
fn begins_as_text(run: &str, engine: &impl Engine) -> bool {
    let mut head = [0; SHORTEST / 4 * 3];
    if engine.decode_slice(&run[..SHORTEST], &mut head).is_err() {
        return false;
    }
    if !head.iter().all(|&b| b >= b' ' || b.is_ascii_whitespace()) {
        return false;
    }
    let is_utf8 = std::str::from_utf8(&head).map_or_else(|e| e.error_len().is_none(), |_| true);
    // The last byte may be half of a character.
    is_utf8 || chinese(&head).or_else(|| chinese(&head[..head.len() - 1])).is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SHORTEST, in_text, runs};

    fn in_line(line: &str) -> Vec<String> {
        in_text(line).map(|(_, words)| words).collect()
    }

    proptest! {
        #[test]
        fn every_long_run_is_seen(line in "[a-zA-Z0-9+/ ,中]{0,120}") {
            let expected: Vec<&str> = line
                .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_')))
                .filter(|run| run.len() >= SHORTEST)
                .collect();
            prop_assert_eq!(runs(&line).map(|(_, run)| run).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn finds_chinese_and_nothing_else() {
        assert_eq!(in_line("{\"t\":\"5ouN54Wn5pCc6aKY5Yqp5omL\"}"), ["拍照搜题助手"]);
        assert!(in_line("iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB").is_empty());
    }
}
