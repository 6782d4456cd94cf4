//! What the case backend says, read entry by entry: what is wrong with one entry costs that entry.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::standings::StandingsError;
use crate::model::{RegisterKind, Row};
use crate::register::checked;

/// Name of what is told.
const SCHEMA: &str = "xunjian/standings/1";
/// Kinds of registers that may be told, by their names in a message.
pub(super) const KINDS: [RegisterKind; 3] = [RegisterKind::White, RegisterKind::Grey, RegisterKind::Black];
/// Entries of one list.
const ENTRIES_MAX: usize = 1_000_000;
/// Entries left out that are named; the others are counted.
const NAMED_MAX: usize = 1_000;
/// Longest reason, in characters.
const REASON_MAX: usize = 200;

/// An app or a provider on a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Entry {
    provider: String,
    credit_code: String,
    app: String,
    package: String,
    number: String,
    /// Day to mend by.
    until: String,
}

/// An entry that was left out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// The list.
    pub list: &'static str,
    /// Its place there, from 1.
    pub entry: usize,
    /// Why.
    pub reason: String,
}

/// A message that was read.
pub(super) struct Told {
    /// The moment it speaks of.
    pub(super) as_of: DateTime<Utc>,
    /// Each list told, with the rows that can be kept.
    pub(super) lists: Vec<(RegisterKind, Vec<Row>)>,
    /// The first entries left out.
    pub(super) left_out: Vec<LeftOut>,
    /// All entries left out.
    pub(super) left_out_count: usize,
    /// Names beside those of the contract: nothing was done with them.
    pub(super) unknown: Vec<String>,
}

impl Told {
    /// Reads a message.
    ///
    /// # Errors
    /// When it is none, tells no list, or nothing of a list can be kept.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, StandingsError> {
        let format = |error: String| StandingsError::Format(clean(&error, REASON_MAX));
        let parts: BTreeMap<String, &RawValue> =
            serde_json::from_slice(bytes).map_err(|error| format(error.to_string()))?;
        let part = |name: &str| parts.get(name).map(|raw| raw.get()).filter(|raw| *raw != "null");
        let schema: Option<String> = part("schema").and_then(|raw| serde_json::from_str(raw).ok());
        if schema.as_deref() != Some(SCHEMA) {
            return Err(format(format!("schema: it is not \"{SCHEMA}\"")));
        }
        let as_of = part("as_of").and_then(|raw| serde_json::from_str::<DateTime<Utc>>(raw).ok());
        let as_of = as_of.ok_or_else(|| format("as_of: no moment; write 2026-01-31T08:00:00Z".into()))?;
        let names = ["schema", "as_of"].into_iter().chain(KINDS.map(RegisterKind::id));
        let names: Vec<&str> = names.collect();
        let unknown = parts.keys().filter(|name| !names.contains(&name.as_str())).take(20).map(|name| clean(name, 60));
        let mut told =
            Self { as_of, lists: Vec::new(), left_out: Vec::new(), left_out_count: 0, unknown: unknown.collect() };
        for kind in KINDS {
            if let Some(raw) = part(kind.id()) {
                told.list(kind, raw).map_err(|error| match error {
                    StandingsError::Format(why) => StandingsError::Format(format!("{}: {why}", kind.id())),
                    error => error,
                })?;
            }
        }
        if told.lists.is_empty() {
            return Err(format("it tells no list: white, grey or black".into()));
        }
        Ok(told)
    }

    fn list(&mut self, kind: RegisterKind, raw: &str) -> Result<(), StandingsError> {
        let mut json = serde_json::Deserializer::from_str(raw);
        let list = json.deserialize_seq(Entries { kind }).and_then(|list| json.end().map(|()| list));
        let list = list.map_err(|error| StandingsError::Format(clean(&error.to_string(), REASON_MAX)))?;
        // An empty list empties the register; one of which nothing is left is a mistake.
        if list.rows.is_empty() && list.bad > 0 {
            let why = list.left_out.first().map(|out| out.reason.clone()).unwrap_or_default();
            return Err(StandingsError::Nothing { list: kind.id(), entries: list.bad, why });
        }
        self.lists.push((kind, list.rows));
        self.left_out_count += list.bad;
        let room = NAMED_MAX.saturating_sub(self.left_out.len());
        self.left_out.extend(list.left_out.into_iter().take(room));
        Ok(())
    }
}

/// A list that was read.
struct List {
    rows: Vec<Row>,
    left_out: Vec<LeftOut>,
    /// Entries left out.
    bad: usize,
}

/// Reads a list, one entry after the other.
struct Entries {
    kind: RegisterKind,
}

impl<'de> Visitor<'de> for Entries {
    type Value = List;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<List, A::Error> {
        let mut list = List { rows: Vec::new(), left_out: Vec::new(), bad: 0 };
        let mut place = 0;
        while let Some(raw) = entries.next_element::<&RawValue>()? {
            place += 1;
            if place > ENTRIES_MAX {
                return Err(A::Error::custom(format!("more than {ENTRIES_MAX} entries")));
            }
            match row(place, raw.get()) {
                Ok(row) => list.rows.push(row),
                Err(reason) => {
                    list.bad += 1;
                    if list.left_out.len() < NAMED_MAX {
                        let reason = clean(&reason, REASON_MAX);
                        list.left_out.push(LeftOut { list: self.kind.id(), entry: place, reason });
                    }
                }
            }
        }
        Ok(list)
    }
}

/// The beginning of a text, in one line.
fn clean(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

fn row(place: usize, raw: &str) -> Result<Row, String> {
    let entry: Entry = serde_json::from_str(raw).map_err(|error| {
        // Line and column are of the entry alone, which the receiver knows by its place.
        let told = error.to_string();
        told.rsplit_once(" at line ").map_or(told.clone(), |(why, _)| why.to_owned())
    })?;
    checked(Row {
        row: place,
        provider: entry.provider,
        credit_code: entry.credit_code,
        app: entry.app,
        package: entry.package,
        number: entry.number,
        until: entry.until,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Told, String> {
        Told::read(text.as_bytes()).map_err(|error| error.to_string())
    }

    fn told(rest: &str) -> String {
        format!(r#"{{"schema":"xunjian/standings/1","as_of":"2026-11-01T00:00:00Z"{rest}}}"#)
    }

    #[test]
    fn what_is_wrong_with_an_entry_costs_that_entry() {
        let list = r#"[{"package":"a"},{"package":"b","extra":1},{"package":null},7,null,{"until":"2026-01-01"},{"package":"c"}]"#;
        let told = read(&told(&format!(",\"grey\":{list},\"colour\":1"))).unwrap();
        let packages: Vec<&str> = told.lists[0].1.iter().map(|row| row.package.as_str()).collect();
        assert_eq!(packages, ["a", "c"]);
        assert_eq!((told.left_out_count, told.left_out.len()), (5, 5));
        assert_eq!(told.left_out[0].entry, 2);
        assert!(told.left_out[0].reason.contains("extra"), "{:?}", told.left_out);
        assert_eq!(told.unknown, ["colour"]);
    }

    #[test]
    fn what_is_no_message_is_said_to_be_none_and_where() {
        for (text, why) in [
            ("[]".to_owned(), "invalid type"),
            ("{}".to_owned(), "schema"),
            (told(""), "no list"),
            (told(",\"grey\":null"), "no list"),
            (told(",\"grey\":{}"), "grey: "),
            (told(",\"grey\":[{\"nobody\":1}]"), "nobody"),
            (r#"{"schema":"xunjian/standings/1","as_of":"2026-11-01","grey":[]}"#.to_owned(), "as_of"),
            ("[".repeat(100_000), "invalid type"),
        ] {
            let told = read(&text).err().unwrap_or_default();
            assert!(told.contains(why), "{text:.80}: {told}");
        }
        assert!(read(&told(",\"grey\":[]")).unwrap().lists[0].1.is_empty(), "an empty list is a list");
    }
}
