//! Clues that rest on other clues, and evidence in its final form.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{
    About, Detection, Evidence, Held, Hits, Holding, Kind, Kinds, ModelVerdict, Sighting, Trick, WrittenAs,
};
use crate::signature::{Clue, Condition, Pack};

/// Decibans that a disguise takes from a clue: it was meant, but it was read with less certainty.
const fn cost(trick: Trick) -> i32 {
    match trick {
        Trick::Strewn => 1,
        Trick::Respelt => 2,
    }
}

/// Decibans that reading a picture of what a store shows takes from a clue: a vendor says it, and a
/// character may be misread.
const SHOWN_COST: i32 = 2;

/// What a clue weighs that was seen in pictures of a package alone: two thirds. Words there may belong to a
/// poster, a game or somebody's photograph.
const fn in_picture(weight: i32) -> i32 {
    weight * 2 / 3
}

/// Evaluates all clues. A `none` clue only holds where the kinds it looks at were there
/// to be searched, because nothing else shows absence.
#[must_use]
pub fn conclude(pack: &Pack, mut hits: Hits, mut models: BTreeMap<String, ModelVerdict>) -> Detection {
    super::screen::read(pack, &mut hits, &mut models);
    let mut holding = Holding(vec![false; pack.clues.len()]);
    for &number in hits.clues.keys() {
        holding.0[number] = true;
    }
    for &number in &pack.beside {
        let clue = &pack.clues[number];
        holding.0[number] = match &clue.condition {
            Condition::Library { category, faint } => library(pack, &hits, category, *faint).is_some(),
            Condition::Model(name) => models.get(name).is_some_and(|m| m.weight(clue.weight) != 0),
            Condition::Observed(_) | Condition::Derived { .. } => false,
        };
    }
    let searched = hits.kinds();
    for &number in &pack.derived {
        if let Condition::Derived { all, any_of, none, not } = &pack.clues[number].condition {
            holding.0[number] = all.iter().all(|&n| holding.0[n])
                && (any_of.is_empty() || any_of.iter().any(|&n| holding.0[n]))
                && not.iter().all(|&n| !holding.0[n])
                && none.iter().all(|&n| !holding.0[n] && was_searched(pack, n, searched));
        }
    }
    let mut held: BTreeMap<About, Vec<Held>> = BTreeMap::new();
    for (clue, of) in pack.clues.iter().enumerate().filter(|(clue, _)| holding.0[*clue]) {
        let weight = weight(of, &hits, &models, clue);
        if of.weight != 0 {
            held.entry(pack.signatures[of.signature].about).or_default().push(Held { clue, weight, with: clue });
        }
    }
    held.values_mut().for_each(|held| join_sightings(&hits, held));
    Detection { held, hits, models, holding }
}

/// Has clues that saw one and the same piece of the package count once, at the strongest: 校园 in a
/// name is no name of a school and a word of schools besides. A listing is written to be read whole.
fn join_sightings(hits: &Hits, held: &mut [Held]) {
    let mut order: Vec<usize> = (0..held.len()).filter(|&at| held[at].weight > 0).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(held[at].weight));
    let mut taken: Vec<(&Sighting, usize)> = Vec::new();
    for at in order {
        let Some(only) = only_sighting(hits, held[at].clue) else { continue };
        match taken.iter().find(|(other, _)| is_same_piece(only, other)) {
            Some(&(_, with)) => held[at].with = with,
            None => taken.push((only, held[at].clue)),
        }
    }
}

/// The one place in the package where a clue was seen; `None` where there are several.
fn only_sighting(hits: &Hits, clue: usize) -> Option<&Sighting> {
    let seen = hits.clues.get(&clue)?;
    let (first, rest) = seen.sightings.split_first()?;
    let is_inside = !Kinds::LISTING.contains(first.kind.bit());
    let is_one = seen.times == seen.sightings.len() && rest.iter().all(|other| is_same_piece(first, other));
    (is_inside && is_one).then_some(first)
}

/// The same words at the same place.
fn is_same_piece(one: &Sighting, other: &Sighting) -> bool {
    one.place == other.place && one.text == other.text && one.mark[0] < other.mark[1] && other.mark[0] < one.mark[1]
}

/// What a clue that holds weighs here.
fn weight(clue: &Clue, hits: &Hits, models: &BTreeMap<String, ModelVerdict>, number: usize) -> i32 {
    match &clue.condition {
        Condition::Model(name) => models.get(name).map_or(0, |m| m.weight(clue.weight)),
        // Never below 1: a disguise does not turn evidence round.
        Condition::Observed(_) if clue.weight > 0 => {
            let seen = first(hits, number);
            let weight = match seen.map(|seen| seen.kind) {
                Some(Kind::Picture) => in_picture(clue.weight),
                Some(Kind::Screenshot) => clue.weight - SHOWN_COST,
                _ => clue.weight,
            };
            let written_as = seen.and_then(|seen| seen.written_as.as_ref());
            (weight - written_as.map_or(0, |w| cost(w.trick))).max(1)
        }
        _ => clue.weight,
    }
}

/// The evidence about a subject, as a reviewer reads it, in the order of the pack's clues.
#[must_use]
pub fn evidence(pack: &Pack, detection: &Detection, about: About) -> Vec<Evidence> {
    detection.about(about).iter().map(|held| describe(pack, detection, held)).collect()
}

/// Where a library would show.
const CODE: Kinds = Kinds::from_bits_truncate(
    1 << Kind::Class as u32 | 1 << Kind::Component as u32 | 1 << Kind::Native as u32 | 1 << Kind::File as u32,
);

/// Whether the facts a clue looks at were there to be searched.
#[must_use]
pub fn was_searched(pack: &Pack, number: usize, searched: Kinds) -> bool {
    match &pack.clues[number].condition {
        Condition::Observed(observed) => {
            let inside = observed.kinds.difference(Kinds::LISTING.union(Kinds::PITCH).union(Kinds::PICTURES));
            let looked_at = if inside.is_empty() { observed.kinds } else { inside };
            searched.intersects(looked_at)
        }
        Condition::Library { .. } => searched.intersects(CODE),
        Condition::Model(_) => searched.intersects(Kinds::PITCH),
        Condition::Derived { all, any_of, none, .. } => {
            all.iter().chain(any_of).chain(none).all(|&n| was_searched(pack, n, searched))
        }
    }
}

/// The first library of a category: solid ones before faint ones.
fn library(pack: &Pack, hits: &Hits, category: &str, faint: bool) -> Option<u32> {
    hits.libraries
        .iter()
        .filter(|(id, seen)| pack.libraries.all[**id as usize].category == category && seen.is_solid() != faint)
        .map(|(id, _)| *id)
        .next()
}

fn describe(pack: &Pack, detection: &Detection, held: &Held) -> Evidence {
    let clue = &pack.clues[held.clue];
    let shown = shown(pack, detection, held.clue);
    Evidence {
        signature: pack.signatures[clue.signature].id.clone(),
        clue: clue.id.clone(),
        kind: shown.kind,
        weight: held.weight,
        group: pack.clues[held.with].group.clone(),
        counted: true,
        text: shown.text,
        mark: shown.mark,
        place: shown.place,
        times: shown.times,
        why: clue.why.clone(),
        written_as: shown.written_as,
        cut_out: None,
    }
}

/// What a reviewer sees of a clue.
struct Shown {
    kind: Cow<'static, str>,
    text: String,
    mark: Option<[usize; 2]>,
    place: String,
    times: usize,
    written_as: Option<WrittenAs>,
}

fn shown(pack: &Pack, detection: &Detection, number: usize) -> Shown {
    let Detection { hits, models, .. } = detection;
    match &pack.clues[number].condition {
        Condition::Observed(_) => observed(hits, number),
        Condition::Library { category, faint } => libraries(pack, hits, category, *faint),
        Condition::Model(name) => Shown {
            kind: "model".into(),
            text: models.get(name).map_or_else(String::new, |m| m.carried_by.words()),
            mark: None,
            place: models.get(name).map_or_else(String::new, |m| m.place.clone()),
            times: 1,
            written_as: None,
        },
        Condition::Derived { all, any_of, none, .. } => derived(pack, detection, all, any_of, none),
    }
}

/// The sighting that stands for a clue.
fn first(hits: &Hits, number: usize) -> Option<&Sighting> {
    hits.clues.get(&number).and_then(|seen| seen.sightings.first())
}

fn observed(hits: &Hits, number: usize) -> Shown {
    let first = first(hits, number);
    Shown {
        kind: first.map_or("text", |s| s.kind.evidence_kind()).into(),
        text: first.map_or_else(String::new, |s| s.text.clone()),
        mark: first.map(Sighting::quote),
        place: first.map_or_else(String::new, |s| s.place.clone()),
        times: hits.clues.get(&number).map_or(0, |seen| seen.times),
        written_as: first.and_then(|s| s.written_as.clone()),
    }
}

fn libraries(pack: &Pack, hits: &Hits, category: &str, faint: bool) -> Shown {
    let found: Vec<(&str, &str)> = hits
        .libraries
        .iter()
        .filter(|(id, seen)| pack.libraries.all[**id as usize].category == category && seen.is_solid() != faint)
        .map(|(id, seen)| {
            let place = seen.traces.values().next().map_or("", String::as_str);
            (pack.libraries.all[*id as usize].name.as_str(), place)
        })
        .collect();
    Shown {
        kind: "library".into(),
        text: found.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("、"),
        mark: None,
        place: found.iter().take(3).map(|(_, place)| *place).collect::<Vec<_>>().join("; "),
        times: found.len(),
        written_as: None,
    }
}

fn derived(pack: &Pack, detection: &Detection, all: &[usize], any_of: &[usize], none: &[usize]) -> Shown {
    let holds = |n: usize| match &pack.clues[n].condition {
        Condition::Observed(_) => detection.hits.clues.contains_key(&n),
        _ => true,
    };
    let parts: Vec<Shown> = all
        .iter()
        .copied()
        .chain(any_of.iter().copied().find(|&n| holds(n)))
        .map(|n| shown(pack, detection, n))
        .filter(|part| !part.text.is_empty() || !part.place.is_empty())
        .collect();
    if parts.is_empty() && !none.is_empty() {
        return absent(&detection.hits);
    }
    Shown {
        kind: "combination".into(),
        text: once(parts.iter().map(|p| p.text.trim())).join(" ＋ "),
        mark: None,
        place: once(parts.iter().map(|p| p.place.as_str())).join("; "),
        times: 1,
        written_as: None,
    }
}

/// Each once: a sentence in which two parts stand is one sentence.
fn once<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut kept: Vec<&str> = Vec::new();
    for text in texts.filter(|text| !text.is_empty()) {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}

/// Words for people, wherever they stand.
const SHOWN: Kinds = Kinds::PITCH.union(Kinds::INSIDE).union(Kinds::PICTURES);

/// Absence: the evidence is where it was looked for.
fn absent(hits: &Hits) -> Shown {
    let searched: Vec<String> = hits
        .searched
        .iter()
        .filter(|(kind, _)| **kind != Kind::Screen && SHOWN.contains(kind.bit()))
        .map(|(kind, count)| format!("{} {count}", kind.id()))
        .collect();
    Shown {
        kind: "absence".into(),
        text: String::new(),
        mark: None,
        place: searched.join(", "),
        times: 0,
        written_as: None,
    }
}
