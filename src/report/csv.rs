//! `csv`: one row a finding, for spreadsheets and scripts (RFC 4180, UTF-8).

use std::io::{self, Write};

use super::table::{self, Row};
use super::words::Lang;
use super::{ReportWriter, Style};
use crate::model::{Audit, Skipped};

/// Tells spreadsheets that the text is UTF-8; without it they read Chinese as their own code page.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Writes rows as audits come.
pub(super) struct Csv {
    out: csv::Writer<Box<dyn Write + Send>>,
    lang: Lang,
    is_open: bool,
}

impl Csv {
    pub(super) fn new(out: Box<dyn Write + Send>, style: &Style) -> Self {
        let out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        Self { out, lang: Lang::of(&style.lang), is_open: false }
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.open()?;
        self.out.write_record(row.cells.iter().map(|cell| harmless(cell))).map_err(io::Error::other)
    }

    fn open(&mut self) -> io::Result<()> {
        if !self.is_open {
            self.is_open = true;
            let mut heading = table::heading(self.lang);
            if let Some(first) = heading.first_mut() {
                first.insert_str(0, &String::from_utf8_lossy(BOM));
            }
            self.out.write_record(&heading).map_err(io::Error::other)?;
        }
        Ok(())
    }
}

/// A cell that no spreadsheet takes for a formula: one that begins like a formula, full
/// width signs included, gets an apostrophe before it (OWASP, CSV Injection).
fn harmless(cell: &str) -> String {
    let begins = cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠', '|', '%']);
    if begins { format!("'{cell}") } else { cell.to_owned() }
}

impl ReportWriter for Csv {
    fn audit(&mut self, audit: Audit) -> io::Result<()> {
        table::rows(&audit, self.lang).iter().try_for_each(|row| self.row(row))
    }

    fn skipped(&mut self, skipped: Skipped) -> io::Result<()> {
        self.row(&table::skipped(&skipped, self.lang))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.open()?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn formulas_become_text() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "＝1", "|cmd", "%0A"] {
            assert!(harmless(formula).starts_with('\''), "{formula}");
        }
        assert_eq!(harmless("拍照搜题"), "拍照搜题");
    }
}
