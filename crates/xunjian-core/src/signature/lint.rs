//! The examples of a signature as facts, and the rules every signature keeps.
//!
//! The rules: each file has a `match` and a `no-match`; every clue is named by a `match`,
//! and a `match` names exactly the clues that hold, so dropping a clue changes an
//! example; in a `no-match`, nothing with a positive weight holds. Whether clues hold is
//! for detection to say, so the caller passes it in.

use std::collections::BTreeSet;

use super::compile::Site;
use super::{Example, Pack, PackError, Signature};
use crate::model::{Block, Facts, Kind};

/// The facts an example states.
///
/// # Errors
/// The key that is no fact kind.
pub fn facts_of(example: &Example) -> Result<Facts, String> {
    let mut facts = Facts::default();
    for (key, texts) in &example.facts {
        let Some(kind) = Kind::from_id(key) else { return Err(key.clone()) };
        let mut block = Block::new(kind, "example", key);
        for (index, text) in texts.as_slice().iter().enumerate() {
            block.push(index as u32 + 1, text);
        }
        facts.push(block);
    }
    Ok(facts)
}

/// One rule or example of a signature, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct Case {
    /// `sign/file: match 1`.
    pub name: String,
    /// Empty when all is well.
    pub faults: Vec<PackError>,
}

/// Checks one signature. `holding` runs detection over facts and answers with the
/// numbers of the clues that hold.
#[must_use]
pub fn check(pack: &Pack, signature: &Signature, holding: &dyn Fn(&Facts) -> BTreeSet<usize>) -> Vec<Case> {
    let file = format!("{}.toml", signature.id);
    let linter = Linter { pack, signature, file: &file, holding };
    let case = |name: String, faults| Case { name: format!("{}: {name}", signature.id), faults };
    let mut cases = vec![case("has examples for every clue".into(), linter.presence())];
    for index in 0..signature.file.matches.len() {
        cases.push(case(format!("match {}", index + 1), linter.matches(index)));
    }
    for index in 0..signature.file.no_matches.len() {
        cases.push(case(format!("no-match {}", index + 1), linter.no_matches(index)));
    }
    cases
}

struct Linter<'a> {
    pack: &'a Pack,
    signature: &'a Signature,
    file: &'a str,
    holding: &'a dyn Fn(&Facts) -> BTreeSet<usize>,
}

impl Linter<'_> {
    fn fault_at(&self, header: &str, index: usize, message: String) -> PackError {
        let offset = self.signature.text.match_indices(header).nth(index).map_or(0, |(at, _)| at);
        PackError::at(self.file, &self.signature.text, offset, message)
    }

    fn presence(&self) -> Vec<PackError> {
        let mut faults = Vec::new();
        for (list, header) in
            [(&self.signature.file.matches, "[[match]]"), (&self.signature.file.no_matches, "[[no-match]]")]
        {
            if list.is_empty() {
                faults.push(self.fault_at(header, 0, format!("no {header}: give at least one example")));
            }
        }
        let named: BTreeSet<&str> =
            self.signature.file.matches.iter().flat_map(|m| &m.clues).map(|c| c.get_ref().as_str()).collect();
        let site = Site { file: self.file, text: &self.signature.text, is_ours: true };
        for clue in self.signature.file.clues.iter().filter(|c| !named.contains(c.id.get_ref().as_str())) {
            faults.push(site.fault(
                &clue.id,
                format!("no [[match]] names clue `{}`: without an example it is decoration", clue.id.get_ref()),
            ));
        }
        faults
    }

    fn matches(&self, index: usize) -> Vec<PackError> {
        let site = Site { file: self.file, text: &self.signature.text, is_ours: true };
        let mut faults = Vec::new();
        let example = &self.signature.file.matches[index];
        if example.clues.is_empty() {
            faults.push(self.fault_at("[[match]]", index, "`clues` is missing: name the clues that hold".into()));
        }
        let Some(held) = self.held(example, "[[match]]", index, &mut faults) else { return faults };
        let named: BTreeSet<&str> = example.clues.iter().map(|c| c.get_ref().as_str()).collect();
        for clue in example.clues.iter().filter(|c| !held.contains(c.get_ref().as_str())) {
            faults.push(site.fault(clue, format!("clue `{}` does not hold here", clue.get_ref())));
        }
        for extra in held.difference(&named) {
            faults.push(self.fault_at(
                "[[match]]",
                index,
                format!("clue `{extra}` holds as well: name it, or narrow it"),
            ));
        }
        faults
    }

    fn no_matches(&self, index: usize) -> Vec<PackError> {
        let mut faults = Vec::new();
        let example = &self.signature.file.no_matches[index];
        let Some(held) = self.held(example, "[[no-match]]", index, &mut faults) else { return faults };
        for (_, clue) in
            self.pack.clues_of(self.signature).filter(|(_, c)| c.weight > 0 && held.contains(c.id.as_str()))
        {
            faults.push(self.fault_at("[[no-match]]", index, format!("clue `{}` holds here", clue.id)));
        }
        faults
    }

    fn held(
        &self,
        example: &Example,
        header: &str,
        index: usize,
        faults: &mut Vec<PackError>,
    ) -> Option<BTreeSet<&str>> {
        match facts_of(example) {
            Ok(facts) => {
                let holding = (self.holding)(&facts);
                Some(
                    self.pack
                        .clues_of(self.signature)
                        .filter(|(number, _)| holding.contains(number))
                        .map(|(_, clue)| clue.id.as_str())
                        .collect(),
                )
            }
            Err(key) => {
                let known = Kind::ALL.iter().map(|k| k.id()).collect::<Vec<_>>().join(", ");
                faults.push(self.fault_at(header, index, format!("`{key}` is no fact kind; use {known}")));
                None
            }
        }
    }
}
