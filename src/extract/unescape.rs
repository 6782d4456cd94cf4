//! Characters written as escapes: `\u62CD`, `\x41`, `&#x62CD;`, `&#25293;`, `%E6%8B%8D`.

use std::borrow::Cow;

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
        [b'\\', b'u', b'{', ..] => {
            let end = text.bytes().take(CODE_MAX).position(|b| b == b'}')?;
            Some((char::from_u32(u32::from_str_radix(text.get(3..end)?, 16).ok()?)?.into(), end + 1))
        }
        [b'\\', b'u', ..] => utf16(text),
        [b'\\', b'x', ..] => {
            let code = u32::from_str_radix(text.get(2..4)?, 16).ok()?;
            Some((char::from_u32(code)?.into(), 4))
        }
        [b'\\', b'\\', b'u', ..] => utf16(&text[1..]).map(|(decoded, width)| (decoded, width + 1)),
        [b'\\', b'n' | b't' | b'r', ..] => Some((" ".into(), 2)),
        [b'\\', b'/' | b'"' | b'\'', ..] => Some((text[1..2].into(), 2)),
        [b'&', ..] => entity(text),
        [b'%', ..] => percent(text),
        _ => None,
    }
}

fn utf16(text: &str) -> Option<(String, usize)> {
    let unit = |at: usize| u16::from_str_radix(text.get(at + 2..at + 6)?, 16).ok();
    let first = unit(0)?;
    if (0xd800..0xdc00).contains(&first)
        && text.get(6..8) == Some("\\u")
        && let Some(second) = unit(6)
        && let Some(Ok(c)) = char::decode_utf16([first, second]).next()
    {
        return Some((c.into(), 12));
    }
    Some((char::from_u32(u32::from(first)).unwrap_or('\u{fffd}').into(), 6))
}

fn entity(text: &str) -> Option<(String, usize)> {
    let end = text.bytes().take(12).position(|b| b == b';')?;
    let body = text.get(1..end)?;
    let decoded = match body.strip_prefix('#') {
        Some(code) => {
            let code = match code.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => code.parse().ok()?,
            };
            char::from_u32(code)?
        }
        None => match body {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => ' ',
            "middot" => '·',
            _ => return None,
        },
    };
    Some((decoded.into(), end + 1))
}

/// A run of percent-encoded bytes: what at its end is UTF-8 beyond ASCII is decoded, the rest stays. It
/// is taken whole, so that a long one is walked once.
fn percent(text: &str) -> Option<(String, usize)> {
    let mut bytes = Vec::new();
    let mut at = 0;
    while let Some(hex) = text.get(at..at + 3).and_then(|p| p.strip_prefix('%')) {
        let Ok(byte) = u8::from_str_radix(hex, 16) else { break };
        bytes.push(byte);
        at += 3;
    }
    let mut from = 0;
    while let Err(error) = std::str::from_utf8(&bytes[from..]) {
        from += error.valid_up_to() + 1;
    }
    let decoded = std::str::from_utf8(&bytes[from..]).ok().filter(|decoded| !decoded.is_ascii());
    let kept = if decoded.is_some() { from * "%00".len() } else { at };
    (at > 0).then(|| (text[..kept].to_owned() + decoded.unwrap_or_default(), at))
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
