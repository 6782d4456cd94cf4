//! Characters written as escapes: `\u62CD`, `\xE6\x8B\x8D`, `\346\213\215` and `\230\139\141`,
//! `\62cd ` of styles, `&#x62CD;` and `&#25293`, `%E6%8B%8D`, `%C5%C4` in GBK, `%u62CD`.

use std::borrow::Cow;

use super::escaped_bytes::{self, chinese};

/// Bytes of `\u{…}`, at most; one that is never closed would be looked for to the end.
const CODE_MAX: usize = 64;

/// Replaces escapes by their characters; text without any is returned as it is.
#[must_use]
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if memchr::memchr3(b'\\', b'&', b'%', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr3(b'\\', b'&', b'%', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match one(rest) {
            Some((decoded, width)) => {
                out.push_str(&decoded);
                rest = &rest[width..];
            }
            None => {
                out.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The escape at the start, and how many bytes it takes.
fn one(text: &str) -> Option<(String, usize)> {
    match text.as_bytes() {
        [b'\\', b'u' | b'x', b'{', ..] => {
            let end = text.bytes().take(CODE_MAX).position(|b| b == b'}')?;
            Some((char::from_u32(u32::from_str_radix(text.get(3..end)?, 16).ok()?)?.into(), end + 1))
        }
        // Java lets any number of them stand.
        [b'\\', b'u', b'u', ..] => {
            let more = text.bytes().skip(2).take(CODE_MAX).take_while(|b| *b == b'u').count();
            let digits = format!("\\u{}", text.get(2 + more..6 + more)?);
            utf16(&digits, "\\u").map(|(decoded, width)| (decoded, width + more))
        }
        [b'\\', b'u', ..] => utf16(text, "\\u"),
        [b'\\', b'U', ..] => long(text).or_else(|| utf16(text, "\\U")),
        [b'\\', b'x', ..] => escaped_bytes::hexadecimal(text),
        [b'\\', b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..] => {
            style(text).or_else(|| escaped_bytes::octal_or_decimal(text)).or_else(|| white(text))
        }
        // Escaped once more, as scripts within scripts are.
        [b'\\', b'\\', b'u', ..] => utf16(&text[1..], "\\u").map(|(decoded, width)| (decoded, width + 1)),
        [b'\\', b'\\', b'\\', ..] => run(text),
        [b'\\', b'\\', b'x' | b'0'..=b'9', ..] => escaped_bytes::doubled(text),
        [b'\\', ..] => white(text),
        [b'&', ..] => entity(text),
        [b'%', b'u', ..] => utf16(text, "%u").filter(|(decoded, _)| !decoded.is_ascii()),
        [b'%', b'2', b'5', b'u', ..] => utf16(&format!("%{}", text.get(3..8)?), "%u")
            .filter(|(decoded, _)| !decoded.is_ascii())
            .map(|(c, width)| (c, width + 2)),
        [b'%', ..] => percent(text),
        _ => None,
    }
}

/// A run of backslashes before a character's number; without one, all but the last two stay.
fn run(text: &str) -> Option<(String, usize)> {
    let last = text.bytes().take(CODE_MAX).take_while(|b| *b == b'\\').count() - 1;
    if text.as_bytes().get(last + 1) == Some(&b'u')
        && let Some((decoded, width)) = utf16(&text[last..], "\\u")
    {
        return Some((decoded, width + last));
    }
    Some((text[..last - 1].to_owned(), last - 1))
}

fn white(text: &str) -> Option<(String, usize)> {
    match text.as_bytes() {
        [_, b'n' | b't' | b'r', ..] => Some((" ".into(), 2)),
        [_, b'/' | b'"' | b'\'', ..] => Some((text[1..2].into(), 2)),
        _ => None,
    }
}

/// Four digits behind `mark`, and the other half where they are half of a character.
fn utf16(text: &str, mark: &str) -> Option<(String, usize)> {
    let unit = |at: usize| u16::from_str_radix(text.get(at + 2..at + 6)?, 16).ok();
    let first = unit(0)?;
    if (0xd800..0xdc00).contains(&first)
        && text.get(6..8) == Some(mark)
        && let Some(second) = unit(6)
        && let Some(Ok(c)) = char::decode_utf16([first, second]).next()
    {
        return Some((c.into(), 12));
    }
    Some((char::from_u32(u32::from(first)).unwrap_or('\u{fffd}').into(), 6))
}

/// `\U0001F4F7` of C and Python.
fn long(text: &str) -> Option<(String, usize)> {
    let code = u32::from_str_radix(text.get(2..10)?, 16).ok()?;
    Some((char::from_u32(code)?.into(), 10))
}

/// `\62cd` of style sheets: four to six digits of a character of the East, and the blank that
/// ends them.
fn style(text: &str) -> Option<(String, usize)> {
    let digits = text.bytes().skip(1).take(6).take_while(u8::is_ascii_hexdigit).count();
    let (c, digits) = (4..=digits).rev().find_map(|digits| {
        let code = u32::from_str_radix(&text[1..=digits], 16).ok()?;
        let is_eastern = matches!(code, 0x3000..=0x30ff | 0x3400..=0x9fff | 0xff00..=0xffef | 0x2_0000..=0x3_ffff);
        char::from_u32(code).filter(|_| is_eastern).map(|c| (c, digits))
    })?;
    let blank = usize::from(text.as_bytes().get(digits + 1) == Some(&b' '));
    Some((c.into(), digits + 1 + blank))
}

fn entity(text: &str) -> Option<(String, usize)> {
    if let Some(code) = text.strip_prefix("&#") {
        return numbered(code);
    }
    let end = text.bytes().take(12).position(|b| b == b';')?;
    let decoded = match text.get(1..end)? {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "middot" => '·',
        _ => return None,
    };
    Some((decoded.into(), end + 1))
}

/// A number behind `&#`; browsers do without the semicolon.
fn numbered(code: &str) -> Option<(String, usize)> {
    let (digits, mark, radix) = match code.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, "&#x".len(), 16),
        None => (code, "&#".len(), 10),
    };
    let count = digits.chars().take(8).take_while(|c| c.is_digit(radix)).count();
    let c = char::from_u32(u32::from_str_radix(&digits[..count], radix).ok()?)?;
    let is_closed = digits.as_bytes().get(count) == Some(&b';');
    // A number without its end may be any number.
    (is_closed || !c.is_ascii()).then(|| (c.into(), mark + count + usize::from(is_closed)))
}

/// A run of percent-encoded bytes: what at its end is UTF-8 beyond ASCII is decoded, or the
/// whole where it is GBK, the rest stays. It is taken whole, so that a long one is walked once.
fn percent(text: &str) -> Option<(String, usize)> {
    let mut bytes = Vec::new();
    let mut at = 0;
    // An address within an address has its signs encoded once more.
    let mark = if is_twice(text.as_bytes()) { "%25" } else { "%" };
    let width = mark.len() + 2;
    while let Some(hex) = text.get(at..at + width).and_then(|p| p.strip_prefix(mark)) {
        let Ok(byte) = u8::from_str_radix(hex, 16) else { break };
        bytes.push(byte);
        at += width;
    }
    let mut from = 0;
    while let Err(error) = std::str::from_utf8(&bytes[from..]) {
        from += error.valid_up_to() + 1;
    }
    let decoded = std::str::from_utf8(&bytes[from..]).ok().filter(|decoded| !decoded.is_ascii());
    if decoded.is_none()
        && let Some(words) = chinese(&bytes)
    {
        return Some((words, at));
    }
    let kept = if decoded.is_some() { from * width } else { at };
    (at > 0).then(|| (text[..kept].to_owned() + decoded.unwrap_or_default(), at))
}

/// `%25E6%25…`: a byte beyond ASCII, encoded twice.
pub(super) fn is_twice(text: &[u8]) -> bool {
    matches!(text, [b'%', b'2', b'5', a, b, b'%', b'2', b'5', ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() && *a >= b'8')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::unescape;

    #[test]
    fn the_ways_scripts_and_pages_write_chinese() {
        let written = r"\u62cd\u7167 &#x641C;&#39064; %E6%8B%8D %41 \ud83d\ude00 \\u62cd";
        assert_eq!(unescape(written), "拍照 搜题 拍 %41 😀 拍");
    }

    #[test]
    fn one_text_in_every_way_there_is() {
        for written in [
            r"\u62cd\u7167\u641c\u9898",
            r"\u{62cd}\u{7167}\u{641c}\u{9898}",
            r"\\u62cd\\u7167\\u641c\\u9898",
            r"\U62cd\U7167\U641c\U9898",
            r"\U000062cd\U00007167\U0000641c\U00009898",
            r"\xe6\x8b\x8d\xe7\x85\xa7\xe6\x90\x9c\xe9\xa2\x98",
            r"\\xe6\\x8b\\x8d\\xe7\\x85\\xa7\\xe6\\x90\\x9c\\xe9\\xa2\\x98",
            r"\xc5\xc4\xd5\xd5\xcb\xd1\xcc\xe2",
            r"\346\213\215\347\205\247\346\220\234\351\242\230",
            r"\230\139\141\231\133\167\230\144\156\233\162\152",
            r"\305\304\325\325\313\321\314\342",
            r"\62cd \7167 \641c \9898",
            r"\62cd\7167\641c\9898",
            "&#25293;&#29031;&#25628;&#39064;",
            "&#25293&#29031&#25628&#39064",
            "&#x62CD&#x7167&#x641C&#x9898",
            "%u62CD%u7167%u641C%u9898",
            "%E6%8B%8D%E7%85%A7%E6%90%9C%E9%A2%98",
            "%C5%C4%D5%D5%CB%D1%CC%E2",
            r"\\\\u62cd\\\\u7167\\\\u641c\\\\u9898",
            r"\x{62cd}\x{7167}\x{641c}\x{9898}",
            r"\uu62cd\uuuu7167\u641c\u9898",
            "%25E6%258B%258D%25E7%2585%25A7%25E6%2590%259C%25E9%25A2%2598",
            "%25u62CD%25u7167%25u641C%25u9898",
        ] {
            assert_eq!(unescape(written), "拍照搜题", "{written}");
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in [r"C:\5a\b", r"\d+\.\d{3}", "100% of 20%", "a & b &#; &c", r"\123 \1 \012", "%C5%41"] {
            assert_eq!(unescape(text), text);
        }
    }

    /// The run of percent-encoded bytes at each place, decoded where all of it is UTF-8 beyond ASCII.
    fn place_by_place(text: &str) -> String {
        let mut out = String::new();
        let mut at = 0;
        while at < text.len() {
            let bytes: Vec<u8> = (at..)
                .step_by(3)
                .map_while(|at| u8::from_str_radix(text.get(at..at + 3)?.strip_prefix('%')?, 16).ok())
                .collect();
            let length = bytes.len() * 3;
            match String::from_utf8(bytes).ok().filter(|decoded| !decoded.is_ascii()) {
                Some(decoded) => {
                    out.push_str(&decoded);
                    at += length;
                }
                None => {
                    out.push_str(&text[at..=at]);
                    at += 1;
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn a_run_says_what_its_places_say(text in "(%(E6|8B|8D|41|ff|4)|x){0,16}") {
            prop_assert_eq!(unescape(&text), place_by_place(&text));
        }

        #[test]
        fn never_panics(text in "[\\\\u&#x;%0-9a-f拍]{0,40}") {
            let _ = unescape(&text);
        }
    }
}
