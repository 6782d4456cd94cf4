//! The normal form in which terms are matched, with a map back to the text as it stood.
//!
//! NFKD without marks, lower case, traditional to simplified, look-alike letters to Latin;
//! zero-width characters and combining marks are dropped, wide blanks become blanks.
//! The tables follow Unicode (UAX #15, UTS #39 for look-alikes) and OpenCC's
//! single-character table for traditional forms.

use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization;

use super::is_han;

/// A text in normal form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Normal {
    /// The normal form.
    pub text: String,
    /// Places where the two offsets stop running in step: (normal, original).
    steps: Vec<(u32, u32)>,
}

impl Normal {
    /// Offset in the original text of an offset in the normal form.
    #[must_use]
    pub fn origin(&self, offset: usize) -> usize {
        let index = self.steps.partition_point(|&(normal, _)| normal as usize <= offset);
        match index.checked_sub(1).map(|i| self.steps[i]) {
            Some((normal, original)) => original as usize + (offset - normal as usize),
            None => offset,
        }
    }

    /// Range in the original text of a range in the normal form. `original` must be
    /// the text this form was made from.
    #[must_use]
    pub fn origin_range(&self, start: usize, end: usize, original: &str) -> (usize, usize) {
        let from = original.floor_char_boundary(self.origin(start));
        // The last normal character may stand for a longer original one.
        let last = self.text[..end].char_indices().next_back().map_or(start, |(i, _)| i);
        let last = original.floor_char_boundary(self.origin(last));
        let width = original[last..].chars().next().map_or(0, char::len_utf8);
        (from, (last + width).max(from))
    }
}

impl Normal {
    /// Lower case of identifiers with a blank at each camel hump, so that
    /// `PhotoSearchActivity` holds "photo search".
    #[must_use]
    pub fn of_identifiers(text: &str) -> Self {
        let mut out = Self { text: String::with_capacity(text.len() + text.len() / 4), steps: Vec::new() };
        let mut from = 0;
        for (at, pair) in text.as_bytes().windows(2).enumerate() {
            let lower = pair[0].is_ascii_lowercase() || pair[0].is_ascii_digit();
            if lower && pair[1].is_ascii_uppercase() {
                push_ascii(&mut out, from, &text[from..=at]);
                out.text.push(' ');
                from = at + 1;
            }
        }
        push_ascii(&mut out, from, &text[from..]);
        out
    }
}

/// Brings a text into normal form.
#[must_use]
pub fn normalise(original: &str) -> Normal {
    let mut out = Normal { text: String::with_capacity(original.len()), steps: Vec::new() };
    if original.is_ascii() {
        out.text.push_str(original);
        out.text.make_ascii_lowercase();
        return out;
    }
    let table = table();
    let mut at = 0;
    while at < original.len() {
        if original.as_bytes()[at].is_ascii() {
            let ascii = ascii_run(&original.as_bytes()[at..]);
            push_ascii(&mut out, at, &original[at..at + ascii]);
            at += ascii;
        }
        let Some(c) = original[at..].chars().next() else { break };
        match table.get(c as usize).copied().unwrap_or(SLOW) {
            DROP => {}
            SLOW => push_slow(&mut out, at, c),
            folded => push(&mut out, at, char::from_u32(u32::from(folded)).unwrap_or(c)),
        }
        at += c.len_utf8();
    }
    out
}

/// Length of the ASCII at the start, counted by blocks while it lasts.
fn ascii_run(bytes: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let whole = bytes.chunks_exact(BLOCK).take_while(|block| block.is_ascii()).count() * BLOCK;
    whole + bytes[whole..].iter().take_while(|b| b.is_ascii()).count()
}

/// A run of ASCII keeps its length, so it is copied whole.
fn push_ascii(out: &mut Normal, at: usize, run: &str) {
    if run.is_empty() {
        return;
    }
    let here = out.text.len();
    if out.origin_of_next(here) != at {
        out.steps.push((here as u32, at as u32));
    }
    out.text.push_str(run);
    out.text[here..].make_ascii_lowercase();
}

fn push(out: &mut Normal, at: usize, c: char) {
    let here = out.text.len();
    if out.origin_of_next(here) != at {
        out.steps.push((here as u32, at as u32));
    }
    out.text.push(c);
}

impl Normal {
    fn origin_of_next(&self, offset: usize) -> usize {
        match self.steps.last() {
            Some(&(normal, original)) => original as usize + (offset - normal as usize),
            None => offset,
        }
    }
}

fn push_slow(out: &mut Normal, at: usize, c: char) {
    for n in std::iter::once(c).nfkd() {
        for lower in n.to_lowercase() {
            if !is_dropped(lower) {
                let simple = table().get(lower as usize).copied().filter(|&s| s != DROP && s != SLOW);
                let simple = simple.and_then(|s| char::from_u32(u32::from(s)));
                push(out, at, look_alike(if is_han(lower) { simple.unwrap_or(lower) } else { framed(lower) }));
            }
        }
    }
}

/// Letters on a dark ground and of flags, which Unicode gives no plain form (1F150 to 1F189, 1F1E6 to 1F1FF).
fn framed(c: char) -> char {
    let first = match c {
        '\u{1f150}'..='\u{1f169}' => 0x1f150,
        '\u{1f170}'..='\u{1f189}' => 0x1f170,
        '\u{1f1e6}'..='\u{1f1ff}' => 0x1f1e6,
        _ => return c,
    };
    u8::try_from(u32::from(c) - first).map_or(c, |index| char::from(b'a' + index))
}

const DROP: u16 = 0xfffe;
const SLOW: u16 = 0xffff;

/// Folded form of each character of the basic plane; built once, in some milliseconds.
fn table() -> &'static [u16] {
    static TABLE: OnceLock<Vec<u16>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: Vec<u16> = (0..=0xffff_u32).map(|i| i as u16).collect();
        for (code, folded) in table.iter_mut().enumerate().skip(0x80) {
            let Some(c) = char::from_u32(code as u32) else { continue };
            // The unified ideographs are their own NFKD form: leave them to the table below.
            if !(0x3400..0xd7b0).contains(&code) {
                *folded = fold_one(c);
            }
        }
        for pair in include_str!("t2s.txt").lines().filter(|l| !l.starts_with('#')) {
            let mut chars = pair.chars();
            if let (Some(from), Some(to)) = (chars.next(), chars.next())
                && (from as usize) < table.len()
                && let Ok(to) = u16::try_from(to as u32)
            {
                table[from as usize] = to;
            }
        }
        // Compatibility forms of traditional characters go on to the simplified ones.
        for code in (0x80..0x3400).chain(0xf900..0xfffd) {
            let folded = usize::from(table[code]);
            if (0x3400..0xa000).contains(&folded) {
                table[code] = table[folded];
            }
        }
        table
    })
}

fn fold_one(c: char) -> u16 {
    if is_dropped(c) {
        return DROP;
    }
    if c.is_whitespace() {
        return ' ' as u16;
    }
    let mut folded = std::iter::once(c).nfkd().flat_map(char::to_lowercase).filter(|&c| !is_dropped(c));
    match (folded.next(), folded.next()) {
        (Some(one), None) => u16::try_from(look_alike(one) as u32).unwrap_or(SLOW),
        _ => SLOW,
    }
}

/// Zero-width characters, joiners, direction marks, variation selectors, combining marks.
fn is_dropped(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        || unicode_normalization::char::is_combining_mark(c)
}

/// Letters of other scripts that look Latin (UTS #39, the lower-case ones in use).
const fn look_alike(c: char) -> char {
    match c {
        'а' | 'α' | 'ɑ' => 'a',
        'в' | 'ь' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ё' | 'ε' => 'e',
        'ɡ' => 'g',
        'һ' | 'н' => 'h',
        'і' | 'ι' | 'ı' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'п' => 'n',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ц' => 'u',
        'ν' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn folds_width_case_script_and_hidden_characters() {
        assert_eq!(normalise("ＡＢＣ　拍照 搜題").text, "abc 拍照 搜题");
        assert_eq!(normalise("拍\u{200b}照\u{feff}搜题").text, "拍照搜题");
        assert_eq!(normalise("㊎ Ⓐ а").text, "金 a a");
        assert_eq!(normalise("🅟🆃🇦").text, "pta");
    }

    #[test]
    fn maps_back_to_the_text_as_it_stood() {
        let original = "看：拍\u{200b}照搜題！";
        let normal = normalise(original);
        let start = normal.text.find("拍照搜题").unwrap();
        let (from, to) = normal.origin_range(start, start + "拍照搜题".len(), original);
        assert_eq!(&original[from..to], "拍\u{200b}照搜題");
    }

    proptest! {
        #[test]
        fn any_range_maps_onto_character_borders(text in "\\PC{0,60}") {
            let normal = normalise(&text);
            let borders: Vec<usize> = normal.text.char_indices().map(|(i, _)| i).collect();
            for &start in &borders {
                let end = normal.text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
                let (from, to) = normal.origin_range(start, end, &text);
                prop_assert!(text.get(from..to).is_some());
            }
        }

        #[test]
        fn the_normal_form_is_stable(text in "\\PC{0,60}") {
            let once = normalise(&text).text;
            prop_assert_eq!(normalise(&once).text, once.clone());
        }
    }
}
