//! The chain of custody: one JSON object a line, each with the hash of the line before it, so
//! that no entry can be taken out, put in or changed without breaking the chain.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{sha256, timestamp};

/// What the first entry links to.
const ROOT: &str = "";

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Number, from 1.
    pub n: u64,
    /// When, in UTC.
    pub at: String,
    /// Who: a program with its version, or a person.
    pub who: String,
    /// What was done: `fetched`, `read`, `audited`, `reviewed`, `exported`.
    pub did: String,
    /// Particulars.
    pub what: Value,
    /// SHA-256 of the line before, without its line end; empty for the first.
    pub before: String,
}

/// A chain being written.
#[derive(Debug, Clone, Default)]
pub struct Custody {
    lines: Vec<String>,
}

impl Custody {
    /// Adds an entry; `at` in milliseconds since 1970 UTC.
    ///
    /// # Errors
    /// When it does not serialise.
    pub fn add(&mut self, at: i64, who: &str, did: &str, what: Value) -> serde_json::Result<()> {
        let entry = Entry {
            n: self.lines.len() as u64 + 1,
            at: timestamp(at.div_euclid(1000)),
            who: who.into(),
            did: did.into(),
            what,
            before: self.head(),
        };
        self.lines.push(serde_json::to_string(&entry)?);
        Ok(())
    }

    /// Hash of the last line.
    #[must_use]
    pub fn head(&self) -> String {
        self.lines.last().map_or(ROOT.to_owned(), |line| sha256(line.as_bytes()))
    }

    /// The chain as a file.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    /// Follows a chain; the first entry that does not fit, in words.
    ///
    /// # Errors
    /// The number of the line and what is wrong with it.
    pub fn check(text: &str, head: &str) -> Result<Vec<Entry>, String> {
        let mut before = ROOT.to_owned();
        let mut entries = Vec::new();
        for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line)) {
            let entry: Entry = serde_json::from_str(line).map_err(|e| format!("line {number} is no entry: {e}"))?;
            if entry.n != number as u64 || entry.before != before {
                return Err(format!("line {number} does not follow the line before it"));
            }
            before = sha256(line.as_bytes());
            entries.push(entry);
        }
        if before == head { Ok(entries) } else { Err("its last line is not the one that bag-info.txt names".into()) }
    }
}
