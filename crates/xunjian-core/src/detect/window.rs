//! The matches of a fact by where they stand.
//!
//! A description holds a few dozen of them and a script of megabytes many thousands, and
//! every match asks for those around it: so only a window is looked at.

use std::borrow::Cow;
use std::ops::Range;

use super::matching::Match;

/// Matches in the order of their ends.
pub(super) struct Window<'a> {
    matches: Cow<'a, [Match]>,
    /// Length of the longest, in bytes.
    longest: usize,
}

impl<'a> Window<'a> {
    /// Over matches that are in the order of their ends.
    pub(super) fn of(matches: impl Into<Cow<'a, [Match]>>) -> Self {
        let matches = matches.into();
        let longest = matches.iter().map(|m| m.end - m.start).max().unwrap_or(0);
        Self { matches, longest }
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Match> {
        self.matches.iter()
    }

    /// Those of which at least an end lies within the range, and perhaps some beyond it.
    pub(super) fn around(&self, range: Range<usize>) -> impl Iterator<Item = &Match> {
        let from = self.matches.partition_point(|m| m.end < range.start);
        let last = range.end.saturating_add(self.longest);
        self.matches[from..].iter().take_while(move |m| m.end <= last)
    }

    /// Longer ones that cover a match.
    pub(super) fn over(&self, m: Match) -> impl Iterator<Item = &Match> {
        self.around(m.start..m.end).filter(move |other| m.is_within(other))
    }
}
