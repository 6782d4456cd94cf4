//! Words that facts hide in escapes or base64, whichever reader took the facts.
//!
//! A constant of a DEX, a row of a database, a string of a library may be written as a
//! script is. What decodes to words of the East becomes a fact of its own beside the one it
//! stands in, so that nothing is lost where the guess is wrong. A fact is decoded a few layers
//! deep: base64 holds JSON with escapes. Each decoding yields less than it was given, so
//! that the whole stays within a few times what the readers took.

use super::escaped_bytes::{character_codes, quoted_printable};
use super::unescape::{is_twice, unescape};
use super::{Extracted, base64_text, number_lists};
use crate::model::{Block, Facts, Kind};
use crate::signature::is_han;

/// Layers of one within another.
const LAYERS: usize = 3;
/// A longer fact is data: only its first part is decoded.
const LONGEST: usize = 1 << 20;

/// Adds what the facts of one entry hide.
pub(crate) fn reveal(extracted: &mut Extracted) {
    let mut open: Vec<Block> = extracted.facts.blocks.iter().flat_map(hidden).collect();
    for _ in 1..LAYERS {
        let deeper: Vec<Block> = open.iter().flat_map(hidden).collect();
        keep(&mut open, extracted);
        open = deeper;
    }
    keep(&mut open, extracted);
}

fn keep(found: &mut Vec<Block>, extracted: &mut Extracted) {
    let mut facts = Facts::default();
    for block in found.drain(..) {
        extracted.read.strings += block.len() as u64;
        facts.push(block);
    }
    extracted.facts.append(facts);
}

/// What one block hides: escapes decoded, and base64.
fn hidden(block: &Block) -> Vec<Block> {
    if !matches!(
        block.kind,
        Kind::Label | Kind::Resource | Kind::Asset | Kind::Code | Kind::Native | Kind::Metadata | Kind::DeepLink
    ) {
        return Vec::new();
    }
    let named = |how: &str| {
        let unit = if block.unit.is_empty() { how.to_owned() } else { format!("{how} in {}", block.unit) };
        Block::new(block.kind, block.place.clone(), &unit)
    };
    let (mut escapes, mut base64) = (named("escapes"), named("base64"));
    escaped(block, &mut escapes);
    for (at, words) in base64_text::in_text(block.text()) {
        if let Some(fact) = block.at_offset(at) {
            base64.push_beside(block, fact.index, "base64", &words);
        }
    }
    [escapes, base64].into_iter().filter(|block| !block.is_empty()).collect()
}

/// Facts with escapes in them, each looked at once.
fn escaped(block: &Block, found: &mut Block) {
    let bytes = block.text().as_bytes();
    let mut at = 0;
    while let Some(hint) = next_hint(bytes, at) {
        let Some(fact) = block.at_offset(hint) else { return };
        at = fact.start + fact.text.len() + 1;
        let text = cut(fact.text);
        let plain = unescape(text);
        let plain = quoted_printable(&plain).map_or(plain, Into::into);
        if plain != text && more_han(&plain, text) {
            found.push_beside(block, fact.index, "escapes", &plain);
        }
        for words in character_codes(text) {
            found.push_beside(block, fact.index, "escapes", &words);
        }
    }
    let mut at = 0;
    while let Some(open) = number_lists::next(bytes, at) {
        let Some(fact) = block.at_offset(open) else { return };
        at = fact.start + fact.text.len() + 1;
        for words in number_lists::words(cut(fact.text)) {
            found.push_beside(block, fact.index, "numbers", &words);
        }
    }
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn more_han(decoded: &str, text: &str) -> bool {
    let count = |text: &str| text.chars().filter(|&c| is_han(c)).count();
    count(decoded) > count(text)
}

/// Where the next escape may stand, at `from` or behind.
fn next_hint(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let escape = memchr::memchr3_iter(b'\\', b'&', b'%', rest).find(|&at| is_escape(&rest[at..]));
    let rest = &rest[..escape.unwrap_or(rest.len())];
    let quoted = memchr::memchr_iter(b'=', rest).find(|&at| is_quoted(&rest[at..]));
    let rest = &rest[..quoted.unwrap_or(rest.len())];
    let called = memchr::memchr_iter(b'(', rest).find(|&at| is_call(rest, at));
    called.or(quoted).or(escape).map(|at| from + at)
}

fn is_escape(rest: &[u8]) -> bool {
    match rest {
        [b'\\', b'u' | b'U' | b'x' | b'\\', ..] => true,
        [b'\\', a, b, c, ..] => [a, b, c].iter().all(|b| b.is_ascii_hexdigit()),
        [b'&', b'#', ..] => true,
        [b'%', b'u', ..] | [b'%', b'2', b'5', b'u', ..] => true,
        [b'%', b'2', b'5', ..] => is_twice(rest),
        [b'%', a, b, b'%', ..] => a.is_ascii_hexdigit() && b.is_ascii_hexdigit() && *a >= b'8',
        _ => false,
    }
}

fn is_quoted(rest: &[u8]) -> bool {
    matches!(rest, [b'=', a, b, b'=', c, d, ..]
        if [a, b, c, d].iter().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(b)) && *a >= b'8')
}

/// A number of five digits, or of four in hexadecimal, in a call that may make a character of it.
fn is_call(bytes: &[u8], open: usize) -> bool {
    let digits = bytes[open + 1..].iter().take(16).filter(|b| b.is_ascii_hexdigit()).count();
    let before = &bytes[open.saturating_sub(6)..open];
    let word = before.last().is_some_and(u8::is_ascii_alphabetic);
    digits >= 4
        && word
        && [b"Code".as_slice(), b"oint", b"char", b"chr", b"Char", b"Chr", b"apply", b"call", b"ChrW"]
            .iter()
            .any(|end| before.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revealed(kind: Kind, text: &str) -> Vec<(String, String)> {
        let mut extracted = Extracted::default();
        let mut block = Block::new(kind, "a.apk!/classes.dex", "string");
        block.push(7, "nothing");
        block.push(8, text);
        extracted.facts.push(block);
        reveal(&mut extracted);
        let blocks = &extracted.facts.blocks[1..];
        blocks.iter().flat_map(|b| b.iter().map(|f| (b.place_of(f.index), f.text.to_owned()))).collect()
    }

    #[test]
    fn constants_are_decoded_beside_what_they_are() {
        let place = "a.apk!/classes.dex escapes in string 8";
        for text in [r"\u62cd\u7167\u641c\u9898", "%E6%8B%8D%E7%85%A7%E6%90%9C%E9%A2%98", "=C5=C4=D5=D5=CB=D1=CC=E2"] {
            assert_eq!(revealed(Kind::Code, text), [(place.into(), "拍照搜题".into())], "{text}");
        }
        assert_eq!(revealed(Kind::Native, "5ouN54Wn5pCc6aKY")[0].1, "拍照搜题");
        // {"t":"\u62cd\u7167\u641c\u9898"} in base64.
        let deep = revealed(Kind::Code, "eyJ0IjoiXHU2MmNkXHU3MTY3XHU2NDFjXHU5ODk4In0");
        assert!(deep.iter().any(|(_, text)| text.contains("拍照搜题")), "{deep:?}");
    }

    #[test]
    fn ordinary_constants_hide_nothing() {
        for text in
            ["%s of %d", r"\d{3}\n", "a=1&b=2", "拍照搜题", "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB", "println(12345678)"]
        {
            assert_eq!(revealed(Kind::Code, text), [], "{text}");
        }
    }
}
