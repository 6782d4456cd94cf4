//! Han characters, and the facts that may hold some.

/// Is it a Han character?
#[must_use]
pub const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// Is it a stroke rather than a character? Nobody writes one but between others: 拍丶照丶搜丶题.
#[must_use]
pub const fn is_stroke(c: char) -> bool {
    matches!(c, '丨' | '丶' | '丿' | '乀' | '乁' | '乚' | '亅')
}

/// Is it a letter or a digit of any script?
#[must_use]
pub fn is_letter(c: char) -> bool {
    match c {
        c if c.is_ascii() => c.is_ascii_alphanumeric(),
        c if is_han(c) => true,
        // Signs of Chinese text: told here, because the tables of Unicode take long to say so.
        '\u{2010}'..='\u{2027}' | '\u{3001}'..='\u{3004}' | '\u{3008}'..='\u{3020}' => false,
        c => c.is_alphanumeric(),
    }
}

/// The least first byte of a Han character in UTF-8 (U+3400 begins with E3). Latin, Greek,
/// Cyrillic, Arabic and Indic text has no byte as high.
pub const HAN_LEAD: u8 = 0xe3;

/// Facts of a text (NUL-separated) that hold a byte of at least `least`, with their offsets.
/// Most text of a package is ASCII: it is passed over in blocks.
pub fn facts_reaching(text: &str, least: u8) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let high = at + first_reaching(&text.as_bytes()[at..], least)?;
        let start = memchr::memrchr(0, &text.as_bytes()[at..high]).map_or(at, |i| at + i + 1);
        let end = memchr::memchr(0, &text.as_bytes()[high..]).map_or(text.len(), |i| high + i);
        at = end;
        Some((start, &text[start..end]))
    })
}

fn first_reaching(bytes: &[u8], least: u8) -> Option<usize> {
    /// A block is folded whole, without a branch a byte.
    const BLOCK: usize = 64;
    let block = bytes.chunks(BLOCK).position(|block| block.iter().fold(0, |max, &b| max.max(b)) >= least)?;
    let from = block * BLOCK;
    bytes[from..].iter().position(|&b| b >= least).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_are_those_of_unicode() {
        let told = |c: &char| is_letter(*c) == (is_han(*c) || c.is_alphanumeric());
        assert_eq!(('\0'..=char::MAX).find(|c| !told(c)), None);
    }

    #[test]
    fn finds_the_facts_with_han() {
        let text = format!("{}\0мир\0小学 a\0b\0中\0", "x".repeat(100));
        let found: Vec<&str> = facts_reaching(&text, HAN_LEAD).map(|(_, fact)| fact).collect();
        assert_eq!(found, ["小学 a", "中"]);
    }

    proptest! {
        #[test]
        fn misses_none(facts in proptest::collection::vec("[a-zж中 ]{0,90}", 0..8)) {
            let text = facts.join("\0");
            let found: Vec<&str> = facts_reaching(&text, HAN_LEAD).map(|(_, fact)| fact).collect();
            let expected: Vec<&str> = facts.iter().map(String::as_str).filter(|f| f.contains(is_han)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
