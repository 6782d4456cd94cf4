//! Text in assets: escapes, lines. What is no text is searched for strings.

use super::encoding::decode;
use super::escaped_bytes::{quoted_printable, writing};
use super::unescape::unescape;
use super::{Extracted, Input, concat, native, office, rtf};
use crate::model::{Block, Kind, Limit, LimitCode};
use crate::signature::is_han;

/// A line longer than this is cut at a border, so that nearness stays nearness and a
/// minified script of one line is many facts.
const PIECE: usize = 3_000;
/// How often a piece is gone over.
const PASSES: usize = 4;

/// Reads an entry of no known binary format.
pub(super) fn read(input: Input<'_>, out: &mut Extracted) {
    let (place, budget) = (input.place, input.budget());
    let Some(text) = decode(input.bytes()) else {
        return native::read(input, Kind::Asset, out);
    };
    let text = hz(&text).map_or(text, Into::into);
    let text = rtf::plain(&text).map_or(text, Into::into);
    if let Some(part) = office::Part::of(&text) {
        office::paragraphs(part, &text, input).finish(out);
        if part != office::Part::Page {
            return;
        }
    }
    // Lines that quoted-printable breaks are one, so that later ones have smaller numbers.
    let text = match quoted_printable(&text) {
        Some(plain) => plain.into(),
        None => text,
    };
    let mut block = Block::new(Kind::Asset, place, "line");
    for (number, line) in text.lines().enumerate() {
        if block.len() >= budget.strings {
            out.limits.push(Limit::new(LimitCode::OverBudget, place, "more lines than the budget allows"));
            break;
        }
        let number = number as u32 + 1;
        if !input.meter.step() {
            break;
        }
        for piece in pieces(line).take_while(|piece| input.meter.scan(piece.len() * PASSES)) {
            if piece.bytes().all(|b| b.is_ascii_whitespace()) {
                continue;
            }
            block.push(number, &unescape(piece));
        }
    }
    let mut joined = Block::new(Kind::Asset, place, "literals joined from line");
    let chains = if input.meter.scan(text.len()) { concat::joined(&text) } else { Vec::new() };
    for (line, words) in chains {
        joined.push(line, &words);
    }
    for block in [block, joined] {
        out.read.strings += block.len() as u64;
        out.facts.push(block);
    }
}

/// HZ (RFC 1843): characters of GB 2312 in seven bits, between `~{` and `~}`.
fn hz(text: &str) -> Option<String> {
    let mut rest = text;
    let mut out = String::new();
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b"~{") {
        let inside = &rest.as_bytes()[at + 2..];
        let length = inside.iter().take_while(|b| (0x21..0x7e).contains(*b)).count() & !1;
        let raw: Vec<u8> = inside[..length].iter().map(|b| b | 0x80).collect();
        let words = writing(&raw).filter(|words| inside[length..].starts_with(b"~}") && words.contains(is_han));
        out.push_str(&rest[..at]);
        match &words {
            Some(words) => out.push_str(words),
            None => out.push_str("~{"),
        }
        rest = &rest[at + 2 + if words.is_some() { length + 2 } else { 0 }..];
    }
    (!out.is_empty() || rest.len() < text.len()).then(|| out + rest)
}

/// A line in pieces of at most [`PIECE`] bytes or so, cut where no word is.
fn pieces(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut cut = rest.len();
        if cut > PIECE {
            let bytes = rest.as_bytes();
            let border = (PIECE..bytes.len().min(PIECE * 2))
                .find(|&i| matches!(bytes[i], b';' | b',' | b'}' | b'"' | b' ' | b'<'));
            cut = border.map_or(PIECE, |i| i + 1);
            while !rest.is_char_boundary(cut) {
                cut -= 1;
            }
        }
        let (piece, tail) = rest.split_at(cut);
        rest = tail;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_at_borders() {
        let line = "字,".repeat(4_000);
        let joined: String = pieces(&line).collect();
        assert_eq!(joined, line);
        assert!(pieces(&line).all(|p| p.ends_with(',')));
    }
}
