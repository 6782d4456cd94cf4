//! What the text models of the pack say of a listing.
//!
//! A model's calibrated log-odds, in decibans, become a lean between -1 and 1; the
//! weight of the clue that uses it is the most it can say.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use crate::model::{Block, Facts, Kinds, Later, ModelVerdict};
use crate::signature::{Grams, Normal, Pack, Shares, TextModel, is_han, normalise};

/// Decibans at which a model says all it can: 97 %. One that is less sure says less.
const FULL: f64 = 15.0;
/// Fewer letters say too little: a model was trained on whole descriptions.
const LETTERS_MIN: usize = 16;
/// From so many on a text says what it is about: what a shorter one lacks, it may only have left out.
const LETTERS_ENOUGH: usize = 60;
/// Places named at most.
const PLACES: usize = 3;
/// N-grams shown at most.
const SHOWN: usize = 6;
/// N-grams of a text that are usually worth it.
const WORTHY: usize = 64;
/// What an n-gram must add to be shown, as a share of the strongest.
const WORTH_SHOWING: f32 = 0.2;

/// Reads title, description and changelog with every model of the pack.
#[must_use]
pub fn judge(pack: &Pack, facts: &Facts) -> BTreeMap<String, ModelVerdict> {
    let normals: Vec<Normal> = facts.blocks.iter().map(|block| normalise(block.text())).collect();
    verdicts(pack, facts.blocks.iter().zip(&normals))
}

/// What the models say of the words among these blocks, given with their normal form.
pub(super) fn verdicts<'a>(
    pack: &Pack,
    blocks: impl Iterator<Item = (&'a Block, &'a Normal)>,
) -> BTreeMap<String, ModelVerdict> {
    if pack.panels.is_empty() {
        return BTreeMap::new();
    }
    let (blocks, texts): (Vec<&Block>, Vec<&str>) = blocks
        .filter(|(block, _)| Kinds::PITCH.contains(block.kind.bit()))
        .map(|(block, normal)| (block, normal.text.as_str()))
        .unzip();
    let text = texts.concat();
    // They learnt from Chinese alone: of English they would say that it is none of theirs.
    let (han, all) =
        text.chars().fold((0, 0), |(han, all), c| (han + usize::from(is_han(c)), all + usize::from(c.is_alphabetic())));
    if han * 3 < all {
        return BTreeMap::new();
    }
    let place = blocks.iter().take(PLACES).map(|b| b.place_of(0)).collect::<Vec<_>>().join("; ");
    let mut verdicts = BTreeMap::new();
    for panel in &pack.panels {
        let grams = Arc::new(Grams::of(&text, panel.shape));
        if grams.letters() < LETTERS_MIN {
            continue;
        }
        let shares = Arc::new(panel.shares(&grams));
        for (seat, model) in panel.models.iter().enumerate() {
            verdicts.insert(model.name.clone(), verdict(model, seat, &grams, &shares, &place));
        }
    }
    verdicts
}

fn verdict(model: &TextModel, seat: usize, grams: &Arc<Grams>, shares: &Arc<Shares>, place: &str) -> ModelVerdict {
    let decibans = model.of_sum(shares.sum(seat)) * 10.0 / std::f64::consts::LN_10;
    // Three places, the same on every machine.
    let away = (grams.letters() as f64 / LETTERS_ENOUGH as f64).min(1.0);
    let lean = ((decibans / FULL).clamp(-away, 1.0) * 1000.0).round() / 1000.0;
    let side = lean.signum() * model.scale;
    let (grams, shares) = (Arc::clone(grams), Arc::clone(shares));
    let carried_by = move || carried_by(&grams, shares.of(seat).map(|share| (side * f64::from(share)) as f32));
    ModelVerdict { lean, carried_by: Later::new(carried_by), place: place.into() }
}

/// The n-grams that pushed the most; longer ones first, as they say more to a reader, and none that
/// is part of another. `pushes` has what each of the text did.
fn carried_by(grams: &Grams, pushes: impl Iterator<Item = f32>) -> String {
    let worth: Vec<f32> = pushes.zip(&grams.list).map(|(push, gram)| push * gram.len() as f32).collect();
    let least = worth.iter().fold(0.0_f32, |most, worth| most.max(*worth)) * WORTH_SHOWING;
    let worthy = worth.iter().zip(0..).filter(|(worth, _)| **worth > least);
    // Of what is above zero, the bits are in the order of the numbers. Few are taken from the heap.
    let mut best: BinaryHeap<(u32, Reverse<u32>, usize)> = BinaryHeap::with_capacity(WORTHY);
    best.extend(worthy.map(|(worth, at)| (worth.to_bits(), Reverse(grams.list[at].bucket), at)));
    let mut shown: Vec<&[char]> = Vec::with_capacity(SHOWN);
    while let Some((_, _, at)) = best.pop().filter(|_| shown.len() < SHOWN) {
        let chars = grams.chars(&grams.list[at]);
        if !shown.iter().any(|other| holds(other, chars) || holds(chars, other)) {
            shown.push(chars);
        }
    }
    shown.join(&' ').into_iter().collect()
}

fn holds(long: &[char], short: &[char]) -> bool {
    long.windows(short.len()).any(|part| part == short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;
    use crate::signature::{Shape, Source};

    const SHAPE: Shape = Shape { min: 1, max: 2, bits: 16 };

    /// A pack with one model in which each n-gram of `words` weighs one.
    fn pack(words: &str, bias: f64) -> Pack {
        let mut weights = vec![0.0; SHAPE.buckets()];
        for gram in &Grams::of(words, SHAPE).list {
            weights[gram.bucket as usize] = 20.0;
        }
        let model = TextModel::new("tutor", SHAPE, bias, &weights, Vec::new());
        let files = BTreeMap::from([("models/tutor.model".to_owned(), model.to_text())]);
        Pack::load(&Source { files }).unwrap()
    }

    fn listing(text: &str) -> Facts {
        let mut facts = Facts::default();
        facts.push(Block::one(Kind::Description, "listing", "description", text));
        facts.push(Block::one(Kind::Developer, "listing", "developer", "数学数学数学数学数学数学数学数学"));
        facts
    }

    #[test]
    fn leans_to_what_carried_it_and_shows_that() {
        let verdicts = judge(&pack("数学", -1.0), &listing("小学数学同步练习，每天十道数学口算题，错题自动收集"));
        let verdict = &verdicts["tutor"];
        assert!(verdict.lean > 0.5, "{verdict:?}");
        assert_eq!(verdict.carried_by.words(), "数学");
        assert_eq!(verdict.place, "listing description");
    }

    #[test]
    fn leans_away_and_never_past_the_end() {
        let verdicts =
            judge(&pack("数学", -9.0), &listing(&"查看天气预报，未来十五天气温变化一目了然，早知道".repeat(3)));
        assert!((verdicts["tutor"].lean + 1.0).abs() < 1e-9);
        assert!(verdicts["tutor"].carried_by.words().is_empty());
        let short = judge(&pack("数学", -9.0), &listing("查看天气预报，未来十五天气温变化一目了然，早知道"));
        let lean = short["tutor"].lean;
        assert!(lean < 0.0 && lean > -0.5, "what a short text lacks says little: {lean}");
    }

    #[test]
    fn says_nothing_of_a_few_letters() {
        assert!(judge(&pack("数学", 0.0), &listing("小学数学")).is_empty());
    }
}
