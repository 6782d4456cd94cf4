//! Regular expressions that terms lead to: tried around the terms and nowhere else.

use std::collections::BTreeMap;
use std::ops::Range;

use regex::Regex;

use super::matching::Match;
use crate::model::Kinds;
use crate::signature::{Expression, Pack};

/// Where the expressions of clues match within one fact, by number.
#[derive(Debug, Default)]
pub(super) struct Expressions(BTreeMap<u32, Vec<Range<usize>>>);

/// An expression, and where it is worth a try.
type Sought<'a> = (&'a Regex, Vec<Range<usize>>);

impl Expressions {
    /// Tries the expressions of the clues that look at these kinds. The matches are those of one fact,
    /// in the order of their ends; `text` is that of its block, where NUL stands between facts.
    pub(super) fn of(pack: &Pack, kinds: Kinds, text: &str, matches: &[Match]) -> Self {
        let mut sought: BTreeMap<u32, Sought<'_>> = BTreeMap::new();
        // A fact of a corrupt file may hold a NUL itself.
        let mut bounds = 0..0;
        for m in matches {
            for &clue in &pack.terms.patterns[m.pattern as usize].leads_to {
                let Some(observed) = pack.observed(clue as usize) else { continue };
                if let Some(expression) = observed.regex.as_ref().filter(|_| observed.kinds.intersects(kinds)) {
                    if !bounds.contains(&m.start) {
                        bounds = fact_around(text, m.start);
                    }
                    let Some(regex) = expression.regex() else { continue };
                    let (_, windows) = sought.entry(expression.number).or_insert_with(|| (regex, Vec::new()));
                    join(windows, around(text, &bounds, m, expression.reach()));
                }
            }
        }
        let found = |(number, (regex, windows)): (u32, Sought<'_>)| {
            let within = |window: Range<usize>| {
                let found = regex.find_iter(&text[window.clone()]);
                found.map(move |m| window.start + m.start()..window.start + m.end())
            };
            (number, windows.into_iter().flat_map(within).collect())
        };
        Self(sought.into_iter().map(found).collect())
    }

    /// The match, brought to what an expression matches there.
    pub(super) fn narrow(&self, expression: &Expression, m: Match) -> Option<Match> {
        let found = self.0.get(&expression.number)?;
        let first = found.partition_point(|found| found.end <= m.start);
        let Range { start, end } = found.get(first).filter(|found| found.start < m.end)?.clone();
        Some(Match { start, end, ..m })
    }
}

/// The range of the fact that holds a place.
fn fact_around(text: &str, at: usize) -> Range<usize> {
    let from = memchr::memrchr(0, &text.as_bytes()[..at]).map_or(0, |i| i + 1);
    let to = memchr::memchr(0, &text.as_bytes()[at..]).map_or(text.len(), |i| at + i);
    from..to
}

fn around(text: &str, fact: &Range<usize>, m: &Match, reach: usize) -> Range<usize> {
    let from = text.ceil_char_boundary(m.start.saturating_sub(reach).max(fact.start));
    let to = text.floor_char_boundary((m.end + reach).min(fact.end));
    from..to
}

/// Adds a window; those that overlap become one, so that nothing is read twice.
fn join(windows: &mut Vec<Range<usize>>, window: Range<usize>) {
    match windows.last_mut() {
        Some(last) if window.start <= last.end => *last = last.start.min(window.start)..last.end.max(window.end),
        _ => windows.push(window),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::signature::Source;

    const SIGNATURE: &str = r#"
title = { zh = "x", en = "x" }
[[clue]]
id = "a"
in = ["code"]
any = ["学"]
regex = '[小中]学[0-9]{0,3}'
weight = 1
why = { zh = "x", en = "x" }
"#;

    fn pack() -> Pack {
        let files = BTreeMap::from([("photo-search/x.toml".to_owned(), SIGNATURE.to_owned())]);
        Pack::load(&Source { files }).unwrap()
    }

    proptest! {
        /// Windows change nothing, and a NUL within a fact neither.
        #[test]
        fn finds_what_a_search_of_each_part_finds(text in "[小中大学0-9\\x00]{0,60}") {
            let pack = pack();
            let met: Vec<Match> = text
                .match_indices('学')
                .map(|(start, m)| Match { pattern: 0, start, end: start + m.len(), strewn: false })
                .collect();
            let found = Expressions::of(&pack, Kinds::ALL, &text, &met);
            let regex = Regex::new("[小中]学[0-9]{0,3}").unwrap();
            let expression = pack.observed(0).unwrap().regex.as_ref().unwrap();
            for m in met {
                let part = fact_around(&text, m.start);
                let plain = regex
                    .find_iter(&text[part.clone()])
                    .map(|f| (part.start + f.start(), part.start + f.end()))
                    .find(|&(start, end)| start < m.end && end > m.start);
                prop_assert_eq!(found.narrow(expression, m).map(|m| (m.start, m.end)), plain);
            }
        }
    }
}
