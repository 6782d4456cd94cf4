//! Audits in, words and files out: one file per form, one writer at a time.

mod clean;
mod csv;
mod detail;
mod facts;
pub mod html;
mod human;
mod json;
mod phrase;
mod sarif;
mod sum;
mod table;
pub mod words;
mod xlsx;

pub use clean::{clean, link};
pub use detail::detail;
pub use sum::percent;

use std::io::{self, Write};

use crate::model::{Audit, MadeBy, Skipped, Trial};

/// Form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For reading in a terminal.
    Human,
    /// One JSON document.
    Json,
    /// One audit a line; skips go to the log.
    Jsonl,
    /// One self-contained page.
    Html,
    /// One row a finding, for spreadsheets and scripts.
    Csv,
    /// A workbook: a sheet a sign, one for what could not be read.
    Xlsx,
    /// SARIF 2.1.0.
    Sarif,
}

/// How words for people are written.
#[derive(Debug, Clone)]
pub struct Style {
    /// `zh` or `en`.
    pub lang: String,
    /// Colour, on a terminal.
    pub colour: bool,
}

/// Takes audits and skips in input order. Nothing is held back longer than its form needs.
pub trait ReportWriter: Send {
    /// Writes one audit.
    ///
    /// # Errors
    /// When the medium fails.
    fn audit(&mut self, audit: Audit) -> io::Result<()>;

    /// Writes one skip.
    ///
    /// # Errors
    /// When the medium fails.
    fn skipped(&mut self, skipped: Skipped) -> io::Result<()>;

    /// Writes what stands at the end.
    ///
    /// # Errors
    /// When the medium fails.
    fn finish(&mut self) -> io::Result<()>;
}

/// The writer of a format.
#[must_use]
pub fn writer(format: Format, out: Box<dyn Write + Send>, style: Style, made_by: MadeBy) -> Box<dyn ReportWriter> {
    match format {
        Format::Human => Box::new(human::Human::new(out, style, made_by)),
        Format::Json => Box::new(json::Json::new(out, made_by)),
        Format::Jsonl => Box::new(json::Lines::new(out)),
        Format::Html => Box::new(html::Html::new(out, style, made_by)),
        Format::Csv => Box::new(csv::Csv::new(out, &style)),
        Format::Xlsx => Box::new(xlsx::Xlsx::new(out, &style, made_by)),
        Format::Sarif => Box::new(sarif::Sarif::new(out, &style, made_by)),
    }
}

/// A trial of a signature, for reading in a terminal.
#[must_use]
pub fn trial(trial: &Trial, style: &Style) -> String {
    human::trial(trial, style)
}
