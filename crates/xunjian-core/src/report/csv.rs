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
    at: String,
    is_open: bool,
}

impl Csv {
    pub(super) fn new(out: Box<dyn Write + Send>, style: &Style) -> Self {
        let out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        Self { out, lang: Lang::of(&style.lang), at: style.at.clone(), is_open: false }
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.open()?;
        let cells = row.cells.iter().enumerate().map(|(column, cell)| match table::is_text(column) && is_lossy(cell) {
            true => format!("'{cell}"),
            false => harmless(cell),
        });
        self.out.write_record(cells).map_err(io::Error::other)
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

/// A name, version or id that a spreadsheet takes for a number or a day and shows as another one: `12e34` and
/// sixteen digits among ids, `1.10` among versions.
fn is_lossy(cell: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_long = digits(cell) && (cell.len() > 15 || cell.starts_with('0') && cell.len() > 1);
    let exponent = cell.split_once(['e', 'E']).is_some_and(|(whole, power)| {
        digits(&whole.replacen('.', "", 1)) && digits(power.trim_start_matches(['+', '-']))
    });
    let fraction = cell.split_once('.').is_some_and(|(whole, part)| {
        (digits(whole) || whole.is_empty()) && digits(part) && (part.ends_with('0') || whole.starts_with('0'))
    });
    let parts: Vec<&str> = cell.split(['-', '/', '.', ':']).collect();
    let is_day = (2..=3).contains(&parts.len())
        && parts.iter().all(|part| digits(part) && part.len() <= 4)
        && (cell.contains(['-', '/', ':']) || parts.len() == 3);
    is_long || exponent || fraction || is_day
}

impl ReportWriter for Csv {
    fn audit(&mut self, audit: Audit) -> io::Result<()> {
        table::rows(&audit, self.lang, &self.at).iter().try_for_each(|row| self.row(row))
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
    use super::{harmless, is_lossy};

    #[test]
    fn what_a_spreadsheet_would_change_is_text() {
        for cell in [
            "57100345632e5569",
            "1796989851441298",
            "1.10",
            "3.0",
            "007",
            "1.2E3",
            "2024.1.2",
            "3-2",
            "1/2",
            "0.5",
            "12:30",
        ] {
            assert!(is_lossy(cell), "{cell}");
        }
        for cell in
            ["3.2", "12", "a7f0", "1.2.3.4", "v1.10", "", "3.2-beta", "e5", "12e", "cn.example.app", "1.2.34567"]
        {
            assert!(!is_lossy(cell), "{cell}");
        }
    }

    #[test]
    fn formulas_become_text() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "＝1", "|cmd", "%0A"] {
            assert!(harmless(formula).starts_with('\''), "{formula}");
        }
        assert_eq!(harmless("拍照搜题"), "拍照搜题");
    }
}
