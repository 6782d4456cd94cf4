//! The matches of a fact that bear on others, found by where they stand.
//!
//! A description holds a few dozen of them and a script of megabytes many thousands, and
//! every match asks for those around it: so only a window is looked at.

use std::ops::Range;

use super::matching::Match;
use crate::signature::{Pack, Role};

/// Such matches, in the order of their ends.
pub(super) struct Context<'a> {
    pack: &'a Pack,
    matches: Vec<Match>,
    /// Length of the longest, in bytes.
    longest: usize,
}

impl<'a> Context<'a> {
    /// Picks them out of matches that are in the order of their ends.
    pub(super) fn of(pack: &'a Pack, matches: &[Match]) -> Self {
        let bears = |m: &&Match| !pack.terms.patterns[m.pattern as usize].context.is_empty();
        let matches: Vec<Match> = matches.iter().filter(bears).copied().collect();
        let longest = matches.iter().map(|m| m.end - m.start).max().unwrap_or(0);
        Self { pack, matches, longest }
    }

    /// Whether a match bears on others in a role.
    pub(super) fn bears(&self, m: &Match, role: Role) -> bool {
        self.pack.terms.patterns[m.pattern as usize].bears(role)
    }

    /// Those of which at least an end lies within the range, and perhaps some beyond it.
    pub(super) fn around(&self, range: Range<usize>) -> impl Iterator<Item = &Match> {
        let from = self.matches.partition_point(|m| m.end < range.start);
        let last = range.end.saturating_add(self.longest);
        self.matches[from..].iter().take_while(move |m| m.end <= last)
    }
}
