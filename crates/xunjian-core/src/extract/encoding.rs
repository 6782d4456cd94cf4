//! Which encoding a text is in, or that the bytes are no text.
//!
//! The rules ask what writing looks like, in samples from where the high bytes are: signs of
//! GB 2312 itself (quotes, sums, circled numbers, pinyin, boxes) are as ordinary as its
//! characters, and a few bad bytes make no text a binary. Tables of GBK, GB18030 and Big5 are
//! those of <https://encoding.spec.whatwg.org/>.

use std::borrow::Cow;

use encoding_rs::{BIG5, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use super::han;

/// Samples taken of one file, and bytes of each.
const SAMPLES: usize = 8;
const SAMPLE: usize = 16 << 10;
/// Control bytes and broken characters that a text may have: one in so many.
const BAD: usize = 50;

/// UTF-8, UTF-16, UTF-32, GB18030 or Big5 text; `None` for anything else.
pub(super) fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let bytes = match marked(bytes) {
        Some(Ok(text)) => return Some(text),
        // The mark lies: what stands behind it is looked at as it is.
        Some(Err(rest)) => rest,
        None => bytes,
    };
    let utf8 = std::str::from_utf8(bytes);
    let head = &bytes[..bytes.len().min(4 << 10)];
    if let Ok(text) = utf8
        && memchr::memchr(0, head).is_none()
    {
        return Some(text.into());
    }
    if let Some(text) = utf32(bytes).or_else(|| utf16(bytes)) {
        return Some(text.into());
    }
    if is_binary(bytes) {
        return None;
    }
    match utf8 {
        Ok(text) => Some(text.into()),
        // A cut at the budget may split the last character: allow for it.
        Err(e) if e.error_len().is_none() => Some(String::from_utf8_lossy(&bytes[..e.valid_up_to()])),
        Err(_) => eight_bit(bytes),
    }
}

/// A text behind the mark of its encoding; what stands behind the mark where it is none of that
/// encoding all the same.
fn marked(bytes: &[u8]) -> Option<Result<Cow<'_, str>, &[u8]>> {
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe\0\0").filter(|rest| !rest.is_empty()) {
        return Some(units32(rest, u32::from_le_bytes).map(Cow::Owned).ok_or(rest));
    }
    if let Some(rest) = bytes.strip_prefix(b"\0\0\xfe\xff") {
        return Some(units32(rest, u32::from_be_bytes).map(Cow::Owned).ok_or(rest));
    }
    let (encoding, mark) = Encoding::for_bom(bytes)?;
    let rest = &bytes[mark..];
    // Wide text has zeros, or is no UTF-8.
    if encoding != UTF_8 && rest.len() > 1 && memchr::memchr(0, rest).is_none() && std::str::from_utf8(rest).is_ok() {
        return Some(Err(rest));
    }
    let (text, is_bad) = encoding.decode_without_bom_handling(&bytes[mark..]);
    let few = || {
        let odd = text.chars().filter(|&c| c == char::REPLACEMENT_CHARACTER || is_control(c)).count();
        odd * BAD <= text.chars().count() || odd <= 2
    };
    Some(if !is_bad || few() { Ok(text) } else { Err(rest) })
}

fn is_control(c: char) -> bool {
    c.is_control() && !c.is_whitespace()
}

/// More control bytes than a text has; a text of one byte a character has next to none.
fn is_binary(bytes: &[u8]) -> bool {
    let (mut looked_at, mut controls) = (0_usize, 0_usize);
    for start in (0..SAMPLES).map(|part| bytes.len() / SAMPLES * part) {
        let sample = &bytes[start..bytes.len().min(start + SAMPLE)];
        looked_at += sample.len();
        controls += sample.iter().filter(|&&b| b < b' ' && !b.is_ascii_whitespace() && b != 0x1b || b == 0x7f).count();
        if bytes.len() <= SAMPLE {
            break;
        }
    }
    // In a short text one stray byte is a large share.
    controls * BAD > looked_at.max(BAD)
}

/// Text of one or two bytes a character, which is not UTF-8 throughout.
fn eight_bit(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let (mut broken, mut whole) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        broken += usize::from(!chunk.invalid().is_empty());
        whole += chunk.valid().bytes().filter(|&b| b >= 0xe0).count();
    }
    if broken * 8 <= whole {
        return Some(String::from_utf8_lossy(bytes));
    }
    let (gbk, big5) = (Tally::of(bytes, gbk), Tally::of(bytes, big5));
    let encoding = match (gbk.is_writing(), big5.is_writing()) {
        // Big5 puts its second byte below 0xa1 two times in five, where GB 2312 never does.
        (true, true) if big5.han > gbk.han && gbk.odd > big5.odd => BIG5,
        (true, _) => GB18030,
        (false, true) => BIG5,
        (false, false) if broken * BAD <= bytes.len() || broken <= 2 => return Some(String::from_utf8_lossy(bytes)),
        (false, false) => return None,
    };
    Some(encoding.decode_without_bom_handling(bytes).0)
}

/// What the characters of the samples are.
#[derive(Debug, Default)]
struct Tally {
    /// Characters that people use most.
    common: usize,
    /// Characters of words.
    han: usize,
    /// Signs of the standard.
    signs: usize,
    /// What ordinary writing has few of: rare characters and broken ones.
    odd: usize,
}

/// What a character is, and how many bytes it takes.
enum Sort {
    Common,
    Rare,
    Sign,
    Odd,
}

impl Tally {
    /// Counts in samples that begin at high bytes, spread over the file.
    fn of(bytes: &[u8], sort: fn(&[u8]) -> (Sort, usize)) -> Self {
        let mut tally = Self::default();
        let mut done = 0;
        for part in 0..SAMPLES {
            let from = done.max(bytes.len() / SAMPLES * part);
            let Some(start) = bytes[from..].iter().position(|b| !b.is_ascii()).map(|n| from + n) else { break };
            // Within a character it would be read askew: begin behind the last byte that ends one.
            let floor = start.saturating_sub(64).max(done);
            let start = bytes[floor..start].iter().rposition(|&b| b < b'0').map_or(start, |n| floor + n + 1);
            done = tally.sample(bytes, start, sort).max(start);
        }
        tally
    }

    /// Counts from `start` on; where it stopped.
    fn sample(&mut self, bytes: &[u8], start: usize, sort: fn(&[u8]) -> (Sort, usize)) -> usize {
        let mut at = start;
        while at < bytes.len().min(start + SAMPLE) {
            if bytes[at].is_ascii() {
                at += 1;
                continue;
            }
            let (sort, width) = sort(&bytes[at..]);
            match sort {
                Sort::Common => (self.common, self.han) = (self.common + 1, self.han + 1),
                Sort::Rare => self.han += 1,
                Sort::Sign => self.signs += 1,
                Sort::Odd => self.odd += 1,
            }
            at += width;
        }
        at
    }

    fn is_writing(&self) -> bool {
        let (ordinary, odd) = (self.han + self.signs, self.odd);
        self.han >= 2 && odd * 8 <= ordinary && self.common * 3 >= self.han * 2
    }
}

/// GB18030: rows 16 to 55 of GB 2312 are what people use most, rows 1 to 9 its signs.
fn gbk(bytes: &[u8]) -> (Sort, usize) {
    match bytes {
        [0xb0..=0xd7, 0xa1..=0xfe, ..] => (Sort::Common, 2),
        [0xd8..=0xf7, 0xa1..=0xfe, ..] => (Sort::Rare, 2),
        [0xa1..=0xa9, 0xa1..=0xfe, ..] => (Sort::Sign, 2),
        [0x81..=0xfe, b'0'..=b'9', 0x81..=0xfe, b'0'..=b'9', ..] => (Sort::Odd, 4),
        [0x81..=0xfe, 0x40..=0x7e | 0x80..=0xfe, ..] => (Sort::Odd, 2),
        _ => (Sort::Odd, 1),
    }
}

/// Big5: its first plane is what people use most.
fn big5(bytes: &[u8]) -> (Sort, usize) {
    match bytes {
        [0xa4..=0xc6, 0x40..=0x7e | 0xa1..=0xfe, ..] => (Sort::Common, 2),
        [0xc9..=0xf9, 0x40..=0x7e | 0xa1..=0xfe, ..] => (Sort::Rare, 2),
        [0xa1..=0xa3, 0x40..=0x7e | 0xa1..=0xfe, ..] => (Sort::Sign, 2),
        [0x81..=0xfe, 0x40..=0x7e | 0xa1..=0xfe, ..] => (Sort::Odd, 2),
        _ => (Sort::Odd, 1),
    }
}

/// UTF-16 without a mark: told by what its units are, in one order of bytes or the other.
fn utf16(bytes: &[u8]) -> Option<String> {
    if bytes.len() < 8 {
        return None;
    }
    let ascii = bytes.iter().take(SAMPLE).filter(|b| (b' '..0x7f).contains(*b)).count();
    // Letters of one byte, two by two, are characters of the East as well.
    if ascii * 10 > bytes.len().min(SAMPLE) * 9 {
        return None;
    }
    [(UTF_16LE, u16::from_le_bytes as fn([u8; 2]) -> u16), (UTF_16BE, u16::from_be_bytes)]
        .into_iter()
        .find(|(_, unit)| is_utf16(bytes, *unit))
        .map(|(encoding, _)| encoding.decode_without_bom_handling(&bytes[..bytes.len() & !1]).0.into_owned())
}

fn is_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> bool {
    let pairs = bytes.as_chunks::<2>().0;
    let (mut ascii, mut han, mut common, mut signs, mut odd) = (0_usize, 0_usize, 0_usize, 0_usize, 0_usize);
    for start in (0..SAMPLES).map(|part| pairs.len() / SAMPLES * part) {
        for &pair in pairs[start..].iter().take(SAMPLE / SAMPLES) {
            let unit = unit(pair);
            match unit {
                0x20..=0x7e | 0x09 | 0x0a | 0x0d => ascii += 1,
                unit if han::is_han(unit) => {
                    han += 1;
                    common += usize::from(han::is_common(unit));
                }
                unit if han::is_sign(unit) => signs += 1,
                _ => odd += 1,
            }
        }
        if pairs.len() <= SAMPLE / SAMPLES {
            break;
        }
    }
    let all = ascii + han + signs;
    // Writing of the East, traditional included, or of the West with a zero in every pair.
    odd * 12 <= all && (han >= 3 && common * 9 >= han * 4 || ascii * 2 >= all && ascii >= 4)
}

/// UTF-32 without a mark.
fn utf32(bytes: &[u8]) -> Option<String> {
    let quads = bytes.as_chunks::<4>().0;
    let is = |unit: fn([u8; 4]) -> u32| {
        let sample = quads.iter().take(SAMPLE / 4).map(|&quad| unit(quad));
        let (all, good) = sample.fold((0_usize, 0_usize), |(all, good), code| {
            let is_good = code < 0x3_0000
                && (code > 0xffff || han::is_han(code as u16) || han::is_sign(code as u16))
                && char::from_u32(code).is_some();
            (all + 1, good + usize::from(is_good))
        });
        all >= 4 && good * 20 >= all * 19
    };
    if is(u32::from_le_bytes) {
        units32(bytes, u32::from_le_bytes)
    } else if is(u32::from_be_bytes) {
        units32(bytes, u32::from_be_bytes)
    } else {
        None
    }
}

/// Characters of four bytes; `None` where many are none.
fn units32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Option<String> {
    let quads = bytes.as_chunks::<4>().0;
    let text: String =
        quads.iter().map(|&quad| char::from_u32(unit(quad)).unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    let odd = text.chars().filter(|&c| c == char::REPLACEMENT_CHARACTER || is_control(c)).count();
    (odd * BAD <= quads.len().max(BAD)).then_some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panic")]

    use proptest::prelude::*;

    use super::*;

    fn wide(text: &str) -> [Vec<u8>; 4] {
        [
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
            text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
        ]
    }

    const TEXTS: &[&str] = &[
        "拍照搜题，名师讲解。",
        "“拍照搜题？”他问——“一键出答案……”",
        "① 3×4÷2＝6 ② 5×6＝30 ③ 拍照搜题 √",
        "ā á ǎ à ō ó ǒ ò 拼音练习：bā pá，拍照搜题",
        "────────────────\n拍照搜题\n────────────────",
        "第一课 春眠不觉晓\r\n处处闻啼鸟\r\nVIP 会员 ok",
    ];

    #[test]
    fn every_text_is_read_in_every_encoding() {
        for text in TEXTS {
            assert_eq!(decode(&GB18030.encode(text).0).unwrap(), *text);
            for bytes in wide(text) {
                assert_eq!(decode(&bytes).unwrap(), *text);
            }
        }
        let traditional = "拍照搜題，一鍵出答案。名師講解，小學數學。";
        assert_eq!(decode(&BIG5.encode(traditional).0).unwrap(), traditional);
    }

    #[test]
    fn a_stray_byte_makes_no_text_a_binary() {
        let script = "var t=\"\\u62cd\\u7167\\u641c\\u9898\";\n// end\n";
        for stray in [b"\0".as_slice(), b"\xff", b"\xe6\x8b", b"\x01"] {
            let bytes = [script.as_bytes(), stray, script.as_bytes()].concat();
            assert!(decode(&bytes).unwrap().starts_with(script), "{stray:?}");
        }
        let mut page = GB18030.encode(&"名师讲解，拍照搜题。\n".repeat(9)).0.into_owned();
        page.insert(20, 0xff);
        assert!(decode(&page).unwrap().contains("拍照搜题"));
    }

    #[test]
    fn chinese_is_looked_for_where_it_is() {
        let late =
            ["<div class=\"row\">x</div>\n".repeat(9_000).as_bytes(), &GB18030.encode("拍照搜题，名师讲解").0].concat();
        assert!(decode(&late).unwrap().ends_with("拍照搜题，名师讲解"));
    }

    #[test]
    fn what_is_no_text_is_none() {
        assert!(decode(&[0xff, 0x00, 0x13, 0x80, 0x99, 0x02, 0x03, 0x04]).is_none());
        let code: Vec<u8> = (0..4_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert!(decode(&code).is_none());
        let latin =
            "Le caf\u{e9} est tr\u{e8}s bon, voil\u{e0} d\u{e9}j\u{e0} l'\u{e9}t\u{e9}".chars().map(|c| c as u8);
        assert!(decode(&latin.collect::<Vec<u8>>()).is_none_or(|text| !text.chars().any(crate::signature::is_han)));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = decode(&bytes);
        }
    }
}
