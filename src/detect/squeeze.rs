//! The normal form without what is strewn between Han characters: 拍@照#搜$题.

use crate::signature::{HAN_LEAD, facts_reaching, is_han};

/// A squeezed text with a map back to the text it was squeezed from.
#[derive(Debug, Default)]
pub(super) struct Squeezed {
    pub(super) text: String,
    /// (offset in `text`, offset in the source) wherever something was left out.
    steps: Vec<(u32, u32)>,
}

impl Squeezed {
    fn origin(&self, offset: usize) -> usize {
        let index = self.steps.partition_point(|&(here, _)| here as usize <= offset);
        match index.checked_sub(1).map(|i| self.steps[i]) {
            Some((here, source)) => source as usize + (offset - here as usize),
            None => offset,
        }
    }

    /// Range in the source.
    pub(super) fn origin_range(&self, start: usize, end: usize) -> (usize, usize) {
        let last = self.text[..end].char_indices().next_back().map_or(start, |(i, _)| i);
        let width = end - last;
        (self.origin(start), self.origin(last) + width)
    }
}

/// Squeezes the facts of a block in normal form (NUL-separated) that hold Han characters;
/// `None` where nothing stands between any.
pub(super) fn squeeze(text: &str) -> Option<Squeezed> {
    let mut out = Squeezed::default();
    let mut left_out = false;
    for (at, fact) in facts_reaching(text, HAN_LEAD) {
        out.steps.push((out.text.len() as u32, at as u32));
        left_out |= out.squeeze_fact(fact, at);
        out.text.push('\0');
    }
    left_out.then_some(out)
}

impl Squeezed {
    /// Appends a fact without its gaps; whether there were any.
    fn squeeze_fact(&mut self, fact: &str, base: usize) -> bool {
        let mut previous_han = false;
        let mut gap: Option<usize> = None;
        let mut left_out = false;
        for (at, c) in fact.char_indices() {
            if c != '\n' && !is_letter(c) {
                gap.get_or_insert(at);
                continue;
            }
            if let Some(from) = gap.take() {
                if is_han(c) || (previous_han && c != '\n') {
                    left_out = true;
                    self.steps.push((self.text.len() as u32, (base + at) as u32));
                } else {
                    self.text.push_str(&fact[from..at]);
                }
            }
            previous_han = is_han(c);
            self.text.push(c);
        }
        left_out
    }
}

/// A letter or digit; Han characters are told first, because they are most.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || is_han(c) || (!c.is_ascii() && c.is_alphanumeric())
}

/// Whether a match across left-out characters is a disguise and no accident of
/// two words meeting at a comma. `source` is the range in normal form that the
/// term was found strewn over.
pub(super) fn is_disguise(text: &str, start: usize, end: usize) -> bool {
    let source = &text[start..end];
    let letters = source.chars().filter(|c| c.is_alphanumeric()).count();
    let mut gaps = 0;
    let mut ends_sentence = false;
    let mut ordinary = true;
    let mut in_gap = false;
    for c in source.chars() {
        if c.is_alphanumeric() {
            in_gap = false;
        } else {
            gaps += usize::from(!in_gap);
            in_gap = true;
            ends_sentence |= matches!(c, '。' | '!' | '?' | '\n' | ';');
            ordinary &= matches!(
                c,
                ' ' | ','
                    | '、'
                    | '.'
                    | ':'
                    | '/'
                    | '-'
                    | '('
                    | ')'
                    | '"'
                    | '《'
                    | '》'
                    | '“'
                    | '”'
                    | '·'
                    | '+'
                    | '|'
                    | '['
                    | ']'
                    | '【'
                    | '】'
                    | '。'
                    | '!'
                    | '?'
                    | ';'
            );
        }
    }
    let everywhere = gaps + 1 == letters;
    match letters {
        0 | 1 => false,
        2 => !ordinary || (everywhere && stands_alone(text, start, end) && !ends_sentence),
        3 => !ordinary || (everywhere && !ends_sentence),
        _ => !ordinary || everywhere || (!ends_sentence && gaps <= 1 && source.contains(' ')),
    }
}

/// No Han character touches the range.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    !text[..start].ends_with(is_han) && !text[end..].starts_with(is_han)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_strewn_and_maps_back() {
        let text = "用拍@照#搜$题吧";
        let squeezed = squeeze(text).unwrap();
        assert_eq!(squeezed.text, "用拍照搜题吧\0");
        let start = squeezed.text.find("拍照搜题").unwrap();
        let (from, to) = squeezed.origin_range(start, start + 12);
        assert_eq!(&text[from..to], "拍@照#搜$题");
        assert!(is_disguise(text, from, to));
    }

    #[test]
    fn two_words_at_a_comma_are_no_disguise() {
        let text = "规模很小,学生多";
        let squeezed = squeeze(text).unwrap();
        let start = squeezed.text.find("小学").unwrap();
        let (from, to) = squeezed.origin_range(start, start + 6);
        assert!(!is_disguise(text, from, to));
        assert!(squeeze("没有间隔").is_none());
    }
}
