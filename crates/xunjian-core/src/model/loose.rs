//! JSON as it is met: what Python, JavaScript and hand-written pages make of it.
//!
//! What is plain is put right before it is read: half an emoji (`\ud83d` alone), raw line breaks in a text,
//! comments, commas too many, `NaN`, marks around the whole. Anything else stays an error.

use std::borrow::Cow;

use serde_json::Value;

/// Reads JSON, put right where that is needed.
///
/// # Errors
/// When it is none even then, as the strict reader says.
pub fn read(text: &str) -> Result<Value, serde_json::Error> {
    let text = text.trim_start_matches('\u{feff}');
    let strict = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    serde_json::from_str(&mended(text)).map_err(|_| strict)
}

/// The first value of a text, whatever follows it; nothing where there is none.
#[must_use]
pub fn first(text: &str) -> Option<Result<Value, serde_json::Error>> {
    serde_json::Deserializer::from_str(text).into_iter::<Value>().next()
}

/// Every value of a text, one after the other, up to the first that is none.
///
/// # Errors
/// When not even the first one is JSON.
pub fn all(text: &str) -> Result<Vec<Value>, serde_json::Error> {
    let mended = mended(text);
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(&mended).into_iter::<Value>() {
        match value {
            Ok(value) => found.push(value),
            Err(error) if found.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(found)
}

/// A whole number as exports write it: `12`, `12.0`, `1.2E3`, `1,234`; nothing for what is none, or too large.
#[must_use]
pub fn whole_number(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let groups: Vec<&str> = text.split(',').collect();
    if groups.len() > 1 {
        let is_grouped = groups[1..].iter().all(|group| group.len() == 3) && (1..=3).contains(&groups[0].len());
        return is_grouped.then(|| groups.concat().parse().ok()).flatten();
    }
    // What a double holds exactly.
    let number: f64 = text.parse().ok()?;
    ((0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0).then_some(number as u64)
}

/// Half an emoji becomes U+FFFD; what is right stays as it is. Of a text that is JSON.
#[must_use]
pub fn whole_emoji(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = text.as_bytes().get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        let escape = at + found;
        at = escape + 2;
        let Some(code) = unit(text, escape) else { continue };
        at = escape + 6;
        let is_pair =
            (0xd800..0xdc00).contains(&code) && unit(text, at).is_some_and(|low| (0xdc00..0xe000).contains(&low));
        if is_pair {
            at += 6;
        } else if (0xd800..0xe000).contains(&code) {
            out.push_str(&text[copied..escape]);
            out.push_str("\\ufffd");
            copied = at;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The number of an escape `\uXXXX` that stands at a place.
fn unit(text: &str, at: usize) -> Option<u32> {
    let escape = text.as_bytes().get(at..at + 6)?;
    let digits = escape.strip_prefix(b"\\u")?;
    let digits = std::str::from_utf8(digits).ok()?;
    if digits.bytes().all(|b| b.is_ascii_hexdigit()) { u32::from_str_radix(digits, 16).ok() } else { None }
}

/// The text put right.
fn mended(text: &str) -> String {
    let text = whole_emoji(unwrapped(text));
    let mut out = String::with_capacity(text.len());
    let mut rest: &str = &text;
    while let Some(c) = rest.chars().next() {
        if c == '"' {
            rest = string(rest, &mut out);
        } else if let Some(after) = comment(rest) {
            rest = after;
        } else if let Some(after) = not_a_number(rest) {
            out.push_str("null");
            rest = after;
        } else {
            rest = &rest[c.len_utf8()..];
            if matches!(c, '}' | ']') {
                out.truncate(without_comma(&out));
            }
            out.push(if c == '\u{a0}' { ' ' } else { c });
        }
    }
    out
}

/// Copies a text in quotes, raw control characters escaped; what follows it.
fn string<'t>(text: &'t str, out: &mut String) -> &'t str {
    out.push('"');
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                out.push('"');
                return &text[at + 1..];
            }
            '\\' => {
                out.push('\\');
                out.extend(chars.next().map(|(_, next)| next));
            }
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    ""
}

/// What follows the comment that a text begins with.
fn comment(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix("/*") {
        return Some(rest.find("*/").map_or("", |at| &rest[at + 2..]));
    }
    let rest = text.strip_prefix("//")?;
    Some(rest.find('\n').map_or("", |at| &rest[at..]))
}

/// What follows the number that JSON has no word for.
fn not_a_number(text: &str) -> Option<&str> {
    ["NaN", "-Infinity", "Infinity", "undefined"].iter().find_map(|word| text.strip_prefix(word))
}

/// The length without a comma at the end.
fn without_comma(text: &str) -> usize {
    let trimmed = text.trim_end();
    trimmed.strip_suffix(',').map_or(text.len(), str::len)
}

/// The text without what stands around JSON in a page: a comment of HTML, a CDATA section.
fn unwrapped(text: &str) -> &str {
    let mut text = text.trim_start_matches('\u{feff}').trim();
    for _ in 0..4 {
        let before = text;
        for open in ["<!--", "//<![CDATA[", "/*<![CDATA[*/", "/* <![CDATA[ */", "<![CDATA[", "// <![CDATA["] {
            text = text.strip_prefix(open).unwrap_or(text).trim();
        }
        for close in ["//-->", "-->", "//]]>", "/*]]>*/", "/* ]]> */", "]]>", "// ]]>", ";"] {
            text = text.strip_suffix(close).unwrap_or(text).trim();
        }
        if text == before {
            break;
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn json_as_it_is_met_is_read() {
        for (text, wanted) in [
            (r#"{"a":"x"}"#, r#"{"a":"x"}"#),
            ("\u{feff}{\"a\":\"x\"}", r#"{"a":"x"}"#),
            ("{\"a\":\"one\ntwo\tthree\"}", r#"{"a":"one\ntwo\tthree"}"#),
            ("<!-- {\"a\":1} -->", r#"{"a":1}"#),
            ("//<![CDATA[\n{\"a\":1}\n//]]>", r#"{"a":1}"#),
            (r#"{"a":[1,2,],}"#, r#"{"a":[1,2]}"#),
            (r#"{"a":1};"#, r#"{"a":1}"#),
            (r#"{"a":NaN,"b":-Infinity}"#, r#"{"a":null,"b":null}"#),
            ("{/* why */\"a\":1 // that\n}", r#"{"a":1}"#),
            (r#"{"a":"http://x/*y*/,}"}"#, r#"{"a":"http://x/*y*/,}"}"#),
            (r#"{"a":"q\",}"}"#, r#"{"a":"q\",}"}"#),
            ("\u{a0}{\"a\":1}", r#"{"a":1}"#),
        ] {
            assert_eq!(read(text).unwrap(), serde_json::from_str::<Value>(wanted).unwrap(), "{text}");
        }
        for text in ["", "x", "{", r#"{"a""#, "<html>", r#"{"a":"never closed"#] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(all(r#"{"a":1} {"b":2} x"#).unwrap().len(), 2);
    }

    #[test]
    fn numbers_as_exports_write_them() {
        for (text, number) in [("12", 12), (" 12.0 ", 12), ("1.23E3", 1230), ("1,234", 1234), ("1,234,567", 1_234_567)]
        {
            assert_eq!(whole_number(text), Some(number), "{text}");
        }
        for text in ["", "-1", "1.2.3", "1.5", "1,23", "NaN", "inf", "1e300", "18446744073709551616", "x"] {
            assert_eq!(whole_number(text), None, "{text}");
        }
    }

    #[test]
    fn half_an_emoji_is_a_mark_and_a_whole_one_stays() {
        let of = |text: &str| read(text).unwrap()["a"].as_str().unwrap().to_owned();
        assert_eq!(of(r#"{"a":"好\ud83d"}"#), "好\u{fffd}");
        assert_eq!(of(r#"{"a":"好\ude00x"}"#), "好\u{fffd}x");
        assert_eq!(of(r#"{"a":"\ud83d\ude00"}"#), "😀");
        assert_eq!(of(r#"{"a":"\ud83d\ud83d\ude00"}"#), "\u{fffd}😀");
        assert_eq!(of(r#"{"a":"\\ud83d"}"#), "\\ud83d");
        assert!(matches!(whole_emoji(r#"{"a":"\u4e00"}"#), Cow::Borrowed(_)));
        assert_eq!(whole_emoji("\\"), "\\");
        assert_eq!(whole_emoji("\\ud83d"), "\\ufffd");
        assert_eq!(whole_emoji("题\\"), "题\\");
    }
}
