//! Tags in the texts of stores that write HTML: `<b>拍</b>照`.

use std::borrow::Cow;

/// Elements that begin a line (HTML Living Standard, 15.3.3 to 15.3.8).
const BLOCKS: &[&str] = &[
    "blockquote",
    "br",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];
/// Elements within a line (4.5, and those of old pages).
const INLINE: &[&str] = &[
    "a", "abbr", "b", "big", "cite", "code", "del", "em", "font", "i", "img", "ins", "q", "s", "small", "span",
    "strike", "strong", "sub", "sup", "tt", "u",
];
/// Bytes of a tag or comment, at most; what is longer is text, or each that is never closed would be
/// looked for to the end.
const LONGEST: usize = 2_000;

/// Whether an element of HTML begins a line.
pub(super) fn begins_line(name: &str) -> bool {
    is_one_of(BLOCKS, name)
}

/// Whether an element has one of these names.
pub(super) fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Leaves tags of HTML out; those that begin a line become a line break. Anything else between angle
/// brackets stays, for it is what people read.
#[must_use]
pub(super) fn without_tags(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'<', text.as_bytes()) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    let (mut done, mut at) = (0, first);
    loop {
        match tag(&text[at..]) {
            Some((length, breaks)) => {
                out.push_str(&text[done..at]);
                if breaks {
                    out.push('\n');
                }
                at += length;
                done = at;
            }
            None => at += 1,
        }
        match memchr::memchr(b'<', &text.as_bytes()[at..]) {
            Some(next) => at += next,
            None => break,
        }
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// Length of the tag or comment at the start, and whether it begins a line.
fn tag(text: &str) -> Option<(usize, bool)> {
    if let Some(rest) = text.strip_prefix("<!--") {
        let end = memchr::memmem::find(&rest.as_bytes()[..rest.len().min(LONGEST)], b"-->")?;
        return Some(("<!--".len() + end + "-->".len(), false));
    }
    let name_at = if text.starts_with("</") { 2 } else { 1 };
    let rest = &text[name_at..];
    let name = &rest[..rest.bytes().take_while(u8::is_ascii_alphanumeric).count()];
    let after = rest[name.len()..].bytes().next()?;
    if !matches!(after, b'>' | b'/' | b' ' | b'\t' | b'\n' | b'\r') {
        return None;
    }
    let breaks = begins_line(name);
    if !breaks && !is_one_of(INLINE, name) {
        return None;
    }
    let end = memchr::memchr2(b'>', b'<', &rest.as_bytes()[..rest.len().min(LONGEST)])?;
    (rest.as_bytes()[end] == b'>').then_some((name_at + end + 1, breaks))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_joined_and_lines_stay_apart() {
        for (html, text) in [
            ("<b>拍</b>照<i class='x'>搜</i>题", "拍照搜题"),
            ("<p>小学</p><p>数学</p>", "\n小学\n\n数学\n"),
            ("小学<br/>数学<BR>", "小学\n数学\n"),
            ("拍<!-- x -->照", "拍照"),
            ("a < b, x<y>z, <拍照>", "a < b, x<y>z, <拍照>"),
            ("1<b", "1<b"),
            ("没有", "没有"),
        ] {
            assert_eq!(without_tags(html), text, "{html}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_added_but_line_breaks(text in "[<>/bp !拍a-]{0,40}") {
            let plain = without_tags(&text);
            let mut rest = text.chars();
            for c in plain.chars().filter(|c| *c != '\n') {
                prop_assert!(rest.any(|other| other == c), "{text:?} became {plain:?}");
            }
        }
    }
}
