//! Labelled listings, read from the texts of files.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::TrainError;
use crate::model::hex;
use crate::signature::pitch;

/// What a person said of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It could be argued either way: neither learnt from nor judged by.
    Unclear,
}

impl Label {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "y" => Some(Self::Yes),
            "n" => Some(Self::No),
            "u" => Some(Self::Unclear),
            _ => None,
        }
    }

    /// Yes or no, where it was said.
    #[must_use]
    pub const fn is_yes(self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::No => Some(false),
            Self::Unclear => None,
        }
    }

    /// As it stands in files.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Yes => "y",
            Self::No => "n",
            Self::Unclear => "u",
        }
    }
}

/// A labelled listing.
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

/// A file of listings, one JSON object a line.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name, for faults and the card.
    pub name: String,
    /// What it holds.
    pub text: String,
    /// Judge by its records.
    pub judged: bool,
}

/// All records with a label, each id once.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    /// The records, in the order of the files.
    pub records: Vec<Record>,
    /// Lines for the card: each file with its hash and what was taken from it.
    pub sources: Vec<String>,
}

impl Corpus {
    /// Reads the files. A record's label stands under one of `labels`, in the record
    /// itself or in its `labels`, where a label that is not named is `n`; failing those,
    /// in one of the `tables` (tab-separated, read by [`read_table`]).
    ///
    /// # Errors
    /// The first line that is no record.
    pub fn read(inputs: &[Input], tables: &BTreeMap<String, Label>, labels: &[String]) -> Result<Self, TrainError> {
        let mut corpus = Self::default();
        let mut known = BTreeSet::new();
        for input in inputs {
            let first = corpus.records.len();
            let mut lines = 0;
            for (index, line) in input.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                lines += 1;
                let fault = |reason: String| TrainError::Line { file: input.name.clone(), line: index + 1, reason };
                let record = record(line, tables, labels).map_err(fault)?;
                corpus.records.extend(
                    record.filter(|r| known.insert(r.id.clone())).map(|r| Record { judged: input.judged, ..r }),
                );
            }
            corpus.note(input, first, lines);
        }
        Ok(corpus)
    }

    fn note(&mut self, input: &Input, first: usize, lines: usize) {
        let count = |label| self.records[first..].iter().filter(|r| r.label == label).count();
        let role = if input.judged { "judged by" } else { "learnt from only" };
        let (yes, no) = (count(Label::Yes), count(Label::No));
        self.sources.push(format!("{}: {yes} y, {no} n of {lines}, {role}", describe(&input.name, &input.text)));
    }
}

/// A file by its name and the hash of what it holds.
#[must_use]
pub fn describe(name: &str, text: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    format!("{name} (sha256 {})", hex(&Sha256::digest(text.as_bytes())))
}

fn record(line: &str, tables: &BTreeMap<String, Label>, labels: &[String]) -> Result<Option<Record>, String> {
    let value: Value = serde_json::from_str(line).map_err(|e| format!("no JSON object: {e}"))?;
    let field = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("");
    let id = field("id").to_owned();
    if id.is_empty() {
        return Err("no `id`".into());
    }
    let Some(label) = label(&value, labels)?.or_else(|| tables.get(&id).copied()) else { return Ok(None) };
    let parts = ["title", "text", "description", "changelog"].map(field);
    let text = pitch(parts.into_iter().filter(|part| !part.is_empty()));
    Ok(Some(Record { id, text, label, judged: true }))
}

fn label(value: &Value, names: &[String]) -> Result<Option<Label>, String> {
    let grouped = value.get("labels");
    for name in names {
        let Some(found) = value.get(name).or_else(|| grouped?.get(name)) else { continue };
        let word = found.as_str().unwrap_or("");
        return Label::parse(word).map(Some).ok_or_else(|| format!("`{name}` must be y, n or u, not {found}"));
    }
    Ok(grouped.is_some_and(Value::is_object).then_some(Label::No))
}

/// Labels by id from a tab-separated table. `columns` name its columns; without them its
/// first line does.
///
/// # Errors
/// The line that lacks the id, the label, or has a label of another kind.
pub fn read_table(
    name: &str,
    text: &str,
    columns: &[String],
    labels: &[String],
    into: &mut BTreeMap<String, Label>,
) -> Result<(), TrainError> {
    let fault = |line: usize, reason: String| TrainError::Line { file: name.into(), line, reason };
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let header: Vec<String> = if columns.is_empty() {
        lines.next().map_or_else(Vec::new, |(_, line)| line.split('\t').map(str::to_owned).collect())
    } else {
        columns.to_vec()
    };
    let id = header.iter().position(|column| column == "id");
    let label = header.iter().position(|column| labels.contains(column));
    let (Some(id), Some(label)) = (id, label) else {
        return Err(fault(
            1,
            format!("no column `id` or none of {labels:?} among {header:?}; name them with --columns"),
        ));
    };
    for (index, line) in lines {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        let word = cells.get(label).copied().unwrap_or("");
        let Some(parsed) = Label::parse(word) else {
            return Err(fault(index + 1, format!("the label must be y, n or u, not `{word}`")));
        };
        into.insert(cells.get(id).copied().unwrap_or("").to_owned(), parsed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, tables: &BTreeMap<String, Label>) -> Result<Corpus, TrainError> {
        let input = Input { name: "in/a.jsonl".into(), text: text.into(), judged: true };
        Corpus::read(&[input], tables, &["subject".into(), "subject-tutoring".into()])
    }

    #[test]
    fn labels_stand_in_three_places() {
        let text = r#"{"id":"a","text":"甲","subject":"y"}
{"id":"b","title":"乙","description":"丙","labels":{"subject-tutoring":"u"}}
{"id":"c","text":"丁","labels":{"education":"y"}}
{"id":"d","text":"戊"}
{"id":"e","text":"己"}
{"id":"a","text":"again","subject":"n"}"#;
        let tables = BTreeMap::from([("d".to_owned(), Label::Yes)]);
        let corpus = read(text, &tables).unwrap();
        let found: Vec<(&str, Label)> = corpus.records.iter().map(|r| (r.id.as_str(), r.label)).collect();
        assert_eq!(found, [("a", Label::Yes), ("b", Label::Unclear), ("c", Label::No), ("d", Label::Yes)]);
        assert_eq!(corpus.records[1].text, "乙\n丙\n");
        assert!(corpus.sources[0].starts_with("a.jsonl (sha256 "), "{:?}", corpus.sources);
        assert!(corpus.sources[0].ends_with("2 y, 1 n of 6, judged by"), "{:?}", corpus.sources);
    }

    #[test]
    fn a_fault_names_its_line() {
        let error = read("{\"id\":\"a\",\"subject\":\"y\"}\n\n{\"id\":\"b\",\"subject\":\"maybe\"}", &BTreeMap::new());
        assert!(error.unwrap_err().to_string().starts_with("in/a.jsonl:3: `subject` must be"));
        assert!(read("[]", &BTreeMap::new()).is_err());
    }

    #[test]
    fn tables_have_a_header_or_are_given_one() {
        let labels = ["subject".to_owned()];
        let mut into = BTreeMap::new();
        read_table("t.tsv", "id\tsubject\na\ty\n", &[], &labels, &mut into).unwrap();
        let columns = ["id", "education", "subject"].map(str::to_owned);
        read_table("u.tsv", "b\tn\tu\n", &columns, &labels, &mut into).unwrap();
        assert_eq!(into, BTreeMap::from([("a".into(), Label::Yes), ("b".into(), Label::Unclear)]));
        assert!(read_table("v.tsv", "b\tn\n", &columns, &labels, &mut into).is_err());
        assert!(read_table("w.tsv", "b\tn\n", &[], &labels, &mut into).is_err());
    }
}
