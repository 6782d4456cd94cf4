//! All terms of all signatures, in one automaton.

use std::collections::HashMap;

use daachorse::CharwiseDoubleArrayAhoCorasick;

use super::normalise;

/// What a term means where it is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// One role of one pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The role.
    pub role: Role,
    /// The term as a dictionary writes it, where this pattern is another spelling.
    pub respelt: Option<Box<str>>,
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
}

/// The compiled terms.
pub struct Terms {
    automaton: Option<CharwiseDoubleArrayAhoCorasick<u32>>,
    /// Patterns by the automaton's value.
    pub patterns: Vec<Pattern>,
}

/// Collects terms before they are compiled.
#[derive(Debug, Default)]
pub(super) struct TermsBuilder {
    patterns: Vec<Pattern>,
    index: HashMap<String, usize>,
}

impl TermsBuilder {
    pub(super) fn add(&mut self, term: &str, role: Role, canonical: Option<&str>) {
        let text = normalise(term).text;
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let index = *self.index.entry(text.to_owned()).or_insert_with(|| {
            self.patterns.push(Pattern {
                text: text.to_owned(),
                chars: text.chars().count(),
                bound_start: text.starts_with(|c: char| c.is_ascii_alphanumeric()),
                bound_end: text.ends_with(|c: char| c.is_ascii_alphanumeric()),
                uses: Vec::new(),
            });
            self.patterns.len() - 1
        });
        let uses = &mut self.patterns[index].uses;
        // A spelling that is also a term in its own right is no disguise.
        match uses.iter_mut().find(|u| u.role == role) {
            Some(known) if canonical.is_none() => known.respelt = None,
            Some(_) => {}
            None => uses.push(Use { role, respelt: canonical.map(Into::into) }),
        }
    }

    pub(super) fn build(self) -> Result<Terms, String> {
        let automaton = if self.patterns.is_empty() {
            None
        } else {
            let values = self.patterns.iter().enumerate().map(|(i, p)| (p.text.as_str(), i as u32));
            Some(CharwiseDoubleArrayAhoCorasick::with_values(values).map_err(|e| e.to_string())?)
        };
        Ok(Terms { automaton, patterns: self.patterns })
    }
}

impl Terms {
    /// Every occurrence of every pattern in a text in normal form, by end offset:
    /// pattern number, start, end.
    pub fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (u32, usize, usize)> + 'a {
        let bytes = text.as_bytes();
        self.automaton
            .iter()
            .flat_map(move |a| a.find_overlapping_iter(text))
            .map(|m| (m.value(), m.start(), m.end()))
            .filter(move |&(value, start, end)| {
                let pattern = &self.patterns[value as usize];
                let is_word =
                    |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric);
                let runs_on = pattern.bound_start && is_word(start.checked_sub(1));
                let is_run_into = pattern.bound_end && is_word(Some(end));
                !(runs_on || is_run_into)
            })
    }
}

impl std::fmt::Debug for Terms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terms").field("patterns", &self.patterns.len()).finish_non_exhaustive()
    }
}
