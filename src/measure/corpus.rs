//! Labelled corpora: JSON lines, each a listing, its labels, and a package where it has one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::model::{Listing, ListingError, Sign};

/// What a labeller said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// It is so.
    Yes,
    /// It is not.
    No,
    /// Arguable: left out of figures.
    Unclear,
}

/// One labelled example.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// Id, for lists of misses.
    pub id: String,
    /// Its listing, if it has one.
    pub listing: Option<Listing>,
    /// Its package, relative to the working folder.
    pub package: Option<PathBuf>,
    /// `education` or a sign id to its label.
    pub labels: BTreeMap<String, Label>,
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

/// Short names of flat labels (`"photo": "y"` beside the text) and what they stand for.
const SHORT: &[(&str, &str)] = &[
    ("education", "education"),
    ("preschool", "preschool-training"),
    ("subject", "subject-tutoring"),
    ("photo", "photo-search"),
    ("live", "live-tutoring"),
    ("adsgames", "adsgames"),
];

/// Reads a file, or every `.jsonl` below a folder, in order of their paths.
///
/// # Errors
/// The first file that cannot be read or line that does not fit.
pub fn read_folder(path: &Path) -> Result<Vec<(String, Vec<Labelled>)>, CorpusError> {
    let mut files = Vec::new();
    collect(path, &mut files).map_err(|e| CorpusError::Io(path.display().to_string(), e))?;
    files.sort();
    if files.is_empty() {
        return Err(CorpusError::Empty(path.display().to_string()));
    }
    files
        .iter()
        .map(|file| {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(file).map_err(|e| CorpusError::Io(name.clone(), e))?;
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            let examples = lines
                .map(|(number, line)| {
                    labelled(line).map_err(|reason| CorpusError::Line(name.clone(), number + 1, reason))
                })
                .collect::<Result<_, _>>()?;
            Ok((name, examples))
        })
        .collect()
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

/// Reads one labelled line.
///
/// # Errors
/// What is wrong with it, in words.
pub fn labelled(line: &str) -> Result<Labelled, String> {
    let value: Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
    let object = value.as_object().ok_or("not an object")?;
    let package = object.get("apk").and_then(Value::as_str).map(PathBuf::from);
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
    let id = id.map(str::to_owned).or_else(|| package.as_ref().map(|p| p.display().to_string()));
    Ok(Labelled { id: id.unwrap_or_default(), listing, package, labels: labels(object)? })
}

fn labels(object: &serde_json::Map<String, Value>) -> Result<BTreeMap<String, Label>, String> {
    let mut labels = BTreeMap::new();
    if let Some(given) = object.get("labels").and_then(Value::as_object) {
        for sign in FROM_LISTING {
            labels.insert(sign.id().to_owned(), Label::No);
        }
        for (key, value) in given {
            if key != "education" && Sign::from_id(key).is_none() {
                return Err(format!("no sign `{key}`"));
            }
            labels.insert(key.clone(), label(value)?);
        }
    } else {
        for (short, sign) in SHORT {
            if let Some(value) = object.get(*short) {
                labels.insert((*sign).to_owned(), label(value)?);
            }
        }
    }
    if labels.is_empty() { Err("no labels".into()) } else { Ok(labels) }
}

fn label(value: &Value) -> Result<Label, String> {
    match value.as_str() {
        Some("y") => Ok(Label::Yes),
        Some("n") => Ok(Label::No),
        Some("u") => Ok(Label::Unclear),
        _ => Err(format!("label {value}: use \"y\", \"n\" or \"u\"")),
    }
}
