//! From a CSV or XLSX file to the rows of a register.

use std::io::Cursor;

use calamine::{Data, Reader};
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
        &["应用名称", "app名称", "教育移动应用名称", "移动应用名称", "软件名称", "产品名称", "app", "appname", "title"],
    ),
    ("package", &["包名", "应用包名", "应用标识", "bundleid", "package", "packagename"]),
    (
        "number",
        &[
            "备案号",
            "备案编号",
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
    let mut table = if bytes.starts_with(b"PK") { xlsx(bytes)? } else { delimited(bytes)? }.into_iter();
    let header = table.next().unwrap_or_default();
    let columns: Vec<Option<&str>> = header.iter().map(|cell| column(cell)).collect();
    if columns.iter().flatten().all(|c| *c == "until") {
        return Err(RegisterError::Header(header.join(", ")));
    }
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for (index, cells) in table.enumerate() {
        if index >= ROWS_MAX {
            return Err(RegisterError::Size);
        }
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        match row(index + 2, &columns, &cells) {
            Ok(row) => rows.push(row),
            Err(reason) => bad.push(BadRow { row: index + 2, reason }),
        }
    }
    use sha2::{Digest, Sha256};
    let sha256 = hex(&Sha256::digest(bytes));
    Ok(Imported { register: Register { kind, sha256, rows }, bad })
}

fn column(header: &str) -> Option<&'static str> {
    let plain = legal_name(header);
    COLUMNS.iter().find(|(_, words)| words.contains(&plain.as_str())).map(|(name, _)| *name)
}

fn row(number: usize, columns: &[Option<&str>], cells: &[String]) -> Result<Row, String> {
    let mut row = Row { row: number, ..Row::default() };
    for (name, cell) in columns.iter().zip(cells) {
        let cell = cell.trim().to_owned();
        match name {
            Some("credit_code") => row.credit_code = cell,
            Some("provider") => row.provider = cell,
            Some("app") => row.app = cell,
            Some("package") => row.package = cell,
            Some("number") => row.number = cell,
            Some("until") => row.until = cell,
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

/// `2026-1-5`, `2026/01/05`, `2026.1.5`, `20260105` and `2026年1月5日` as `2026-01-05`.
/// Of a span, its end.
fn date(text: &str) -> Option<String> {
    let last = text.rsplit(['至', '~', '～', '—']).next()?.trim();
    let compact = last.len() == 8 && last.bytes().all(|b| b.is_ascii_digit());
    let numbers: Vec<u32> = if compact {
        [&last[..4], &last[4..6], &last[6..]].iter().map(|n| n.parse().unwrap_or(0)).collect()
    } else {
        let parts = last.split(|c: char| !c.is_ascii_digit()).filter(|p| !p.is_empty()).take(3);
        parts.map(|n| n.parse().unwrap_or(0)).collect()
    };
    match numbers.as_slice() {
        [year @ 1900..=2999, month @ 1..=12, day @ 1..=31] => Some(format!("{year:04}-{month:02}-{day:02}")),
        _ => None,
    }
}

fn xlsx(bytes: &[u8]) -> Result<Vec<Vec<String>>, RegisterError> {
    let fault = |e: String| RegisterError::Format(e);
    let mut book = calamine::Xlsx::new(Cursor::new(bytes)).map_err(|e| fault(e.to_string()))?;
    let range =
        book.worksheet_range_at(0).ok_or_else(|| fault("no sheet".into()))?.map_err(|e| fault(e.to_string()))?;
    Ok(range.rows().map(|cells| cells.iter().map(cell).collect()).collect())
}

fn cell(data: &Data) -> String {
    match data {
        Data::DateTime(when) => {
            let (year, month, day, ..) = when.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        other => other.to_string(),
    }
}

/// CSV in UTF-8 or GB18030, with comma, semicolon or tab.
fn delimited(bytes: &[u8]) -> Result<Vec<Vec<String>>, RegisterError> {
    let text = match std::str::from_utf8(bytes) {
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
    reader
        .records()
        .map(|record| {
            record.map(|r| r.iter().map(str::to_owned).collect()).map_err(|e| RegisterError::Format(e.to_string()))
        })
        .collect()
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
    fn a_table_that_names_nobody_is_refused() {
        assert!(matches!(import(RegisterKind::White, b"a,b\n1,2\n"), Err(RegisterError::Header(_))));
        assert!(import(RegisterKind::White, b"PK\x03\x04garbage").is_err());
    }
}
