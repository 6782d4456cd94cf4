//! Chinese in binaries, in every encoding but UTF-8: UTF-16 and UTF-32 in both orders of
//! bytes and at any offset, and GBK.
//!
//! Strings may end in NUL or have their length before them (QuickJS, V8, Office, Qt). Two
//! characters that people use often, side by side, start a closer look; what stands around
//! them must then be a text: four characters or more by themselves, two or three only where
//! a NUL on both sides or a length vouches for them.

use std::collections::HashSet;

use encoding_rs::GBK;

use super::han::{self, BIG, BIG_SIGN, LITTLE, LITTLE_SIGN, ZERO};
use super::native::LONGEST;
use crate::model::{Block, Meter};

/// Characters that need no voucher.
const SURE: usize = 4;
/// Bytes looked at on each side of a string of two or three characters.
const AROUND: usize = 32;

/// A walk over the parts of a binary that hold no other text.
pub(super) struct Eastern<'a> {
    bytes: &'a [u8],
    meanings: &'static [u8],
    /// What lies before was taken.
    done: usize,
    /// UTF-16LE is somebody else's: a Dart snapshot.
    skips_little: bool,
    /// Neighbours of many starts are shared: each look at them is paid for.
    meter: &'a Meter<'a>,
}

/// A string: where it starts and ends, and what it says.
struct Found {
    start: usize,
    end: usize,
    text: String,
}

/// An order of bytes of UTF-16.
type Unit = fn([u8; 2]) -> u16;

impl<'a> Eastern<'a> {
    pub(super) fn new(bytes: &'a [u8], skips_little: bool, meter: &'a Meter<'a>) -> Self {
        Self { bytes, meanings: han::meanings(), done: 0, skips_little, meter }
    }

    /// Takes the strings that begin between `from` and `to`; they may end behind.
    pub(super) fn take(&mut self, from: usize, to: usize, block: &mut Block) {
        let mut at = from.max(self.done);
        while at < to {
            let first = self.meaning(at);
            let found = if first & (LITTLE | BIG | han::GBK) == 0 { None } else { self.string(at, first) };
            match found {
                Some(found) => {
                    block.push(u32::try_from(found.start).unwrap_or(u32::MAX), &found.text);
                    at = found.end.max(at + 1);
                    self.done = at;
                }
                None => at += 1,
            }
        }
    }

    fn meaning(&self, at: usize) -> u8 {
        match self.bytes.get(at..at + 2) {
            Some(pair) => self.meanings[usize::from(u16::from_le_bytes([pair[0], pair[1]]))],
            None => 0,
        }
    }

    /// The string around a character that people use often.
    fn string(&self, at: usize, first: u8) -> Option<Found> {
        let (second, third) = (self.meaning(at + 2), self.meaning(at + 4));
        let follows = |one: u8, sign: u8| second & one != 0 || second & sign != 0 && third & one != 0;
        if second & ZERO != 0 {
            let unit = [(LITTLE, true), (BIG, false)].into_iter().find(|(one, _)| first & third & one != 0);
            return unit.and_then(|(_, is_little)| self.quads(at, is_little));
        }
        if first & LITTLE != 0
            && follows(LITTLE, LITTLE_SIGN)
            && !self.skips_little
            && let Some(found) = self.pairs(at, u16::from_le_bytes)
        {
            return Some(found);
        }
        if first & BIG != 0
            && follows(BIG, BIG_SIGN)
            && let Some(found) = self.pairs(at, u16::from_be_bytes)
        {
            return Some(found);
        }
        (first & han::GBK != 0 && follows(han::GBK, han::GBK_OTHER)).then(|| self.gbk(at)).flatten()
    }

    /// UTF-16 around `at`.
    fn pairs(&self, at: usize, unit: Unit) -> Option<Found> {
        let value = |at: usize| self.bytes.get(at..at + 2).map(|pair| unit([pair[0], pair[1]]));
        let is_text = |unit: u16| han::is_han(unit) || han::is_sign(unit);
        let (mut start, mut end) = (at, at + 2);
        while let Some(before) = start.checked_sub(2).filter(|&n| n >= self.done && at - n < LONGEST)
            && value(before).is_some_and(is_text)
        {
            start = before;
        }
        while end - at < LONGEST * 2 && value(end).is_some_and(is_text) {
            end += 2;
        }
        if !self.meter.scan(end - start) {
            return None;
        }
        let units: Vec<u16> = (start..end).step_by(2).filter_map(value).collect();
        let (core, han, common) = core(&units);
        let is_pure = core.len() == units.len();
        let is_apart = self.between_nuls(start, end);
        let least = if is_apart || han > SURE + 1 { 3 } else { 4 };
        let is_written = han >= SURE && common * 4 >= han * least && is_varied(core, han);
        // Letters beside it may be taken for more of it: then only a length says where it begins.
        if !is_written || self.reads_as_ascii(start, end) {
            // A length says where a text begins among what looks like one.
            let mut begins = (0..SURE * 4).map_while(|n| at.checked_sub(n * 2)).take_while(|&from| from >= start);
            let vouched = begins.find_map(|from| self.vouched(from, end, unit));
            (start, end) = vouched.or((is_apart && is_pure).then_some((start, end)))?;
            let units: Vec<u16> = (start..end).step_by(2).filter_map(value).collect();
            let (_, han, common) = self::core(&units);
            if han < 2 || common < han || !self.is_among_text(start, end) || self.reads_as_ascii(start, end) {
                return None;
            }
        }
        let units = (start..end).step_by(2).filter_map(value);
        let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        Some(Found { start, end, text })
    }

    /// Start and end of a string at `from` whose length stands before it, in characters or in
    /// bytes.
    fn vouched(&self, from: usize, end: usize, unit: Unit) -> Option<(usize, usize)> {
        let most = ((end - from) / 2).min(SURE * 4);
        (2..=most)
            .rev()
            .find(|&units| self.has_length(from, units, unit) && self.is_common(from, units, unit))
            .map(|units| (from, from + units * 2))
    }

    /// Characters that people use often, and signs.
    fn is_common(&self, at: usize, units: usize, unit: Unit) -> bool {
        let raw = self.bytes.get(at..at + units * 2).unwrap_or_default();
        raw.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).all(|unit| han::is_common(unit) || han::is_sign(unit))
    }

    /// A number before `at` says that `units` follow: a byte, a varint with a mark of wide
    /// text (QuickJS), 16 or 32 bits (V8, Qt), 16 bits and a byte of flags (Office).
    fn has_length(&self, at: usize, units: usize, unit: Unit) -> bool {
        let before = |n: usize| at.checked_sub(n).and_then(|from| self.bytes.get(from..at));
        let wide = |n: usize| u16::try_from(n).ok();
        let is_length = |raw: &[u8]| match raw {
            [a, b] => [wide(units), wide(units * 2)]
                .iter()
                .any(|number| [Some(unit([*a, *b])), Some(unit([*b, *a]))].contains(number)),
            [a, b, c, d] => [u32::from_le_bytes([*a, *b, *c, *d]), u32::from_be_bytes([*a, *b, *c, *d])]
                .iter()
                .any(|&number| number as usize == units || number as usize == units * 2),
            _ => false,
        };
        before(1).is_some_and(|raw| [units, units * 2, units * 2 + 1].contains(&usize::from(raw[0])))
            || before(2).is_some_and(is_length)
            || before(4).is_some_and(is_length)
            || before(3).is_some_and(|raw| raw[2] == 1 && is_length(&raw[..2]))
    }

    /// A number before `at` says that so many bytes follow: one byte, or 16 or 32 bits.
    fn has_bytes_before(&self, at: usize, bytes: usize) -> bool {
        let before = |n: usize| at.checked_sub(n).and_then(|from| self.bytes.get(from..at));
        let number = |raw: &[u8]| raw.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        let backwards = |raw: &[u8]| raw.iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        [1, 2, 4].into_iter().filter_map(before).any(|raw| number(raw) == bytes || backwards(raw) == bytes)
    }

    /// A string of a language that ends them in NUL, behind another one.
    fn between_nuls(&self, start: usize, end: usize) -> bool {
        let opens = start == 0 || self.bytes.get(start - 1) == Some(&0);
        opens && self.bytes.get(end..end + 2).is_none_or(|unit| unit == [0, 0])
    }

    /// Letters of one byte, two by two, are characters of the East as well.
    fn reads_as_ascii(&self, start: usize, end: usize) -> bool {
        let letters = self.bytes[start..end].iter().filter(|b| (b' '..0x7f).contains(*b)).count();
        letters * 4 > (end - start) * 3
    }

    /// What stands around is text, numbers or padding: in noise any two characters come about.
    fn is_among_text(&self, start: usize, end: usize) -> bool {
        let before = &self.bytes[start.saturating_sub(AROUND)..start];
        let after = &self.bytes[end..self.bytes.len().min(end + AROUND)];
        let around = || before.iter().chain(after);
        let plain = around().filter(|&&b| b == 0 || (b' '..0x7f).contains(&b)).count();
        plain * 10 >= around().count() * 6
    }

    /// UTF-32 around `at`, which is where the half of a character stands that is not zero.
    fn quads(&self, at: usize, is_little: bool) -> Option<Found> {
        let shift = if is_little { 0 } else { 2 };
        let value = |at: usize| {
            let raw: [u8; 4] = self.bytes.get(at..at + 4)?.try_into().ok()?;
            let code = if is_little { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) };
            let is_text = u16::try_from(code)
                .map_or((0x1_f000..0x3_2000).contains(&code), |unit| han::is_han(unit) || han::is_sign(unit));
            char::from_u32(code).filter(|_| is_text)
        };
        let first = at.checked_sub(shift)?;
        let (mut start, mut end) = (first, first);
        while let Some(before) = start.checked_sub(4).filter(|&n| n >= self.done && first - n < LONGEST)
            && value(before).is_some()
        {
            start = before;
        }
        while end - first < LONGEST * 4 && value(end).is_some() {
            end += 4;
        }
        if !self.meter.scan(end - start) {
            return None;
        }
        let text: String = (start..end).step_by(4).filter_map(value).collect();
        let han = text.chars().filter(|&c| crate::signature::is_han(c)).count();
        (han >= 2).then_some(Found { start, end, text })
    }

    /// GBK around `at`.
    fn gbk(&self, at: usize) -> Option<Found> {
        let is_pair = |at: usize| self.meaning(at) & (han::GBK | han::GBK_OTHER) != 0;
        let is_plain = |at: usize| matches!(self.bytes.get(at), Some(0x20..=0x7e | b'\t' | b'\n' | b'\r'));
        let (mut start, mut end) = (at, at);
        while start > self.done && at - start < LONGEST {
            if is_plain(start - 1) {
                start -= 1;
            } else if start >= self.done + 2 && is_pair(start - 2) {
                start -= 2;
            } else {
                break;
            }
        }
        while end - at < LONGEST {
            end += match () {
                () if is_pair(end) => 2,
                () if is_plain(end) => 1,
                () => break,
            };
        }
        let raw = &self.bytes[start..end];
        if !self.meter.scan(raw.len()) || std::str::from_utf8(raw).is_ok() {
            return None;
        }
        let (mut han, mut common, mut signs, mut n) = (0_usize, 0_usize, 0_usize, 0);
        while let Some(&lead) = raw.get(n) {
            han += usize::from(lead >= 0xb0);
            common += usize::from((0xb0..=0xd7).contains(&lead));
            signs += usize::from((0xa1..=0xa9).contains(&lead));
            n += 1 + usize::from(lead >= 0xa1);
        }
        let before = start.checked_sub(1).and_then(|n| self.bytes.get(n)).copied();
        let after = self.bytes.get(end).copied();
        let is_apart = before.is_none_or(|b| b < 0x80) && after.is_none_or(|b| b < 0x80);
        let is_long = han >= SURE && common * 4 >= han * 3 && signs <= han;
        let length = self.has_bytes_before(start, end - start);
        let is_vouched = han >= 2 && common == han && after.is_none_or(|b| b == 0 || length);
        let is_short = is_vouched && (before.is_none_or(|b| b == 0) || length);
        (is_apart && is_long || is_short).then(|| {
            let text = GBK.decode_without_bom_handling(raw).0.into_owned();
            Found { start, end, text }
        })
    }
}

/// The characters differ, as those of words do: tables of rising numbers repeat their upper
/// halves.
fn is_varied(core: &[u16], han: usize) -> bool {
    let distinct: HashSet<u16> = core.iter().copied().take(LONGEST).filter(|&unit| han::is_han(unit)).collect();
    let beside = core.windows(2).filter(|pair| pair.iter().all(|&unit| han::is_han(unit))).count();
    (distinct.len() * 2 > han || distinct.len() > 30) && beside * 3 >= han
}

/// The units from the first to the last that people use often; how many of them are
/// characters, and how many of those are used often.
fn core(units: &[u16]) -> (&[u16], usize, usize) {
    let is_common = |unit: &u16| han::is_common(*unit);
    let (Some(first), Some(last)) = (units.iter().position(is_common), units.iter().rposition(is_common)) else {
        return (&[], 0, 0);
    };
    let core = &units[first..=last];
    let han = core.iter().filter(|unit| han::is_han(**unit)).count();
    (core, han, core.iter().filter(|unit| is_common(unit)).count())
}

#[cfg(test)]
mod tests {
    use encoding_rs::GB18030;
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Budget, Kind};

    fn found(bytes: &[u8]) -> Vec<String> {
        let mut block = Block::new(Kind::Native, "", "offset");
        let budget = Budget::default();
        Eastern::new(bytes, false, &Meter::new(&budget, bytes.len())).take(0, bytes.len(), &mut block);
        block.iter().map(|fact| fact.text.to_owned()).collect()
    }

    fn encodings(text: &str) -> Vec<Vec<u8>> {
        vec![
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
            text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
            GB18030.encode(text).0.into_owned(),
        ]
    }

    #[test]
    fn a_text_is_found_in_every_encoding_at_every_offset() {
        for text in ["拍照搜题", "拍照·搜题", "拍照\n搜题", "拍题", "搜题王", "VIP 拍照搜题，名师讲解"]
        {
            for raw in encodings(text) {
                for lead in 0..5 {
                    let bytes = [&vec![b'a'; 32 + lead][..], &[0; 4], &raw, &[0; 8], &[b'b'; 40]].concat();
                    let all = found(&bytes);
                    assert!(all.iter().any(|t| t.contains(text)), "{text} {raw:x?} {lead} {all:?}");
                }
            }
        }
    }

    #[test]
    fn an_emoji_breaks_no_text() {
        for raw in &encodings("拍照📷搜题")[..4] {
            let all = found(&[&[0; 8], raw.as_slice(), &[0; 8]].concat());
            assert_eq!(all, ["拍照📷搜题"]);
        }
    }

    #[test]
    fn a_length_vouches_for_two_characters() {
        let raw: Vec<u8> = "拍题".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for length in [&[5_u8][..], &[2, 0, 0, 0], &[2, 0, 1], &[4, 0]] {
            let bytes = [b"title\0run", &[0x81, 0xff][..], length, &raw, b"\x18Tap to start\x0capp.js"].concat();
            assert!(found(&bytes).iter().any(|text| text == "拍题"), "{length:?} {:?}", found(&bytes));
        }
    }

    #[test]
    fn code_and_other_scripts_are_no_chinese() {
        let code: Vec<u8> = (0..40_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
        assert!(found(&code).len() < 8, "{:?}", found(&code));
        assert!(found("\0Привет мир, это текст\0déjà été élevé\0name\0type\0".as_bytes()).is_empty());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = found(&bytes);
        }
    }
}
