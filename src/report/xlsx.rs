//! `xlsx`: a workbook with an overview, a sheet a sign, what could not be read, and skips.
//!
//! Every cell is written as text, so that nothing an app calls itself can become a formula
//! or a link. Rows go to a temporary file as they come; what is held is one row a sheet.

use std::collections::BTreeMap;
use std::io::{self, Write};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::table::{self, RowOf};
use super::words::{self, Lang};
use super::{ReportWriter, Style};
use crate::model::{Audit, MadeBy, Sign, Skipped};

/// Rows of a sheet, headings included (Office Open XML spreadsheets as Excel reads them).
const ROWS_MAX: u32 = 1_048_576;
/// Characters of a cell that Excel reads.
const CELL_MAX: usize = 32_767;
/// Widths of columns, in characters.
const WIDTHS: &[(&str, f64)] = &[("evidence", 60.0), ("clause_text", 40.0), ("sum", 40.0), ("meaning", 40.0)];

/// A sheet by its place in the workbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sheet {
    All,
    Of(Sign),
    Limits,
    Skips,
    About,
}

/// Writes the workbook at the end.
pub(super) struct Xlsx {
    out: Box<dyn Write + Send>,
    workbook: Workbook,
    /// Place of each sheet and its next row.
    sheets: BTreeMap<Sheet, (usize, u32)>,
    lang: Lang,
    made_by: MadeBy,
}

impl Xlsx {
    pub(super) fn new(out: Box<dyn Write + Send>, style: &Style, made_by: MadeBy) -> Self {
        let lang = Lang::of(&style.lang);
        Self { out, workbook: Workbook::new(), sheets: BTreeMap::new(), lang, made_by }
    }

    /// Appends a row to a sheet, which is made when its first row comes.
    fn append(&mut self, sheet: Sheet, cells: &[String]) -> io::Result<()> {
        let (index, row) = match self.sheets.get(&sheet) {
            Some(&known) => known,
            None => (self.add(sheet).map_err(io::Error::other)?, 1),
        };
        if row >= ROWS_MAX {
            return Err(io::Error::other("more rows than a spreadsheet holds; use --format csv or jsonl"));
        }
        let page = self.workbook.worksheet_from_index(index).map_err(io::Error::other)?;
        write_row(page, row, cells, None).map_err(io::Error::other)?;
        self.sheets.insert(sheet, (index, row + 1));
        Ok(())
    }

    fn add(&mut self, sheet: Sheet) -> Result<usize, XlsxError> {
        let (name, heading) = match sheet {
            Sheet::All => (table::word("sheet_all", self.lang), table::heading(self.lang)),
            Sheet::Of(sign) => (words::sign(sign).get(self.lang).to_owned(), table::heading(self.lang)),
            Sheet::Limits => (table::word("sheet_limits", self.lang), table::limit_heading(self.lang)),
            Sheet::Skips => (
                table::word("sheet_skips", self.lang),
                vec![table::word("target", self.lang), table::word("reason", self.lang)],
            ),
            Sheet::About => (table::word("sheet_about", self.lang), vec![table::title(self.lang)]),
        };
        let index = self.workbook.worksheets().len();
        let page = self.workbook.add_worksheet_with_constant_memory()?;
        // A sheet's name has 31 characters at most and none of []:*?/\.
        let name: String = name.chars().filter(|c| !"[]:*?/\\".contains(*c)).take(31).collect();
        page.set_name(name)?;
        page.set_freeze_panes(1, 0)?;
        for (column, title) in heading.iter().enumerate() {
            let width = WIDTHS.iter().find(|(key, _)| table::word(key, self.lang) == *title).map_or(16.0, |w| w.1);
            page.set_column_width(column as u16, width)?;
        }
        let bold = Format::new().set_bold().set_align(FormatAlign::Top);
        write_row(page, 0, &heading, Some(&bold))?;
        self.sheets.insert(sheet, (index, 1));
        Ok(index)
    }
}

/// Writes cells as text and nothing else.
fn write_row(page: &mut Worksheet, row: u32, cells: &[String], format: Option<&Format>) -> Result<(), XlsxError> {
    for (column, cell) in cells.iter().enumerate() {
        let text: String = cell.chars().take(CELL_MAX).collect();
        match format {
            Some(format) => page.write_string_with_format(row, column as u16, text, format)?,
            None => page.write_string(row, column as u16, text)?,
        };
    }
    Ok(())
}

impl ReportWriter for Xlsx {
    fn audit(&mut self, audit: Audit) -> io::Result<()> {
        for row in table::rows(&audit, self.lang) {
            self.append(Sheet::All, &row.cells)?;
            if let RowOf::Finding(sign) = row.of {
                self.append(Sheet::Of(sign), &row.cells)?;
            }
        }
        table::limits(&audit, self.lang).iter().try_for_each(|cells| self.append(Sheet::Limits, cells))
    }

    fn skipped(&mut self, skipped: Skipped) -> io::Result<()> {
        self.append(Sheet::All, &table::skipped(&skipped, self.lang).cells)?;
        let target = super::clean::clean(&skipped.target, super::clean::NAME);
        self.append(Sheet::Skips, &[target, table::reason(&skipped, self.lang)])
    }

    fn finish(&mut self) -> io::Result<()> {
        let made_by =
            format!("xunjian {} · {} · {}", self.made_by.version, self.made_by.policy, self.made_by.pack_sha256);
        self.append(Sheet::About, &[table::disclaimer(self.lang)])?;
        self.append(Sheet::About, &[made_by])?;
        for (&sheet, &(index, rows)) in &self.sheets {
            let last = match sheet {
                Sheet::All | Sheet::Of(_) => table::heading(self.lang).len(),
                Sheet::Limits => table::limit_heading(self.lang).len(),
                Sheet::Skips => 2,
                Sheet::About => continue,
            };
            let page = self.workbook.worksheet_from_index(index).map_err(io::Error::other)?;
            page.autofilter(0, 0, rows - 1, last as u16 - 1).map_err(io::Error::other)?;
        }
        // The same audits give the same bytes: no time of making is written.
        let epoch = ExcelDateTime::from_ymd(1980, 1, 1).map_err(io::Error::other)?;
        self.workbook.set_properties(&DocProperties::new().set_creation_datetime(&epoch));
        let bytes = self.workbook.save_to_buffer().map_err(io::Error::other)?;
        self.out.write_all(&bytes)?;
        self.out.flush()
    }
}
