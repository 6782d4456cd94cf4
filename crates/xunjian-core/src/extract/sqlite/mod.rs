//! Embedded SQLite databases: question banks, courses, dictionaries.
//!
//! Written against <https://www.sqlite.org/fileformat2.html>. A reader of our own,
//! because the library is C and trusts its file more than we may: every page is visited
//! once, trees cannot loop, records are cut to what the file holds, and what parses is
//! kept.

mod page;
mod record;
mod schema;

use std::collections::HashSet;

use self::page::{Database, Row};
use self::record::Value;
use self::schema::Table;
use super::bytes::{Words, is_random};
use super::{Extracted, Input, encoding};
use crate::model::{Kind, Limit, LimitCode};

/// How a database begins.
pub(super) const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Tables read from one database.
const TABLES_MAX: usize = 2_000;
/// Rows read from one table in order; of the rest, leaves are taken evenly.
const ROWS_FULL: usize = 100_000;
/// Rows taken evenly beyond those, about.
const ROWS_SAMPLED: usize = 20_000;
/// Text of one cell beyond this is cut: longer cells are files, not questions.
const CELL_MAX: usize = 256 << 10;

/// Takes the text columns of all tables, named by table, row and column.
pub(super) fn read(input: Input<'_>, out: &mut Extracted) {
    let (bytes, place) = (input.bytes(), input.place);
    let mut bad = |detail: String| out.limits.push(Limit::new(LimitCode::BadFormat, place, detail));
    let Some(database) = Database::new(input) else {
        bad("SQLite header that does not hold; searched for strings".into());
        return super::native::read(input, Kind::Asset, out);
    };
    if database.is_cut() {
        bad(format!("states {} pages, holds {}", database.stated, database.pages));
    }
    let mut seen = HashSet::new();
    let (leaves, broken) = database.leaves(1, &mut seen);
    let mut tables = Vec::new();
    let mut damaged = broken;
    for row in leaves.iter().flat_map(|&leaf| database.rows(leaf)) {
        if tables.len() >= TABLES_MAX {
            bad(format!("more than {TABLES_MAX} tables, the first were read"));
            break;
        }
        tables.extend(schema::table(&database, &row));
    }
    let mut words = Words::new(Kind::Asset, place, "", bytes.len(), input.meter);
    let mut sampled = Vec::new();
    for table in &tables {
        let (leaves, broken) = database.leaves(table.root, &mut seen);
        damaged += broken;
        let read = rows(&database, table, &leaves, &mut words);
        if read < leaves.len() {
            sampled.push(format!("{} ({read} of {} pages)", table.name, leaves.len()));
        }
        if words.is_full() || database.is_spent() {
            break;
        }
    }
    words.finish(out);
    if database.is_spent() {
        let detail = "its rows share bytes: they state more than the file holds, and were not all read";
        out.limits.push(Limit::new(LimitCode::OverBudget, place, detail));
    }
    if damaged > 0 {
        let detail = format!("{damaged} pages of its trees are not there or are no tree pages");
        out.limits.push(Limit::new(LimitCode::BadFormat, place, detail));
        if tables.is_empty() {
            super::native::read(input, Kind::Asset, out);
        }
    }
    if !sampled.is_empty() {
        let detail = format!("tables too large to be read whole: {}", sampled.join(", "));
        out.limits.push(Limit::new(LimitCode::OverBudget, place, detail));
    }
}

/// Reads the rows of a table: all up to [`ROWS_FULL`], then those of leaves taken evenly.
/// Returns how many leaves were read.
fn rows(database: &Database<'_>, table: &Table, leaves: &[u32], words: &mut Words<'_>) -> usize {
    let (mut count, mut read, mut step) = (0_usize, 0_usize, 1);
    let mut at = 0;
    while let Some(&leaf) = leaves.get(at) {
        for row in database.rows(leaf) {
            count += 1;
            if !database.meter.step() {
                break;
            }
            cells(database, table, &row, count, words);
        }
        read += 1;
        if words.is_full() || database.is_spent() {
            break;
        }
        if count >= ROWS_FULL && step == 1 {
            let per_leaf = (count / read).max(1);
            step = ((leaves.len() - at) * per_leaf / ROWS_SAMPLED).max(1);
        }
        at += step;
    }
    read
}

/// The cells of one row that hold words.
fn cells(database: &Database<'_>, table: &Table, row: &Row<'_>, number: usize, words: &mut Words<'_>) {
    // A table without rowid has no number of its own for a row: its position stands in.
    let number = row.rowid.unwrap_or(number as i64);
    let payload = database.payload(row);
    for (index, value) in record::values(&payload).enumerate() {
        if !database.meter.step() {
            return;
        }
        let Some(mut cell) = text_of(&value, database.encoding) else { continue };
        if cell.len() > CELL_MAX {
            let cut = (0..=CELL_MAX).rev().find(|&i| cell.is_char_boundary(i)).unwrap_or(0);
            cell.truncate(cut);
        }
        let name = format!("table {} row {number} column {}", table.name, table.column(index));
        words.push_named(&name, &super::unescape::unescape(&cell));
        if words.is_full() {
            return;
        }
    }
}

/// Text of a value; a blob counts when it is text.
fn text_of(value: &Value<'_>, encoding: page::Encoding) -> Option<String> {
    match value {
        Value::Text(raw) => Some(encoding.decode(raw)),
        Value::Blob(raw) if raw.len() >= 4 => encoding::decode(raw).map(|t| t.into_owned()),
        Value::Blob(_) | Value::Other => None,
    }
}

/// A database by its name that has no header and looks like noise: encrypted.
pub(super) fn sealed(path: &str, place: &str, bytes: &[u8]) -> Option<Limit> {
    const ENDINGS: &[&str] = &[".db", ".db3", ".sqlite", ".sqlite3", ".sqlitedb", ".s3db"];
    let lower = path.to_ascii_lowercase();
    let named = ENDINGS.iter().any(|end| lower.ends_with(end));
    // SQLCipher keeps whole pages, of 512 bytes at least.
    (named && bytes.len() >= 512 && is_random(bytes)).then(|| {
        let whole = if bytes.len().is_multiple_of(512) { "whole pages of noise, as SQLCipher writes" } else { "noise" };
        Limit::new(
            LimitCode::EncryptedEntry,
            place,
            format!("a database without its header: {whole}; its rows were not read"),
        )
    })
}
