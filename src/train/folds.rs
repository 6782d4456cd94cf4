//! Which records are held out together.
//!
//! Makers publish the same text for a dozen apps. Were one copy learnt from and another
//! judged, the figures would flatter, so near copies share a fold.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::signature::{Grams, Shape};

/// N-grams by which copies are told: long enough to be rarely shared by chance.
const SHAPE: Shape = Shape { min: 5, max: 5, bits: Shape::MAX_BITS };
/// Share of the shorter text's n-grams that the other has too, in a copy.
const COPY: f64 = 0.5;
/// An n-gram in more records than this is a turn of phrase and tells nothing.
const COMMON: usize = 100;

/// A fold for every record, an id with its text, by the hash of the id; near copies follow
/// the first of them.
pub(super) fn assign(records: &[(&str, &str)], folds: usize) -> Vec<usize> {
    let mut first: Vec<usize> = (0..records.len()).collect();
    for (one, other) in copies(records) {
        let (one, other) = (root(&first, one), root(&first, other));
        first[one.max(other)] = one.min(other);
    }
    (0..records.len()).map(|index| by_hash(records[root(&first, index)].0, folds)).collect()
}

fn root(first: &[usize], mut index: usize) -> usize {
    while first[index] != index {
        index = first[index];
    }
    index
}

fn by_hash(id: &str, folds: usize) -> usize {
    let hash = Sha256::digest(id.as_bytes());
    usize::from(u16::from_be_bytes([hash[0], hash[1]])) % folds
}

/// Pairs of near copies.
fn copies(records: &[(&str, &str)]) -> Vec<(usize, usize)> {
    let grams: Vec<Grams> = records.iter().map(|(_, text)| Grams::of(text, SHAPE)).collect();
    let mut holders: HashMap<u32, Vec<usize>> = HashMap::new();
    let mut pairs = Vec::new();
    let mut shared = vec![0_usize; records.len()];
    for (index, mine) in grams.iter().enumerate() {
        shared.fill(0);
        for gram in &mine.list {
            let holders = holders.entry(gram.bucket).or_default();
            if holders.len() < COMMON {
                holders.iter().for_each(|&other| shared[other] += 1);
                holders.push(index);
            }
        }
        let is_copy = |other: usize| {
            let shorter = mine.list.len().min(grams[other].list.len());
            shared[other] > 0 && shared[other] as f64 >= COPY * shorter as f64
        };
        pairs.extend((0..index).filter(|&other| is_copy(other)).map(|other| (index, other)));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folds(texts: &[String]) -> Vec<usize> {
        let ids: Vec<String> = (0..texts.len()).map(|id| format!("r{id}")).collect();
        let records: Vec<(&str, &str)> = ids.iter().zip(texts).map(|(id, text)| (id.as_str(), text.as_str())).collect();
        assign(&records, 5)
    }

    #[test]
    fn near_copies_share_a_fold() {
        let copies: Vec<String> =
            (0..40).map(|i| format!("人教版{i}年级语文助手上册是专为使用教材的小学生制作的同步学习软件")).collect();
        let folds = folds(&copies);
        assert!(folds.iter().all(|f| *f == folds[0]), "{folds:?}");
    }

    #[test]
    fn others_spread() {
        let folds = folds(&(0..40).map(|i| format!("{i}").repeat(20)).collect::<Vec<_>>());
        assert!((0..5).all(|f| folds.contains(&f)), "{folds:?}");
    }
}
