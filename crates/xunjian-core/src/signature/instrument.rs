//! Instruments: laws, regulations and notices, each article quoted once.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::PackError;
use super::date::is_date;
use crate::model::{Basis, Known, Status, Words};

/// `signatures/instruments/<id>.toml`.
#[derive(Debug, Clone)]
pub struct Instrument {
    /// What it says of itself.
    pub basis: Basis,
    /// How a citation begins, e.g. `《未成年人保护法》`; the article's name follows.
    pub cite: String,
    /// Articles by id.
    pub articles: BTreeMap<String, Article>,
}

/// One article, or as much of it as is cited.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Article {
    /// Id within the instrument, e.g. `74-3`.
    pub id: Spanned<String>,
    /// Name as a letter cites it, e.g. `第七十四条第三款`.
    pub name: String,
    /// Its words.
    pub text: Spanned<String>,
    /// Compared with the text, or as reported.
    pub known: Known,
    /// Where the words were seen, when that is not the instrument's own address.
    #[serde(default)]
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    title: Words,
    #[serde(default)]
    cite: String,
    issuer: Words,
    #[serde(default)]
    number: String,
    issued: Option<Spanned<String>>,
    in_force: Option<Spanned<String>>,
    until: Option<Spanned<String>>,
    status: Status,
    #[serde(default)]
    superseded_by: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    region: String,
    source: Words,
    #[serde(default)]
    languages: Vec<String>,
    articles: Vec<Article>,
}

impl Instrument {
    /// Reads and checks one instrument.
    ///
    /// # Errors
    /// All faults: of syntax the first, else every date that is none, and every article that has no
    /// words or the id of another.
    pub fn parse(file: &str, id: &str, text: &str) -> Result<Self, Vec<PackError>> {
        let parsed: File = toml::from_str(text)
            .map_err(|e| vec![PackError::at(file, text, e.span().map_or(0, |s| s.start), e.message().trim())])?;
        let mut faults = Vec::new();
        let mut day = |date: Option<Spanned<String>>| date_of(date, file, text, &mut faults);
        let (issued, in_force, until) = (day(parsed.issued), day(parsed.in_force), day(parsed.until));
        let mut articles: BTreeMap<String, Article> = BTreeMap::new();
        for article in parsed.articles {
            let at = article.id.span().start;
            if article.text.get_ref().trim().is_empty() {
                faults.push(PackError::at(file, text, article.text.span().start, "an article without words"));
            }
            if article.known == Known::Verbatim && parsed.status == Status::Reported {
                let message = "the instrument is `reported`, so none of its articles can be `verbatim`";
                faults.push(PackError::at(file, text, at, message));
            }
            if articles.contains_key(article.id.get_ref()) {
                faults.push(PackError::at(file, text, at, format!("a second article `{}`", article.id.get_ref())));
            } else {
                articles.insert(article.id.get_ref().clone(), article);
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let basis = Basis {
            id: id.to_owned(),
            title: parsed.title,
            status: parsed.status,
            issuer: parsed.issuer,
            number: parsed.number,
            issued,
            in_force,
            until,
            superseded_by: parsed.superseded_by,
            address: parsed.address,
            region: parsed.region,
            source: parsed.source,
            languages: parsed.languages,
        };
        Ok(Self { basis, cite: parsed.cite, articles })
    }
}

/// A date that is one; a fault where it is none.
pub(super) fn date_of(date: Option<Spanned<String>>, file: &str, text: &str, faults: &mut Vec<PackError>) -> String {
    let Some(date) = date else { return String::new() };
    if !is_date(date.get_ref()) {
        let message =
            format!("`{}` is no date; write 2022-04-27, or 2022-04 where the day is not known", date.get_ref());
        faults.push(PackError::at(file, text, date.span().start, message));
    }
    date.into_inner()
}

/// Articles that another file quotes, too, and otherwise. Within one file several parts of an article
/// may stand, each under an id of its own.
pub(super) fn quoted_twice<'a>(files: impl Iterator<Item = (&'a str, &'a str, &'a Instrument)>) -> Vec<PackError> {
    let mut seen: BTreeMap<(&str, &str), (&str, Vec<&str>)> = BTreeMap::new();
    let mut faults = Vec::new();
    for (file, text, instrument) in files {
        for article in instrument.articles.values() {
            let key = (instrument.basis.title.zh.as_str(), article.name.as_str());
            let words = article.text.get_ref().as_str();
            let (first, known) = seen.entry(key).or_insert_with(|| (file, Vec::new()));
            if *first == file {
                known.push(words);
            } else if !known.contains(&words) {
                let message = format!("{} of {} is quoted otherwise in {first}: quote it once", key.1, key.0);
                faults.push(PackError::at(file, text, article.text.span().start, message));
            }
        }
    }
    faults
}
