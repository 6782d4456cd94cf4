//! `json` and `jsonl`: the contract of `xunjian/report/1`.

use std::io::{self, Write};

use super::ReportWriter;
use crate::model::{Audit, MadeBy, SCHEMA, Skipped};

/// One document, written audit by audit so that a large run needs no memory.
pub(super) struct Json {
    out: Box<dyn Write + Send>,
    at: String,
    made_by: MadeBy,
    audits: usize,
    skipped: Vec<Skipped>,
    /// Room for one audit, used again for the next.
    room: Vec<u8>,
}

impl Json {
    pub(super) fn new(out: Box<dyn Write + Send>, at: String, made_by: MadeBy) -> Self {
        Self { out, at, made_by, audits: 0, skipped: Vec::new(), room: Vec::new() }
    }

    fn open(&mut self) -> io::Result<()> {
        write!(self.out, "{{\"schema\":{},\"made_by\":{},", text(SCHEMA)?, text(&self.made_by)?)?;
        if !self.at.is_empty() {
            write!(self.out, "\"made_at\":{},", text(&self.at)?)?;
        }
        write!(self.out, "\"audits\":[")
    }
}

fn text<T: serde::Serialize + ?Sized>(value: &T) -> io::Result<String> {
    serde_json::to_string(value).map_err(io::Error::from)
}

impl ReportWriter for Json {
    fn audit(&mut self, audit: Audit) -> io::Result<()> {
        if self.audits == 0 {
            self.open()?;
        }
        let comma = if self.audits == 0 { "" } else { "," };
        self.audits += 1;
        self.room.clear();
        writeln!(self.room, "{comma}")?;
        serde_json::to_writer(&mut self.room, &audit)?;
        self.out.write_all(&self.room)
    }

    fn skipped(&mut self, skipped: Skipped) -> io::Result<()> {
        self.skipped.push(skipped);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.audits == 0 {
            self.open()?;
        }
        write!(self.out, "],\n\"skipped\":{}}}\n", text(&self.skipped)?)?;
        self.out.flush()
    }
}

/// One audit a line.
pub(super) struct Lines {
    out: Box<dyn Write + Send>,
    /// Room for one audit, used again for the next.
    room: Vec<u8>,
}

impl Lines {
    pub(super) fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out, room: Vec::new() }
    }
}

impl ReportWriter for Lines {
    fn audit(&mut self, audit: Audit) -> io::Result<()> {
        self.room.clear();
        serde_json::to_writer(&mut self.room, &audit)?;
        self.room.push(b'\n');
        self.out.write_all(&self.room)
    }

    // A line is an audit, by contract; the caller logs skips on stderr.
    fn skipped(&mut self, _: Skipped) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
