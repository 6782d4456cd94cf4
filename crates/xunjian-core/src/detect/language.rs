//! Shares of languages, by characters.

use std::sync::LazyLock;

use whatlang::{Detector, Lang};

use crate::model::{Block, Hits, Kind, Kinds};
use crate::signature::is_han;

/// Letters below which a text in Latin script tells no language; a package's table has
/// blocks of one locale each, and one that small says nothing about whom the app is for.
const LISTING_MIN: usize = 40;
const INSIDE_MIN: usize = 300;
/// Letters of other scripts that are looked at in one block: enough to tell its language.
const SAMPLE: usize = 1_600;
/// Facts of one block looked at.
const LOOKED_AT: usize = 2_000;
/// Characters of one fact looked at.
const LONGEST: usize = 2_000;

/// Languages hardly any store lists an app in, for which lists of short English words
/// are taken time and again.
static DETECTOR: LazyLock<Detector> =
    LazyLock::new(|| Detector::with_denylist(vec![Lang::Lat, Lang::Epo, Lang::Sna, Lang::Zul, Lang::Jav, Lang::Aka]));

/// Counts what people read: listing, labels and resources; code is not language.
pub(super) fn count(block: &Block, hits: &mut Hits) {
    if matches!(block.kind, Kind::Code | Kind::Native | Kind::Asset) {
        return;
    }
    let mut sample = String::new();
    let (mut chinese, mut japanese, mut others) = (0, 0, 0);
    for fact in block.iter().take(LOOKED_AT) {
        let (mut han, mut kana, mut other) = (0, 0, 0);
        for c in fact.text.chars().take(LONGEST) {
            match c {
                c if c.is_ascii() => other += usize::from(c.is_ascii_alphabetic()),
                c if is_han(c) => han += 1,
                '\u{3040}'..='\u{30ff}' => kana += 1,
                // Beyond Latin-1's signs nearly all characters of a text are letters.
                c => other += usize::from(c >= '\u{c0}'),
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
    let least = if Kinds::LISTING.contains(block.kind.bit()) { LISTING_MIN } else { INSIDE_MIN };
    if others >= least
        && let Some(language) = DETECTOR.detect_lang(&sample)
        && language != Lang::Cmn
    {
        add(hits, language.code(), others);
    }
}

fn add(hits: &mut Hits, language: &'static str, characters: usize) {
    if characters > 0 {
        *hits.languages.entry(language.into()).or_default() += characters;
    }
}
