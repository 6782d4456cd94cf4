//! The schema table, and the names of columns in `CREATE TABLE`.

use super::page::{Database, Row};
use super::record::{self, Value};

/// Columns named from one statement.
const COLUMNS_MAX: usize = 2_000;
/// Names longer than this are cut: they stand in every place.
const NAME_MAX: usize = 80;
/// Bytes of a statement that are looked at: no table has so many columns to name.
const STATEMENT_MAX: usize = 64 << 10;

/// A table with rows.
pub(super) struct Table {
    pub(super) name: String,
    pub(super) root: u32,
    columns: Vec<String>,
}

impl Table {
    /// Name of a column, else its number from one.
    pub(super) fn column(&self, index: usize) -> String {
        self.columns.get(index).cloned().unwrap_or_else(|| (index + 1).to_string())
    }
}

/// The table that a row of the schema describes; views and indexes have no rows of their own.
pub(super) fn table(database: &Database<'_>, row: &Row<'_>) -> Option<Table> {
    let payload = database.payload(row);
    let values: Vec<Value<'_>> = record::values(&payload).take(5).collect();
    let text = |index: usize| match values.get(index) {
        Some(Value::Text(raw)) => Some(database.encoding.decode(raw)),
        _ => None,
    };
    if text(0)? != "table" {
        return None;
    }
    let root = integer(&payload, 3).filter(|&root| root > 1)?;
    let name = text(1)?.chars().take(NAME_MAX).collect();
    let statement = match values.get(4) {
        // Of a longer one the columns have their numbers alone.
        Some(Value::Text(raw)) if raw.len() <= STATEMENT_MAX => database.encoding.decode(raw),
        _ => String::new(),
    };
    let columns = columns(&statement);
    Some(Table { name, root, columns })
}

/// A small integer column of a record.
fn integer(record: &[u8], index: usize) -> Option<u32> {
    let (header, mut at) = record::varint(record, 0)?;
    let mut body = usize::try_from(header).ok()?;
    for column in 0..=index {
        let (kind, width) = record::varint(record, at)?;
        at += width;
        let size = match kind {
            0 | 8..=11 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        if column == index {
            let raw = record.get(body..body.checked_add(size)?).filter(|_| (1..=4).contains(&kind))?;
            return Some(raw.iter().fold(0, |n, &b| n << 8 | u32::from(b)));
        }
        body = body.checked_add(size)?;
    }
    None
}

/// Column names of a `CREATE TABLE` statement, in the order of the record.
fn columns(sql: &str) -> Vec<String> {
    let parts = definitions(&without_comments(sql));
    let without_rowid = sql.to_ascii_uppercase().trim_end().ends_with("WITHOUT ROWID");
    // Such a table stores its key first: the order holds when the key is the first column.
    if without_rowid && !parts.first().is_some_and(|part| part.to_ascii_uppercase().contains("PRIMARY KEY")) {
        return Vec::new();
    }
    let is_constraint = |part: &str| {
        let word = part.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("").to_ascii_uppercase();
        matches!(word.as_str(), "PRIMARY" | "UNIQUE" | "CHECK" | "FOREIGN" | "CONSTRAINT")
    };
    parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty() && !is_constraint(part)).map(name_of).collect()
}

/// A statement without `-- …` and `/* … */`, which SQLite keeps. It is gone over once.
fn without_comments(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = memchr::memchr2(b'-', b'/', rest.as_bytes()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let end = match from.as_bytes() {
            [b'-', b'-', ..] => from.find('\n'),
            [b'/', b'*', ..] => from.find("*/").map(|at| at + 2),
            _ => {
                out.push_str(&from[..1]);
                Some(1)
            }
        };
        rest = end.map_or("", |end| &from[end..]);
    }
    out + rest
}

/// What stands between the parentheses of a statement, split at its commas.
fn definitions(sql: &str) -> Vec<String> {
    let Some(open) = sql.find('(') else { return Vec::new() };
    let mut parts = vec![String::new()];
    let (mut depth, mut quote) = (0_usize, None);
    for c in sql[open + 1..].chars() {
        match (quote, c) {
            (Some(end), _) if c == end => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`' | '\'') => quote = Some(c),
            (None, '[') => quote = Some(']'),
            (None, '(') => depth += 1,
            (None, ')') if depth == 0 => break,
            (None, ')') => depth -= 1,
            (None, ',') if depth == 0 => {
                if parts.len() >= COLUMNS_MAX {
                    break;
                }
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
}

/// The name at the start of a column definition, without its quotes.
fn name_of(part: &str) -> String {
    let mut chars = part.chars();
    let close = match chars.next() {
        Some('[') => Some(']'),
        Some(quote @ ('"' | '`' | '\'')) => Some(quote),
        _ => None,
    };
    let name: String = match close {
        Some(end) => chars.take_while(|&c| c != end).take(NAME_MAX).collect(),
        None => part.chars().take_while(|c| !c.is_whitespace()).take(NAME_MAX).collect(),
    };
    name
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn names_of_columns() {
        let sql = "CREATE TABLE \"q\" (id INTEGER PRIMARY KEY, `stem` TEXT DEFAULT 'a, b', [第 一 项] VARCHAR(20),\n\
                   n DECIMAL(3, 1), UNIQUE (stem, n))";
        assert_eq!(columns(sql), ["id", "stem", "第 一 项", "n"]);
        assert!(columns("CREATE VIRTUAL TABLE").is_empty());
        assert_eq!(columns("CREATE TABLE t(a -- one, two\n, b /* c, */)"), ["a", "b"]);
        assert!(columns("CREATE TABLE t(a, b, PRIMARY KEY (b)) WITHOUT ROWID").is_empty());
    }
}
