//! Runs of bytes written as escapes: `\xE6\x8B\x8D`, `\346\213\215`, `\230\139\141`,
//! `=E6=8B=8D`. One byte alone is no character: a run is taken whole and must be UTF-8 or GBK.

use encoding_rs::GBK;

/// Bytes taken of one run; the next begins behind them.
const RUN_MAX: usize = 64 << 10;

/// A run of `\xHH`, and how many bytes of text it takes: writing, or Latin-1 where it is none.
pub(super) fn hexadecimal(text: &str) -> Option<(String, usize)> {
    let bytes = run(text, "\\x", 2, 16);
    let words = writing(&bytes).unwrap_or_else(|| bytes.iter().map(|&b| char::from(b)).collect());
    (!bytes.is_empty()).then(|| (words, bytes.len() * 4))
}

/// A run of `\ooo` of C and of protocol buffers, or of `\ddd` of Lua. One that is no writing
/// stays, and is walked once.
pub(super) fn octal_or_decimal(text: &str) -> Option<(String, usize)> {
    digits(text, "\\")
}

/// The same with doubled backslashes, as scripts within scripts have them.
pub(super) fn doubled(text: &str) -> Option<(String, usize)> {
    let bytes = run(text, "\\\\x", 2, 16);
    if bytes.is_empty() {
        return digits(text, "\\\\");
    }
    let length = bytes.len() * 5;
    Some((writing(&bytes).unwrap_or_else(|| text[..length].to_owned()), length))
}

fn digits(text: &str, mark: &str) -> Option<(String, usize)> {
    let runs = [8, 10].map(|radix| run(text, mark, 3, radix));
    let width = mark.len() + 3;
    let longest = runs.iter().map(|bytes| bytes.len() * width).max().filter(|&length| length > 0)?;
    let decoded = runs.iter().find_map(|bytes| Some((writing(bytes)?, bytes.len() * width)));
    Some(decoded.unwrap_or_else(|| (text[..longest].to_owned(), longest)))
}

/// Bytes of a run of escapes: each `mark` and so many digits.
fn run(text: &str, mark: &str, digits: usize, radix: u32) -> Vec<u8> {
    let width = mark.len() + digits;
    let byte = |index: usize| {
        let escape = text.get(index * width..(index + 1) * width)?.strip_prefix(mark)?;
        let is_number = escape.bytes().all(|b| b.is_ascii_hexdigit());
        u32::from_str_radix(escape, radix).ok().filter(|_| is_number).and_then(|code| u8::try_from(code).ok())
    };
    (0..RUN_MAX).map_while(byte).collect()
}

/// Bytes beyond ASCII as UTF-8, a few bad ones forgiven, or as GBK.
pub(super) fn writing(bytes: &[u8]) -> Option<String> {
    if bytes.is_ascii() || bytes.len() < 2 {
        return None;
    }
    let text = String::from_utf8_lossy(bytes);
    let (whole, broken) = text.chars().filter(|c| !c.is_ascii()).fold((0_usize, 0_usize), |(whole, broken), c| {
        let is_broken = usize::from(c == char::REPLACEMENT_CHARACTER);
        (whole + 1 - is_broken, broken + is_broken)
    });
    if whole > broken { Some(text.into_owned()) } else { chinese(bytes) }
}

/// Words of GBK: at least two characters, nearly all of those that people use.
pub(super) fn chinese(bytes: &[u8]) -> Option<String> {
    let (mut at, mut common, mut han) = (0, 0_usize, 0_usize);
    while at < bytes.len() {
        match &bytes[at..] {
            [0xb0..=0xf7, 0xa1..=0xfe, ..] => {
                han += 1;
                common += usize::from(bytes[at] <= 0xd7);
                at += 2;
            }
            [0xa1..=0xa9, 0xa1..=0xfe, ..] => at += 2,
            [0x20..=0x7e | b'\t' | b'\n' | b'\r', ..] => at += 1,
            _ => return None,
        }
    }
    (han >= 2 && common * 3 >= han * 2).then(|| GBK.decode_without_bom_handling(bytes).0.into_owned())
}

/// Quoted-printable (RFC 2045): runs of `=HH`, and the ends of lines it breaks. Nothing where
/// no run of two stands.
pub(super) fn quoted_printable(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut done = 0;
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'=', &bytes[from..]).map(|n| from + n) {
        from = at + 1;
        if quoted(bytes, at).is_none() || quoted(bytes, at + 3).is_none() {
            continue;
        }
        let mut raw = Vec::new();
        let mut end = at;
        while let Some(next) = step(bytes, end, &mut raw) {
            end = next;
        }
        if let Some(words) = writing(&raw) {
            out.push_str(&text[done..at]);
            out.push_str(&words);
            done = end;
        }
        from = end;
    }
    (done > 0).then(|| out + &text[done..])
}

/// A quoted byte, or a line break that means nothing; where the next begins.
fn step(bytes: &[u8], at: usize, raw: &mut Vec<u8>) -> Option<usize> {
    if let Some(byte) = quoted(bytes, at) {
        raw.push(byte);
        return Some(at + 3);
    }
    let next = match bytes.get(at..)? {
        [b'=', b'\r', b'\n', ..] => at + 3,
        [b'=', b'\n', ..] => at + 2,
        _ => return None,
    };
    quoted(bytes, next).map(|_| next)
}

fn quoted(bytes: &[u8], at: usize) -> Option<u8> {
    let [b'=', high, low] = bytes.get(at..at.checked_add(3)?)? else { return None };
    let digit = |b: u8| char::from(b).to_digit(16).filter(|_| !b.is_ascii_lowercase());
    u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()
}

/// Numbers of characters in a call that makes a text of them: `fromCharCode(25293,29031)`.
pub(super) fn character_codes(text: &str) -> Vec<String> {
    const CALLS: &[&str] = &["fromCharCode", "fromCodePoint", "char", "chr", "Char", "Chr", "unichr", "ChrW"];
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut words = String::new();
    let mut last_end = 0;
    for open in memchr::memchr_iter(b'(', bytes) {
        if open < last_end {
            continue;
        }
        let before = &text[..open];
        let is_call =
            CALLS.iter().any(|call| before.ends_with(call)) || before.ends_with(".apply") || before.ends_with(".call");
        if !is_call {
            continue;
        }
        let Some((decoded, end)) = numbers(&text[open + 1..]) else { continue };
        // `chr(25293)+chr(29031)`: calls with nothing but a sign between them say one text.
        let between = text[last_end.min(open)..open].trim_start_matches([')', ' ', '+', '.', '&']);
        if !between.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.') || between.len() > 40 {
            keep(&mut found, std::mem::take(&mut words));
        }
        words.push_str(&decoded);
        last_end = open + 1 + end;
    }
    keep(&mut found, words);
    found
}

fn keep(found: &mut Vec<String>, words: String) {
    if words.chars().any(crate::signature::is_han) {
        found.push(words);
    }
}

/// Characters of a list of numbers up to its closing bracket, and where that stands.
fn numbers(text: &str) -> Option<(String, usize)> {
    const LIST_MAX: usize = 64 << 10;
    let end = text.bytes().take(LIST_MAX).position(|b| !(b.is_ascii_hexdigit() || b", xX\t\r\n[]nul".contains(&b)))?;
    let list = text.get(..end)?.trim_matches(|c: char| !c.is_ascii_digit() && !c.is_ascii_hexdigit());
    let list = list.strip_prefix("null").unwrap_or(list).trim_start_matches([',', ' ', '[']);
    let decoded: Option<String> = list.split(',').map(|number| code(number.trim())).collect();
    decoded.filter(|decoded| !decoded.is_empty()).map(|decoded| (decoded, end))
}

fn code(number: &str) -> Option<char> {
    let code = match number.strip_prefix("0x").or_else(|| number.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quoted_printable_across_lines() {
        let written = "<p>=E6=8B=8D=E7=85=\r\n=A7=E6=90=9C=\n=E9=A2=98</p> a=b==c x=41=42";
        assert_eq!(quoted_printable(written).as_deref(), Some("<p>拍照搜题</p> a=b==c x=41=42"));
        assert_eq!(quoted_printable("=C5=C4=D5=D5=CB=D1=CC=E2").as_deref(), Some("拍照搜题"));
        assert_eq!(quoted_printable("a=1&b=22&c=DEADBEEF"), None);
    }

    #[test]
    fn numbers_of_characters() {
        for written in [
            "document.title=String.fromCharCode(25293,29031,25628,39064)",
            "String.fromCodePoint(0x62cd, 0x7167, 0x641c, 0x9898);",
            "String.fromCharCode.apply(null,[25293,29031,25628,39064])",
            "chr(25293)+chr(29031)+chr(25628)+chr(39064)",
            "utf8.char(25293, 29031, 25628, 39064)",
        ] {
            assert_eq!(character_codes(written), ["拍照搜题"], "{written}");
        }
        assert!(character_codes("f(25293,29031) fromCharCode(65,66) fromCharCode(e)").is_empty());
    }

    proptest! {
        #[test]
        fn never_panics(text in "[\\\\x=0-9a-fE\r\n(),. 拍chrfromCharCode]{0,60}") {
            let _ = (hexadecimal(&text), octal_or_decimal(&text), quoted_printable(&text), character_codes(&text));
        }
    }
}
