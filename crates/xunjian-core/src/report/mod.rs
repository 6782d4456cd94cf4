//! Audits in, words and files out: one file per form, one writer at a time.

mod clean;
mod csv;
mod detail;
mod facts;
pub mod html;
mod human;
mod json;
pub mod law;
mod origin;
mod phrase;
mod registers;
mod sarif;
mod sheet;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// One A4 page a finding, as HTML.
    Sheet,
    /// The same pages for word processors.
    Docx,
}

impl Format {
    /// Every form, as a command line lists them.
    pub const ALL: &[Self] = &[
        Self::Human,
        Self::Json,
        Self::Jsonl,
        Self::Html,
        Self::Csv,
        Self::Xlsx,
        Self::Sarif,
        Self::Sheet,
        Self::Docx,
    ];

    /// The name of the form on a command line.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Sarif => "sarif",
            Self::Sheet => "sheet",
            Self::Docx => "docx",
        }
    }

    /// The form that a file's ending asks for; `None` for an ending that says nothing.
    #[must_use]
    pub fn by_ending(name: &str) -> Option<Self> {
        let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
        Some(match ending.as_str() {
            "json" => Self::Json,
            "jsonl" | "ndjson" => Self::Jsonl,
            "html" | "htm" => Self::Html,
            "csv" => Self::Csv,
            "xlsx" => Self::Xlsx,
            "sarif" => Self::Sarif,
            "docx" => Self::Docx,
            "txt" => Self::Human,
            _ => return None,
        })
    }

    /// It is bytes that no terminal shows.
    #[must_use]
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Xlsx | Self::Docx)
    }
}

/// How words for people are written.
#[derive(Debug, Clone, Default)]
pub struct Style {
    /// `zh` or `en`.
    pub lang: String,
    /// Colour, on a terminal.
    pub colour: bool,
    /// When the audits were made, with the zone, as `2026-12-01 07:03 +08:00`; empty where that is not known.
    pub at: String,
    /// Permissions and libraries on a terminal, too.
    pub is_long: bool,
    /// Columns of a terminal that lines are folded to; as long as they are where that is not known.
    pub width: Option<usize>,
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
        Format::Json => Box::new(json::Json::new(out, style.at, made_by)),
        Format::Jsonl => Box::new(json::Lines::new(out)),
        Format::Html => Box::new(html::Html::new(out, style, made_by)),
        Format::Csv => Box::new(csv::Csv::new(out, &style)),
        Format::Xlsx => Box::new(xlsx::Xlsx::new(out, &style, made_by)),
        Format::Sheet => Box::new(sheet::Sheet::new(out, style, made_by)),
        Format::Docx => Box::new(sheet::Docx::new(out, style, made_by)),
        Format::Sarif => Box::new(sarif::Sarif::new(out, &style, made_by)),
    }
}

/// A trial of a signature, for reading in a terminal.
#[must_use]
pub fn trial(trial: &Trial, style: &Style) -> String {
    human::trial(trial, style)
}
