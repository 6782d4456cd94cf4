//! Whether a match counts: what must stand near it, and what undoes it.

use std::ops::Range;

use super::matching::{InFact, Match, Met};
use crate::model::Cause;
use crate::signature::{Observed, Role};

/// Characters between a negation and what it undoes.
const NEGATION_REACH: usize = 14;

/// Why a match does not count.
#[derive(Debug, Clone, Copy)]
pub(super) enum Undone {
    /// A longer word holds it by accident.
    Swallowed(Match),
    /// It only comes about where other words meet.
    Broken,
    /// The regular expression does not match around it.
    NoRegex,
    /// Nothing that must stand near does.
    NotNear,
    /// This stands nearby.
    Unless(Match),
    /// This negation speaks of it.
    Negated(Match),
    /// Too few different terms are in the fact.
    TooFew,
}

impl Undone {
    /// As reports name it.
    pub(super) const fn cause(self) -> Cause {
        match self {
            Self::Swallowed(_) => Cause::Swallowed,
            Self::Broken => Cause::Broken,
            Self::NoRegex => Cause::NoRegex,
            Self::NotNear => Cause::NotNear,
            Self::Unless(_) => Cause::Unless,
            Self::Negated(_) => Cause::Negated,
            Self::TooFew => Cause::TooFew,
        }
    }

    /// The match that stands in the way.
    pub(super) const fn by(self) -> Option<Match> {
        match self {
            Self::Swallowed(by) | Self::Unless(by) | Self::Negated(by) => Some(by),
            Self::Broken | Self::NoRegex | Self::NotNear | Self::TooFew => None,
        }
    }
}

impl InFact<'_> {
    /// The match, narrowed to its regular expression, or what undoes it.
    pub(super) fn holds(&self, observed: &Observed, clue: u32, met: &Met) -> Result<Match, Undone> {
        let m = met.m;
        if let Some(longer) = observed.swallowed.then(|| self.swallowing(m, Role::Swallows(clue))).flatten() {
            return Err(Undone::Swallowed(longer));
        }
        if observed.regex.is_none() && self.is_broken(met) {
            return Err(Undone::Broken);
        }
        let m = match &observed.regex {
            Some(expression) => self.expressions.narrow(expression, m).ok_or(Undone::NoRegex)?,
            None => m,
        };
        if observed.near.is_some() && self.near(observed, clue, m).is_none() {
            return Err(Undone::NotNear);
        }
        if let Some(unless) = observed.unless {
            let before = self.nearby(m, Role::Before(clue), unless.within, Some(true));
            if let Some(by) = before.or_else(|| self.nearby(m, Role::After(clue), unless.within, Some(false))) {
                return Err(Undone::Unless(by));
            }
        }
        let negation = match (observed.negatable, &observed.regex) {
            (false, _) => None,
            (true, None) => *met.negation.get_or_init(|| self.negation(m)),
            (true, Some(_)) => self.negation(m),
        };
        match negation {
            Some(by) => Err(Undone::Negated(by)),
            None => Ok(m),
        }
    }

    /// What the clue wants near a match, where it stands there.
    pub(super) fn near(&self, observed: &Observed, clue: u32, m: Match) -> Option<Match> {
        self.nearby(m, Role::Near(clue), observed.near?.within, None)
    }

    /// A longer word in this role that stands over the match: 提高考试 over 高考.
    pub(super) fn swallowing(&self, m: Match, role: Role) -> Option<Match> {
        self.context.over(m).find(|other| self.bears(other, role)).copied()
    }

    /// A match in a role within reach: `before`: only before, only after, or either.
    fn nearby(&self, m: Match, role: Role, within: usize, before: Option<bool>) -> Option<Match> {
        let is_near = |other: &&Match| {
            let gap = if other.end <= m.start && before != Some(false) {
                other.end..m.start
            } else if other.start >= m.end && before != Some(true) {
                m.end..other.start
            } else {
                return false;
            };
            self.is_short(gap, within) && self.bears(other, role) && !self.is_accident(other)
        };
        self.context.around(reach(m, within)).find(is_near).copied()
    }

    /// 「不提供拍照搜题」 before, 「拍照搜题已下线」 after, within one clause.
    fn negation(&self, m: Match) -> Option<Match> {
        let negates = |other: &&Match| {
            let gap = if other.end <= m.start && self.negates(other, Role::NegatesNext) {
                other.end..m.start
            } else if other.start >= m.end && self.negates(other, Role::NegatesPrevious) {
                m.end..other.start
            } else {
                return false;
            };
            // A single character (无, 非) only speaks of what it touches.
            let is_single = self.pack.terms.patterns[other.pattern as usize].chars == 1;
            let reach = if is_single { 0 } else { NEGATION_REACH };
            self.is_short(gap.clone(), reach)
                && !self.normal.text[gap].contains(['。', '!', '?', ';', ',', '\n', '\0'])
                && !self.is_no_negation(**other)
        };
        self.negations.around(reach(m, NEGATION_REACH)).find(negates).copied()
    }

    /// 「不仅提供」 holds 不提供's characters and is none.
    fn is_no_negation(&self, negation: Match) -> bool {
        self.negations.around(negation.start..negation.end).any(|other| {
            other.start < negation.end && other.end > negation.start && self.negates(other, Role::NoNegation)
        })
    }

    fn bears(&self, m: &Match, role: Role) -> bool {
        self.pack.terms.patterns[m.pattern as usize].context.binary_search(&role).is_ok()
    }

    fn negates(&self, m: &Match, role: Role) -> bool {
        self.pack.terms.patterns[m.pattern as usize].negation.contains(&role)
    }

    /// Whether a gap has at most so many characters.
    fn is_short(&self, gap: Range<usize>, most: usize) -> bool {
        // A character has at most four bytes: the cheap test first.
        gap.len() <= most * MOST_BYTES && self.normal.text[gap].chars().count() <= most
    }
}

/// Bytes of a character in UTF-8, at most.
const MOST_BYTES: usize = 4;

/// The match with so many characters on either side, in bytes.
const fn reach(m: Match, characters: usize) -> Range<usize> {
    m.start.saturating_sub(characters * MOST_BYTES)..m.end + characters * MOST_BYTES
}
