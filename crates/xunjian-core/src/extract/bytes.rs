//! What the readers of binary formats share: numbers, UTF-16, a capped run of facts.

use std::borrow::Cow;

use super::escaped_bytes::chinese;
use super::{Extracted, han};
use crate::model::{Block, Kind, Limit, LimitCode, Meter};
use crate::signature::is_han;

/// A big-endian number, if it is there.
pub(super) fn u16_be(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?).map(|b| u16::from_be_bytes([b[0], b[1]]))
}

/// A big-endian number, if it is there.
pub(super) fn u32_be(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
}

/// `length` bytes at `at`, if they are there.
pub(super) fn slice(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

/// UTF-16 as text; what is no character becomes U+FFFD.
pub(super) fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|c| unit(*c));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Modified UTF-8: NUL as C0 80, supplementary characters as two surrogates of three bytes.
/// Bytes of GBK, which some builds put there, are read as what they are.
pub(super) fn decode_mutf8(raw: &[u8], out: &mut String) {
    if let Some(words) = chinese(raw) {
        return out.push_str(&words);
    }
    let mut units: Vec<u16> = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let b = |i: usize| u16::from(raw.get(at + i).copied().unwrap_or(0) & 0x3f);
        let first = u16::from(raw[at]);
        let (unit, width) = match first {
            0..0x80 => (first, 1),
            0xc0..0xe0 => ((first & 0x1f) << 6 | b(1), 2),
            0xe0..0xf0 => ((first & 0x0f) << 12 | b(1) << 6 | b(2), 3),
            // Plain UTF-8 of a supplementary character.
            0xf0..0xf5 if raw.get(at + 3).is_some_and(|last| last & 0xc0 == 0x80) => {
                let code = (u32::from(first & 7) << 18 | u32::from(b(1)) << 12 | u32::from(b(2) << 6 | b(3)))
                    .saturating_sub(0x1_0000);
                units.push(0xd800 | (code >> 10 & 0x3ff) as u16);
                (0xdc00 | (code & 0x3ff) as u16, 4)
            }
            _ => (0xfffd, 1),
        };
        units.push(unit);
        at += width;
    }
    out.extend(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')));
}

/// Bytes that should be UTF-8 as text: where they are none, GBK or wide characters, as far as
/// those are writing of the East.
pub(super) fn text_of(raw: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(raw) {
        return Cow::Borrowed(text);
    }
    if let Some(words) = chinese(raw) {
        return Cow::Owned(words);
    }
    let wide = [u16::from_le_bytes, u16::from_be_bytes].into_iter().map(|unit| utf16(raw, unit)).find(|text| {
        let is_common = |c: char| u16::try_from(u32::from(c)).is_ok_and(han::is_common);
        raw.len().is_multiple_of(2) && !text.is_empty() && text.chars().all(is_common)
    });
    let decoded = || super::encoding::decode(raw).filter(|text| text.contains(is_han));
    wide.map(Cow::Owned).or_else(decoded).unwrap_or_else(|| String::from_utf8_lossy(raw))
}

/// Per cent of the Han characters of a text that stand in level 1 of GB 2312. People use
/// those 3,755 most: nine of ten characters in simplified text and half in traditional,
/// but one of six where bytes of another kind are read as UTF-16.
pub(super) fn common_han(text: &str) -> usize {
    let han = text.chars().filter(|&c| is_han(c)).count();
    let (encoded, ..) = encoding_rs::GBK.encode(text);
    let (mut level1, mut at) = (0_usize, 0);
    while let Some(&lead) = encoded.get(at) {
        let is_pair = lead >= 0x81;
        level1 += usize::from((0xb0..=0xd7).contains(&lead) && encoded.get(at + 1) >= Some(&0xa1));
        at += 1 + usize::from(is_pair);
    }
    (level1 * 100).checked_div(han).unwrap_or(0)
}

/// Whether bytes are spread so evenly that they are ciphertext (or packed without a
/// header that says so). Chi-squared over byte values: 255 give or take 23 when random,
/// many times that in anything with structure.
pub(super) fn is_random(bytes: &[u8]) -> bool {
    const SHORTEST: usize = 64;
    const HIGHEST: f64 = 400.0;
    let sample = &bytes[..bytes.len().min(64 << 10)];
    if sample.len() < SHORTEST {
        return false;
    }
    let mut counts = [0_u32; 256];
    sample.iter().for_each(|&b| counts[usize::from(b)] += 1);
    let expected = sample.len() as f64 / 256.0;
    let chi: f64 = counts.iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
    // Few bytes hide a lack of values over 0x7f from the sum: count them as well.
    let high = sample.iter().filter(|b| b.is_ascii()).count();
    chi < HIGHEST && (sample.len() * 2 / 5..sample.len() * 3 / 5).contains(&high)
}

/// Facts of one file, stopped at the budget and at a few times the file's own length:
/// only tables whose entries point at the same bytes again and again pass that. Each fact
/// is a step on the meter, so that a table of a million empty ones ends as well.
pub(super) struct Words<'m> {
    meter: &'m Meter<'m>,
    block: Block,
    strings_left: usize,
    bytes_left: usize,
    stopped: bool,
}

impl<'m> Words<'m> {
    /// Text may be this many times as long as the file: UTF-16 grows by half in UTF-8,
    /// and string tables share tails.
    const GROWTH: usize = 4;

    pub(super) fn new(kind: Kind, place: &str, unit: &str, file: usize, meter: &'m Meter<'m>) -> Self {
        Self {
            meter,
            block: Block::new(kind, place, unit),
            strings_left: meter.budget().strings,
            bytes_left: file.saturating_mul(Self::GROWTH).max(1 << 12),
            stopped: false,
        }
    }

    pub(super) fn push(&mut self, at: usize, text: &str) {
        if self.has_room(text) {
            self.block.push(u32::try_from(at).unwrap_or(u32::MAX), text);
        }
    }

    pub(super) fn push_named(&mut self, name: &str, text: &str) {
        if self.has_room(text) {
            self.block.push_named(name, text);
        }
    }

    /// Nothing more will be taken.
    pub(super) const fn is_full(&self) -> bool {
        self.stopped || self.meter.is_spent()
    }

    /// Nothing was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.block.is_empty()
    }

    fn has_room(&mut self, text: &str) -> bool {
        self.stopped = self.stopped || self.strings_left == 0 || self.bytes_left < text.len();
        if self.stopped || !self.meter.scan(text.len()) {
            return false;
        }
        // Blank text is no fact, and costs as much to look at.
        self.bytes_left -= text.len();
        let says_something = !text.trim().is_empty();
        self.strings_left -= usize::from(says_something);
        says_something
    }

    /// Hands the facts over, and says so when not all were taken.
    pub(super) fn finish(self, out: &mut Extracted) {
        if self.stopped {
            let detail =
                format!("more strings than a file of its size holds: the first {} were read", self.block.len());
            out.limits.push(Limit::new(LimitCode::OverBudget, &self.block.place, detail));
        }
        out.read.strings += self.block.len() as u64;
        out.facts.push(self.block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_told_from_ascii_read_as_utf16() {
        assert_eq!(common_han("1. 拍照搜题"), 100);
        assert_eq!(common_han("名師講解"), 50);
        assert!(common_han(&utf16(b"This selector does not", u16::from_le_bytes)) < 30);
        assert_eq!(common_han("plain words"), 0);
    }

    #[test]
    fn surrogates_and_nul_of_modified_utf8() {
        let mut out = String::new();
        decode_mutf8(b"a\xc0\x80\xed\xa0\xbd\xed\xb8\x80\xe6\x8b\x8d", &mut out);
        assert_eq!(out, "a\0😀拍");
        out.clear();
        decode_mutf8(b"\xed\xa0\xbd\xed\xb8\x80\xf0\x9f\x98\x80", &mut out);
        assert_eq!(out, "😀😀");
        out.clear();
        decode_mutf8(b"VIP \xc5\xc4\xd5\xd5\xcb\xd1\xcc\xe2", &mut out);
        assert_eq!(out, "VIP 拍照搜题");
    }

    #[test]
    fn ciphertext_is_told_from_text_and_code() {
        let mut state = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .take(5_000)
        .collect();
        assert!(is_random(&noise) && is_random(&noise[..200]));
        assert!(!is_random("var title = '拍照搜题';\n".repeat(20).as_bytes()));
        assert!(!is_random(&[0; 500]));
    }
}
