//! Hostile text made harmless: what an app or a store wrote, before a person sees it.
//!
//! Escaping for HTML is the templates' work; here go the characters that change how
//! *any* medium reads: controls, escapes of terminals, direction overrides, invisible
//! joiners, and sheer length.

/// Longest name, title or place shown.
pub(super) const NAME: usize = 160;
/// Longest run of words shown.
pub(super) const TEXT: usize = 600;
/// Characters kept on either side of a mark.
const AROUND: usize = 200;

/// A stand-in for a character that would change how the text around it reads.
fn visible(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        // Invisible and direction marks, tags: a dot tells that something stands there.
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => '\u{b7}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// At most `longest` characters of a text, harmless.
#[must_use]
pub fn clean(text: &str, longest: usize) -> String {
    let mut out: String = text.chars().take(longest).map(visible).collect();
    if text.chars().nth(longest).is_some() {
        out.push('…');
    }
    out
}

/// A text in three parts, harmless: before the mark, the mark, after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marked {
    pub(super) before: String,
    pub(super) marked: String,
    pub(super) after: String,
}

/// Splits a text at its mark, which counts characters. A mark that lies outside the
/// text marks nothing.
pub(super) fn marked(text: &str, mark: Option<[usize; 2]>) -> Marked {
    let length = text.chars().count();
    let range = mark.filter(|[start, end]| start < end && *end <= length);
    let Some([start, end]) = range else {
        return Marked { before: clean(text, TEXT), marked: String::new(), after: String::new() };
    };
    let part = |from: usize, to: usize| text.chars().skip(from).take(to - from).map(visible).collect::<String>();
    let from = start.saturating_sub(AROUND);
    let lead = if from > 0 { "…" } else { "" };
    Marked {
        before: format!("{lead}{}", part(from, start)),
        marked: clean(&part(start, end), TEXT),
        after: clean(&part(end, length), AROUND),
    }
}

/// An address that may become a link: `http` or `https`, of ordinary length, without
/// blanks or characters that would have to be made harmless.
#[must_use]
pub fn link(url: &str) -> Option<&str> {
    let head = url.split_once("://")?.0;
    let is_web = head.eq_ignore_ascii_case("http") || head.eq_ignore_ascii_case("https");
    let is_plain = url.chars().all(|c| c == visible(c) && !c.is_whitespace() && !matches!(c, '"' | '<' | '>' | '\\'));
    (is_web && is_plain && url.len() <= 2_000).then_some(url)
}

/// An icon that may become an image: base64 of a raster format, and nothing else.
pub(super) fn icon(data: &str) -> Option<&str> {
    let body =
        ["png", "jpeg", "webp"].iter().find_map(|kind| data.strip_prefix(&format!("data:image/{kind};base64,")))?;
    let is_base64 = body.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
    is_base64.then_some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_directions_lose_their_power() {
        assert_eq!(clean("a\u{1b}[31m\0b\u{202e}c\u{2066}\n\u{85}d", 50), "a\u{fffd}[31m\u{fffd}b·c· \u{fffd}d");
        assert_eq!(clean("很长很长", 2), "很长…");
    }

    #[test]
    fn a_mark_counts_characters_and_may_lie() {
        let parts = marked("拍照搜题神器", Some([2, 4]));
        assert_eq!((parts.before.as_str(), parts.marked.as_str(), parts.after.as_str()), ("拍照", "搜题", "神器"));
        for lie in [[4, 2], [3, 99], [99, 100], [2, 2]] {
            assert_eq!(marked("拍照搜题", Some(lie)).before, "拍照搜题");
        }
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert!(link("https://a.example/x?y=1&z=2").is_some() && link("HTTP://a.example").is_some());
        for bad in [
            "javascript://%0aalert(1)",
            "data:text/html,x",
            "//a.example",
            "https://a.example/\u{202e}x",
            "https://a b",
            "",
        ] {
            assert!(link(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn only_rasters_become_icons() {
        assert!(icon("data:image/png;base64,iVBO+/==").is_some());
        assert!(icon("data:image/svg+xml;base64,AAAA").is_none());
        assert!(icon("data:image/png;base64,AA\" onerror=\"x").is_none());
    }
}
