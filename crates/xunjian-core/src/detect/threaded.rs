//! Characters threaded on letters and digits: 拍1照2搜3题4, 拍の照の搜の题, pai1 zhao4 sou1 ti2, p.z.s.t.
//!
//! [Squeezing](super::squeeze) leaves out signs only: a letter between two Han characters is nearly
//! always a word. Where three and more stand apart like this, it is none.

use super::squeeze::Squeezed;
use crate::signature::{HAN_LEAD, facts_reaching, is_han, is_letter, is_stroke};

/// Characters that must be threaded for a disguise; words of two stand beside a letter by accident.
const LEAST: usize = 3;
/// Initials that must be; of three there are too many abbreviations.
const INITIALS: usize = 4;
/// Characters between two of a thread, at most.
const BETWEEN: usize = 2;
/// What a syllable of pinyin begins with, if not with its final (GB/T 16159, Scheme for the Chinese
/// Phonetic Alphabet); two letters first.
const INITIAL: &[&str] = &[
    "zh", "ch", "sh", "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h", "j", "q", "x", "r", "z", "c", "s", "y",
    "w",
];
/// What it ends with.
const FINAL: &[&str] = &[
    "a", "o", "e", "i", "u", "v", "ai", "ei", "ui", "ao", "ou", "iu", "ie", "ue", "ve", "er", "an", "en", "in", "un",
    "ang", "eng", "ing", "ong", "ia", "iao", "ian", "iang", "iong", "ua", "uo", "uai", "uan", "uang",
];

/// The threads of a text in normal form (NUL-separated), one after the other with NUL between them;
/// `None` where there are none.
pub(super) fn threads(text: &str) -> Option<Squeezed> {
    let mut out = Squeezed::default();
    for (at, fact) in facts_reaching(text, HAN_LEAD) {
        han(fact, at, &mut out);
    }
    latin(text, &mut out);
    (!out.text.is_empty()).then_some(out)
}

/// Whether a term found on a thread, over this range of the text, was threaded on letters. What signs
/// alone keep apart was found by squeezing.
pub(super) fn is_disguise(source: &str) -> bool {
    let (on, threaded): (Vec<char>, Vec<char>) =
        source.chars().filter(|&c| is_letter(c)).partition(|&c| !is_han(c) || is_stroke(c));
    source.is_ascii() || threaded.len() >= LEAST && !on.is_empty()
}

/// Han characters with one or two others between each.
fn han(fact: &str, base: usize, out: &mut Squeezed) {
    let mut thread: Vec<(usize, char)> = Vec::new();
    let mut between = 0;
    for (at, c) in fact.char_indices() {
        if !is_han(c) || is_stroke(c) {
            between += 1;
            if between > BETWEEN || c == '\n' {
                end(&mut thread, LEAST, out);
            }
            continue;
        }
        if between == 0 {
            end(&mut thread, LEAST, out);
        }
        thread.push((base + at, c));
        between = 0;
    }
    end(&mut thread, LEAST, out);
}

/// Takes what is threaded if it is long enough, and begins anew.
fn end(thread: &mut Vec<(usize, char)>, least: usize, out: &mut Squeezed) {
    if thread.len() >= least {
        thread.iter().for_each(|&(at, c)| out.push(at, c));
        out.text.push('\0');
    }
    thread.clear();
}

/// Syllables with the number of their tone, and initials with a sign between each.
fn latin(text: &str, out: &mut Squeezed) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(from) = next_letter(bytes, at) {
        at = match from.checked_sub(1).map(|before| bytes[before]) {
            Some(before) if before.is_ascii_alphanumeric() => from,
            _ => toned(bytes, from, out).max(initials(bytes, from, out)),
        };
        at += bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric()).count().max(1);
        at = at.min(bytes.len());
    }
}

/// The next lower-case letter. Chinese text has few: it is passed over in blocks.
fn next_letter(bytes: &[u8], from: usize) -> Option<usize> {
    const BLOCK: usize = 32;
    let has_letter = |block: &[u8]| block.iter().fold(false, |any, b| any | b.is_ascii_lowercase());
    let from = from + bytes[from..].chunks(BLOCK).position(has_letter)? * BLOCK;
    bytes[from..].iter().position(u8::is_ascii_lowercase).map(|at| from + at)
}

/// Takes `pai1 zhao4 sou1` as `pai zhao sou`; where it ends.
fn toned(bytes: &[u8], from: usize, out: &mut Squeezed) -> usize {
    let mut thread: Vec<(usize, char)> = Vec::new();
    let (mut at, mut to, mut syllables) = (from, from, 0);
    loop {
        let letters = bytes[at..].iter().take_while(|b| b.is_ascii_lowercase()).count();
        let is_toned = matches!(bytes.get(at + letters), Some(b'1'..=b'5'));
        if !is_toned || !is_syllable(&bytes[at..at + letters]) {
            break;
        }
        if syllables > 0 {
            thread.push((at - 1, ' '));
        }
        thread.extend((at..at + letters).map(|at| (at, char::from(bytes[at]))));
        syllables += 1;
        at += letters + 1;
        to = at;
        let is_apart = matches!(bytes.get(at), Some(b' ' | b'\'' | b'-' | b'.' | b','));
        at += usize::from(is_apart && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase));
    }
    let is_whole = syllables >= LEAST && !bytes.get(to).is_some_and(u8::is_ascii_alphanumeric);
    end(&mut thread, if is_whole { 1 } else { usize::MAX }, out);
    // Whatever begins within it ends as it does: it is walked once.
    to
}

/// Whether letters make a syllable of pinyin.
fn is_syllable(letters: &[u8]) -> bool {
    let initial = INITIAL.iter().find_map(|initial| letters.strip_prefix(initial.as_bytes()));
    FINAL.iter().any(|last| last.as_bytes() == initial.unwrap_or(letters))
}

/// Takes `p.z.s.t` as `pzst`; where it ends.
fn initials(bytes: &[u8], from: usize, out: &mut Squeezed) -> usize {
    let is_alone = |at: usize| {
        bytes.get(at).is_some_and(u8::is_ascii_lowercase) && !bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric)
    };
    let mut thread: Vec<(usize, char)> = Vec::new();
    let mut at = from;
    while is_alone(at) {
        thread.push((at, char::from(bytes[at])));
        let is_sign = bytes.get(at + 1).is_some_and(|b| b.is_ascii_punctuation() || *b == b' ');
        at += if is_sign { 2 } else { 1 };
        if !is_sign {
            break;
        }
    }
    let to = if thread.len() >= INITIALS { at } else { from };
    end(&mut thread, INITIALS, out);
    to
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn threaded(text: &str) -> String {
        threads(text).map_or_else(String::new, |threads| threads.text.replace('\0', "|"))
    }

    #[test]
    fn takes_what_is_threaded_off() {
        assert_eq!(threaded("用拍1照2搜3题4吧"), "拍照搜题吧|");
        assert_eq!(threaded("拍の照の搜の题"), "拍照搜题|");
        assert_eq!(threaded("拍丶照丶搜丶题"), "拍照搜题|");
        assert_eq!(threaded("pai1 zhao4 sou1 ti2, gong1neng2"), "pai zhao sou ti|");
        assert_eq!(threaded("pai1zhao4sou1ti2 app"), "pai zhao sou ti|");
        assert_eq!(threaded("试试p.z.s.t吧"), "pzst|");
    }

    #[test]
    fn words_with_letters_beside_them_are_none() {
        for text in [
            "小学k12数学a班",
            "第1课第2课",
            "a b c",
            "u.s.a",
            "mp3 mp4 h5",
            "x1 y2",
            "cet4free2.qq531155260",
            "ma1 mi2 mo34",
            "三年级1班\n四年级2班",
        ] {
            assert_eq!(threaded(text), "", "{text}");
        }
    }

    #[test]
    fn leads_back_to_the_text() {
        let text = "用拍1照2搜3题";
        let threads = threads(text).unwrap();
        let (from, to) = threads.origin_range(0, "拍照搜题".len());
        assert_eq!(&text[from..to], "拍1照2搜3题");
        assert!(is_disguise(&text[from..to]));
        assert!(!is_disguise("拍 照 搜 题"), "squeezing finds it");
    }

    proptest! {
        #[test]
        fn every_character_leads_back_to_itself(text in "[小学1-5a-c .丶の\\n\\x00]{0,40}") {
            if let Some(threads) = threads(&text) {
                for (at, c) in threads.text.char_indices().filter(|(_, c)| *c != '\0' && *c != ' ') {
                    let (from, to) = threads.origin_range(at, at + c.len_utf8());
                    prop_assert_eq!(&text[from..to], c.to_string());
                }
            }
        }
    }
}
