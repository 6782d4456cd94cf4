//! What detection saw, in a form that merges, and what it concluded.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Block, Kind, Kinds, Sign, WrittenAs};

/// What a signature speaks about: one of the signs, or the education profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum About {
    /// The profile: is it an education app (draft 二（一）)?
    Education,
    /// A sign.
    Sign(Sign),
}

impl About {
    /// The folder's name.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Education => "education",
            Self::Sign(sign) => sign.id(),
        }
    }

    /// The subject of this folder name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        if id == "education" { Some(Self::Education) } else { Sign::from_id(id).map(Self::Sign) }
    }
}

/// What sort of fact showed a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Trace {
    /// A component in the manifest.
    Component,
    /// A native library.
    Native,
    /// An asset.
    Asset,
    /// Classes in the code.
    Class,
    /// A domain in some text.
    Domain,
}

/// Sightings kept per clue of those that several scans saw.
const KEPT: usize = 5;

/// One place where a clue held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// Kind of the fact.
    pub kind: Kind,
    /// Its place.
    pub place: String,
    /// The match in its surroundings.
    pub text: String,
    /// The match within `text`, in characters.
    pub mark: [usize; 2],
    /// From the match to what had to stand near it, within `text`, in characters: what carries the claim. Only
    /// where the clue wants something near and both are in `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<[usize; 2]>,
    /// The matched words alone.
    pub matched: String,
    /// The term, if it was disguised.
    pub written_as: Option<WrittenAs>,
}

impl Sighting {
    /// What carries the claim, within `text`, in characters.
    #[must_use]
    pub fn quote(&self) -> [usize; 2] {
        self.claim.unwrap_or(self.mark)
    }
}

/// A match that did not count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NearMiss {
    /// The match.
    #[serde(flatten)]
    pub sighting: Sighting,
    /// Why it does not count.
    pub cause: Cause,
    /// The term that stands in the way, where one does.
    pub by: String,
}

/// Why a match does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A longer word of the lexicon's `except` holds it.
    Swallowed,
    /// It only comes about where two other words meet.
    Broken,
    /// The clue's `regex` does not match around it.
    NoRegex,
    /// No term of `near` is within reach.
    NotNear,
    /// A term of `unless` is within reach.
    Unless,
    /// A negation speaks of it.
    Negated,
    /// Fewer different terms than `at-least`.
    TooFew,
}

impl Cause {
    /// Its id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Swallowed => "swallowed",
            Self::Broken => "broken",
            Self::NoRegex => "no-regex",
            Self::NotNear => "not-near",
            Self::Unless => "unless",
            Self::Negated => "negated",
            Self::TooFew => "too-few",
        }
    }
}

/// Where and how often a clue held.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// How often.
    pub times: usize,
    /// The first places, as many as the clue wants kept; plainly written ones come first.
    pub sightings: Vec<Sighting>,
}

/// What was seen of a library.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibrarySeen {
    /// Sorts of facts that showed it, with the first place of each.
    pub traces: BTreeMap<Trace, String>,
    /// Classes under its prefixes.
    pub classes: usize,
}

/// Classes below which a prefix may be a stub that a build left behind.
const SOLID_CLASSES: usize = 3;

impl LibrarySeen {
    /// More than a trace: a component, a native library, an asset, or a body of classes.
    #[must_use]
    pub fn is_solid(&self) -> bool {
        self.classes >= SOLID_CLASSES
            || [Trace::Component, Trace::Native, Trace::Asset].iter().any(|t| self.traces.contains_key(t))
    }
}

/// Classes that belong to no library of the catalogue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnClasses {
    /// All of them.
    pub all: usize,
    /// Those with a name of one or two characters.
    pub short: usize,
}

/// How often a facet of the profile (a stage, a subject) was met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetSeen {
    /// In the listing and the app's label, which say what the app is.
    pub named: usize,
    /// Hashes of the texts of its screens, which say what is in it: the same text in another
    /// variant or configuration of the app says it no louder.
    pub inside: BTreeSet<u64>,
}

/// Bytes of words for users that are kept of one app.
const SCREEN_MAX: usize = 1 << 20;

/// Everything a scan saw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Hits {
    /// Observed clues by number.
    pub clues: BTreeMap<usize, Seen>,
    /// Matches that did not count, by clue; only of clues the pack watches.
    pub near_misses: BTreeMap<usize, Vec<NearMiss>>,
    /// Libraries by number.
    pub libraries: BTreeMap<u32, LibrarySeen>,
    /// Facets of the profile by number.
    pub facets: BTreeMap<u32, FacetSeen>,
    /// Facts searched per kind.
    pub searched: BTreeMap<Kind, usize>,
    /// Characters per language code.
    pub languages: BTreeMap<Cow<'static, str>, usize>,
    /// Domains met that belong to libraries, for the profile.
    pub domains: BTreeSet<String>,
    /// Classes of the app itself.
    pub own_classes: OwnClasses,
    /// Words for users, gathered from all over a package until they are read as one text.
    pub screen: Vec<Block>,
}

impl Hits {
    /// Adds words for users, as far as so many bytes have room for them.
    pub fn add_screen(&mut self, block: Block, most: usize) {
        let held: usize = self.screen.iter().map(|block| block.text().len()).sum();
        if !block.is_empty() && held + block.text().len() <= most {
            self.screen.push(block);
        }
    }

    /// Counts the facts of a block as searched.
    pub fn note_searched(&mut self, block: &Block) {
        *self.searched.entry(block.kind).or_default() += block.len();
    }

    /// Kinds of which at least one fact was searched.
    #[must_use]
    pub fn kinds(&self) -> Kinds {
        self.searched.keys().fold(Kinds::empty(), |all, kind| all | kind.bit())
    }

    /// Notes that a clue held which wants so many sightings kept. A plainly written one takes the
    /// place of one in disguise.
    pub fn note(&mut self, clue: usize, kept: usize, is_plain: bool, sighting: impl FnOnce() -> Sighting) {
        let none = || Seen { times: 0, sightings: Vec::with_capacity(kept) };
        let seen = self.clues.entry(clue).or_insert_with(none);
        seen.times += 1;
        if seen.sightings.len() < kept {
            seen.sightings.push(sighting());
        } else if is_plain && seen.sightings.last().is_some_and(|last| last.written_as.is_some()) {
            seen.sightings.pop();
            seen.sightings.push(sighting());
        }
    }

    /// Notes that a match of a clue did not count.
    pub fn note_undone(&mut self, clue: usize, miss: impl FnOnce() -> NearMiss) {
        let misses = self.near_misses.entry(clue).or_default();
        if misses.len() < KEPT {
            misses.push(miss());
        }
    }

    /// Notes a trace of a library.
    pub fn note_library(&mut self, library: u32, trace: Trace, place: impl FnOnce() -> String) {
        let seen = self.libraries.entry(library).or_default();
        if trace == Trace::Class {
            seen.classes += 1;
        }
        seen.traces.entry(trace).or_insert_with(place);
    }

    /// Appends what a later scan saw.
    pub fn merge(&mut self, other: Self) {
        for (clue, seen) in other.clues {
            let mine = self.clues.entry(clue).or_default();
            mine.times += seen.times;
            mine.sightings.extend(seen.sightings);
            // What stands in words comes before what was read from a picture.
            mine.sightings.sort_by_key(|s| (Kinds::PICTURES.contains(s.kind.bit()), s.written_as.is_some()));
            mine.sightings.truncate(KEPT);
        }
        for (clue, misses) in other.near_misses {
            let mine = self.near_misses.entry(clue).or_default();
            mine.extend(misses);
            mine.truncate(KEPT);
        }
        for (library, seen) in other.libraries {
            let mine = self.libraries.entry(library).or_default();
            mine.classes += seen.classes;
            for (trace, place) in seen.traces {
                mine.traces.entry(trace).or_insert(place);
            }
        }
        for (facet, seen) in other.facets {
            let mine = self.facets.entry(facet).or_default();
            mine.named += seen.named;
            mine.inside.extend(seen.inside);
        }
        for (kind, count) in other.searched {
            *self.searched.entry(kind).or_default() += count;
        }
        for (language, characters) in other.languages {
            *self.languages.entry(language).or_default() += characters;
        }
        self.domains.extend(other.domains);
        for block in other.screen {
            self.add_screen(block, SCREEN_MAX);
        }
        self.own_classes.all += other.own_classes.all;
        self.own_classes.short += other.own_classes.short;
    }
}

/// Everything that holds for one app.
#[derive(Debug, Clone)]
pub struct Detection {
    /// Clues that hold per subject, in the order of the pack. Those of weight 0 are left out.
    pub held: BTreeMap<About, Vec<Held>>,
    /// What was seen.
    pub hits: Hits,
    /// What the text models say, by name.
    pub models: BTreeMap<String, ModelVerdict>,
    /// Which clues hold, by number.
    pub holding: Holding,
}

/// Which clues hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holding(pub Vec<bool>);

/// A clue that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its number.
    pub clue: usize,
    /// What it weighs here, in decibans.
    pub weight: i32,
    /// Number of the clue in whose group it counts: its own, or that of a stronger clue that saw the
    /// very same words and nothing else. One sighting counts once.
    pub with: usize,
}

impl Detection {
    /// The clues that hold about a subject.
    #[must_use]
    pub fn about(&self, about: About) -> &[Held] {
        self.held.get(&about).map_or(&[], Vec::as_slice)
    }
}

impl Holding {
    /// Whether a clue holds.
    #[must_use]
    pub fn contains(&self, clue: usize) -> bool {
        self.0.get(clue).copied().unwrap_or(false)
    }
}

/// Words that are put together where they are shown, and only there.
#[derive(Clone)]
pub struct Later(Arc<dyn Fn() -> String + Send + Sync>);

impl Later {
    /// Keeps how they are put together.
    pub fn new(words: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(words))
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> String {
        self.0()
    }
}

impl std::fmt::Debug for Later {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Later").field(&self.words()).finish()
    }
}

/// What a text model says of a listing.
#[derive(Debug, Clone)]
pub struct ModelVerdict {
    /// Between -1 (surely not) and 1 (surely).
    pub lean: f64,
    /// The n-grams that carried it, strongest first, with blanks between.
    pub carried_by: Later,
    /// Where the text stands.
    pub place: String,
}

impl ModelVerdict {
    /// Decibans it gives to a clue whose most is `full`.
    #[must_use]
    pub fn weight(&self, full: i32) -> i32 {
        (self.lean * f64::from(full)).round() as i32
    }
}
