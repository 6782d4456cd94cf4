//! From the codes of a font to characters.

use std::collections::HashMap;
use std::rc::Rc;

use super::content::hex;
use super::object::{Objects, reference, value_after};
use crate::extract::bytes::utf16;
use crate::model::Meter;

/// Codes mapped by one font at most: two bytes.
const CODES_MAX: usize = 65_536;
/// Codes mapped by all fonts of a file.
const CODES_TOTAL: usize = 2 << 20;
/// Bytes that one code may stand for: a ligature is a few characters.
const TARGET_MAX: usize = 32;
/// Bytes of one string that are decoded.
const STRING_MAX: usize = 32 << 10;

/// The fonts of a file, each read once.
pub(super) struct Fonts {
    by_number: HashMap<u32, Rc<Font>>,
    codes_left: usize,
}

impl Fonts {
    pub(super) fn new() -> Self {
        Self { by_number: HashMap::new(), codes_left: CODES_TOTAL }
    }

    /// The font of an object.
    pub(super) fn get(&mut self, objects: &mut Objects<'_>, number: u32) -> Rc<Font> {
        if let Some(known) = self.by_number.get(&number) {
            return Rc::clone(known);
        }
        let font = Rc::new(Font::of(objects, number, self.codes_left.min(CODES_MAX)));
        if let Font::Mapped(_, map) = font.as_ref() {
            self.codes_left -= map.len();
        }
        self.by_number.insert(number, Rc::clone(&font));
        font
    }
}

/// How a font's codes are read.
#[derive(Debug, Clone)]
pub(super) enum Font {
    /// One byte a character, more or less Latin-1.
    Simple,
    /// By a ToUnicode map: bytes of a code, and what they mean.
    Mapped(usize, HashMap<u32, String>),
    /// UTF-16, by the name of a predefined CMap.
    Utf16,
    /// GBK, by the name of a predefined CMap.
    Gbk,
    /// Numbers of glyphs that nothing explains.
    Unknown,
}

impl Font {
    fn of(objects: &mut Objects<'_>, number: u32, codes: usize) -> Self {
        let Some(dict) = objects.get(number).map(|o| o.dict.clone()) else { return Self::Unknown };
        let map = value_after(&dict, b"/ToUnicode").and_then(reference);
        if let Some(map) = map.map(|number| to_unicode(&objects.stream(number), codes, objects.meter))
            && !map.1.is_empty()
        {
            return Self::Mapped(map.0, map.1);
        }
        let encoding = value_after(&dict, b"/Encoding").unwrap_or(b"");
        let has = |word: &[u8]| memchr::memmem::find(&encoding[..encoding.len().min(24)], word).is_some();
        if has(b"UCS2") || has(b"UTF16") {
            Self::Utf16
        } else if has(b"/GB") {
            Self::Gbk
        } else if memchr::memmem::find(&dict, b"/Type0").is_some() {
            Self::Unknown
        } else {
            Self::Simple
        }
    }

    /// The text of a string; `None` where it cannot be told.
    pub(super) fn decode(&self, raw: &[u8]) -> Option<String> {
        let raw = &raw[..raw.len().min(STRING_MAX)];
        match self {
            Self::Simple => Some(raw.iter().map(|&b| char::from(b)).collect()),
            Self::Utf16 => Some(utf16(raw, u16::from_be_bytes)),
            Self::Gbk => Some(encoding_rs::GBK.decode_without_bom_handling(raw).0.into_owned()),
            Self::Mapped(width, map) => {
                let codes = raw.chunks_exact(*width).map(|c| c.iter().fold(0, |n, &b| n << 8 | u32::from(b)));
                Some(codes.filter_map(|code| map.get(&code)).map(String::as_str).collect())
            }
            Self::Unknown => None,
        }
    }
}

/// A ToUnicode map: `bfchar` pairs and `bfrange` triples of hexadecimal strings.
fn to_unicode(cmap: &[u8], codes: usize, meter: &Meter<'_>) -> (usize, HashMap<u32, String>) {
    let mut map = HashMap::new();
    let mut width = 1;
    for (open, close, is_range) in [("beginbfchar", "endbfchar", false), ("beginbfrange", "endbfrange", true)] {
        let mut rest = cmap;
        while let Some(at) = memchr::memmem::find(rest, open.as_bytes()) {
            rest = &rest[at + open.len()..];
            let end = memchr::memmem::find(rest, close.as_bytes()).unwrap_or(rest.len());
            let (section, after) = rest.split_at(end);
            rest = after;
            width = width.max(entries(section, is_range, codes, &mut map, meter));
        }
    }
    (width, map)
}

/// Adds the entries of a section; returns the width of its codes.
fn entries(section: &[u8], is_range: bool, codes: usize, map: &mut HashMap<u32, String>, meter: &Meter<'_>) -> usize {
    let mut width = 1;
    let mut rest = section;
    while let Some((from, after)) = hex_string(rest).filter(|_| meter.step()) {
        rest = after;
        width = width.max(from.len().min(4));
        let last = if is_range {
            let Some((to, after)) = hex_string(rest) else { break };
            rest = after;
            code(&to)
        } else {
            code(&from)
        };
        let first = code(&from);
        let room = codes.saturating_sub(map.len());
        let is_list = rest.trim_ascii_start().starts_with(b"[");
        let mut base: Option<Vec<u8>> = None;
        for (step, code) in (first..=last).take(room).enumerate() {
            // A range names its first character, or lists them all.
            if is_list || base.is_none() {
                let Some((target, after)) = hex_string(rest) else { break };
                rest = after;
                base = Some(target);
            }
            // Ranges may state the same codes again and again.
            let Some(target) = base.as_ref().filter(|_| meter.step()) else { break };
            map.insert(code, advanced(target, if is_list { 0 } else { step as u16 }));
        }
    }
    width
}

/// The next `<…>` and what follows it; a `[` or `]` before it is passed over.
fn hex_string(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let open = memchr::memchr(b'<', bytes)?;
    let close = open + memchr::memchr(b'>', &bytes[open..])?;
    let digits = &bytes[open + 1..close.min(open + 1 + TARGET_MAX * 2)];
    Some((hex(digits), &bytes[close + 1..]))
}

fn code(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |n, &b| n << 8 | u32::from(b))
}

/// The characters of a target whose last unit is `step` further on.
fn advanced(target: &[u8], step: u16) -> String {
    let mut units = target.to_vec();
    if let Some(last) = units.last_chunk_mut::<2>() {
        *last = u16::from_be_bytes(*last).wrapping_add(step).to_be_bytes();
    }
    utf16(&units, u16::from_be_bytes)
}
