//! Terms and regular expressions on facts, with nearness and what undoes a match.

use std::collections::{BTreeMap, BTreeSet};

use super::snippet;
use super::squeeze::{self, Squeezed};
use crate::model::{Block, Fact, Hits, Kind, Kinds, Sighting, Trace, Trick, WrittenAs};
use crate::signature::{Condition, Normal, Observed, Pack, Role, normalise};

/// Blocks over this size are not squeezed: evasions are written for people, in short texts.
const SQUEEZED_MAX: usize = 4 << 20;
/// Matches looked at within one fact; a script of megabytes is one fact.
const MATCHES_PER_FACT: usize = 50_000;
/// Characters between a negation and what it undoes.
const NEGATION_REACH: usize = 14;
/// Window around a term in which its clue's regular expression is tried, in bytes.
const REGEX_WINDOW: usize = 400;

/// One match in the normal form of a block.
#[derive(Debug, Clone, Copy)]
struct Match {
    pattern: u32,
    start: usize,
    end: usize,
    strewn: bool,
}

/// Scans a block for all terms.
pub(super) fn terms(pack: &Pack, block: &Block, hits: &mut Hits) {
    let normal = match block.kind {
        Kind::Class | Kind::Component => Normal::of_identifiers(block.text()),
        _ => normalise(block.text()),
    };
    let found = pack.terms.find(&normal.text).into_iter();
    let mut matches: Vec<Match> =
        found.map(|(pattern, start, end)| Match { pattern, start, end, strewn: false }).collect();
    if block.text().len() <= SQUEEZED_MAX {
        add_strewn(pack, &normal.text, &mut matches);
    }
    if matches.is_empty() {
        return;
    }
    let facts: Vec<usize> =
        matches.iter().map(|m| block.at_offset(normal.origin(m.start)).map_or(usize::MAX, |f| f.index)).collect();
    let mut from = 0;
    for group in facts.chunk_by(|a, b| a == b) {
        let to = from + group.len().min(MATCHES_PER_FACT);
        if let Some(fact) = block.get(group[0]) {
            InFact { pack, block, normal: &normal, fact, matches: &matches[from..to] }.evaluate(hits);
        }
        from += group.len();
    }
}

fn add_strewn(pack: &Pack, text: &str, matches: &mut Vec<Match>) {
    let Some(squeezed) = squeeze::squeeze(text) else { return };
    let Squeezed { text: short, .. } = &squeezed;
    for (pattern, start, end) in pack.terms.find_others(short) {
        let (from, to) = squeezed.origin_range(start, end);
        if to - from > end - start && squeeze::is_disguise(text, from, to) {
            matches.push(Match { pattern, start: from, end: to, strewn: true });
        }
    }
    // Stable: plain matches stay before strewn ones that end at the same place.
    matches.sort_by_key(|m| m.end);
}

/// The matches within one fact.
struct InFact<'a> {
    pack: &'a Pack,
    block: &'a Block,
    normal: &'a Normal,
    fact: Fact<'a>,
    matches: &'a [Match],
}

impl InFact<'_> {
    fn evaluate(&self, hits: &mut Hits) {
        let kind = self.block.kind.bit();
        let mut needing: BTreeMap<u32, Vec<(Match, Option<&str>)>> = BTreeMap::new();
        for m in self.matches {
            for term_use in &self.pack.terms.patterns[m.pattern as usize].uses {
                match term_use.role {
                    Role::Hit(clue) => {
                        let Some(observed) = self.observed(clue) else { continue };
                        if !observed.kinds.intersects(kind) {
                            continue;
                        }
                        let respelt = term_use.respelt.as_deref();
                        if observed.at_least > 1 {
                            needing.entry(clue).or_default().push((*m, respelt));
                        } else if let Some(m) = self.holds(observed, clue, *m) {
                            self.note(clue, m, respelt, hits);
                        }
                    }
                    Role::Domain(library) => self.note_domain(library, m, hits),
                    Role::Facet(facet)
                        if Kinds::PITCH.union(Kind::Label.bit()).contains(kind)
                            && !self.is_swallowed(*m, Role::SwallowsFacet(facet)) =>
                    {
                        *hits.facets.entry(facet).or_default() += 1;
                    }
                    _ => {}
                }
            }
        }
        for (clue, found) in needing {
            self.note_several(clue, &found, hits);
        }
    }

    fn observed(&self, clue: u32) -> Option<&Observed> {
        match &self.pack.clues[clue as usize].condition {
            Condition::Observed(observed) => Some(observed),
            _ => None,
        }
    }

    /// A clue that needs several different terms within the fact.
    fn note_several(&self, clue: u32, found: &[(Match, Option<&str>)], hits: &mut Hits) {
        let Some(observed) = self.observed(clue) else { return };
        let held: Vec<_> =
            found.iter().filter_map(|(m, respelt)| self.holds(observed, clue, *m).map(|m| (m, *respelt))).collect();
        // 小学 within 小学生 is no second term.
        let is_inner = |m: &Match| {
            held.iter().any(|(o, _)| o.start <= m.start && o.end >= m.end && o.end - o.start > m.end - m.start)
        };
        let outer = held.iter().filter(|(m, _)| !is_inner(m));
        let different: BTreeSet<&str> = outer.map(|(m, respelt)| respelt.unwrap_or(self.term(m))).collect();
        if different.len() >= observed.at_least
            && let Some((m, respelt)) = held.first()
        {
            self.note(clue, *m, *respelt, hits);
        }
    }

    fn term(&self, m: &Match) -> &str {
        &self.pack.terms.patterns[m.pattern as usize].text
    }

    /// The match, narrowed to its regular expression, if nothing undoes it.
    fn holds(&self, observed: &Observed, clue: u32, m: Match) -> Option<Match> {
        if self.is_swallowed(m, Role::Swallows(clue)) {
            return None;
        }
        let m = match &observed.regex {
            Some(regex) => self.around(regex, m)?,
            None => m,
        };
        if let Some(near) = observed.near
            && !self.any_other(m, |other| other == Role::Near(clue), near.within, None)
        {
            return None;
        }
        if let Some(unless) = observed.unless
            && (self.any_other(m, |other| other == Role::Before(clue), unless.within, Some(true))
                || self.any_other(m, |other| other == Role::After(clue), unless.within, Some(false)))
        {
            return None;
        }
        (!(observed.negatable && self.is_negated(m))).then_some(m)
    }

    /// A longer word in this role stands over the match: 提高考试 over 高考.
    fn is_swallowed(&self, m: Match, role: Role) -> bool {
        self.matches.iter().any(|other| {
            other.start <= m.start
                && other.end >= m.end
                && other.end - other.start > m.end - m.start
                && self.pack.terms.patterns[other.pattern as usize].uses.iter().any(|u| u.role == role)
        })
    }

    fn around(&self, regex: &regex::Regex, m: Match) -> Option<Match> {
        let text = &self.normal.text;
        let (low, high) = self.bounds();
        let from = ceil_char(text, m.start.saturating_sub(REGEX_WINDOW).max(low));
        let to = floor_char(text, (m.end + REGEX_WINDOW).min(high));
        regex
            .find_iter(&text[from..to])
            .map(|found| (from + found.start(), from + found.end()))
            .find(|&(start, end)| start < m.end && end > m.start)
            .map(|(start, end)| Match { start, end, ..m })
    }

    /// The fact's range in the normal form.
    fn bounds(&self) -> (usize, usize) {
        let text = &self.normal.text;
        let anchor = self.matches[0].start;
        let low = memchr::memrchr(0, &text.as_bytes()[..anchor]).map_or(0, |i| i + 1);
        let high = memchr::memchr(0, &text.as_bytes()[anchor..]).map_or(text.len(), |i| anchor + i);
        (low, high)
    }

    /// Whether a match in a role stands within reach: `before`: only before, only after, or either.
    fn any_other(&self, m: Match, role: impl Fn(Role) -> bool, within: usize, before: Option<bool>) -> bool {
        self.matches.iter().any(|other| {
            let has_role = || self.pack.terms.patterns[other.pattern as usize].uses.iter().any(|u| role(u.role));
            let gap = if other.end <= m.start && before != Some(false) {
                &self.normal.text[other.end..m.start]
            } else if other.start >= m.end && before != Some(true) {
                &self.normal.text[m.end..other.start]
            } else {
                return false;
            };
            // A character has at most four bytes: the cheap test first.
            gap.len() <= within * 4 && has_role() && gap.chars().count() <= within
        })
    }

    /// 「不提供拍照搜题」 before, 「拍照搜题已下线」 after, within one clause.
    fn is_negated(&self, m: Match) -> bool {
        self.matches.iter().any(|other| {
            let uses = &self.pack.terms.patterns[other.pattern as usize].uses;
            let pattern = &self.pack.terms.patterns[other.pattern as usize];
            let before = uses.iter().any(|u| u.role == Role::NegatesNext) && other.end <= m.start;
            let after = uses.iter().any(|u| u.role == Role::NegatesPrevious) && other.start >= m.end;
            let gap = if before {
                &self.normal.text[other.end..m.start]
            } else if after {
                &self.normal.text[m.end..other.start]
            } else {
                return false;
            };
            // A single character (无, 非) only speaks of what it touches.
            let reach = if pattern.chars == 1 { 0 } else { NEGATION_REACH };
            gap.len() <= reach * 4
                && gap.chars().count() <= reach
                && !gap.contains(['。', '!', '?', ';', ',', '\n', '\0'])
                && !self.is_no_negation(*other)
        })
    }

    /// 「不仅提供」 holds 不提供's characters and is none.
    fn is_no_negation(&self, negation: Match) -> bool {
        self.matches.iter().any(|other| {
            other.start < negation.end
                && other.end > negation.start
                && self.pack.terms.patterns[other.pattern as usize].uses.iter().any(|u| u.role == Role::NoNegation)
        })
    }

    fn note(&self, clue: u32, m: Match, respelt: Option<&str>, hits: &mut Hits) {
        hits.note(clue as usize, || {
            let (start, end) = self.normal.origin_range(m.start, m.end, self.block.text());
            let (start, end) = (start - self.fact.start, (end - self.fact.start).min(self.fact.text.len()));
            let (text, mark) = snippet::cut(self.fact.text, start, end);
            let written_as = match (respelt, m.strewn) {
                (Some(term), _) => Some(WrittenAs { term: term.to_owned(), trick: Trick::Respelt }),
                (None, true) => Some(WrittenAs { term: self.term(&m).to_owned(), trick: Trick::Strewn }),
                (None, false) => None,
            };
            Sighting {
                kind: self.block.kind,
                place: self.block.place_of(self.fact.index),
                text,
                mark,
                matched: self.fact.text[start..end].to_owned(),
                written_as,
            }
        });
    }

    /// A domain counts where it is one: not inside a longer label, not in a longer name.
    fn note_domain(&self, library: u32, m: &Match, hits: &mut Hits) {
        const WORDS: Kinds = Kinds::INSIDE;
        if m.strewn || !(WORDS | Kind::Metadata.bit() | Kind::DeepLink.bit()).contains(self.block.kind.bit()) {
            return;
        }
        let bytes = self.normal.text.as_bytes();
        let before = m.start.checked_sub(1).map(|i| bytes[i]);
        let after = bytes.get(m.end).copied();
        // Of nested domains, the longest names the library.
        let is_inner = self.matches.iter().any(|other| {
            other.start <= m.start
                && other.end == m.end
                && other.end - other.start > m.end - m.start
                && self.pack.terms.patterns[other.pattern as usize]
                    .uses
                    .iter()
                    .any(|u| matches!(u.role, Role::Domain(_)))
        });
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

/// Clues that are a regular expression alone, over few and short facts.
pub(super) fn regexes(pack: &Pack, block: &Block, hits: &mut Hits) {
    for (number, clue) in pack.clues.iter().enumerate() {
        let Condition::Observed(observed) = &clue.condition else { continue };
        let Some(regex) = observed.regex.as_ref().filter(|_| !observed.has_terms) else { continue };
        if !observed.kinds.contains(block.kind.bit()) {
            continue;
        }
        for fact in block.iter() {
            let normal = normalise(fact.text);
            if let Some(found) = regex.find(&normal.text) {
                let (start, end) = normal.origin_range(found.start(), found.end(), fact.text);
                hits.note(number, || {
                    let (text, mark) = snippet::cut(fact.text, start, end);
                    Sighting {
                        kind: block.kind,
                        place: block.place_of(fact.index),
                        text,
                        mark,
                        matched: fact.text[start..end].to_owned(),
                        written_as: None,
                    }
                });
            }
        }
    }
}

fn floor_char(text: &str, mut offset: usize) -> usize {
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn ceil_char(text: &str, mut offset: usize) -> usize {
    while !text.is_char_boundary(offset) {
        offset += 1;
    }
    offset
}
