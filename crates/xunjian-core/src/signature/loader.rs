//! From the files of a source to the compiled pack.

use std::collections::{BTreeMap, HashMap};

use toml::Spanned;

use super::compile::{Site, term_lists};
use super::law::Law;
use super::reference::{Names, condition, order_derived};
use super::syntax::{ClueFile, LexiconFile};
use super::term::TermsBuilder;
use super::{Clue, Condition, Libraries, Pack, PackError, Panel, Role, Signature, SignatureFile, Source, TextModel};
use crate::model::{About, Kind};

/// Label of the words that hold a term by accident.
const EXCEPT: &str = "except";

/// Lexicons whose labels describe an app in its profile.
const FACETS: &[&str] = &["stages", "subjects"];

/// Files as they are read, until all are there.
#[derive(Default)]
pub(super) struct Loader {
    signatures: Vec<Signature>,
    lexicons: BTreeMap<String, LexiconFile>,
    libraries: Libraries,
    models: BTreeMap<String, TextModel>,
    /// Files of instruments and policies, path and text: policies are read when all instruments are.
    law: Vec<(String, String)>,
}

impl Loader {
    /// Reads a file into its place.
    pub(super) fn read(&mut self, file: &str, text: &str) -> Result<(), PackError> {
        let parts: Vec<&str> = file.split('/').collect();
        match parts.as_slice() {
            ["lexicons", name] => {
                let lexicon: LexiconFile = parse(file, text)?;
                self.lexicons.insert(stem(name).to_owned(), lexicon);
                Ok(())
            }
            ["libraries", name] if name.ends_with(".csv") => self.libraries.add_file(file, text),
            ["models", name] if name.ends_with(".model") => {
                self.models.insert(stem(name).to_owned(), TextModel::parse(file, text)?);
                Ok(())
            }
            ["policies" | "instruments", _] => {
                self.law.push((file.to_owned(), text.to_owned()));
                Ok(())
            }
            [about, _] if About::from_id(about).is_some() && file.ends_with(".toml") => {
                self.signature(file, text, about)
            }
            _ if !file.ends_with(".toml") => Ok(()),
            _ => Err(PackError::at(
                file,
                text,
                0,
                "not a place for a signature: use <sign>/<name>.toml, education/<name>.toml, lexicons/, libraries/, instruments/ or policies/",
            )),
        }
    }

    fn signature(&mut self, file: &str, text: &str, about: &str) -> Result<(), PackError> {
        let parsed: SignatureFile = parse(file, text)?;
        let about = About::from_id(about).unwrap_or(About::Education);
        self.signatures.push(Signature {
            id: file.trim_end_matches(".toml").to_owned(),
            about,
            file: parsed,
            text: text.to_owned(),
            clues: 0..0,
        });
        Ok(())
    }

    /// Compiles what was read; `sha256` is that of all files.
    pub(super) fn finish(mut self, sha256: String) -> Result<Pack, PackError> {
        let whole = |message: String| PackError { file: "pack".into(), line: 1, column: 1, message };
        self.libraries.index().map_err(whole)?;
        let mut next = 0;
        for signature in &mut self.signatures {
            let end = next + signature.file.clues.len();
            signature.clues = next..end;
            next = end;
        }
        let names = Names::of(&self.signatures)?;
        let mut clues = Vec::with_capacity(next);
        let mut collecting = BTreeMap::new();
        let mut expressions: HashMap<String, u32> = HashMap::new();
        let mut terms = TermsBuilder::default();
        for (index, signature) in self.signatures.iter().enumerate() {
            let file = format!("{}.toml", signature.id);
            let site = Site { file: &file, text: &signature.text, is_ours: Source::has(&file, &signature.text) };
            for (offset, clue) in signature.file.clues.iter().enumerate() {
                let number = signature.clues.start + offset;
                self.add_terms(clue, number, &site, &mut terms)?;
                if let Some(name) = &clue.collect {
                    collecting.entry(name.get_ref().clone()).or_insert_with(Vec::new).push(number);
                }
                if let Some(name) = clue.model.as_ref().filter(|name| !self.models.contains_key(name.get_ref())) {
                    return Err(site.fault(name, format!("no model `{}` under models/", name.get_ref())));
                }
                let mut condition = condition(clue, signature, &names, &site)?;
                if let Condition::Observed(observed) = &mut condition {
                    observed.swallowed = clue.any.iter().any(|word| self.exceptions(word).next().is_some());
                    if let Some(expression) = &mut observed.regex {
                        let next = expressions.len() as u32;
                        expression.number = *expressions.entry(expression.source.clone()).or_insert(next);
                    }
                }
                clues.push(Clue {
                    signature: index,
                    id: clue.id.get_ref().clone(),
                    weight: clue.weight,
                    group: clue.group.clone().unwrap_or_else(|| format!("{}#{}", signature.id, clue.id.get_ref())),
                    why: clue.why.clone(),
                    condition,
                });
            }
        }
        let law = Law::read(&self.law);
        let facets = self.add_shared_terms(&mut terms);
        let derived = order_derived(&clues, &self.signatures)?;
        let terms = terms.build(&clues).map_err(whole)?;
        Ok(Pack {
            sha256,
            regexes: Kind::ALL.iter().map(|&kind| regexes_of(&clues, kind)).collect(),
            beside: (0..clues.len()).filter(|&number| clues[number].condition.is_beside()).collect(),
            collecting,
            clues,
            derived,
            terms,
            libraries: self.libraries,
            panels: Panel::of(self.models.into_values()),
            policies: law.policies,
            instruments: law.instruments,
            faults: law.faults,
            facets,
            signatures: self.signatures,
            watched: 0..0,
        })
    }

    fn add_terms(
        &self,
        clue: &ClueFile,
        number: usize,
        site: &Site<'_>,
        terms: &mut TermsBuilder,
    ) -> Result<(), PackError> {
        for (role, list) in term_lists(clue, number as u32) {
            for word in list {
                if let Role::Hit(clue) = role {
                    self.exceptions(word).for_each(|term| terms.add(term, Role::Swallows(clue)));
                }
                for (term, respell) in self.expand(word, site)? {
                    if respell {
                        terms.add_respelt(term, role);
                    } else {
                        terms.add(term, role);
                    }
                }
            }
        }
        Ok(())
    }

    /// Words of the lexicon that `word` names which only look like its terms.
    fn exceptions<'a>(&'a self, word: &Spanned<String>) -> impl Iterator<Item = &'a str> {
        let name = word.get_ref().strip_prefix('@').map(|n| n.split('.').next().unwrap_or(n));
        let lexicon = name.and_then(|name| self.lexicons.get(name));
        lexicon.and_then(|l| l.terms.get(EXCEPT)).into_iter().flatten().map(String::as_str)
    }

    /// A term itself, or the words of the lexicon it names.
    fn expand<'a>(&'a self, word: &'a Spanned<String>, site: &Site<'_>) -> Result<Vec<(&'a str, bool)>, PackError> {
        let Some(name) = word.get_ref().strip_prefix('@') else {
            return Ok(vec![(word.get_ref().as_str(), false)]);
        };
        let (name, label) = name.split_once('.').map_or((name, None), |(n, l)| (n, Some(l)));
        let Some(lexicon) = self.lexicons.get(name) else {
            return Err(site.fault(word, format!("no lexicon `{name}` under lexicons/")));
        };
        let words: Vec<(&str, bool)> = lexicon
            .terms
            .iter()
            .filter(|(key, _)| *key != EXCEPT && label.is_none_or(|label| label == key.as_str()))
            .flat_map(|(_, words)| words.iter().map(|w| (w.as_str(), lexicon.respell)))
            .collect();
        if words.is_empty() {
            return Err(site.fault(word, format!("lexicon `{name}` has no label `{}`", label.unwrap_or(""))));
        }
        Ok(words)
    }

    fn add_shared_terms(&self, terms: &mut TermsBuilder) -> Vec<(String, String)> {
        if let Some(negation) = self.lexicons.get("negation") {
            for (label, words) in &negation.terms {
                let role = match label.as_str() {
                    "before" => Role::NegatesNext,
                    "after" => Role::NegatesPrevious,
                    _ => Role::NoNegation,
                };
                words.iter().for_each(|word| terms.add(word, role));
            }
        }
        for (id, library) in self.libraries.all.iter().enumerate() {
            for domain in library.domains.split_whitespace() {
                terms.add(domain, Role::Domain(id as u32));
            }
        }
        let mut facets = Vec::new();
        for name in FACETS {
            let lexicon = self.lexicons.get(*name);
            for (label, words) in lexicon.iter().flat_map(|l| &l.terms).filter(|(label, _)| *label != EXCEPT) {
                let swallows = Role::SwallowsFacet(facets.len() as u32);
                let exceptions = lexicon.and_then(|l| l.terms.get(EXCEPT)).into_iter().flatten();
                exceptions.for_each(|word| terms.add(word, swallows));
                let role = Role::Facet(facets.len() as u32);
                words.iter().for_each(|word| terms.add(word, role));
                facets.push(((*name).to_owned(), label.clone()));
            }
        }
        facets
    }
}

fn parse<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, PackError> {
    toml::from_str(text).map_err(|e| PackError::at(file, text, e.span().map_or(0, |s| s.start), e.message().trim()))
}

pub(super) fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Numbers of the clues that are a regular expression alone and look at facts of this kind.
fn regexes_of(clues: &[Clue], kind: Kind) -> Vec<usize> {
    let wanted = |clue: &Clue| {
        clue.condition.observed().is_some_and(|observed| !observed.has_terms && observed.kinds.contains(kind.bit()))
    };
    (0..clues.len()).filter(|&number| wanted(&clues[number])).collect()
}
