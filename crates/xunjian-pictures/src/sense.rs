//! Readings that say something: shapes read as letters are dropped.

use crate::paragraph::Line;

/// A reading is kept from this score on.
const SCORE_MIN: f32 = 0.5;
/// A single Chinese character, as icons have, must be this sure …
const SINGLE_SCORE: f32 = 0.9;
/// … and take this part of the picture's height.
const SINGLE_HEIGHT: u32 = 5;
/// Digits in a row that may be a number to call or a group to join.
const DIGITS_MIN: usize = 5;
/// Letters of other scripts that make a word.
const LETTERS_MIN: usize = 3;

/// Whether a line is words, not rings, dots and strokes.
pub(crate) fn makes_sense(line: &Line, height: u32) -> bool {
    if line.score < SCORE_MIN {
        return false;
    }
    let text = &line.text;
    let han = text.chars().filter(|&c| is_han(c)).count();
    if han == 1 && text.chars().count() == 1 {
        return line.score >= SINGLE_SCORE && line.quad.area().height >= height / SINGLE_HEIGHT;
    }
    if han >= 1 {
        return text.chars().filter(|c| c.is_alphanumeric()).count() >= 2;
    }
    if text.chars().filter(char::is_ascii_digit).count() >= DIGITS_MIN {
        return true;
    }
    let letters: Vec<char> = text.chars().filter(|c| c.is_alphabetic()).collect();
    let differs = letters.iter().any(|c| !is_shape(*c)) && letters.iter().any(|c| !c.eq_ignore_ascii_case(&letters[0]));
    letters.len() >= LETTERS_MIN && differs
}

/// Letters that rings, bars and crosses are read as.
const fn is_shape(c: char) -> bool {
    matches!(c, 'O' | 'o' | 'I' | 'l' | 'i' | 'C' | 'c' | 'D' | 'X' | 'x' | 'V' | 'v' | 'T' | 'L' | 'J')
}

const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2ebef}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quad;

    fn holds(text: &str, score: f32) -> bool {
        let quad = Quad([(0.0, 0.0), (10.0, 0.0), (10.0, 30.0), (0.0, 30.0)]);
        makes_sense(&Line { text: text.into(), score, quad }, 100)
    }

    #[test]
    fn words_stay_and_shapes_go() {
        for words in ["拍照搜题", "6年级", "Learn English", "QQ:738291045", "400-810-2688", "VIP卡", "App"] {
            assert!(holds(words, 0.8), "{words}");
        }
        for shapes in ["", "O", "OOO", "ooO", "8", "12:30", "III", "一", "XX", "lil", "+", "..."] {
            assert!(!holds(shapes, 0.8), "{shapes}");
        }
        assert!(holds("学", 0.95), "an icon of one character");
        assert!(!holds("拍照搜题", 0.4));
    }
}
