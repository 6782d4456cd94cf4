//! Facts and pack in, evidence out.
//!
//! [`scan`] looks at one batch of facts and can run on many batches in parallel;
//! [`Hits::merge`](crate::model::Hits::merge) joins their results in reading order; [`conclude`] evaluates the
//! clues that rest on other clues.

mod conclude;
mod disguise;
mod expression;
mod holds;
mod language;
mod libraries;
mod library_file;
mod matching;
mod model;
mod screen;
mod snippet;
mod squeeze;
mod threaded;
mod window;
mod words;

pub use conclude::{conclude, evidence, was_searched};
pub use model::judge;

use std::collections::BTreeMap;

use crate::model::{Block, Facts, Hits, Kind, Kinds, ModelVerdict};
use crate::signature::{Normal, Pack, normalise};

/// Looks at every fact once.
#[must_use]
pub fn scan(pack: &Pack, facts: &Facts) -> Hits {
    let mut hits = Hits::default();
    for block in &facts.blocks {
        scan_block(pack, block, &normal_of(block), &mut hits);
    }
    hits
}

/// Looks at every fact of a listing once, and reads it with the text models: [`scan`] and [`judge`]
/// of texts brought into normal form once.
#[must_use]
pub fn scan_listing(pack: &Pack, facts: &Facts) -> (Hits, BTreeMap<String, ModelVerdict>) {
    let mut hits = Hits::default();
    let normals: Vec<Normal> = facts.blocks.iter().map(normal_of).collect();
    for (block, normal) in facts.blocks.iter().zip(&normals) {
        scan_block(pack, block, normal, &mut hits);
    }
    (hits, model::verdicts(pack, facts.blocks.iter().zip(&normals)))
}

/// The form in which terms are looked for.
fn normal_of(block: &Block) -> Normal {
    match block.kind {
        Kind::Class | Kind::Component => Normal::of_identifiers(block.text()),
        _ => normalise(block.text()),
    }
}

fn scan_block(pack: &Pack, block: &Block, normal: &Normal, hits: &mut Hits) {
    screen::gather(pack, block, hits);
    // The same strings stand among the constants of the code.
    if block.kind == Kind::Literal {
        return;
    }
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
    matching::terms(pack, block, normal, hits);
    matching::regexes(pack, block, normal, hits);
}
