//! Shares of languages, by characters.

use whatlang::Lang;

use crate::model::{Block, Hits, Kind};
use crate::signature::is_han;

/// Letters below which Latin script tells no language.
const LATIN_MIN: usize = 40;
/// Letters of other scripts that are looked at in one block: enough to tell its language.
const SAMPLE: usize = 4_000;
/// Facts of one block looked at.
const LOOKED_AT: usize = 4_000;

/// Counts what people read: listing, labels and resources; code is not language.
pub(super) fn count(block: &Block, hits: &mut Hits) {
    if matches!(block.kind, Kind::Code | Kind::Native | Kind::Asset) {
        return;
    }
    let mut sample = String::new();
    let (mut chinese, mut japanese, mut others) = (0, 0, 0);
    for fact in block.iter().take(LOOKED_AT) {
        let (mut han, mut kana, mut other) = (0, 0, 0);
        for c in fact.text.chars().take(2_000) {
            match c {
                c if c.is_ascii() => other += usize::from(c.is_ascii_alphabetic()),
                c if is_han(c) => han += 1,
                '\u{3040}'..='\u{30ff}' => kana += 1,
                c => other += usize::from(c.is_alphabetic()),
            }
        }
        // Script first: a text with kana is Japanese, one with Han and none is Chinese.
        if kana > 0 {
            japanese += han + kana;
        } else {
            chinese += han;
        }
        // One word is a name; words in a row are language.
        if han * 4 < other && fact.text.trim().contains(' ') {
            others += other;
            if sample.len() < SAMPLE {
                sample.extend(fact.text.chars().take(SAMPLE).chain([' ']));
            }
        }
    }
    add(hits, "zh", chinese);
    add(hits, "ja", japanese);
    if others >= LATIN_MIN
        && let Some(info) = whatlang::detect(&sample)
        && info.lang() != Lang::Cmn
    {
        add(hits, info.lang().code(), others);
    }
}

fn add(hits: &mut Hits, language: &'static str, characters: usize) {
    if characters > 0 {
        *hits.languages.entry(language).or_default() += characters;
    }
}
