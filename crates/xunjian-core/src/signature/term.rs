//! All terms of all signatures, compiled to be looked for at once.
//!
//! Terms of ASCII alone and all others are looked for apart: the others, Chinese nearly all,
//! can only stand in facts that hold such characters, which are few in a package.

use std::ops::Range;
use std::sync::Arc;

use daachorse::CharwiseDoubleArrayAhoCorasick;

use rustc_hash::FxHashMap;

use super::latin::Latin;
use super::respell::spellings;
use super::{Clue, facts_reaching, normalise};
use crate::model::Kinds;

/// What a term means where it is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The clue's own term.
    Hit(u32),
    /// Must stand near a hit of the clue.
    Near(u32),
    /// Undoes a hit of the clue that follows.
    Before(u32),
    /// Undoes a hit of the clue that precedes.
    After(u32),
    /// Undoes whatever follows in the same clause (不提供 …).
    NegatesNext,
    /// Undoes whatever precedes in the same clause (… 已下线).
    NegatesPrevious,
    /// Looks like a negation and is none (不仅 …).
    NoNegation,
    /// A longer word that holds a hit of the clue by accident (提高考试 holds 高考).
    Swallows(u32),
    /// A longer word that holds a facet's term by accident.
    SwallowsFacet(u32),
    /// Domain of a library.
    Domain(u32),
    /// Names a facet of the profile: lexicon label by number.
    Facet(u32),
}

impl Role {
    /// Whether it speaks of the clause around it.
    const fn is_negation(self) -> bool {
        matches!(self, Self::NegatesNext | Self::NegatesPrevious | Self::NoNegation)
    }

    /// Whether it says something of its own.
    const fn is_use(self) -> bool {
        matches!(self, Self::Hit(_) | Self::Domain(_) | Self::Facet(_))
    }
}

/// One role of one pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The role.
    pub role: Role,
    /// Kinds of facts on which it counts.
    pub kinds: Kinds,
    /// The term as a dictionary writes it, where this pattern is another spelling.
    pub respelt: Option<Arc<str>>,
}

/// A distinct string of the automaton.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// In normal form.
    pub text: String,
    /// Length in characters.
    pub chars: usize,
    /// Begins with a letter or digit of ASCII, so the character before must not be one.
    pub bound_start: bool,
    /// Ends with a letter or digit of ASCII, so the character after must not be one.
    pub bound_end: bool,
    /// What it stands for.
    pub uses: Vec<Use>,
    /// What it is to matches of one clue or facet around it, sorted: it undoes or swallows them, or
    /// must stand near.
    pub context: Vec<Role>,
    /// What it is to all matches around it: a negation, or only what looks like one.
    pub negation: Vec<Role>,
    /// Clues whose regular expression is tried around it.
    pub leads_to: Vec<u32>,
}

/// Matches for which there is room from the start.
const USUAL: usize = 64;

/// The compiled terms.
pub struct Terms {
    /// Terms with characters beyond ASCII.
    others: Option<CharwiseDoubleArrayAhoCorasick<u32>>,
    /// A fact without a byte as high as this holds none of them.
    least: u8,
    /// Length of the longest of them, in bytes.
    pub longest: usize,
    /// Terms of ASCII alone.
    latin: Latin,
    /// Every term, by its number.
    pub patterns: Vec<Pattern>,
}

/// Collects terms before they are compiled.
#[derive(Debug, Default)]
pub(super) struct TermsBuilder {
    patterns: Vec<Pattern>,
    index: FxHashMap<String, usize>,
    /// Other spellings of a term, which many clues share.
    spellings: FxHashMap<String, Arc<[usize]>>,
}

impl TermsBuilder {
    pub(super) fn add(&mut self, term: &str, role: Role) {
        if let Some(pattern) = self.number(term) {
            self.give(pattern, role, None);
        }
    }

    /// Adds a term and the ways to write it that get past a filter.
    pub(super) fn add_respelt(&mut self, term: &str, role: Role) {
        self.add(term, role);
        let known = self.spellings.get(term).cloned();
        let all = known.unwrap_or_else(|| {
            let all: Arc<[usize]> = spellings(term).iter().filter_map(|spelling| self.number(spelling)).collect();
            self.spellings.insert(term.to_owned(), Arc::clone(&all));
            all
        });
        let term: Arc<str> = term.into();
        all.iter().for_each(|&pattern| self.give(pattern, role, Some(&term)));
    }

    /// The pattern of a term, which may be a new one.
    fn number(&mut self, term: &str) -> Option<usize> {
        // What stands here is in normal form, and most terms are written in it.
        if let Some(&known) = self.index.get(term) {
            return Some(known);
        }
        let normal = normalise(term).text;
        let text = normal.trim();
        if text.is_empty() {
            return None;
        }
        if let Some(&known) = self.index.get(text) {
            return Some(known);
        }
        self.patterns.push(Pattern {
            text: text.to_owned(),
            chars: text.chars().count(),
            bound_start: text.starts_with(|c: char| c.is_ascii_alphanumeric()),
            bound_end: text.ends_with(|c: char| c.is_ascii_alphanumeric()),
            uses: Vec::new(),
            context: Vec::new(),
            negation: Vec::new(),
            leads_to: Vec::new(),
        });
        self.index.insert(text.to_owned(), self.patterns.len() - 1);
        Some(self.patterns.len() - 1)
    }

    fn give(&mut self, pattern: usize, role: Role, canonical: Option<&Arc<str>>) {
        let uses = &mut self.patterns[pattern].uses;
        // A spelling that is also a term in its own right is no disguise.
        match uses.iter_mut().find(|u| u.role == role) {
            Some(known) if canonical.is_none() => known.respelt = None,
            Some(_) => {}
            None => uses.push(Use { role, kinds: Kinds::ALL, respelt: canonical.cloned() }),
        }
    }

    /// Compiles the terms of these clues.
    pub(super) fn build(mut self, clues: &[Clue]) -> Result<Terms, String> {
        let observed = |role: Role| match role {
            Role::Hit(clue) => clues.get(clue as usize).and_then(|clue| clue.condition.observed()),
            _ => None,
        };
        for pattern in &mut self.patterns {
            let (uses, others): (Vec<Use>, Vec<Use>) =
                std::mem::take(&mut pattern.uses).into_iter().partition(|u| u.role.is_use());
            pattern.uses = uses;
            for term_use in &mut pattern.uses {
                let Some(observed) = observed(term_use.role) else { continue };
                term_use.kinds = observed.kinds;
                if let (Role::Hit(clue), Some(_)) = (term_use.role, &observed.regex) {
                    pattern.leads_to.push(clue);
                }
            }
            (pattern.negation, pattern.context) = others.into_iter().map(|u| u.role).partition(|r| r.is_negation());
            pattern.context.sort_unstable();
        }
        let (latin, others): (Vec<u32>, Vec<u32>) =
            (0..self.patterns.len() as u32).partition(|&number| self.patterns[number as usize].text.is_ascii());
        let latin = Latin::new(&self.patterns, latin.into_iter())?;
        let values: Vec<(&str, u32)> =
            others.into_iter().map(|number| (self.patterns[number as usize].text.as_str(), number)).collect();
        let longest = values.iter().map(|(text, _)| text.len()).max().unwrap_or(0);
        let least = values.iter().filter_map(|(text, _)| text.bytes().max()).min().unwrap_or(u8::MAX);
        let others = if values.is_empty() {
            None
        } else {
            Some(CharwiseDoubleArrayAhoCorasick::with_values(values).map_err(|e| e.to_string())?)
        };
        Ok(Terms { others, least, longest, latin, patterns: self.patterns })
    }
}

impl Terms {
    /// Every occurrence of every term in a text in normal form whose facts are separated by
    /// NUL: term number, start, end; by end, the longer first.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<(u32, usize, usize)> {
        let mut found = Vec::with_capacity(USUAL);
        self.latin.find(&self.patterns, text, |term, start, end| found.push((term, start, end)));
        for (from, fact) in facts_reaching(text, self.least) {
            found.extend(self.find_within(text, from..from + fact.len()));
        }
        found.sort_unstable_by_key(|&(term, start, end)| (end, start, term));
        found
    }

    /// Every occurrence, within a range, of the terms that are not ASCII alone.
    pub fn find_within<'a>(
        &'a self,
        text: &'a str,
        range: Range<usize>,
    ) -> impl Iterator<Item = (u32, usize, usize)> + 'a {
        self.others.iter().flat_map(move |others| {
            let from = range.start;
            let matches = others.find_overlapping_iter(&text[range.clone()]);
            let matches = matches.map(move |m| (m.value(), from + m.start(), from + m.end()));
            matches.filter(|m| self.stands_alone(text, *m))
        })
    }

    /// A term that begins or ends in a Latin letter is no part of a longer word.
    fn stands_alone(&self, text: &str, (term, start, end): (u32, usize, usize)) -> bool {
        let pattern = &self.patterns[term as usize];
        let is_word =
            |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_alphanumeric);
        !(pattern.bound_start && is_word(start.checked_sub(1)) || pattern.bound_end && is_word(Some(end)))
    }
}

impl std::fmt::Debug for Terms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terms").field("patterns", &self.patterns.len()).finish_non_exhaustive()
    }
}
