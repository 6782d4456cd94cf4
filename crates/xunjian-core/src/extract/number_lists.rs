//! Words as lists of numbers: bytes of UTF-8 or GBK (`[230,139,141]`, `{-26, -117}`,
//! `0xe6,0x8b`), or characters (`[25293,29031]`), as programs keep what a search is not to find.

use super::escaped_bytes::writing;
use super::han;
use crate::signature::is_han;

/// Fewer numbers are a version, a date, a colour.
const BYTES_MIN: usize = 6;
const CHARACTERS_MIN: usize = 4;
/// Longer lists are data; they are taken in parts.
const LIST_MAX: usize = 16 << 10;

/// Where a list may begin, at `from` or behind: a bracket, and a number beyond ASCII.
pub(super) fn next(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    memchr::memchr2_iter(b'[', b'{', rest)
        .find(|&at| number(&rest[at + 1..]).is_some_and(|(code, _)| is_beyond(code)))
        .map(|at| from + at)
}

/// Words of the lists in a text.
pub(super) fn words(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(open) = next(bytes, from) {
        let mut at = open + 1;
        let mut numbers = Vec::new();
        while numbers.len() < LIST_MAX
            && let Some((code, width)) = number(&bytes[at..])
        {
            numbers.push(code);
            at += width;
        }
        found.extend(characters(&numbers).or_else(|| encoded(&numbers)).filter(|words| words.contains(is_han)));
        from = at;
    }
    found
}

const fn is_beyond(code: i32) -> bool {
    code < 0 || code >= 0x80
}

/// A number with what stands around it, and how many bytes that takes.
fn number(bytes: &[u8]) -> Option<(i32, usize)> {
    let is_blank = |b: &u8| b.is_ascii_whitespace() || *b == b',';
    let start = bytes.iter().take(16).position(|b| !is_blank(b))?;
    let is_digit = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'x' | b'X' | b'-');
    let length = bytes[start..].iter().take(8).position(|b| !is_digit(b))?;
    let text = std::str::from_utf8(&bytes[start..start + length]).ok()?;
    let code = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => i32::from_str_radix(hex, 16).ok()?,
        None => text.parse().ok()?,
    };
    Some((code, start + length))
}

/// Characters of the East, nearly all of those that people use.
fn characters(numbers: &[i32]) -> Option<String> {
    let common = numbers.iter().filter(|code| u16::try_from(**code).is_ok_and(han::is_common)).count();
    if numbers.len() < CHARACTERS_MIN || common * 4 < numbers.len() * 3 {
        return None;
    }
    numbers.iter().map(|code| u32::try_from(*code).ok().and_then(char::from_u32)).collect()
}

/// Bytes, with or without a sign.
fn encoded(numbers: &[i32]) -> Option<String> {
    let byte = |code: &i32| u8::try_from(*code).ok().or_else(|| i8::try_from(*code).ok().map(i8::cast_unsigned));
    let bytes: Vec<u8> = numbers.iter().map(byte).collect::<Option<_>>()?;
    if bytes.len() < BYTES_MIN { None } else { writing(&bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_bytes_and_of_characters_are_words() {
        for text in [
            "b=[230,139,141,231,133,167]",
            "b = new byte[]{-26, -117, -115, -25, -123, -89};",
            "{0xe6, 0x8b, 0x8d, 0xe7, 0x85, 0xa7}",
            "[197,196,213,213,203,209]",
            "[25293,29031,25628,39064]",
        ] {
            assert!(words(text).iter().any(|words| words.starts_with("拍照")), "{text}");
        }
        for text in
            ["[1,2,3]", "[255,255,255]", "[200,140,30,20,200,240]", "[20000,25000,30000,40000]", "{}", "[", "[25293"]
        {
            assert!(words(text).is_empty(), "{text}");
        }
    }
}
