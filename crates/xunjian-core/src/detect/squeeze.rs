//! The normal form without what is strewn between Han characters: 拍@照#搜$题.
//!
//! Nearly every sentence has gaps between Han characters, at its commas and stops; a term met across
//! one of those is two words that stand side by side ([`is_disguise`]). So only the surroundings of
//! [telling](Gap::is_telling) gaps are worth a search.

use std::ops::Range;

use crate::signature::{HAN_LEAD, facts_reaching, is_han, is_letter, is_stroke};

/// A squeezed text with a map back to the text it was squeezed from.
#[derive(Debug, Default)]
pub(super) struct Squeezed {
    pub(super) text: String,
    /// (offset in `text`, offset in the source) wherever something was left out.
    steps: Vec<(u32, u32)>,
    /// Where the telling gaps were, in `text`.
    telling: Vec<u32>,
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

    /// Appends a character that stands somewhere in the source.
    pub(super) fn push(&mut self, origin: usize, c: char) {
        self.steps.push((self.text.len() as u32, origin as u32));
        self.text.push(c);
    }

    /// Ranges of `text` that hold every term of at most so many bytes that stands across a telling gap;
    /// one after the other, without a byte in common.
    pub(super) fn windows(&self, longest: usize) -> Vec<Range<usize>> {
        let mut windows: Vec<Range<usize>> = Vec::new();
        for &at in &self.telling {
            let from = self.text.floor_char_boundary((at as usize).saturating_sub(longest));
            let to = self.text.ceil_char_boundary(self.text.len().min(at as usize + longest));
            match windows.last_mut() {
                Some(last) if from <= last.end => last.end = to,
                _ => windows.push(from..to),
            }
        }
        windows
    }
}

/// Squeezes the facts of a block in normal form (NUL-separated) that hold Han characters;
/// `None` where no telling gap stands between any.
pub(super) fn squeeze(text: &str) -> Option<Squeezed> {
    let mut out = Squeezed { text: String::with_capacity(text.len() + 1), ..Squeezed::default() };
    for (at, fact) in facts_reaching(text, HAN_LEAD) {
        out.steps.push((out.text.len() as u32, at as u32));
        out.squeeze_fact(fact, at);
        out.text.push('\0');
    }
    (!out.telling.is_empty()).then_some(out)
}

/// What stands between two letters.
#[derive(Debug, Clone, Copy)]
struct Gap {
    /// Where it begins in its fact.
    from: usize,
    /// Where it stands in the squeezed text.
    here: u32,
    /// Han characters right before it; none at the start of a line.
    before: Option<usize>,
    /// It holds a sign that hardly stands between words.
    is_odd: bool,
    /// It holds a blank.
    has_blank: bool,
}

impl Gap {
    const fn take(&mut self, c: char) {
        self.is_odd |= !is_ordinary(c);
        self.has_blank |= c == ' ';
    }

    /// Whether a term across it may be a disguise: a match that [`is_disguise`] lets pass stands across
    /// at least one such gap. It holds a sign that no writer puts between words, or a blank, or a
    /// letter stands alone beside it, as far as Han characters go.
    fn is_telling(&self, after: usize) -> bool {
        self.before.is_some_and(|before| self.is_odd || self.has_blank || before <= 1 || after <= 1)
    }
}

impl Squeezed {
    /// Appends a fact without its gaps.
    fn squeeze_fact(&mut self, fact: &str, base: usize) {
        // Han characters since the last gap or other letter; none at the start of a line.
        let mut row: Option<usize> = None;
        let mut gap: Option<Gap> = None;
        // The last gap, while the Han characters after it are counted.
        let mut open: Option<Gap> = None;
        for (at, c) in fact.char_indices() {
            let is_stroke = is_stroke(c);
            let is_han = is_han(c) && !is_stroke;
            if !is_han && c != '\n' && (is_stroke || !is_letter(c)) {
                let here = self.text.len() as u32;
                gap.get_or_insert(Gap { from: at, here, before: row, is_odd: false, has_blank: false }).take(c);
                continue;
            }
            if gap.is_some() || !is_han {
                self.close(open.take(), row);
            }
            if let Some(gap) = gap.take() {
                if is_han || (row.is_some_and(|row| row > 0) && c != '\n') {
                    self.steps.push((gap.here, (base + at) as u32));
                } else {
                    self.text.push_str(&fact[gap.from..at]);
                }
                match c {
                    '\n' => {}
                    _ if is_han => open = Some(gap),
                    _ => self.close(Some(gap), None),
                }
                row = None;
            }
            row = if is_han { Some(row.unwrap_or(0) + 1) } else { (c != '\n').then_some(0) };
            self.text.push(c);
        }
        self.close(open, row);
    }

    /// Notes a gap if it turns out to be telling by the Han characters after it.
    fn close(&mut self, gap: Option<Gap>, after: Option<usize>) {
        if let Some(gap) = gap.filter(|gap| gap.is_telling(after.unwrap_or(0))) {
            self.telling.push(gap.here);
        }
    }
}

/// A sign that stands between words.
const fn is_ordinary(c: char) -> bool {
    matches!(
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
    )
}

/// Whether a match across left-out characters is a disguise and no accident of
/// two words meeting at a comma. `source` is the range in normal form that the
/// term was found strewn over.
pub(super) fn is_disguise(text: &str, start: usize, end: usize) -> bool {
    let source = &text[start..end];
    let is_letter = |c: char| is_letter(c) && !is_stroke(c);
    let letters = source.chars().filter(|&c| is_letter(c)).count();
    let mut gaps = 0;
    let mut ends_sentence = false;
    let mut ordinary = true;
    let mut blank = true;
    let mut in_gap = false;
    for c in source.chars() {
        if is_letter(c) {
            in_gap = false;
        } else {
            gaps += usize::from(!in_gap);
            in_gap = true;
            ends_sentence |= matches!(c, '。' | '!' | '?' | '\n' | ';');
            ordinary &= is_ordinary(c);
            blank &= c == ' ';
        }
    }
    let everywhere = gaps + 1 == letters;
    match letters {
        0 | 1 => false,
        2 => !ordinary || (everywhere && stands_alone(text, start, end) && !ends_sentence),
        3 => !ordinary || (everywhere && !ends_sentence),
        _ => {
            let is_split = gaps <= 1 && source.contains(' ') || gaps <= 2 && blank;
            !ordinary || everywhere || (!ends_sentence && is_split)
        }
    }
}

/// No Han character touches the range.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    !text[..start].ends_with(is_han) && !text[end..].starts_with(is_han)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        assert!(!is_disguise(text, "规模很".len(), "规模很小,学".len()));
        assert!(squeeze(text).is_none());
        assert!(squeeze("没有间隔").is_none());
    }

    /// Longest match that the property below looks at, in bytes.
    const LONGEST: usize = 12;

    /// The text without its gaps, as a list of what is kept: (offset in the source, character).
    fn kept(text: &str) -> Vec<(usize, char)> {
        text.char_indices().filter(|&(_, c)| c == '\n' || is_letter(c) && !is_stroke(c)).collect()
    }

    proptest! {
        /// Whatever passes for a disguise stands in a window.
        #[test]
        fn no_disguise_is_missed(text in "[小学生丶a1,、 @。\n]{0,24}") {
            let squeezed = squeeze(&text);
            let windows = squeezed.as_ref().map(|s| s.windows(LONGEST)).unwrap_or_default();
            let mut seen: Vec<(usize, usize)> = Vec::new();
            for window in windows {
                let s = squeezed.as_ref().unwrap();
                for (from, _) in s.text[window.clone()].char_indices().map(|(at, c)| (window.start + at, c)) {
                    let ends = s.text[from..window.end].char_indices().map(|(at, c)| from + at + c.len_utf8());
                    seen.extend(ends.take_while(|to| to - from <= LONGEST).map(|to| s.origin_range(from, to)));
                }
            }
            let kept = kept(&text);
            for (i, &(from, _)) in kept.iter().enumerate() {
                for part in (i + 1..kept.len()).map(|j| &kept[i..=j]) {
                    let (last, c) = part[part.len() - 1];
                    let to = last + c.len_utf8();
                    let letters: usize = part.iter().map(|(_, c)| c.len_utf8()).sum();
                    let between = &text[from..to];
                    // Gaps between letters of other scripts stay, and no term runs over a line break.
                    let stays = part.windows(2).any(|p| !is_han(p[0].1) && !is_han(p[1].1));
                    if letters <= LONGEST && letters < between.len() && !stays && !between.contains('\n')
                        && is_disguise(&text, from, to)
                    {
                        prop_assert!(seen.contains(&(from, to)), "{between:?} in {text:?}: {seen:?}");
                    }
                }
            }
        }
    }
}
