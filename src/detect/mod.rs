//! Facts and pack in, evidence out.
//!
//! [`scan`] looks at one batch of facts and can run on many batches in parallel;
//! [`Hits::merge`](crate::model::Hits::merge) joins their results in reading order; [`conclude`] evaluates the
//! clues that rest on other clues.

mod conclude;
mod holds;
mod language;
mod libraries;
mod matching;
mod model;
mod snippet;
mod squeeze;

pub use conclude::{conclude, was_searched};
pub use model::judge;

use crate::model::{Block, Facts, Hits, Kind, Kinds};
use crate::signature::Pack;

/// Looks at every fact once.
#[must_use]
pub fn scan(pack: &Pack, facts: &Facts) -> Hits {
    let mut hits = Hits::default();
    for block in &facts.blocks {
        scan_block(pack, block, &mut hits);
    }
    hits
}

fn scan_block(pack: &Pack, block: &Block, hits: &mut Hits) {
    hits.note_searched(block);
    match block.kind {
        Kind::Class => libraries::classes(pack, block, hits),
        Kind::Component => libraries::components(pack, block, hits),
        Kind::File => libraries::files(pack, block, hits),
        _ => {}
    }
    if Kinds::PITCH.union(Kinds::INSIDE).contains(block.kind.bit()) {
        language::count(block, hits);
    }
    matching::terms(pack, block, hits);
    matching::regexes(pack, block, hits);
}
