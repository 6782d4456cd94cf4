//! The operators of a page that show text.

use std::collections::HashMap;
use std::rc::Rc;

use super::font::Font;
use crate::extract::bytes::text_of;
use crate::extract::encoding;

/// Operands kept before an operator: no operator takes more but the arrays of `TJ`.
const OPERANDS_MAX: usize = 4_096;
/// A gap in an array of `TJ`, in thousandths of the font's size, that is a blank.
const GAP: f32 = -250.0;
/// Text on the same line stands at the same height, more or less.
const SAME_LINE: f32 = 2.0;

/// A line beyond this is cut.
const LINE_MAX: usize = 32 << 10;
/// Text of a page is at most this many times as long as what shows it.
const GROWTH: usize = 8;

/// Shorter strings of dictionaries are names of letters and codes of languages.
const SHORTEST: usize = 6;

/// Fonts by the names that a page gives them.
pub(super) type Named = HashMap<Vec<u8>, Rc<Font>>;

/// An operand.
#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Name(Vec<u8>),
    Text(Vec<u8>),
    Number(f32),
}

/// Lines of a page, and how many strings had no known characters.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) lines: Vec<String>,
    pub(super) unknown: usize,
}

/// Runs the text operators of a content stream.
pub(super) fn show(content: &[u8], fonts: &Named) -> Shown {
    let left = content.len().saturating_mul(GROWTH);
    let (line, out) = (String::new(), Shown::default());
    let mut page = Page { fonts, font: None, y: 0.0, shown_at: None, line, left, out };
    let mut operands: Vec<Operand> = Vec::new();
    let mut at = 0;
    while at < content.len() {
        match content[at] {
            b'(' => {
                let (text, next) = literal(content, at + 1);
                operands.push(Operand::Text(text));
                at = next;
            }
            b'<' if content.get(at + 1) != Some(&b'<') => {
                let end = at + memchr::memchr(b'>', &content[at..]).unwrap_or(content.len() - at);
                operands.push(Operand::Text(hex(&content[at + 1..end])));
                at = end + 1;
            }
            b'%' => at += memchr::memchr2(b'\n', b'\r', &content[at..]).unwrap_or(content.len() - at),
            b'[' | b']' | b'<' | b'>' | b'{' | b'}' | b')' => at += 1,
            byte if byte.is_ascii_whitespace() || byte == 0 => at += 1,
            _ => {
                let end = at + 1 + content[at + 1..].iter().take_while(|b| is_regular(**b)).count();
                page.word(&content[at..end], &mut operands);
                at = end;
            }
        }
        if operands.len() > OPERANDS_MAX {
            operands.clear();
        }
    }
    page.end_line();
    page.out
}

const fn is_regular(byte: u8) -> bool {
    !matches!(
        byte,
        0 | b' ' | b'\t' | b'\r' | b'\n' | 12 | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
    )
}

/// A literal string up to its closing parenthesis, and where it ends.
fn literal(content: &[u8], start: usize) -> (Vec<u8>, usize) {
    let (mut out, mut depth, mut at) = (Vec::new(), 1_usize, start);
    while let Some(&byte) = content.get(at) {
        at += 1;
        match byte {
            b'\\' => at = escape(content, at, &mut out),
            b'(' => {
                depth += 1;
                out.push(byte);
            }
            b')' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
                out.push(byte);
            }
            _ => out.push(byte),
        }
    }
    (out, at)
}

/// Strings of a dictionary that may be words: titles, notes, values of forms, names of chapters.
pub(super) fn strings(dict: &[u8]) -> Vec<String> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(open) = dict.get(at..).and_then(|rest| memchr::memchr2(b'(', b'<', rest)).map(|n| at + n) {
        let raw = if dict[open] == b'(' {
            let (raw, end) = literal(dict, open + 1);
            at = end;
            raw
        } else {
            let rest = &dict[open + 1..];
            let length = rest.iter().take_while(|b| b.is_ascii_hexdigit() || b.is_ascii_whitespace()).count();
            at = open + 1 + length;
            if rest.get(length) != Some(&b'>') {
                at += usize::from(length == 0);
                continue;
            }
            hex(&rest[..length])
        };
        let text = encoding::decode(&raw).filter(|_| raw.starts_with(&[0xfe, 0xff])).unwrap_or_else(|| text_of(&raw));
        let is_readable =
            !text.chars().any(|c| c.is_control() && !c.is_whitespace() || c == char::REPLACEMENT_CHARACTER);
        if raw.len() >= SHORTEST && is_readable {
            found.push(text.into_owned());
        }
    }
    found
}

/// What stands after a backslash at `at`; returns where it ends.
fn escape(content: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    let Some(&byte) = content.get(at) else { return at };
    match byte {
        b'0'..=b'7' => {
            let octal = content[at..].iter().take(3).take_while(|b| matches!(b, b'0'..=b'7'));
            let (mut value, mut width) = (0_u32, 0);
            for digit in octal {
                value = value * 8 + u32::from(digit - b'0');
                width += 1;
            }
            out.push(value as u8);
            return at + width;
        }
        b'\r' if content.get(at + 1) == Some(&b'\n') => return at + 2,
        b'\r' | b'\n' => {}
        b'n' => out.push(b'\n'),
        b'r' => out.push(b'\r'),
        b't' => out.push(b'\t'),
        b'b' => out.push(8),
        b'f' => out.push(12),
        _ => out.push(byte),
    }
    at + 1
}

/// Bytes of hexadecimal digits; an odd last digit is followed by nought.
pub(super) fn hex(digits: &[u8]) -> Vec<u8> {
    let mut nibbles = digits.iter().filter_map(|&b| char::from(b).to_digit(16)).map(|d| d as u8);
    let mut out = Vec::with_capacity(digits.len() / 2);
    while let Some(high) = nibbles.next() {
        out.push(high << 4 | nibbles.next().unwrap_or(0));
    }
    out
}

/// A page on which text is shown.
struct Page<'f> {
    fonts: &'f Named,
    font: Option<&'f Font>,
    y: f32,
    /// Height of the text shown last.
    shown_at: Option<f32>,
    line: String,
    /// Bytes of text that may still be shown.
    left: usize,
    out: Shown,
}

impl Page<'_> {
    /// A number or name is kept; an operator takes what was kept.
    fn word(&mut self, word: &[u8], operands: &mut Vec<Operand>) {
        if word[0] == b'/' {
            return operands.push(Operand::Name(word.to_vec()));
        }
        if let Some(number) = std::str::from_utf8(word).ok().and_then(|w| w.parse::<f32>().ok()) {
            return operands.push(Operand::Number(number));
        }
        self.operator(word, operands);
        operands.clear();
    }

    fn operator(&mut self, operator: &[u8], operands: &[Operand]) {
        let last = match operands.last() {
            Some(Operand::Number(n)) => *n,
            _ => 0.0,
        };
        match operator {
            b"Tf" => {
                let name = operands.iter().rev().find_map(|o| if let Operand::Name(n) = o { Some(n) } else { None });
                self.font = name.and_then(|name| self.fonts.get(name)).map(Rc::as_ref);
            }
            b"BT" => self.y = 0.0,
            b"Td" | b"TD" => self.y += last,
            b"Tm" => self.y = last,
            b"T*" => self.end_line(),
            b"Tj" | b"TJ" => self.show(operands),
            b"'" | b"\"" => {
                self.end_line();
                self.show(operands);
            }
            _ => {}
        }
    }

    fn show(&mut self, operands: &[Operand]) {
        if self.shown_at.is_some_and(|y| (y - self.y).abs() > SAME_LINE) {
            self.end_line();
        }
        if self.line.len() > LINE_MAX {
            self.end_line();
        }
        self.shown_at = Some(self.y);
        for operand in operands {
            match operand {
                Operand::Text(raw) => match self.font.unwrap_or(&Font::Simple).decode(raw) {
                    Some(text) if text.len() <= self.left => {
                        self.left -= text.len();
                        self.line.push_str(&text);
                    }
                    Some(_) => {}
                    None => self.out.unknown += 1,
                },
                // Chinese is set without blanks; a gap in it is none.
                Operand::Number(gap) if *gap < GAP && self.line.ends_with(|c: char| c.is_ascii()) => {
                    self.line.push(' ')
                }
                _ => {}
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !line.trim().is_empty() {
            self.out.lines.push(line);
        }
        self.shown_at = None;
    }
}
