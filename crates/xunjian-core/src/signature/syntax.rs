//! The syntax of a signature file: one struct, one doc line per key.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::model::Words;

/// `signatures/<sign>/<name>.toml`. Its id is its path without `.toml`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignatureFile {
    /// What it recognises, in a few words.
    pub title: Words,
    /// Its clues.
    #[serde(default, rename = "clue")]
    pub clues: Vec<ClueFile>,
    /// Examples in which the clues they name hold, and no others of this file.
    #[serde(default, rename = "match")]
    pub matches: Vec<Example>,
    /// Examples in which no clue of this file with a positive weight holds.
    #[serde(default, rename = "no-match")]
    pub no_matches: Vec<Example>,
}

/// One clue: observed on facts (`in` with `any`, `regex` or `library`), or derived
/// from other clues (`all`, `any-of`, `none`).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClueFile {
    /// Name within the file.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// Fact kinds it looks at: words of `Kind`, or several at once: `pitch` (title, description,
    /// changelog), `listing`, `inside` (texts of the package), `text` (`pitch` and `inside`), `all`.
    #[serde(default, rename = "in")]
    #[schemars(schema_with = "super::schema::kinds")]
    pub kinds: Vec<Spanned<String>>,
    /// Terms; `@lexicon` or `@lexicon.label` brings in a word list.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub any: Vec<Spanned<String>>,
    /// How many different terms must be there within one fact.
    #[serde(default)]
    pub at_least: Option<usize>,
    /// `at-least` counts over all texts of one file together: a course catalogue names its
    /// grades and subjects a line each.
    #[serde(default)]
    pub across: bool,
    /// Regular expression over the normal form of the fact; with `any`, both must hold.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "regex"))]
    pub regex: Option<Spanned<String>>,
    /// Terms that must stand near.
    #[serde(default)]
    pub near: Option<NearFile>,
    /// Terms nearby that undo it.
    #[serde(default)]
    pub unless: Option<UnlessFile>,
    /// `false`: a negation (不提供 …) does not undo it. Default: it does.
    #[serde(default = "yes")]
    pub negatable: bool,
    /// Category of the library catalogue that must be present.
    #[serde(default)]
    #[schemars(schema_with = "super::schema::category")]
    pub library: Option<Spanned<String>>,
    /// With `library`: a trace is enough (some class names, a domain).
    #[serde(default)]
    pub faint: bool,
    /// Name of a text model; its verdict on the listing scales `weight`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub model: Option<Spanned<String>>,
    /// Clues that must all hold: `name` of this file or `sign/file#name`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub all: Vec<Spanned<String>>,
    /// Clues of which one must hold.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub any_of: Vec<Spanned<String>>,
    /// Clues of which none may hold. Held only where the facts were there to be searched.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub none: Vec<Spanned<String>>,
    /// Clues of which none may hold, whether or not their facts were there to be searched.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub not: Vec<Spanned<String>>,
    /// Decibans; 0 for a clue that only serves others.
    pub weight: i32,
    /// Clues of one group count once, at the strongest. Default: its own.
    #[serde(default)]
    pub group: Option<String>,
    /// What it matches goes into the profile: `filing-numbers`, `provider`, `credit-codes`.
    #[serde(default)]
    #[schemars(schema_with = "super::schema::collected")]
    pub collect: Option<Spanned<String>>,
    /// Why it counts: shown to the reviewer.
    pub why: Words,
}

const fn yes() -> bool {
    true
}

/// Terms that must stand near a match.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NearFile {
    /// Terms or `@lexicon`.
    #[schemars(with = "Vec<String>")]
    pub any: Vec<Spanned<String>>,
    /// Characters between, at most.
    pub within: usize,
}

/// Terms that undo a match when they stand before or after it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UnlessFile {
    /// Terms before the match.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub before: Vec<Spanned<String>>,
    /// Terms after the match.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub after: Vec<Spanned<String>>,
    /// Characters between, at most.
    pub within: usize,
}

/// Facts of an example: kind to text, or to several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Example {
    /// Names of the clues of this file that hold, in a `match`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub clues: Vec<Spanned<String>>,
    /// Facts by kind.
    #[serde(flatten)]
    #[schemars(schema_with = "super::schema::facts")]
    pub facts: BTreeMap<String, OneOrMany>,
}

/// A string or a list of strings.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// As a slice.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// `signatures/lexicons/<name>.toml`: a word list that clues share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LexiconFile {
    /// What the words have in common; for those who read the file.
    #[serde(rename = "title")]
    pub _title: Words,
    /// Also match pinyin, initials and homophones of these terms.
    #[serde(default)]
    pub respell: bool,
    /// Label to words; `@name.label` takes one label, `@name` all. The label `except` holds
    /// longer words that contain one of the others by accident.
    pub terms: BTreeMap<String, Vec<String>>,
}
