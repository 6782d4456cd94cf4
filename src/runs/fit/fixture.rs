//! A fixture: what a store was asked and answered, in a file that people read and tests replay.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::cut;
use super::replay::{Replayed, replay};
use crate::crawl::{Start, Store};
use crate::model::fetch::{Answer, Ask, Method, octets_text, text_octets};

/// No fixture is larger.
const FILE_MAX: u64 = 32 << 20;

/// Answers of a store to one start, and what was found in them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fixture {
    /// Id of the store.
    pub store: String,
    /// Where it began.
    pub start: Start,
    /// The day it was recorded.
    pub seen: String,
    /// Whole answers, as they came; they may name people. A fixture that is cut down holds what the store's file
    /// reads, and stand-ins for what is said there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_whole: bool,
    /// Fields of the first app that were found; a test that fits finds each. None where none was found: then a file
    /// that is mended finds at least what it requires.
    pub fields: Vec<String>,
    /// What was asked and answered, in order.
    pub exchanges: Vec<Exchange>,
}

/// A question and its answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Exchange {
    /// Method.
    pub method: Method,
    /// Address asked.
    pub url: String,
    /// Body of the question.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub asked: String,
    /// Address that answered, where it is another.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// Status.
    pub status: u16,
    /// What the answer calls itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content_type: String,
    /// The answer; octets that are not UTF-8 as the last characters of the last plane.
    pub body: String,
}

impl Exchange {
    pub(super) fn new(ask: &Ask, answer: &Answer) -> Self {
        Self {
            method: ask.method,
            url: ask.url.clone(),
            asked: ask.text().into_owned(),
            by: if answer.url == ask.url { String::new() } else { answer.url.clone() },
            status: answer.status,
            content_type: answer.header("content-type").unwrap_or_default().to_owned(),
            body: octets_text(&answer.body),
        }
    }

    /// The question is this one. A store that stands elsewhere (`base` in the configuration) is asked there.
    pub(super) fn answers(&self, ask: &Ask) -> bool {
        let path = |url: &str| url::Url::parse(url).map(|url| url[url::Position::BeforePath..].to_owned()).ok();
        self.method == ask.method && self.asked == ask.text() && path(&self.url) == path(&ask.url)
    }

    pub(super) fn answer(&self) -> Answer {
        let kind = Some(&self.content_type).filter(|kind| !kind.is_empty());
        Answer {
            status: self.status,
            headers: kind.map(|kind| ("content-type".to_owned(), kind.clone())).into_iter().collect(),
            body: text_octets(&self.body),
            url: if self.by.is_empty() { self.url.clone() } else { self.by.clone() },
            ..Answer::default()
        }
    }
}

/// Why a file is no fixture.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct FixtureError {
    /// Its path.
    pub path: String,
    /// Why.
    pub why: String,
}

impl Fixture {
    /// Of what was recorded: cut down where it fits, whole where it does not, so that it can be mended by.
    #[must_use]
    pub fn of(store: &Store, start: &Start, seen: &str, exchanges: Vec<Exchange>) -> Self {
        let of = |exchanges: Vec<Exchange>, is_whole| Self {
            store: store.id.clone(),
            start: start.clone(),
            seen: seen.to_owned(),
            is_whole,
            fields: Vec::new(),
            exchanges,
        };
        let whole = of(exchanges, true);
        let replayed = replay(store, &whole);
        let Some(first) = replayed.apps.first().filter(|_| replayed.fits()) else { return whole };
        let wanted = first.0.clone();
        let small = of(cut::down(store, &whole, &wanted), false);
        let again = replay(store, &small);
        // What could not be cut down without changing what is read stays as it came.
        let mut chosen = if again.fits() && again.names() == [wanted] { small } else { whole };
        chosen.fields = replay(store, &chosen).found();
        chosen
    }

    /// Reads one from a file.
    ///
    /// # Errors
    /// When the file cannot be read or holds none.
    pub fn read(path: &Path) -> Result<Self, FixtureError> {
        let fail = |why: String| FixtureError { path: path.display().to_string(), why };
        let bytes = path.metadata().map_err(|e| fail(e.to_string()))?.len();
        if bytes > FILE_MAX {
            return Err(fail(format!("{bytes} bytes: no fixture")));
        }
        let text = std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))?;
        serde_json::from_str(&text).map_err(|e| fail(format!("{e}")))
    }

    /// Reads its answers by a store's file as it is now.
    #[must_use]
    pub fn replay(&self, store: &Store) -> Replayed {
        replay(store, self)
    }
}
