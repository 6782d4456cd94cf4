//! The compiled pack: everything a detection needs, immutable and shared.

use std::collections::{BTreeMap, BTreeSet};

use super::compile::SIGHTINGS;
use super::loader::Loader;
use super::{
    Clue, Condition, Instrument, Libraries, Observed, PackError, Panel, Policy, Role, SignatureFile, Source, Terms,
    normalise,
};
use crate::model::{About, Words};

/// A signature of the pack.
#[derive(Debug, Clone)]
pub struct Signature {
    /// `sign/name`.
    pub id: String,
    /// What it speaks about.
    pub about: About,
    /// The file as written, with its examples.
    pub file: SignatureFile,
    /// The file's text, for faults that point into it.
    pub text: String,
    /// Numbers of its clues.
    pub clues: std::ops::Range<usize>,
}

/// Everything that detection and scoring need.
#[derive(Debug)]
pub struct Pack {
    /// SHA-256 over all files.
    pub sha256: String,
    /// Signatures, by id.
    pub signatures: Vec<Signature>,
    /// Clues of all signatures.
    pub clues: Vec<Clue>,
    /// Numbers of the clues that rest on libraries or text models.
    pub beside: Vec<usize>,
    /// Numbers of the derived clues, each after those it refers to.
    pub derived: Vec<usize>,
    /// Numbers of the clues whose matches go into the profile, by the name they go under.
    pub collecting: BTreeMap<String, Vec<usize>>,
    /// All terms.
    pub terms: Terms,
    /// Per kind of fact (`Kind as usize`), numbers of the clues that are a regular expression alone.
    pub regexes: Vec<Vec<usize>>,
    /// The library catalogue.
    pub libraries: Libraries,
    /// Text models, with those of their shape.
    pub panels: Vec<Panel>,
    /// Policies by id.
    pub policies: BTreeMap<String, Policy>,
    /// Instruments by id.
    pub instruments: BTreeMap<String, Instrument>,
    /// What is wrong with policies and instruments that were therefore left out.
    pub faults: Vec<PackError>,
    /// Facets of the profile: (lexicon, label).
    pub facets: Vec<(String, String)>,
    /// Clues under development: detection keeps the matches that did not count, too.
    pub watched: std::ops::Range<usize>,
}

impl Pack {
    /// Compiles the files of a source.
    ///
    /// # Errors
    /// The first fault, with file, line and column. A fault in a policy or an instrument is none here:
    /// it is kept in [`Pack::faults`], and the others are there.
    pub fn load(source: &Source) -> Result<Self, PackError> {
        let mut loader = Loader::default();
        for (file, text) in &source.files {
            loader.read(file, text)?;
        }
        loader.finish(source.sha256())
    }

    /// The policy with this id; `a+b` is both at once.
    #[must_use]
    pub fn policy(&self, id: &str) -> Option<Policy> {
        let policies: Option<Vec<&Policy>> = id.split('+').map(|one| self.policies.get(one)).collect();
        Policy::joined(&policies?)
    }

    /// The signature with this id.
    #[must_use]
    pub fn signature(&self, id: &str) -> Option<&Signature> {
        self.signatures.iter().find(|s| s.id == id)
    }

    /// A clue's name as a signature would write it: `clue` for its own, else `sign/file#clue`.
    #[must_use]
    pub fn name_of(&self, number: usize, within: &Signature) -> String {
        let clue = &self.clues[number];
        let home = &self.signatures[clue.signature];
        if home.id == within.id { clue.id.clone() } else { format!("{}#{}", home.id, clue.id) }
    }

    /// Has detection keep more matches of this signature's clues, and what undid others.
    pub fn watch(&mut self, id: &str) {
        self.watched = self.signature(id).map_or(0..0, |signature| signature.clues.clone());
        for clue in &mut self.clues[self.watched.clone()] {
            if let Condition::Observed(observed) = &mut clue.condition {
                observed.kept = SIGHTINGS;
            }
        }
    }

    /// Facets of the profile that these texts name.
    #[must_use]
    pub fn facets_in<'a>(&self, texts: impl Iterator<Item = &'a str>) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        for text in texts {
            for (term, _, _) in self.terms.find(&normalise(text).text) {
                let uses = &self.terms.patterns[term as usize].uses;
                found.extend(uses.iter().filter_map(|u| match u.role {
                    Role::Facet(facet) => Some(facet),
                    _ => None,
                }));
            }
        }
        found
    }

    /// What a clue looks for on facts; `None` where it rests on something else.
    #[must_use]
    pub fn observed(&self, clue: usize) -> Option<&Observed> {
        self.clues[clue].condition.observed()
    }

    /// Clues of a signature, with their numbers.
    pub fn clues_of<'a>(&'a self, signature: &Signature) -> impl Iterator<Item = (usize, &'a Clue)> {
        signature.clues.clone().map(|n| (n, &self.clues[n]))
    }
}

impl Signature {
    /// Its title.
    #[must_use]
    pub const fn title(&self) -> &Words {
        &self.file.title
    }
}
