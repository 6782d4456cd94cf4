//! The match in its surroundings, as a reviewer reads it.

/// Characters shown before and after a match.
const AROUND: usize = 36;
/// A match longer than this is cut.
const LONGEST: usize = 200;

/// Cuts the surroundings of the byte range out of a fact's text.
/// Returns them with the match's range in characters.
pub(super) fn cut(text: &str, start: usize, end: usize) -> (String, [usize; 2]) {
    let before: Vec<char> = text[..start].chars().rev().take(AROUND).collect();
    let matched: Vec<char> = text[start..end].chars().take(LONGEST).collect();
    let after: Vec<char> = text[end..].chars().take(AROUND).collect();
    let mut out = String::new();
    let mut at = 0;
    if text[..start].chars().nth(AROUND).is_some() {
        out.push('…');
        at += 1;
    }
    out.extend(before.iter().rev().map(|&c| visible(c)));
    at += before.len();
    out.extend(matched.iter().map(|&c| visible(c)));
    let mark = [at, at + matched.len()];
    out.extend(after.iter().map(|&c| visible(c)));
    if text[end..].chars().nth(AROUND).is_some() {
        out.push('…');
    }
    (out, mark)
}

/// Control characters and direction marks would change how the page reads:
/// blanks and a visible stand-in take their place.
fn visible(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' => ' ',
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => '\u{b7}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn marks_the_match_in_characters() {
        let text = "前".repeat(50) + "拍照搜题" + &"后".repeat(3);
        let start = 50 * 3;
        let (shown, mark) = cut(&text, start, start + 12);
        let chars: Vec<char> = shown.chars().collect();
        assert_eq!(chars[mark[0]..mark[1]].iter().collect::<String>(), "拍照搜题");
        assert!(shown.starts_with('…') && shown.ends_with('后'));
    }
}
