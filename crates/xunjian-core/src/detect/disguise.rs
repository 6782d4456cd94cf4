//! Terms written so that a search for them fails: with signs strewn over them, or threaded on letters.

use super::matching::Match;
use super::{squeeze, threaded};
use crate::model::{Block, Kind, Kinds};
use crate::signature::Pack;

/// In blocks over this size no disguise is looked for: it is written for people, in short texts.
const LONGEST: usize = 4 << 20;
/// Bytes strewn over one term, at most; farther apart nobody reads it as one.
const STREWN_MAX: usize = 200;
/// What a vendor wrote for readers; in code, data and word lists signs between characters hide nothing.
pub(super) const READ: Kinds = Kinds::PITCH
    .union(Kinds::PICTURES)
    .union(Kinds::from_bits_truncate(1 << Kind::Label as u32 | 1 << Kind::Resource as u32));

/// Adds the matches of disguised terms of a block, given with its text in normal form.
pub(super) fn add(pack: &Pack, block: &Block, text: &str, matches: &mut Vec<Match>) {
    if text.len() > LONGEST || !READ.contains(block.kind.bit()) {
        return;
    }
    add_strewn(pack, text, matches);
    add_threaded(pack, text, matches);
}

fn add_strewn(pack: &Pack, text: &str, matches: &mut Vec<Match>) {
    let Some(squeezed) = squeeze::squeeze(text) else { return };
    let windows = squeezed.windows(pack.terms.longest);
    for (pattern, start, end) in windows.into_iter().flat_map(|window| pack.terms.find_within(&squeezed.text, window)) {
        let (from, to) = squeezed.origin_range(start, end);
        let strewn = (to - from).saturating_sub(end - start);
        if (1..=STREWN_MAX).contains(&strewn) && squeeze::is_disguise(text, from, to) {
            matches.push(Match { pattern, start: from, end: to, strewn: true });
        }
    }
}

fn add_threaded(pack: &Pack, text: &str, matches: &mut Vec<Match>) {
    let Some(threads) = threaded::threads(text) else { return };
    for (pattern, start, end) in pack.terms.find(&threads.text) {
        let (from, to) = threads.origin_range(start, end);
        if threaded::is_disguise(&text[from..to]) {
            matches.push(Match { pattern, start: from, end: to, strewn: true });
        }
    }
}
