//! From a CSV or XLSX file to the rows of a register.

use std::io::Cursor;

use calamine::{Data, DataRef, Reader};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{is_credit_code, legal_name};
use crate::model::{RegisterKind, Row, hex};

/// A register as imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// Which.
    pub kind: RegisterKind,
    /// SHA-256 of the file it came from.
    pub sha256: String,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Row number, from 1, the header counted.
    pub row: usize,
    /// Why.
    pub reason: String,
}

/// What an import gave.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The register of the good rows.
    pub register: Register,
    /// The rows left out.
    pub bad: Vec<BadRow>,
    /// Every column by its header, and what it was taken for; `None`: not used.
    pub columns: Vec<(String, Option<&'static str>)>,
}

/// Why a file is no register.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Not readable as a table.
    #[error("not a CSV or XLSX table: {0}")]
    Format(String),
    /// No column that names anyone.
    #[error("no column names a provider, a credit code, an app, a package or a number; the header has: {0}")]
    Header(String),
    /// Too large.
    #[error("more than {ROWS_MAX} rows")]
    Size,
}

/// More rows than any register of apps has.
const ROWS_MAX: usize = 2_000_000;
/// Cells to the right of these are none of a register: columns that people use have one or
/// two letters.
const COLUMNS_MAX: u32 = 702;
/// Characters of all cells of a workbook: cells may share their text.
const TEXT_MAX: usize = 256 << 20;

/// Header words of each column, in the registers' own language and in English.
const COLUMNS: &[(&str, &[&str])] = &[
    (
        "credit_code",
        &["统一社会信用代码", "社会信用代码", "信用代码", "机构代码", "uscc", "creditcode", "unifiedsocialcreditcode"],
    ),
    (
        "provider",
        &[
            "提供者名称",
            "提供者",
            "机构名称",
            "单位名称",
            "企业名称",
            "公司名称",
            "主办单位名称",
            "主办单位",
            "开发者",
            "培训机构名称",
            "provider",
            "company",
            "organisation",
            "organization",
            "developer",
        ],
    ),
    (
        "app",
        &[
            "应用名称",
            "app名称",
            "教育app名称",
            "教育app",
            "教育移动应用",
            "教育移动应用名称",
            "教育移动互联网应用程序名称",
            "移动应用名称",
            "应用程序名称",
            "软件名称",
            "产品名称",
            "app",
            "appname",
            "title",
        ],
    ),
    ("package", &["包名", "应用包名", "应用标识", "bundleid", "package", "packagename"]),
    (
        "number",
        &[
            "备案号",
            "备案编号",
            "备案登记号",
            "教育app备案号",
            "教育移动应用备案号",
            "许可证号",
            "办学许可证号",
            "许可证编号",
            "许可编号",
            "证书编号",
            "number",
            "filingnumber",
            "licencenumber",
            "licensenumber",
        ],
    ),
    (
        "until",
        &[
            "有效期至",
            "有效期",
            "截止日期",
            "到期日",
            "到期日期",
            "整改期限",
            "整改截止日期",
            "整改截止时间",
            "整改时限",
            "限期整改日期",
            "限期",
            "until",
            "validuntil",
            "expires",
            "mendby",
            "deadline",
        ],
    ),
];

/// Reads a table, maps its columns by their headers, and keeps the good rows.
///
/// # Errors
/// When the file is no table or no column can be used.
pub fn import(kind: RegisterKind, bytes: &[u8]) -> Result<Imported, RegisterError> {
    use sha2::{Digest, Sha256};
    let mut table = Table { text_left: TEXT_MAX, ..Table::default() };
    if bytes.starts_with(b"PK") {
        xlsx(bytes, &mut table)?
    } else {
        delimited(bytes, &mut table)?
    }
    let Some(columns) = table.columns else {
        return Err(RegisterError::Header(table.above.concat().join(", ")));
    };
    let columns = table.headers.into_iter().zip(columns).collect();
    let sha256 = hex(&Sha256::digest(bytes));
    Ok(Imported { register: Register { kind, sha256, rows: table.rows }, bad: table.bad, columns })
}

/// Rows that may stand above the header.
const ABOVE_MAX: usize = 10;

/// A table as its rows come in.
#[derive(Default)]
struct Table {
    /// What each column holds, once the header was seen.
    columns: Option<Vec<Option<&'static str>>>,
    /// The header's own words.
    headers: Vec<String>,
    /// Rows above the header: a title over the whole table, a note, a date.
    above: Vec<Vec<String>>,
    rows: Vec<Row>,
    bad: Vec<BadRow>,
    /// Bytes of text that may still be kept.
    text_left: usize,
}

impl Table {
    /// Takes a row. The first that names a column is the header.
    fn take(&mut self, number: usize, cells: &[String]) -> Result<(), RegisterError> {
        let Some(columns) = &self.columns else {
            let columns: Vec<Option<&str>> = cells.iter().map(|cell| column(cell)).collect();
            if columns.iter().flatten().all(|c| *c == "until") {
                self.above.push(cells.to_vec());
                let is_none = self.above.len() >= ABOVE_MAX;
                return if is_none { Err(RegisterError::Header(self.above.concat().join(", "))) } else { Ok(()) };
            }
            self.columns = Some(columns);
            self.headers = cells.iter().map(|header| header.trim().to_owned()).collect();
            return Ok(());
        };
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(());
        }
        let kept: usize =
            columns.iter().zip(cells).filter(|(name, _)| name.is_some()).map(|(_, cell)| cell.len()).sum();
        self.text_left = self.text_left.checked_sub(kept).ok_or(RegisterError::Size)?;
        if self.rows.len() + self.bad.len() >= ROWS_MAX {
            return Err(RegisterError::Size);
        }
        match row(number, columns, cells) {
            Ok(row) => self.rows.push(row),
            Err(reason) => self.bad.push(BadRow { row: number, reason }),
        }
        Ok(())
    }
}

/// A1, B1, …, AA1: how a spreadsheet calls a cell.
fn address(column: usize, row: usize) -> String {
    let mut letters = Vec::new();
    let mut left = column + 1;
    while left > 0 {
        letters.push(char::from(b'A' + u8::try_from((left - 1) % 26).unwrap_or(0)));
        left = (left - 1) / 26;
    }
    format!("{}{row}", letters.iter().rev().collect::<String>())
}

/// A spreadsheet made a number of a long code: 9.11E+17. Its last digits are lost.
fn is_rounded(code: &str) -> bool {
    let Some((mantissa, exponent)) = code.split_once(['E', 'e']) else { return false };
    let is_number =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+'));
    mantissa.contains('.') && is_number(mantissa) && is_number(exponent)
}

/// A licence without an end, in the words that tables write.
const ENDLESS: &[&str] = &["长期", "长期有效", "永久", "永久有效", "无固定期限", "long-term", "permanent"];

fn column(header: &str) -> Option<&'static str> {
    let plain = legal_name(header);
    COLUMNS.iter().find(|(_, words)| words.contains(&plain.as_str())).map(|(name, _)| *name)
}

fn row(number: usize, columns: &[Option<&str>], cells: &[String]) -> Result<Row, String> {
    let mut row = Row { row: number, ..Row::default() };
    for (index, (name, cell)) in columns.iter().zip(cells).enumerate() {
        // An apostrophe before it keeps a spreadsheet from making a number of it.
        let cell = cell.trim().trim_start_matches(['\'', '’']).trim().to_owned();
        if matches!(name, Some("credit_code" | "number")) && is_rounded(&cell) {
            let at = address(index, number);
            return Err(format!(
                "cell {at}: the spreadsheet made the number {cell} of a code and lost digits; format the column as text, and write it again"
            ));
        }
        match name {
            Some("credit_code") => row.credit_code = cell,
            Some("provider") => row.provider = cell,
            Some("app") => row.app = cell,
            Some("package") => row.package = cell,
            Some("number") => row.number = cell,
            Some("until") if ENDLESS.contains(&cell.to_lowercase().as_str()) => {}
            Some("until") => row.until = serial_day(&cell).unwrap_or(cell),
            _ => {}
        }
    }
    checked(row)
}

/// A row as registers keep it: code in capitals, day as `2026-01-31`.
///
/// # Errors
/// Why the row cannot be kept.
pub fn checked(mut row: Row) -> Result<Row, String> {
    row.credit_code = row.credit_code.trim().to_ascii_uppercase();
    if !row.until.trim().is_empty() {
        let day = date(row.until.trim());
        row.until = day.ok_or_else(|| format!("\"{}\" is no date; write 2026-01-31", row.until))?;
    }
    if !row.credit_code.is_empty() && !is_credit_code(&row.credit_code) {
        return Err(format!("credit code {} has a wrong check character", row.credit_code));
    }
    if [&row.credit_code, &row.provider, &row.app, &row.package, &row.number].iter().all(|f| f.is_empty()) {
        return Err("names neither provider nor app".into());
    }
    Ok(row)
}

/// A day as spreadsheets count it, from 1899-12-30 on (ECMA-376, part 1, 18.17.4.1): 46022 is 2025-12-31.
/// Only days from 1982 to 2091, so that no year or other number is taken for one.
fn serial_day(text: &str) -> Option<String> {
    let serial: u64 = text.strip_suffix(".0").unwrap_or(text).parse().ok()?;
    let days = chrono::Days::new(Some(serial).filter(|serial| (30_000..70_000).contains(serial))?);
    Some(NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_days(days)?.to_string())
}

/// `2026-1-5`, `2026/01/05`, `2026.1.5`, `20260105` and `2026年1月5日` as `2026-01-05`.
/// Of a span, its end. Only days that the calendar has.
fn date(text: &str) -> Option<String> {
    let last = text.rsplit(['至', '~', '～', '—']).next()?.trim();
    let compact = last.len() == 8 && last.bytes().all(|b| b.is_ascii_digit());
    let numbers: Vec<i32> = if compact {
        [&last[..4], &last[4..6], &last[6..]].iter().map(|n| n.parse().unwrap_or(0)).collect()
    } else {
        let parts = last.split(|c: char| !c.is_ascii_digit()).filter(|p| !p.is_empty()).take(3);
        parts.map(|n| n.parse().unwrap_or(0)).collect()
    };
    match numbers.as_slice() {
        &[year @ 1900..=2999, month, day] => {
            let (month, day) = (month.try_into().ok()?, day.try_into().ok()?);
            Some(NaiveDate::from_ymd_opt(year, month, day)?.to_string())
        }
        _ => None,
    }
}

/// Takes the rows of the first sheet, cell by cell: a cell that strayed to the last corner of
/// the sheet makes no table of that size.
fn xlsx(bytes: &[u8], table: &mut Table) -> Result<(), RegisterError> {
    let fault = |e: calamine::XlsxError| RegisterError::Format(e.to_string());
    let mut book = calamine::Xlsx::new(Cursor::new(bytes)).map_err(fault)?;
    let sheet = book.sheet_names().first().cloned().ok_or_else(|| RegisterError::Format("no sheet".into()))?;
    let mut reader = book.worksheet_cells_reader(&sheet).map_err(fault)?;
    let (mut first, mut current, mut cells) = (None, 0, Vec::new());
    while let Some(found) = reader.next_cell().map_err(fault)? {
        let ((at, column), value) = (found.get_position(), found.get_value());
        if column >= COLUMNS_MAX || matches!(value, DataRef::Empty) {
            continue;
        }
        let start = *first.get_or_insert(at);
        if at != current && !cells.is_empty() {
            table.take(number(current, start), &std::mem::take(&mut cells))?;
        }
        current = at;
        cells.resize(cells.len().max(column as usize + 1), String::new());
        cells[column as usize] = cell(&Data::from(value.clone()));
    }
    match first {
        Some(start) if !cells.is_empty() => table.take(number(current, start), &cells),
        _ => Ok(()),
    }
}

/// Number of a row, counted from the header's.
const fn number(at: u32, first: u32) -> usize {
    at.saturating_sub(first) as usize + 1
}

fn cell(data: &Data) -> String {
    match data {
        Data::DateTime(when) => {
            let (year, month, day, ..) = when.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        // Digits of a number that long are made up.
        Data::Float(number) if number.abs() >= 1e15 => format!("{number:.5E}"),
        other => other.to_string(),
    }
}

/// CSV in UTF-8 or GB18030, with comma, semicolon or tab.
fn delimited(bytes: &[u8], table: &mut Table) -> Result<(), RegisterError> {
    let text = match std::str::from_utf8(bytes) {
        // UTF-16 says so itself.
        _ if bytes.starts_with(&[0xff, 0xfe]) => encoding_rs::UTF_16LE.decode(bytes).0,
        _ if bytes.starts_with(&[0xfe, 0xff]) => encoding_rs::UTF_16BE.decode(bytes).0,
        Ok(text) => std::borrow::Cow::Borrowed(text.trim_start_matches('\u{feff}')),
        Err(_) => {
            let (text, broken) = encoding_rs::GB18030.decode_without_bom_handling(bytes);
            if broken {
                return Err(RegisterError::Format("neither UTF-8 nor GB18030".into()));
            }
            text
        }
    };
    let first = text.lines().next().unwrap_or("");
    let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|d| first.bytes().filter(|b| b == d).count());
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter.unwrap_or(b','))
        .from_reader(text.as_bytes());
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|e| RegisterError::Format(e.to_string()))?;
        let cells: Vec<String> = record.iter().map(str::to_owned).collect();
        table.take(index + 1, &cells)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_their_headers_and_bad_rows_are_numbered() {
        let text =
            "序号,机构名称,许可证编号,有效期至\n1,示例教育有限公司,京教许1号,2027年1月31日\n2,,,\n3,又一公司,x,某天\n";
        let (gb, _, _) = encoding_rs::GB18030.encode(text);
        for bytes in [text.as_bytes(), &gb] {
            let imported = import(RegisterKind::Licence, bytes).unwrap();
            assert_eq!(imported.register.rows.len(), 1);
            assert_eq!(imported.register.rows[0].until, "2027-01-31");
            assert_eq!(imported.bad.iter().map(|b| b.row).collect::<Vec<_>>(), [3, 4]);
        }
    }

    #[test]
    fn what_a_spreadsheet_did_is_understood_where_it_is_certain() {
        let text = "某区许可名单（2026年1月）,,\n机构名称,统一社会信用代码,有效期至,备注\n甲公司,'91110108MA01234567,46022,x\n乙公司,,长期,\n丙公司,9.11101E+17,2026-01-31,\n";
        let utf16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for bytes in [text.as_bytes(), &utf16] {
            let imported = import(RegisterKind::Licence, bytes).unwrap();
            let told: Vec<_> =
                imported.register.rows.iter().map(|r| (r.row, r.provider.as_str(), r.until.as_str())).collect();
            assert_eq!(told.last(), Some(&(4, "乙公司", "")), "{told:?} {:?}", imported.bad);
            let last = imported.bad.last().unwrap();
            assert!(last.row == 5 && last.reason.contains("cell B5"), "{last:?}");
            assert_eq!(imported.columns[3], ("备注".to_owned(), None));
        }
        assert_eq!(serial_day("46022").as_deref(), Some("2025-12-31"));
        assert_eq!(serial_day("2026"), None);
        assert_eq!(
            (date("2024-2-29").as_deref(), date("2023-2-29"), date("2026-04-31")),
            (Some("2024-02-29"), None, None)
        );
        assert_eq!((address(0, 1), address(27, 3)), ("A1".into(), "AB3".into()));
    }

    #[test]
    fn lists_are_read_as_they_are_published() {
        let white = "教育APP白名单（2025年11月）,,,\n序号,教育APP名称,提供者名称,教育移动应用备案号\n1,题闪闪,示例科技有限公司,教APP备1100123号\n";
        let row = &import(RegisterKind::White, white.as_bytes()).unwrap().register.rows[0];
        assert_eq!((row.app.as_str(), row.number.as_str()), ("题闪闪", "教APP备1100123号"));
        let grey = "序号,应用名称,提供者,问题,整改时限\n1,题闪闪,示例科技有限公司,广告,2026年12月31日\n";
        let row = &import(RegisterKind::Grey, grey.as_bytes()).unwrap().register.rows[0];
        assert_eq!((row.app.as_str(), row.until.as_str()), ("题闪闪", "2026-12-31"));
    }

    #[test]
    fn a_table_that_names_nobody_is_refused() {
        assert!(matches!(import(RegisterKind::White, b"a,b\n1,2\n"), Err(RegisterError::Header(_))));
        assert!(import(RegisterKind::White, b"PK\x03\x04garbage").is_err());
    }
}
