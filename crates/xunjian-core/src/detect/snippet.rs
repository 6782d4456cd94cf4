//! The match in its surroundings, as a reviewer reads it.

/// Characters shown before and after a match.
const AROUND: usize = 36;
/// A match longer than this is cut.
const LONGEST: usize = 200;

/// Cuts the surroundings of the byte range out of a fact's text.
/// Returns them with the match's range in characters.
pub(super) fn cut(text: &str, start: usize, end: usize) -> (String, [usize; 2]) {
    let from = text[..start].char_indices().rev().take(AROUND).last().map_or(start, |(at, _)| at);
    let to = text[end..].char_indices().nth(AROUND).map_or(text.len(), |(at, _)| end + at);
    let matched_to = text[start..end].char_indices().nth(LONGEST).map_or(end, |(at, _)| start + at);
    let mut out = String::with_capacity(to - from + 2 * '…'.len_utf8());
    let mut at = 0;
    if from > 0 {
        out.push('…');
        at += 1;
    }
    at += push(&mut out, &text[from..start]);
    let mark = [at, at + push(&mut out, &text[start..matched_to])];
    push(&mut out, &text[end..to]);
    if to < text.len() {
        out.push('…');
    }
    (out, mark)
}

/// From a match to what stands near it, in characters of what [`cut`] shows of it; `None` where not all of it is shown.
pub(super) fn claim(text: &str, (start, end): (usize, usize), near: (usize, usize)) -> Option<[usize; 2]> {
    let before = text[..start].char_indices().rev().take(AROUND).last().map_or(start, |(at, _)| at);
    let (from, to) = (start.min(near.0), end.max(near.1));
    let is_shown = from >= before
        && text.get(end..to).is_none_or(|after| after.chars().count() <= AROUND)
        && text[start..end].chars().count() <= LONGEST;
    let dots = usize::from(before > 0);
    let count = |part: Option<&str>| part.map(|part| part.chars().count());
    let at = dots + count(text.get(before..from))?;
    is_shown.then_some([at, at + count(text.get(from..to))?])
}

/// Appends a text as it is shown; returns its length in characters.
fn push(out: &mut String, text: &str) -> usize {
    text.chars().map(|c| out.push(visible(c))).count()
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
    use super::{claim, cut};

    #[test]
    fn marks_the_match_in_characters() {
        let text = "前".repeat(50) + "拍照搜题" + &"后".repeat(3);
        let start = 50 * 3;
        let (shown, mark) = cut(&text, start, start + 12);
        let chars: Vec<char> = shown.chars().collect();
        assert_eq!(chars[mark[0]..mark[1]].iter().collect::<String>(), "拍照搜题");
        assert!(shown.starts_with('…') && shown.ends_with('后'));
    }

    #[test]
    fn a_claim_reaches_from_the_match_to_what_stands_near_it_or_is_none() {
        let text = format!("{}参考答案都能，拍照就有{}", "前".repeat(50), "后".repeat(60));
        let at = |word: &str| text.find(word).map(|at| (at, at + word.len())).unwrap();
        let claimed = |one: &str, near: &str| {
            let (start, end) = at(one);
            let (shown, _) = cut(&text, start, end);
            let [from, to] = claim(&text, (start, end), at(near))?;
            Some(shown.chars().skip(from).take(to - from).collect::<String>())
        };
        assert_eq!(claimed("拍照", "参考答案").as_deref(), Some("参考答案都能，拍照"));
        assert_eq!(claimed("参考答案", "拍照").as_deref(), Some("参考答案都能，拍照"));
        let (last, end) = (text.len() - 3, text.len());
        assert_eq!(claim(&text, at("拍照"), (last, end)), None, "not all of it is shown");
        assert_eq!(claim(&text, at("拍照"), (0, 3)), None);
    }
}
