//! What a text model learns from: the texts of labelled listings, with one label each.

use std::collections::{BTreeMap, BTreeSet};

use crate::measure::{Corpus, Label, Labels};
use crate::model::Listing;
use crate::signature::pitch;

/// A labelled text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// What a model reads of it.
    pub text: String,
    /// Its label.
    pub label: Label,
    /// Figures and calibration rest on it; the others only help to learn.
    pub judged: bool,
}

/// All listings with the label in question, each id once.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// The records, in the order they were added.
    pub list: Vec<Record>,
    /// Lines for the card: each file with its hash and what was taken from it.
    pub sources: Vec<String>,
    known: BTreeSet<String>,
}

impl Records {
    /// Takes the listings of a corpus that have the label, in themselves or in a table.
    pub fn add(&mut self, corpus: &Corpus, label: &str, tables: &BTreeMap<String, Labels>, judged: bool) {
        let first = self.list.len();
        for example in &corpus.examples {
            let said = example.labels.get(label).or_else(|| tables.get(&example.id)?.get(label));
            if let (Some(label), Some(listing)) = (said, &example.listing)
                && self.known.insert(example.id.clone())
            {
                self.list.push(Record { id: example.id.clone(), text: text(listing), label: *label, judged });
            }
        }
        let count = |label| self.list[first..].iter().filter(|r| r.label == label).count();
        let role = if judged { "judged by" } else { "learnt from only" };
        let (yes, no, of) = (count(Label::Yes), count(Label::No), corpus.examples.len());
        self.sources.push(format!("{}: {yes} y, {no} n of {of}, {role}", describe(&corpus.name, &corpus.sha256)));
    }
}

fn text(listing: &Listing) -> String {
    let parts = [&listing.title, &listing.description, &listing.changelog];
    pitch(parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()))
}

/// A file by its name and the hash of what it holds.
#[must_use]
pub fn describe(name: &str, sha256: &str) -> String {
    format!("{} (sha256 {sha256})", name.rsplit(['/', '\\']).next().unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_labels_what_is_bare_and_an_id_counts_once() {
        let text = r#"{"id":"a","text":"甲","subject":"y"}
{"id":"b","title":"乙","description":"丙","labels":{"subject-tutoring":"u"}}
{"id":"c","text":"丁","labels":{"education":"y"}}
{"id":"d","text":"戊"}
{"id":"e","text":"己"}
{"id":"a","text":"again","subject":"n"}"#;
        let corpus = Corpus::parse("in/a.jsonl".into(), text).unwrap();
        let tables = BTreeMap::from([("d".to_owned(), Labels::from([("subject-tutoring".into(), Label::Yes)]))]);
        let mut records = Records::default();
        records.add(&corpus, "subject-tutoring", &tables, true);
        let found: Vec<(&str, Label)> = records.list.iter().map(|r| (r.id.as_str(), r.label)).collect();
        assert_eq!(found, [("a", Label::Yes), ("b", Label::Unclear), ("c", Label::No), ("d", Label::Yes)]);
        assert_eq!(records.list[1].text, "乙\n丙\n");
        assert!(records.sources[0].starts_with("a.jsonl (sha256 "), "{:?}", records.sources);
        assert!(records.sources[0].ends_with("2 y, 1 n of 6, judged by"), "{:?}", records.sources);
    }
}
