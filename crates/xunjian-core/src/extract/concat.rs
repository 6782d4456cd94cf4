//! Words that a script puts together from literals: `"拍照" + "搜题"`.
//!
//! Only literals that stand beside each other with a `+` between them; what a variable
//! holds is not known. A minifier joins them by itself, so that who leaves them apart may
//! well mean it.

use super::unescape::unescape;
use crate::signature::is_han;

/// A literal longer than this is no torn word.
const LITERAL_MAX: usize = 400;

/// Joined literals with Han characters, and the line that each begins on.
pub(super) fn joined(text: &str) -> Vec<(u32, String)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    // The chain in the making: its start, its text, and where its last literal ends.
    let mut chain: Option<(usize, String, usize)> = None;
    let (mut line, mut counted) = (1_u32, 0);
    for plus in memchr::memchr_iter(b'+', bytes) {
        let Some((close, open)) = around(bytes, plus) else { continue };
        let Some(end) = literal_end(bytes, open) else { continue };
        match &mut chain {
            Some((_, words, last)) if *last == close => {
                words.push_str(&text[open + 1..end]);
                *last = end;
            }
            _ => {
                let Some(start) = literal_start(bytes, close, chain.as_ref().map_or(0, |c| c.2 + 1)) else { continue };
                push(chain.take(), text, &mut line, &mut counted, &mut found);
                chain = Some((start, [&text[start + 1..close], &text[open + 1..end]].concat(), end));
            }
        }
    }
    push(chain, text, &mut line, &mut counted, &mut found);
    found
}

fn push(
    chain: Option<(usize, String, usize)>,
    text: &str,
    line: &mut u32,
    counted: &mut usize,
    found: &mut Vec<(u32, String)>,
) {
    let Some((start, words, _)) = chain else { return };
    let words = unescape(&words);
    if words.contains(is_han) {
        *line += memchr::memchr_iter(b'\n', &text.as_bytes()[*counted..start]).count() as u32;
        *counted = start;
        found.push((*line, words.into_owned()));
    }
}

/// The quotes on both sides of a `+`: where one literal closes and another opens.
fn around(bytes: &[u8], plus: usize) -> Option<(usize, usize)> {
    let is_quote = |at: &usize| matches!(bytes[*at], b'"' | b'\'' | b'`');
    let close = (plus.saturating_sub(64)..plus).rev().find(|&at| !bytes[at].is_ascii_whitespace())?;
    let open = (plus + 1..bytes.len().min(plus + 64)).find(|&at| !bytes[at].is_ascii_whitespace())?;
    Some((close, open)).filter(|(close, open)| is_quote(close) && is_quote(open))
}

/// Where the literal that opens at `open` closes.
fn literal_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    while at < bytes.len().min(open + LITERAL_MAX) {
        match bytes[at] {
            b'\\' => at += 1,
            b'\n' => return None,
            quote if quote == bytes[open] => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where the literal that closes at `close` opens, not before `floor`.
fn literal_start(bytes: &[u8], close: usize, floor: usize) -> Option<usize> {
    let from = floor.max(close.saturating_sub(LITERAL_MAX));
    let is_escaped = |at: usize| bytes[from..at].iter().rev().take_while(|&&b| b == b'\\').count() % 2 == 1;
    let inside = bytes.get(from..close)?;
    let start = from + inside.iter().rposition(|&b| b == bytes[close])?;
    (!is_escaped(start) && memchr::memchr(b'\n', &bytes[start..close]).is_none()).then_some(start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::joined;

    #[test]
    fn adjacent_literals_are_joined() {
        let text =
            "var a = \"拍照\"+\"搜题\", b = x + 1;\n c('名师' + \"一对\" +\n  `一`);\nd(\"\\u5c0f\"+'升初'+e+'课')";
        let expected = [(1, "拍照搜题"), (2, "名师一对一"), (4, "小升初")];
        assert_eq!(joined(text), expected.map(|(line, words)| (line, words.to_owned())));
    }

    #[test]
    fn what_is_no_chain_of_literals_is_left() {
        for text in ["\"拍照\" + x + \"搜题\"", "'拍照' '搜题'", "1 + 1", "\"a\" + \"b\"", "'拍照\" + \"", "+", "'+'"]
        {
            assert!(joined(text).is_empty(), "{text}: {:?}", joined(text));
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[\"'`+ \n\\\\拍a]{0,60}") {
            let _ = joined(&text);
        }
    }
}
