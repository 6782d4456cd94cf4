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
const WIDTHS: &[(&str, f64)] = &[
    ("evidence", 60.0),
    ("file", 30.0),
    ("signer", 40.0),
    ("favour", 30.0),
    ("clause_text", 40.0),
    ("grounds", 60.0),
    ("sum", 40.0),
    ("meaning", 40.0),
    ("reason", 60.0),
    ("detail", 30.0),
    ("step", 40.0),
    ("sha256", 24.0),
    ("result", 9.0),
    ("version", 10.0),
    ("severity", 9.0),
    ("confidence", 9.0),
    ("probability", 9.0),
];
/// Width of any other column.
const WIDTH: f64 = 16.0;
/// Width of the one column of running words.
const ABOUT_WIDTH: f64 = 100.0;
/// Height of a line, in points, and the most that a row may have in Excel.
const LINE: f64 = 15.0;
const ROW_MAX: f64 = 409.0;
/// A4 in Office Open XML (`ST_PaperSize`, as Excel numbers it).
const A4: u8 = 9;

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
    at: String,
    made_by: MadeBy,
}

impl Xlsx {
    pub(super) fn new(out: Box<dyn Write + Send>, style: &Style, made_by: MadeBy) -> Self {
        let lang = Lang::of(&style.lang);
        Self { out, workbook: Workbook::new(), sheets: BTreeMap::new(), lang, at: style.at.clone(), made_by }
    }

    /// Appends a row to a sheet, which is made when its first row comes.
    fn append(&mut self, sheet: Sheet, cells: &[String]) -> io::Result<()> {
        self.append_with(sheet, cells, None)
    }

    /// The same with the probability as a number, which sorts.
    fn append_with(&mut self, sheet: Sheet, cells: &[String], probability: Option<f64>) -> io::Result<()> {
        let (index, row) = match self.sheets.get(&sheet) {
            Some(&known) => known,
            None => (self.add(sheet).map_err(io::Error::other)?, 1),
        };
        if row >= ROWS_MAX {
            return Err(io::Error::other("more rows than a spreadsheet holds; use --format csv or jsonl"));
        }
        let widths = self.widths(sheet);
        let page = self.workbook.worksheet_from_index(index).map_err(io::Error::other)?;
        // Long words wrap and begin at the top: a cell shows all it holds, on paper as well.
        let body = Format::new().set_align(FormatAlign::Top).set_text_wrap();
        page.set_row_height(row, height(cells, &widths)).map_err(io::Error::other)?;
        write_row(page, row, cells, &body).map_err(io::Error::other)?;
        if let Some(probability) = probability {
            let percent = Format::new().set_align(FormatAlign::Top).set_num_format("0 %");
            let shown = (probability * 100.0).round().clamp(1.0, 99.0) / 100.0;
            page.write_number_with_format(row, table::PROBABILITY, shown, &percent).map_err(io::Error::other)?;
        }
        self.sheets.insert(sheet, (index, row + 1));
        Ok(())
    }

    /// Widths of a sheet's columns, in characters.
    fn widths(&self, sheet: Sheet) -> Vec<f64> {
        let of = |title: &String| {
            let known = WIDTHS.iter().find(|(key, _)| table::word(key, self.lang) == *title);
            known.map_or(WIDTH, |(_, width)| *width)
        };
        match sheet {
            Sheet::About => vec![ABOUT_WIDTH],
            _ => self.named(sheet).1.iter().map(of).collect(),
        }
    }

    /// Name and headings of a sheet.
    fn named(&self, sheet: Sheet) -> (String, Vec<String>) {
        match sheet {
            Sheet::All => (table::word("sheet_all", self.lang), table::heading(self.lang)),
            Sheet::Of(sign) => (words::sign(sign).get(self.lang).to_owned(), table::heading(self.lang)),
            Sheet::Limits => (table::word("sheet_limits", self.lang), table::limit_heading(self.lang)),
            Sheet::Skips => (
                table::word("sheet_skips", self.lang),
                vec![table::word("target", self.lang), table::word("reason", self.lang)],
            ),
            Sheet::About => (table::word("sheet_about", self.lang), vec![table::title(self.lang)]),
        }
    }

    fn add(&mut self, sheet: Sheet) -> Result<usize, XlsxError> {
        let (name, heading) = self.named(sheet);
        let widths = self.widths(sheet);
        let index = self.workbook.worksheets().len();
        let page = self.workbook.add_worksheet_with_constant_memory()?;
        // A sheet's name has 31 characters at most and none of []:*?/\.
        let name: String = name.chars().filter(|c| !"[]:*?/\\".contains(*c)).take(31).collect();
        page.set_name(name)?;
        page.set_freeze_panes(1, 0)?;
        for (column, width) in widths.iter().enumerate() {
            page.set_column_width(column as u16, *width)?;
        }
        let bold = Format::new().set_bold().set_align(FormatAlign::Top).set_text_wrap();
        write_row(page, 0, &heading, &bold)?;
        for_print(page, sheet, self.lang)?;
        self.sheets.insert(sheet, (index, 1));
        Ok(index)
    }
}

/// On A4 across, with the headings on every page, its number and the sheet below. The findings have
/// more columns than one page holds in letters that can be read: they go over three, the app on each.
fn for_print(page: &mut Worksheet, sheet: Sheet, lang: Lang) -> Result<(), XlsxError> {
    let is_wide = matches!(sheet, Sheet::All | Sheet::Of(_));
    page.set_landscape();
    page.set_paper_size(A4);
    page.set_margins(0.4, 0.4, 0.6, 0.6, 0.3, 0.3);
    page.set_repeat_rows(0, 0)?;
    if is_wide {
        page.set_repeat_columns(0, 1)?;
    }
    page.set_print_fit_to_pages(if is_wide { 3 } else { 1 }, 0);
    page.set_footer(format!("&L{} · &A&R&P / &N", table::title(lang)));
    Ok(())
}

/// Height of a row that shows its longest cell, in points: spreadsheets do not all work it out
/// from wrapped words. A Chinese character is as wide as two Latin ones.
fn height(cells: &[String], widths: &[f64]) -> f64 {
    let lines_of = |line: &str, width: f64| {
        let wide: usize = line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        (wide as f64 / width).ceil().max(1.0)
    };
    let of_cell = |(cell, width): (&String, &f64)| cell.lines().map(|line| lines_of(line, *width)).sum::<f64>();
    let lines = cells.iter().zip(widths).map(of_cell).fold(1.0, f64::max);
    (lines * LINE).min(ROW_MAX)
}

/// Writes cells as text and nothing else.
fn write_row(page: &mut Worksheet, row: u32, cells: &[String], format: &Format) -> Result<(), XlsxError> {
    for (column, cell) in cells.iter().enumerate() {
        let text: String = cell.chars().take(CELL_MAX).collect();
        page.write_string_with_format(row, column as u16, text, format)?;
    }
    Ok(())
}

impl ReportWriter for Xlsx {
    fn audit(&mut self, audit: Audit) -> io::Result<()> {
        for row in table::rows(&audit, self.lang, &self.at) {
            self.append_with(Sheet::All, &row.cells, row.probability)?;
            if let RowOf::Finding(sign) = row.of {
                self.append_with(Sheet::Of(sign), &row.cells, row.probability)?;
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
        if !self.at.is_empty() {
            self.append(Sheet::About, &[format!("{}: {}", table::word("checked_at", self.lang), self.at)])?;
        }
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
