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
    line.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_')))
        .filter(|run| (SHORTEST..=LONGEST).contains(&run.len()))
        .filter_map(decode)
        .collect()
}

fn decode(run: &str) -> Option<String> {
    let engine = if run.contains(['-', '_']) { &URL_SAFE_NO_PAD } else { &STANDARD_NO_PAD };
    let text = String::from_utf8(engine.decode(run).ok()?).ok()?;
    let han = text.chars().filter(|&c| is_han(c)).count();
    let readable = !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    (han >= 2 && readable).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::in_line;

    #[test]
    fn finds_chinese_and_nothing_else() {
        assert_eq!(in_line("{\"t\":\"5ouN54Wn5pCc6aKY5Yqp5omL\"}"), ["拍照搜题助手"]);
        assert!(in_line("iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB").is_empty());
    }
}
