//! From the syntax of a clue to what detection evaluates.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use toml::Spanned;

use super::syntax::{ClueFile, NearFile, UnlessFile};
use super::{PackError, Role};
use crate::model::{Kind, Kinds, Words};

/// A compiled clue.
#[derive(Debug, Clone)]
pub struct Clue {
    /// Number of its signature in the pack.
    pub signature: usize,
    /// Name within the signature.
    pub id: String,
    /// Decibans.
    pub weight: i32,
    /// Group, unique to the sign.
    pub group: String,
    /// Why it counts.
    pub why: Words,
    /// When it holds.
    pub condition: Condition,
}

/// When a clue holds.
#[derive(Debug, Clone)]
pub enum Condition {
    /// On facts.
    Observed(Observed),
    /// When a library of this category is in the package.
    Library {
        /// Category.
        category: String,
        /// A trace is enough.
        faint: bool,
    },
    /// As far as a text model says so.
    Model(String),
    /// On other clues, by number.
    Derived {
        /// All of them hold.
        all: Vec<usize>,
        /// One of them holds; empty: no matter.
        any_of: Vec<usize>,
        /// None of them holds, and their facts were there to be searched.
        none: Vec<usize>,
        /// None of them holds, searched or not.
        not: Vec<usize>,
    },
}

impl Condition {
    /// On what stands beside the facts: a library, the verdict of a text model.
    pub(super) const fn is_beside(&self) -> bool {
        matches!(self, Self::Library { .. } | Self::Model(_))
    }

    /// What it looks for on facts.
    pub(super) const fn observed(&self) -> Option<&Observed> {
        match self {
            Self::Observed(observed) => Some(observed),
            _ => None,
        }
    }
}

/// Terms or a regular expression, looked for on facts of some kinds.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Kinds it looks at.
    pub kinds: Kinds,
    /// It has terms; else the regular expression alone decides.
    pub has_terms: bool,
    /// Different terms needed within one fact.
    pub at_least: usize,
    /// Within all facts of one file rather than one fact.
    pub across: bool,
    /// Must hold as well.
    pub regex: Option<Expression>,
    /// Terms needed nearby.
    pub near: Option<Near>,
    /// Terms nearby that undo it.
    pub unless: Option<Unless>,
    /// A negation undoes it.
    pub negatable: bool,
    /// Longer words may hold its terms by accident.
    pub swallowed: bool,
    /// Sightings that are kept: more are only counted.
    pub kept: usize,
}

/// A regular expression.
#[derive(Debug, Clone)]
pub struct Expression {
    /// Its number: the same for all clues that it is written in.
    pub number: u32,
    /// What must match, as written.
    pub source: String,
    /// Compiled when it is first tried: of all expressions one app tries a few, and compiling is half of
    /// what a start costs.
    compiled: OnceLock<Option<Regex>>,
    /// See [`Expression::reach`]; found when it is first asked for.
    reach: OnceLock<usize>,
}

impl Expression {
    /// The compiled expression; `None` where it grew too large, which loading has ruled out for files
    /// that are not ours and the tests for those that are.
    #[must_use]
    pub fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| compiled(&self.source).ok()).as_ref()
    }

    /// Bytes on either side of a term that a match over it can reach, at most.
    #[must_use]
    pub fn reach(&self) -> usize {
        *self.reach.get_or_init(|| {
            let longest = regex_syntax::parse(&self.source).ok().and_then(|parsed| parsed.properties().maximum_len());
            // A character more, so that an anchor at the end of what is read is never taken for that of the fact.
            longest.map_or(REACH, |longest| REACH.min(longest.saturating_add(char::MAX.len_utf8())))
        })
    }
}

fn compiled(source: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(source).size_limit(1 << 20).build()
}

/// Nearness.
#[derive(Debug, Clone, Copy)]
pub struct Near {
    /// Characters between, at most.
    pub within: usize,
}

/// What undoes.
#[derive(Debug, Clone, Copy)]
pub struct Unless {
    /// Characters between, at most.
    pub within: usize,
}

/// Sightings kept of a clue whose matches are told one by one.
pub(super) const SIGHTINGS: usize = 5;

/// Kinds that a regular expression may search without terms to lead it there:
/// few and short facts, so that the cost does not grow with the package.
const REGEX_ALONE: Kinds = Kinds::from_bits_truncate(
    Kinds::LISTING.bits()
        | 1 << Kind::Screen as u32
        | Kinds::PICTURES.bits()
        | 1 << Kind::Permission as u32
        | 1 << Kind::DeepLink as u32
        | 1 << Kind::Metadata as u32
        | 1 << Kind::Setting as u32
        | 1 << Kind::Component as u32
        | 1 << Kind::Label as u32
        | 1 << Kind::Certificate as u32
        | 1 << Kind::File as u32,
);

/// Bytes on either side of a term in which its clue's regular expression is tried, at most.
const REACH: usize = 400;

/// Where a file's faults are reported.
pub(super) struct Site<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    /// It is as the program was built with.
    pub(super) is_ours: bool,
}

impl Site<'_> {
    pub(super) fn fault<T>(&self, at: &Spanned<T>, message: impl Into<String>) -> PackError {
        PackError::at(self.file, self.text, at.span().start, message)
    }
}

/// Compiles the observed part of a clue; `None` where it is derived.
pub(super) fn observed(clue: &ClueFile, site: &Site<'_>) -> Result<Option<Observed>, PackError> {
    if clue.any.is_empty() && clue.regex.is_none() {
        return Ok(None);
    }
    if clue.kinds.is_empty() {
        return Err(site.fault(&clue.id, "`in` is missing: name the fact kinds to look at"));
    }
    if clue.across && clue.at_least.is_none_or(|least| least < 2) {
        return Err(site.fault(&clue.id, "`across` counts different terms: say with `at-least` how many"));
    }
    let kinds = kinds_of(&clue.kinds, site)?;
    let regex = clue.regex.as_ref().map(|source| expression(source, site)).transpose()?;
    if clue.any.is_empty() && !REGEX_ALONE.contains(kinds) {
        return Err(site.fault(
            &clue.id,
            "a regex over package text needs `any` terms that lead to it, or it would run over every string",
        ));
    }
    Ok(Some(Observed {
        kinds,
        has_terms: !clue.any.is_empty(),
        at_least: clue.at_least.unwrap_or(1),
        across: clue.across,
        regex,
        near: clue.near.as_ref().map(|near| Near { within: near.within }),
        unless: clue.unless.as_ref().map(|unless| Unless { within: unless.within }),
        negatable: clue.negatable,
        swallowed: false,
        kept: if clue.collect.is_some() { SIGHTINGS } else { 1 },
    }))
}

fn expression(source: &Spanned<String>, site: &Site<'_>) -> Result<Expression, PackError> {
    let fault = |e: &dyn std::fmt::Display| site.fault(source, format!("the regex does not compile: {e}"));
    let known = if site.is_ours {
        OnceLock::new()
    } else {
        OnceLock::from(Some(compiled(source.get_ref()).map_err(|e| fault(&e))?))
    };
    Ok(Expression { number: 0, source: source.get_ref().clone(), compiled: known, reach: OnceLock::new() })
}

fn kinds_of(words: &[Spanned<String>], site: &Site<'_>) -> Result<Kinds, PackError> {
    let mut kinds = Kinds::empty();
    for word in words {
        kinds |= match word.get_ref().as_str() {
            "pitch" => Kinds::PITCH | Kinds::PICTURES,
            "listing" => Kinds::LISTING | Kind::Screenshot.bit(),
            "inside" => Kinds::INSIDE | Kind::Picture.bit(),
            "text" => Kinds::PITCH | Kinds::INSIDE | Kinds::PICTURES,
            "all" => Kinds::ALL,
            id => match Kind::from_id(id) {
                Some(kind) => kind.bit(),
                None => {
                    let known = Kind::ALL.iter().map(|k| k.id()).collect::<Vec<_>>().join(", ");
                    return Err(site.fault(
                        word,
                        format!("no fact kind `{id}`; use pitch, listing, inside, text, all or one of {known}"),
                    ));
                }
            },
        };
    }
    Ok(kinds)
}

/// The term lists of a clue with the role each plays.
pub(super) fn term_lists(clue: &ClueFile, number: u32) -> Vec<(Role, &[Spanned<String>])> {
    let mut lists = vec![(Role::Hit(number), clue.any.as_slice())];
    if let Some(NearFile { any, .. }) = &clue.near {
        lists.push((Role::Near(number), any));
    }
    if let Some(UnlessFile { before, after, .. }) = &clue.unless {
        lists.push((Role::Before(number), before));
        lists.push((Role::After(number), after));
    }
    lists
}
