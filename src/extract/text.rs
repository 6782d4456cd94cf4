//! Text in assets: encodings, escapes, lines. What is no text is searched for strings.

use super::unescape::unescape;
use super::{Extracted, native};
use super::{base64_text, concat, office};
use crate::model::{Block, Budget, Kind, Limit, LimitCode};

/// A line longer than this is cut at a border, so that nearness stays nearness and a
/// minified script of one line is many facts.
const PIECE: usize = 3_000;

/// Reads an entry of no known binary format.
pub(super) fn read(bytes: &[u8], place: &str, budget: &Budget, out: &mut Extracted) {
    let Some(text) = decode(bytes) else {
        return native::read(bytes, place, Kind::Asset, budget, out);
    };
    if let Some(part) = office::Part::of(&text) {
        office::paragraphs(part, &text, place, budget).finish(out);
        if part != office::Part::Page {
            return;
        }
    }
    let mut block = Block::new(Kind::Asset, place, "line");
    let mut hidden = Block::new(Kind::Asset, place, "base64 in line");
    for (number, line) in text.lines().enumerate() {
        if block.len() + hidden.len() >= budget.strings {
            out.limits.push(Limit::new(LimitCode::OverBudget, place, "more lines than the budget allows"));
            break;
        }
        let number = number as u32 + 1;
        for piece in pieces(line) {
            if piece.bytes().all(|b| b.is_ascii_whitespace()) {
                continue;
            }
            block.push(number, &unescape(piece));
            for found in base64_text::in_line(piece) {
                hidden.push(number, &found);
            }
        }
    }
    let mut joined = Block::new(Kind::Asset, place, "literals joined from line");
    for (line, words) in concat::joined(&text) {
        joined.push(line, &words);
    }
    for block in [block, hidden, joined] {
        out.read.strings += block.len() as u64;
        out.facts.push(block);
    }
}

/// UTF-8, UTF-16 or GB18030 text; `None` for anything else.
pub(super) fn decode(bytes: &[u8]) -> Option<std::borrow::Cow<'_, str>> {
    if let Some((encoding, bom)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling_and_without_replacement(&bytes[bom..]);
    }
    let nuls = memchr::memchr_iter(0, &bytes[..bytes.len().min(4096)]).count();
    if nuls == 0 {
        // A cut at the budget may split the last character: allow for it.
        match std::str::from_utf8(bytes) {
            Ok(text) => return Some(text.into()),
            Err(e) if e.error_len().is_none() => {
                return std::str::from_utf8(&bytes[..e.valid_up_to()]).ok().map(Into::into);
            }
            Err(_) => {}
        }
        return gb18030(bytes);
    }
    utf16(bytes, nuls)
}

/// GB18030 maps nearly every byte string to something: it must also look like writing.
fn gb18030(bytes: &[u8]) -> Option<std::borrow::Cow<'_, str>> {
    let head = &bytes[..bytes.len().min(64 << 10)];
    // Control bytes are no part of any character, and a character has two bytes: with so
    // many the count below cannot end well.
    let controls = head.iter().filter(|&&b| b < b' ' && !b.is_ascii_whitespace()).count();
    if controls * 40 > head.len() {
        return None;
    }
    let (sample, _) = encoding_rs::GB18030.decode_without_bom_handling(head);
    let (mut common, mut odd) = (0_usize, 0_usize);
    for c in sample.chars() {
        match c {
            // GB 2312's level 1 and 2 lie within the unified ideographs; the rest is rare in text.
            '\u{4e00}'..='\u{9fa5}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff60}' => common += 1,
            c if c.is_ascii() && !c.is_ascii_control() || c.is_ascii_whitespace() => {}
            _ => odd += 1,
        }
    }
    if common < 2 || odd * 20 > common {
        return None;
    }
    let (text, _) = encoding_rs::GB18030.decode_without_bom_handling(bytes);
    Some(text)
}

/// UTF-16 without a mark: ASCII in it has every other byte zero.
fn utf16(bytes: &[u8], nuls: usize) -> Option<std::borrow::Cow<'_, str>> {
    let head = &bytes[..bytes.len().min(4096)];
    if bytes.len() < 8 || nuls * 20 < head.len() {
        return None;
    }
    let odd = head.iter().skip(1).step_by(2).filter(|&&b| b == 0).count();
    let encoding = if odd * 10 >= nuls * 9 {
        encoding_rs::UTF_16LE
    } else if odd * 10 <= nuls {
        encoding_rs::UTF_16BE
    } else {
        return None;
    };
    let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes[..bytes.len() & !1])?;
    // Binary data decodes to characters of every script; writing keeps to a few.
    let (mut ordinary, mut odd) = (0_usize, 0_usize);
    for c in text.chars().take(2_000) {
        match c {
            c if c.is_ascii() && (!c.is_ascii_control() || c.is_ascii_whitespace()) => ordinary += 1,
            '\u{3000}'..='\u{303f}' | '\u{4e00}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}' => ordinary += 1,
            _ => odd += 1,
        }
    }
    (odd * 10 <= ordinary).then_some(text)
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
    fn encodings_of_chinese_assets() {
        let words = "拍照搜题，名师讲解。";
        let (gb, _, _) = encoding_rs::GB18030.encode(words);
        assert_eq!(decode(&gb).unwrap(), words);
        let wide: Vec<u8> = "ok 拍照搜题 yes".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&wide).unwrap(), "ok 拍照搜题 yes");
        assert!(decode(&[0xff, 0x00, 0x13, 0x80, 0x99, 0x02, 0x03, 0x04]).is_none());
    }

    #[test]
    fn long_lines_are_cut_at_borders() {
        let line = "字,".repeat(4_000);
        let joined: String = pieces(&line).collect();
        assert_eq!(joined, line);
        assert!(pieces(&line).all(|p| p.ends_with(',')));
    }
}
