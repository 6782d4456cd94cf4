//! What one signature made of one app, clue by clue: for those who write signatures.

use serde::Serialize;

use super::{Contribution, Evidence, Kinds, NearMiss, Sighting, Words};

/// A signature tried on a text, a listing or a package.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// Id of the signature.
    pub signature: String,
    /// What it recognises.
    pub title: Words,
    /// What it was tried on.
    pub on: String,
    /// Its clues, in the order of the file.
    pub clues: Vec<Tried>,
    /// Base rate and this signature only.
    pub alone: Weighed,
    /// Base rate and every signature of the sign.
    pub together: Weighed,
    /// The app is in the notice's scope, as far as its profile says.
    pub in_scope: bool,
}

/// One clue of a trial.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tried {
    /// Name within the file.
    pub clue: String,
    /// Why it counts.
    pub why: Words,
    /// Decibans as the file gives them.
    pub weight: i32,
    /// It holds.
    pub holds: bool,
    /// What showed it, where it holds and weighs something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Places where a clue on facts held: the first few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sightings: Vec<Sighting>,
    /// How often it held.
    pub times: usize,
    /// Matches that did not count, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub near_misses: Vec<NearMiss>,
    /// What a clue that does not hold lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacks: Option<Lack>,
}

/// Why a clue does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lack {
    /// Nothing of the kinds it looks at was there.
    Facts(Vec<&'static str>),
    /// Its terms or regular expression are not there, or do not count.
    Match,
    /// No library of this category.
    Library(String),
    /// The model leans neither way, or had too little text.
    Verdict(String),
    /// Clues that would have to hold.
    Clues(Vec<String>),
    /// One of these clues would have to hold.
    AnyOf(Vec<String>),
    /// Clues that hold and must not.
    Barred(Vec<String>),
    /// Absence was not shown: the facts of these clues were not there to be searched.
    Unsearched(Vec<String>),
}

impl Lack {
    /// Kinds that were not there.
    #[must_use]
    pub fn facts(kinds: Kinds) -> Self {
        Self::Facts(kinds.each().map(super::Kind::id).collect())
    }
}

/// A sum with the evidence behind it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Weighed {
    /// Base rate and groups.
    pub sum: Vec<Contribution>,
    /// Probability of the sum.
    pub probability: f64,
    /// Evidence, what counted first.
    pub evidence: Vec<Evidence>,
}
