//! Pictures of a package: gathered while its entries are read, the best of them read at the end.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{Auditor, Content, Reading};
use crate::extract::Extracted;
use crate::extract::picture::{self, Rank};
use crate::model::{Budget, Finding, Hits, Kind, Limit, LimitCode, Listing};

/// Lines read of one package where so many pictures are read; more with more pictures.
const LINES: usize = 600;
/// Pictures read side by side: between two such heaps, lines are counted.
const HEAP: usize = 8;
/// Cut-outs kept of one package.
const CUT_OUTS: usize = 40;
/// Pictures of a form that is not read that are named.
const NAMED: usize = 5;

/// A picture that may be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    rank: Rank,
    place: String,
    family: Option<String>,
    content: Content,
    bytes: Vec<u8>,
}

impl Candidate {
    pub(super) fn new(rank: Rank, place: &str, family: Option<String>, bytes: Vec<u8>) -> Self {
        Self { rank, place: place.to_owned(), family, content: Sha256::digest(&bytes).into(), bytes }
    }
}

/// The pictures of a package so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Pictures {
    /// How many are read.
    most: usize,
    /// The best, in order; no two of one content, or of one family.
    best: Vec<Candidate>,
    /// Pictures that are worth reading and not among them.
    left: usize,
    /// Places of pictures of forms that are not read.
    odd: Vec<String>,
}

impl Pictures {
    /// None yet, of which so many are read.
    pub(super) fn up_to(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// One more.
    pub(super) fn add(&mut self, candidate: Candidate) {
        self.best.push(candidate);
        self.settle();
    }

    /// One more that is not kept.
    pub(super) fn leave(&mut self) {
        self.left += 1;
    }

    /// One of a form that is not read.
    pub(super) fn add_odd(&mut self, place: &str) {
        self.odd.push(place.to_owned());
    }

    /// Appends those of another part of the package.
    pub(super) fn merge(&mut self, other: Self) {
        self.most = self.most.max(other.most);
        self.left += other.left;
        self.odd.extend(other.odd);
        if !other.best.is_empty() {
            self.best.extend(other.best);
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.best.sort();
        let (mut contents, mut families) = (BTreeSet::new(), BTreeSet::new());
        self.best.retain(|one| {
            let is_new = !one.family.as_ref().is_some_and(|family| families.contains(family));
            if let Some(family) = one.family.clone().filter(|_| is_new) {
                families.insert(family);
            }
            contents.insert(one.content) && is_new
        });
        self.left += self.best.len().saturating_sub(self.most);
        self.best.truncate(self.most);
    }
}

impl Auditor {
    /// Reads the pictures that were gathered, and says which were not.
    pub(super) fn read_pictures(&self, reading: &mut Reading, place: &str, budget: &Budget) {
        let Pictures { best, mut left, odd, .. } = std::mem::take(&mut reading.pictures);
        let lines_max = LINES * budget.pictures.div_ceil(Budget::SOME_PICTURES).max(1);
        let mut lines = 0;
        for (number, heap) in best.chunks(HEAP).enumerate() {
            if lines >= lines_max || budget.is_out_of_time() {
                left += best.len() - number * HEAP;
                break;
            }
            let read = |one: &Candidate| picture::read(Kind::Picture, &one.bytes, &one.place, budget);
            let found: Vec<Extracted> = heap.par_iter().map(read).collect();
            for (one, extracted) in heap.iter().zip(found) {
                lines += extracted.read.strings as usize;
                self.take_picture(&one.bytes, extracted, reading);
            }
        }
        let unread = |place: &str, detail: String| Limit::new(LimitCode::UnreadPicture, place, detail);
        if left > 0 {
            let why = if !picture::IS_BUILT {
                "this build of the program reads none"
            } else if budget.pictures == 0 {
                "reading them was turned off"
            } else {
                "the largest were read; `--pictures all` reads more"
            };
            reading.limits.push(unread(place, format!("{left} pictures were not looked at for words: {why}")));
        }
        if !odd.is_empty() {
            let named = odd.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            reading
                .limits
                .push(unread(place, format!("{} pictures are of forms that are not read: {named}", odd.len())));
        }
    }

    /// Takes what was read of a picture, and cuts out where something was seen.
    pub(super) fn take_picture(&self, bytes: &[u8], extracted: Extracted, reading: &mut Reading) {
        let mut hits = Hits::default();
        for facts in std::iter::once(&extracted.facts).filter(|facts| !facts.blocks.is_empty()) {
            hits = crate::detect::scan(&self.pack, facts);
        }
        let weighs = |clue: &usize| self.pack.clues.get(*clue).is_some_and(|clue| clue.weight != 0);
        let seen = hits.clues.iter().filter(|(clue, _)| weighs(clue)).flat_map(|(_, seen)| &seen.sightings);
        let places: BTreeSet<&String> = seen.map(|sighting| &sighting.place).collect();
        for place in places {
            if reading.cut_outs.len() < CUT_OUTS
                && !reading.cut_outs.contains_key(place)
                && let Some(jpeg) = picture::cut_out(bytes, place)
            {
                reading.cut_outs.insert(place.clone(), format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)));
            }
        }
        reading.absorb(&self.pack, extracted);
    }
}

/// The pictures that a listing names, where none of them was read.
pub(super) fn unshown(listing: &Listing, budget: &Budget) -> Option<Limit> {
    let count = listing.screenshots.len();
    let why = if !picture::IS_BUILT {
        "this build of the program reads none"
    } else if budget.screenshots == 0 {
        "reading them was turned off"
    } else {
        "they were not fetched"
    };
    let detail = format!("{count} screenshots were not looked at for words: {why}");
    (count > 0).then(|| Limit::new(LimitCode::UnreadPicture, "listing", detail))
}

/// Findings with the cut-outs that their evidence rests on.
pub(super) fn shown(cut_outs: &CutOuts, mut findings: Vec<Finding>) -> Vec<Finding> {
    for evidence in findings.iter_mut().flat_map(|finding| &mut finding.evidence) {
        evidence.cut_out = evidence.place.split("; ").find_map(|place| cut_outs.get(place)).cloned();
    }
    findings
}

/// Cut-outs by place.
pub(super) type CutOuts = BTreeMap<String, String>;

#[cfg(all(test, feature = "pictures"))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panic")]

    use super::*;

    /// A worker that waits for another pool takes up the next picture meanwhile: it must not wait for itself.
    #[test]
    fn many_pictures_on_few_threads_are_all_read() {
        let bytes = include_bytes!("../../../../tests/fixtures/pictures/lesson.webp");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let read = || picture::read(Kind::Picture, bytes, "a!/b", &Budget::default()).facts;
        let all: Vec<_> = pool.install(|| (0..12).into_par_iter().map(|_| read()).collect());
        assert!(all[0].of(Kind::Picture).any(|words| words.contains("拍照搜题")), "{all:?}");
        assert!(all.iter().all(|facts| *facts == all[0]), "the same each time");
    }
}
