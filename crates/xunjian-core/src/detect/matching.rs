//! Terms and regular expressions on facts, with nearness and what undoes a match.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::expression::Expressions;
use super::holds::Undone;
use super::window::Window;
use super::{disguise, library_file, screen, snippet, words};
use crate::model::{Block, Fact, Hits, Kind, Kinds, NearMiss, Sighting, Trace, Trick, WrittenAs};
use crate::signature::{Normal, Observed, Pack, Pattern, Role, Use, is_han, normalise};

/// Matches looked at within one fact; a script of megabytes is one fact.
const MATCHES_PER_FACT: usize = 50_000;

/// Different terms, at least, by which the screens of an app speak against a sign.
const AGAINST_MIN: usize = 2;

/// Letters of the initials of a term, at most.
const INITIALS_MAX: usize = 6;

/// Different texts of one block kept for a facet; two are enough to name it.
const FACET_TEXTS: usize = 8;

/// One match in the normal form of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Match {
    pub(super) pattern: u32,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) strewn: bool,
}

impl Match {
    /// A longer one covers it.
    pub(super) const fn is_within(&self, other: &Self) -> bool {
        other.start <= self.start && other.end >= self.end && other.end - other.start > self.end - self.start
    }
}

/// Scans a block for all terms.
pub(super) fn terms(pack: &Pack, block: &Block, normal: &Normal, hits: &mut Hits) {
    let mut across = Across::new();
    within(pack, block, normal, hits, &mut across);
    conclude(pack, across, hits);
}

/// Scans what a package says to its users, given with its normal form: clues that need several terms
/// count over all of it.
pub(super) fn screen(pack: &Pack, blocks: &[Block], normals: &[Normal], hits: &mut Hits) {
    let mut across = Across::new();
    for (block, normal) in blocks.iter().zip(normals) {
        within(pack, block, normal, hits, &mut across);
        regexes(pack, block, normal, hits);
    }
    conclude(pack, across, hits);
}

fn conclude(pack: &Pack, across: Across, hits: &mut Hits) {
    for (clue, spread) in across {
        spread.conclude(pack, clue, hits);
    }
}

fn within(pack: &Pack, block: &Block, normal: &Normal, hits: &mut Hits, across: &mut Across) {
    let found = pack.terms.find(&normal.text).into_iter();
    let mut matches: Vec<Match> =
        found.map(|(pattern, start, end)| Match { pattern, start, end, strewn: false }).collect();
    disguise::add(pack, block, &normal.text, &mut matches);
    // Stable: plain matches stay before strewn ones that end at the same place.
    matches.sort_by_key(|m| m.end);
    if matches.is_empty() {
        return;
    }
    let facts: Vec<usize> =
        matches.iter().map(|m| block.at_offset(normal.origin(m.start)).map_or(usize::MAX, |f| f.index)).collect();
    let is_library = library_file::is_one(block) || block.kind == Kind::Asset && screen::is_word_list(block);
    let mut from = 0;
    for group in facts.chunk_by(|a, b| a == b) {
        let to = from + group.len().min(MATCHES_PER_FACT);
        if let Some(fact) = block.get(group[0]) {
            let is_wording = !is_library && (block.kind != Kind::Asset || screen::is_said(fact.text));
            InFact { is_wording, ..InFact::new(pack, block, normal, fact, &matches[from..to]) }.evaluate(hits, across);
        }
        from += group.len();
    }
}

/// Clues that count over the whole block, by number.
type Across = BTreeMap<u32, Spread>;

/// What one such clue has seen.
struct Spread {
    different: BTreeSet<String>,
    first: Sighting,
    least: usize,
}

impl Spread {
    fn conclude(self, pack: &Pack, clue: u32, hits: &mut Hits) {
        let Some(observed) = pack.observed(clue as usize) else { return };
        if self.different.len() >= self.least {
            hits.note(clue as usize, observed.kept, true, || self.first);
        } else if pack.watched.contains(&(clue as usize)) {
            let cause = Undone::TooFew.cause();
            hits.note_undone(clue as usize, || NearMiss { sighting: self.first, cause, by: String::new() });
        }
    }
}

/// The matches within one fact.
pub(super) struct InFact<'a> {
    pub(super) pack: &'a Pack,
    block: &'a Block,
    pub(super) normal: &'a Normal,
    fact: Fact<'a>,
    /// Words may be looked for here; in files of libraries only addresses are.
    is_wording: bool,
    /// All of them, by where they stand.
    all: Window<'a>,
    /// Those that must stand near others, or undo or swallow them.
    pub(super) context: Window<'a>,
    /// Those that negate, or only look so.
    pub(super) negations: Window<'a>,
    pub(super) expressions: Expressions,
}

/// A match while its clues are asked whether it counts.
pub(super) struct Met {
    pub(super) m: Match,
    /// What negates it: the same for every clue.
    pub(super) negation: OnceCell<Option<Match>>,
    /// Whether words that belong elsewhere run across its borders.
    pub(super) broken: OnceCell<bool>,
}

/// A match of a clue that needs several, and the term that it is another spelling of.
type OneOf<'a> = (Match, Option<&'a str>);

impl<'a> InFact<'a> {
    fn new(pack: &'a Pack, block: &'a Block, normal: &'a Normal, fact: Fact<'a>, matches: &'a [Match]) -> Self {
        let those = |is_so: fn(&Pattern) -> bool| {
            let mut found = Vec::with_capacity(matches.len());
            found.extend(matches.iter().filter(|m| is_so(&pack.terms.patterns[m.pattern as usize])));
            Window::of(found)
        };
        Self {
            all: Window::of(matches),
            context: those(|pattern| !pattern.context.is_empty()),
            negations: those(|pattern| !pattern.negation.is_empty()),
            expressions: Expressions::of(pack, block.kind.bit(), &normal.text, matches),
            pack,
            block,
            normal,
            fact,
            is_wording: true,
        }
    }

    fn evaluate(&self, hits: &mut Hits, across: &mut Across) {
        let kind = self.block.kind.bit();
        let mut needing: Vec<(u32, OneOf<'_>)> = Vec::new();
        for &m in self.all.iter() {
            let met = Met { m, negation: OnceCell::new(), broken: OnceCell::new() };
            for Use { role, kinds, respelt } in &self.pack.terms.patterns[m.pattern as usize].uses {
                if !kinds.intersects(kind) {
                    continue;
                }
                let respelt = respelt.as_deref();
                match *role {
                    Role::Hit(clue) => {
                        let Some(observed) = self.pack.observed(clue as usize) else { continue };
                        if !self.is_wording || !self.may_be(clue, &m, respelt) {
                            continue;
                        }
                        if observed.across || self.least(observed, clue) > 1 && self.is_screen() {
                            self.spread(observed, clue, &met, respelt, across);
                            continue;
                        }
                        match self.holds(observed, clue, &met) {
                            Ok(m) if observed.at_least > 1 => needing.push((clue, (m, respelt))),
                            Ok(m) => self.note(observed, clue, (m, respelt), hits),
                            Err(undone) => self.note_undone(clue, m, undone, hits),
                        }
                    }
                    Role::Domain(library) => self.note_domain(library, &m, hits),
                    Role::Facet(facet) if self.is_wording => self.note_facet(facet, &met, hits),
                    _ => {}
                }
            }
        }
        // Stable: the matches of a clue stay in their order.
        needing.sort_by_key(|(clue, _)| *clue);
        for held in needing.chunk_by(|(a, _), (b, _)| a == b) {
            self.note_several(held[0].0, held, hits);
        }
    }

    /// Told in pieces: what clues want to meet several times may stand all over it.
    fn is_screen(&self) -> bool {
        self.block.kind == Kind::Screen || Kinds::PICTURES.contains(self.block.kind.bit())
    }

    /// Different terms that a clue needs. What speaks against a sign from inside a package is no single
    /// word: it must be said in several, or in a sentence.
    fn least(&self, observed: &Observed, clue: u32) -> usize {
        let is_against = self.is_screen() && self.pack.clues[clue as usize].weight < 0;
        if is_against && !library_file::is_prose(self.fact.text) {
            observed.at_least.max(AGAINST_MIN)
        } else {
            observed.at_least
        }
    }

    /// A disguise is one only in words that a vendor wrote for readers, and never of what speaks for
    /// him: nobody hides that. Initials are letters among Chinese.
    fn may_be(&self, clue: u32, m: &Match, respelt: Option<&str>) -> bool {
        if respelt.is_none() && !m.strewn {
            return true;
        }
        let is_initials = respelt.is_some() && m.end - m.start <= INITIALS_MAX && self.term(m).is_ascii();
        disguise::READ.contains(self.block.kind.bit())
            && self.pack.clues[clue as usize].weight >= 0
            && (!is_initials || Kinds::LISTING.contains(self.block.kind.bit()) || self.fact.text.contains(is_han))
    }

    /// Counts a match of a clue that counts over the whole block.
    fn spread(&self, observed: &Observed, clue: u32, met: &Met, respelt: Option<&str>, across: &mut Across) {
        // 年级 within 三年级 is no second term.
        if self.all.over(met.m).any(|o| self.is_hit(o, clue)) {
            return;
        }
        let Ok(m) = self.holds(observed, clue, met) else { return };
        let least = self.least(observed, clue);
        let spread = across.entry(clue).or_insert_with(|| Spread {
            different: BTreeSet::new(),
            first: self.claimed(observed, clue, m, respelt),
            least,
        });
        spread.least = spread.least.min(least);
        let term = respelt.unwrap_or_else(|| self.term(&m));
        if !spread.different.contains(term) {
            spread.different.insert(term.to_owned());
        }
    }

    fn is_hit(&self, m: &Match, clue: u32) -> bool {
        self.pack.terms.patterns[m.pattern as usize].uses.iter().any(|u| u.role == Role::Hit(clue))
    }

    /// A clue that needs several different terms within the fact.
    fn note_several(&self, clue: u32, held: &[(u32, OneOf<'_>)], hits: &mut Hits) {
        let (Some(observed), Some(&(_, first))) = (self.pack.observed(clue as usize), held.first()) else { return };
        if held.len() < observed.at_least {
            self.note_undone(clue, first.0, Undone::TooFew, hits);
            return;
        }
        let mut by_end: Vec<Match> = held.iter().map(|(_, (m, _))| *m).collect();
        by_end.sort_by_key(|m| m.end);
        let all = Window::of(by_end);
        // 小学 within 小学生 is no second term.
        let outer = held.iter().filter(|(_, (m, _))| all.over(*m).next().is_none());
        let different: BTreeSet<&str> = outer.map(|(_, (m, respelt))| respelt.unwrap_or(self.term(m))).collect();
        if different.len() >= observed.at_least {
            self.note(observed, clue, first, hits);
        } else {
            self.note_undone(clue, first.0, Undone::TooFew, hits);
        }
    }

    /// Whether the match only comes about where other words meet.
    pub(super) fn is_broken(&self, met: &Met) -> bool {
        *met.broken.get_or_init(|| self.is_accident(&met.m))
    }

    pub(super) fn is_accident(&self, m: &Match) -> bool {
        !m.strewn && words::run_across(&self.normal.text, m.start, m.end)
    }

    pub(super) fn term(&self, m: &Match) -> &str {
        &self.pack.terms.patterns[m.pattern as usize].text
    }

    fn note(&self, observed: &Observed, clue: u32, (m, respelt): OneOf<'_>, hits: &mut Hits) {
        let is_plain = respelt.is_none() && !m.strewn;
        hits.note(clue as usize, observed.kept, is_plain, || self.claimed(observed, clue, m, respelt));
    }

    /// Told only of clues under development: who writes one wants to know.
    fn note_undone(&self, clue: u32, m: Match, undone: Undone, hits: &mut Hits) {
        if self.pack.watched.contains(&(clue as usize)) {
            hits.note_undone(clue as usize, || NearMiss {
                sighting: self.sighting(m, None),
                cause: undone.cause(),
                by: undone.by().map_or_else(String::new, |by| self.term(&by).to_owned()),
            });
        }
    }

    /// The match with what had to stand near it. Of a disguise the mark shows what was disguised.
    fn claimed(&self, observed: &Observed, clue: u32, m: Match, respelt: Option<&str>) -> Sighting {
        let mut seen = self.sighting(m, respelt);
        if seen.written_as.is_none()
            && let Some(near) = self.near(observed, clue, m)
        {
            let text = self.fact.text;
            let range = |m: Match| {
                let (start, end) = self.normal.origin_range(m.start, m.end, self.block.text());
                let within = (start.checked_sub(self.fact.start)?, end.checked_sub(self.fact.start)?);
                (within.1 <= text.len()).then_some(within)
            };
            seen.claim = range(m).zip(range(near)).and_then(|(one, other)| snippet::claim(text, one, other));
        }
        seen
    }

    fn sighting(&self, m: Match, respelt: Option<&str>) -> Sighting {
        let (start, end) = self.normal.origin_range(m.start, m.end, self.block.text());
        let written_as = match (respelt, m.strewn) {
            (Some(term), _) => Some(WrittenAs { term: term.to_owned(), trick: Trick::Respelt }),
            (None, true) => Some(WrittenAs { term: self.term(&m).to_owned(), trick: Trick::Strewn }),
            (None, false) => None,
        };
        sighting(self.block, &self.fact, start - self.fact.start, end - self.fact.start, written_as)
    }

    fn note_facet(&self, facet: u32, met: &Met, hits: &mut Hits) {
        let kind = self.block.kind;
        let is_named = Kinds::LISTING.contains(kind.bit()) || kind == Kind::Label;
        let is_read = is_named || matches!(kind, Kind::Resource | Kind::Screen | Kind::Picture | Kind::Screenshot);
        if !is_read || self.swallowing(met.m, Role::SwallowsFacet(facet)).is_some() || self.is_broken(met) {
            return;
        }
        let seen = hits.facets.entry(facet).or_default();
        if is_named {
            seen.named += 1;
        } else if seen.inside.len() < FACET_TEXTS {
            let mut hasher = DefaultHasher::new();
            self.fact.text.hash(&mut hasher);
            seen.inside.insert(hasher.finish());
        }
    }

    /// A domain counts where it is one: not inside a longer label, not in a longer name.
    fn note_domain(&self, library: u32, m: &Match, hits: &mut Hits) {
        const WORDS: Kinds = Kinds::INSIDE.union(Kinds::PICTURES);
        if m.strewn || !(WORDS | Kind::Metadata.bit() | Kind::DeepLink.bit()).contains(self.block.kind.bit()) {
            return;
        }
        let bytes = self.normal.text.as_bytes();
        let before = m.start.checked_sub(1).map(|i| bytes[i]);
        let after = bytes.get(m.end).copied();
        // Of nested domains, the longest names the library.
        let is_domain = |m: &Match| {
            self.pack.terms.patterns[m.pattern as usize].uses.iter().any(|u| matches!(u.role, Role::Domain(_)))
        };
        let is_inner = self.all.over(*m).any(|other| other.end == m.end && is_domain(other));
        let longer = after == Some(b'.') && bytes.get(m.end + 1).is_some_and(u8::is_ascii_alphanumeric);
        if before == Some(b'-') || after == Some(b'-') || longer || is_inner {
            return;
        }
        hits.domains.insert(self.term(m).to_owned());
        hits.note_library(library, Trace::Domain, || {
            format!("{} {}", self.block.place_of(self.fact.index), self.term(m))
        });
    }
}

/// The range of a fact's text as a reviewer sees it.
fn sighting(block: &Block, fact: &Fact<'_>, start: usize, end: usize, written_as: Option<WrittenAs>) -> Sighting {
    let end = end.min(fact.text.len());
    let matched = fact.text[start..end].to_owned();
    let (text, mark) = snippet::cut(fact.text, start, end);
    Sighting { kind: block.kind, place: block.place_of(fact.index), text, mark, claim: None, matched, written_as }
}

/// Clues that are a regular expression alone, over few and short facts.
pub(super) fn regexes(pack: &Pack, block: &Block, normal: &Normal, hits: &mut Hits) {
    let regexes = &pack.regexes[block.kind as usize];
    if regexes.is_empty() {
        return;
    }
    // Patterns are written for identifiers as they stand, without the blanks at camel humps.
    let plain = (block.kind == Kind::Component).then(|| normalise(block.text()));
    let normal = plain.as_ref().unwrap_or(normal);
    let mut from = 0;
    for text in normal.text.split('\0') {
        for &number in regexes {
            let Some(observed) = pack.observed(number) else { continue };
            let Some(found) = observed.regex.as_ref().and_then(|e| e.regex()?.find(text)) else {
                continue;
            };
            let (start, end) = normal.origin_range(from + found.start(), from + found.end(), block.text());
            let Some(fact) = block.at_offset(start) else { continue };
            hits.note(number, observed.kept, true, || {
                sighting(block, &fact, start - fact.start, end - fact.start, None)
            });
        }
        from += text.len() + 1;
    }
}
