//! Shares of languages, by characters.

use whatlang::Lang;

use super::Hits;
use crate::model::{Block, Kind};
use crate::signature::is_han;

/// Texts shorter than this (in letters) are left out for Latin script, where a few
/// words tell no language.
const LATIN_MIN: usize = 40;
/// Facts of one block looked at.
const LOOKED_AT: usize = 4_000;

/// Counts what people read: listing, labels and resources; code is not language.
pub(super) fn count(block: &Block, hits: &mut Hits) {
    if matches!(block.kind, Kind::Code | Kind::Native | Kind::Asset) {
        return;
    }
    for fact in block.iter().take(LOOKED_AT) {
        let (mut han, mut kana, mut other) = (0, 0, 0);
        for c in fact.text.chars().take(2_000) {
            match c {
                c if is_han(c) => han += 1,
                '\u{3040}'..='\u{30ff}' => kana += 1,
                c if c.is_alphabetic() => other += 1,
                _ => {}
            }
        }
        // Script first: a text with kana is Japanese, one with Han and none is Chinese.
        if kana > 0 {
            add(hits, "ja", han + kana);
        } else if han > 0 {
            add(hits, "zh", han);
        }
        if other >= LATIN_MIN
            && han * 4 < other
            && let Some(info) = whatlang::detect(fact.text)
            && info.lang() != Lang::Cmn
        {
            add(hits, info.lang().code(), other);
        }
    }
}

fn add(hits: &mut Hits, language: &'static str, characters: usize) {
    *hits.languages.entry(language).or_default() += characters;
}
