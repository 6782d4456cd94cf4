//! Labelled corpora: JSON lines, each a listing, its labels, and a package where it has one.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Contents;
use super::label::{Label, Labels, SHORT, label_name};
use crate::model::{Listing, ListingError, Sign, hex};

/// One example.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// Id, for lists of misses.
    pub id: String,
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its listing, if it has one.
    pub listing: Option<Listing>,
    /// Its package, if it has one.
    pub package: Option<Package>,
    /// What was said of it; empty where nothing was.
    pub labels: Labels,
}

/// The package of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Package {
    /// A file, relative to the working folder.
    File(PathBuf),
    /// A description.
    Told(Box<Contents>),
}

/// A file of examples.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    /// Path, as given.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Its examples, in the order of its lines.
    pub examples: Vec<Labelled>,
}

/// What is wrong with a corpus.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// A file or folder cannot be read.
    #[error("{0}: cannot be read: {1}")]
    Io(String, std::io::Error),
    /// A line does not fit.
    #[error("{0}:{1}: {2}")]
    Line(String, usize, String),
    /// No `.jsonl` in it.
    #[error("{0}: holds no .jsonl with labelled lines")]
    Empty(String),
}

/// Signs that a listing alone shows; where a line has `labels`, one it leaves out is `n`.
const FROM_LISTING: &[Sign] = &[
    Sign::PreschoolTraining,
    Sign::SubjectTutoring,
    Sign::DisguisedTutoring,
    Sign::PhotoSearch,
    Sign::LiveTutoring,
    Sign::GameLink,
    Sign::Advertising,
    Sign::HarmfulContent,
    Sign::SchoolFee,
];

/// Reads a file, or every `.jsonl` below a folder, in order of their paths. Lines without
/// labels are read as well: labels may stand in a table beside them.
///
/// # Errors
/// The first file that cannot be read or line that does not fit.
pub fn read(path: &Path) -> Result<Vec<Corpus>, CorpusError> {
    let mut files = Vec::new();
    collect(path, &mut files).map_err(|e| CorpusError::Io(path.display().to_string(), e))?;
    files.sort();
    if files.is_empty() {
        return Err(CorpusError::Empty(path.display().to_string()));
    }
    files.iter().map(|file| Corpus::read(file)).collect()
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ext| ext == "jsonl") {
            files.push(path);
        }
    }
    Ok(())
}

impl Corpus {
    fn read(file: &Path) -> Result<Self, CorpusError> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|e| CorpusError::Io(name.clone(), e))?;
        Self::parse(name, &text)
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// The first line that does not fit.
    pub fn parse(name: String, text: &str) -> Result<Self, CorpusError> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let examples = lines
            .map(|(index, line)| {
                let example = example(line).map_err(|reason| CorpusError::Line(name.clone(), index + 1, reason))?;
                Ok(Labelled { line: index + 1, ..example })
            })
            .collect::<Result<_, CorpusError>>()?;
        Ok(Self { sha256: hex(&Sha256::digest(text)), name, examples })
    }

    /// Its examples, all of which must be labelled to be judged by.
    ///
    /// # Errors
    /// The first line without labels.
    pub fn labelled(self) -> Result<Vec<Labelled>, CorpusError> {
        match self.examples.iter().find(|example| example.labels.is_empty()) {
            Some(bare) => Err(CorpusError::Line(self.name, bare.line, "no labels".into())),
            None => Ok(self.examples),
        }
    }
}

fn example(line: &str) -> Result<Labelled, String> {
    let value: Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
    let object = value.as_object().ok_or("not an object")?;
    let package = package(object)?;
    let mut said = object.get("listing").cloned().unwrap_or_else(|| value.clone());
    if let (Some(fields), Some(text)) = (said.as_object_mut(), object.get("text")) {
        fields.entry("description").or_insert_with(|| text.clone());
    }
    let listing = match Listing::parse(&said.to_string()) {
        Ok(listing) => Some(listing),
        Err(ListingError::Empty) if package.is_some() => None,
        Err(error) => return Err(error.to_string()),
    };
    let id = object.get("id").or_else(|| said.get("id")).and_then(Value::as_str);
    let id = id.map_or_else(|| package.as_ref().map_or_else(String::new, Package::name), str::to_owned);
    Ok(Labelled { id, line: 0, listing, package, labels: labels(object)? })
}

fn package(object: &Map<String, Value>) -> Result<Option<Package>, String> {
    match (object.get("apk"), object.get("contents")) {
        (Some(_), Some(_)) => Err("`apk` and `contents`: a package is a file or a description, not both".into()),
        (Some(path), None) => {
            let path = path.as_str().ok_or_else(|| format!("`apk` is a path, not {path}"))?;
            Ok(Some(Package::File(path.into())))
        }
        (None, Some(told)) => {
            let contents = serde_json::from_value(told.clone()).map_err(|e| format!("`contents`: {e}"))?;
            Ok(Some(Package::Told(Box::new(contents))))
        }
        (None, None) => Ok(None),
    }
}

impl Package {
    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Told(contents) => contents.package.clone(),
        }
    }
}

fn labels(object: &Map<String, Value>) -> Result<Labels, String> {
    let mut labels = Labels::new();
    if let Some(given) = object.get("labels").and_then(Value::as_object) {
        for sign in FROM_LISTING {
            labels.insert(sign.id().to_owned(), Label::No);
        }
        for (key, value) in given {
            let name = label_name(key).ok_or_else(|| format!("no sign `{key}`"))?;
            labels.insert(name.to_owned(), label(value)?);
        }
    } else {
        for (short, name) in SHORT {
            if let Some(value) = object.get(*short) {
                labels.insert((*name).to_owned(), label(value)?);
            }
        }
    }
    Ok(labels)
}

fn label(value: &Value) -> Result<Label, String> {
    value.as_str().ok_or_else(|| format!("label {value}: use \"y\", \"n\" or \"u\"")).and_then(Label::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Corpus, CorpusError> {
        Corpus::parse("a.jsonl".into(), text)
    }

    #[test]
    fn labels_stand_flat_or_together() {
        let corpus = parse(
            r#"{"id":"a","text":"甲","subject":"y"}
{"id":"b","title":"乙","labels":{"subject-tutoring":"u","education":"y"}}"#,
        )
        .unwrap();
        assert_eq!(corpus.examples[0].labels, Labels::from([("subject-tutoring".into(), Label::Yes)]));
        let second = &corpus.examples[1].labels;
        assert_eq!((second["subject-tutoring"], second["education"]), (Label::Unclear, Label::Yes));
        assert_eq!(second["photo-search"], Label::No, "what a full set of labels leaves out is not so");
        assert!(!second.contains_key("minor-privacy"), "a listing does not show it");
    }

    #[test]
    fn a_package_is_a_file_or_a_description() {
        let labels = r#""labels":{"advertising":"y"}"#;
        let corpus = parse(&format!(
            "{{\"apk\":\"a.apk\",{labels}}}\n{{\"contents\":{{\"package\":\"cn.example.b\"}},{labels}}}"
        ));
        let examples = corpus.unwrap().examples;
        assert_eq!((examples[0].id.as_str(), examples[1].id.as_str()), ("a.apk", "cn.example.b"));
        assert!(examples.iter().all(|example| example.listing.is_none()));
        let fault = parse(&format!("{{\"contents\":{{\"colour\":1}},{labels}}}")).unwrap_err().to_string();
        assert!(fault.starts_with("a.jsonl:1: `contents`: unknown field `colour`"), "{fault}");
        assert!(parse(&format!("{{\"apk\":\"a\",\"contents\":{{}},{labels}}}")).is_err());
    }

    #[test]
    fn a_fault_names_its_line() {
        let fault =
            parse("{\"text\":\"甲\",\"subject\":\"y\"}\n\n{\"text\":\"乙\",\"subject\":\"maybe\"}").unwrap_err();
        assert_eq!(fault.to_string(), "a.jsonl:3: label `maybe`: use y, n or u");
        let bare = parse("{\"text\":\"甲\"}").unwrap();
        assert_eq!(bare.labelled().unwrap_err().to_string(), "a.jsonl:1: no labels");
        assert!(parse("[]").is_err() && parse(r#"{"text":"甲","labels":{"subjct":"y"}}"#).is_err());
    }
}
