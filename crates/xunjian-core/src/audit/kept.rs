//! Facts kept: a reading written down, so that another pack can judge it without the package.
//!
//! The form is JSON lines under zstd: the first line is the [`Head`], every further line a
//! batch of facts as it was scanned. Order and batches matter: of sightings, the first count.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read as _, Write};

use serde::{Deserialize, Serialize};

use super::pictures::{CutOuts, Pictures};
use super::{Auditor, Reading, limits};
use crate::extract::{Manifest, Name};
use crate::model::{Artifact, Facts, Hits, Limit, Read};

/// Schema id of the form.
pub(super) const FACTS_SCHEMA: &str = "xunjian/facts/1";
/// Compression level: 3 is zstd's own default, fast and near its best on text.
const LEVEL: i32 = 3;
/// Bytes of one line: one entry of a package fits many times.
const LINE_MAX: u64 = 1 << 30;
/// Bytes of all lines: what a package may inflate to, escapes included.
const TOTAL_MAX: u64 = 12 << 30;
/// The same of facts that strangers handed in: what an honest package makes, and no more.
const STRANGE_LINE_MAX: u64 = 64 << 20;
const STRANGE_TOTAL_MAX: u64 = 4 << 30;

/// A reading without its batches of facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Head {
    /// [`FACTS_SCHEMA`].
    schema: String,
    /// Version of xunjian that read the package: another one may read more of it.
    made_by: String,
    limits: Vec<Limit>,
    read: Read,
    manifest: Manifest,
    artifacts: Vec<Artifact>,
    certificates: Vec<String>,
    icon: Option<String>,
    #[serde(default)]
    names: Vec<(String, Name)>,
    #[serde(default, skip_serializing_if = "CutOuts::is_empty")]
    cut_outs: CutOuts,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_shown: bool,
}

/// A reading written down: `facts.jsonl.zst`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept(pub Vec<u8>);

/// Why kept facts cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// Damaged, cut off or over the caps.
    #[error("the kept facts cannot be read: {0}; fetch and read the package again")]
    Unreadable(#[from] io::Error),
    /// A line is not of the form.
    #[error("the kept facts are not of the form {FACTS_SCHEMA}: {0}; fetch and read the package again")]
    Form(#[from] serde_json::Error),
    /// Of another version of the form.
    #[error("the kept facts are of the form {0:?}, this version reads {FACTS_SCHEMA}; read the package again")]
    Schema(String),
}

impl Reading {
    /// Writes the reading down. `None` where it was read without keeping its facts.
    ///
    /// # Errors
    /// When compression fails, which it does for want of memory only.
    pub fn keep(&mut self) -> io::Result<Option<Kept>> {
        let Some(batches) = self.kept.take() else { return Ok(None) };
        let head = Head {
            schema: FACTS_SCHEMA.into(),
            made_by: env!("CARGO_PKG_VERSION").into(),
            limits: self.limits.clone(),
            read: self.read,
            manifest: self.manifest.clone(),
            artifacts: self.artifacts.clone(),
            certificates: self.certificates.clone(),
            icon: self.icon.clone(),
            names: self.names.clone(),
            cut_outs: self.cut_outs.clone(),
            is_shown: self.is_shown,
        };
        let mut out = zstd::Encoder::new(Vec::new(), LEVEL)?;
        out.include_checksum(true)?;
        let mut out = io::BufWriter::with_capacity(1 << 16, out);
        write_line(&mut out, &head)?;
        for batch in &batches {
            write_line(&mut out, batch)?;
        }
        let out = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Some(Kept(out.finish()?)))
    }
}

fn write_line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

impl Auditor {
    /// The reading that kept facts stand for, with this auditor's pack.
    ///
    /// # Errors
    /// When the facts are damaged or of another form.
    pub fn reread(&self, kept: &Kept) -> Result<Reading, KeptError> {
        self.reread_within(kept, (LINE_MAX, TOTAL_MAX))
    }

    /// The same of facts that strangers handed in: they may not take much memory to read.
    ///
    /// # Errors
    /// When the facts are damaged, of another form, or larger than facts of packages are.
    pub fn reread_from_strangers(&self, kept: &Kept) -> Result<Reading, KeptError> {
        self.reread_within(kept, (STRANGE_LINE_MAX, STRANGE_TOTAL_MAX))
    }

    /// The reading of a picture that kept facts stand for, at the place where this app's listing has it:
    /// another may show the same picture at another.
    ///
    /// # Errors
    /// When the facts are damaged or of another form.
    pub fn reread_shown(&self, kept: &Kept, place: &str) -> Result<Reading, KeptError> {
        let mut reading = self.reread_as(kept, (LINE_MAX, TOTAL_MAX), Some(place))?;
        let moved = |known: &str| match known.rsplit_once(" @") {
            Some((head, area)) if head.ends_with(" QR") => format!("{place} QR @{area}"),
            Some((_, area)) => format!("{place} @{area}"),
            None => place.to_owned(),
        };
        reading.limits.iter_mut().for_each(|limit| place.clone_into(&mut limit.place));
        reading.cut_outs = reading.cut_outs.into_iter().map(|(known, jpeg)| (moved(&known), jpeg)).collect();
        Ok(reading)
    }

    fn reread_within(&self, kept: &Kept, caps: (u64, u64)) -> Result<Reading, KeptError> {
        self.reread_as(kept, caps, None)
    }

    fn reread_as(&self, kept: &Kept, caps: (u64, u64), place: Option<&str>) -> Result<Reading, KeptError> {
        let mut lines = Lines::new(&kept.0, caps)?;
        let head: Head = serde_json::from_str(lines.next()?.unwrap_or_default())?;
        if head.schema != FACTS_SCHEMA {
            return Err(KeptError::Schema(head.schema));
        }
        // Every field is named, so that a new one cannot be forgotten here.
        let mut reading = Reading {
            limits: head.limits,
            read: head.read,
            manifest: head.manifest,
            artifacts: head.artifacts,
            certificates: head.certificates,
            icon: head.icon,
            cut_outs: head.cut_outs,
            is_shown: head.is_shown,
            names: head.names,
            // The facts bring these back.
            hits: Hits::default(),
            seen: limits::Seen::default(),
            // Only listings have them, and only packages inside packages ask for them.
            // Artifacts have them already.
            signers: Vec::new(),
            // A reading of these is none.
            strangers: None,
            models: BTreeMap::new(),
            contents: Vec::new(),
            kept: None,
            // They were read before they were kept.
            pictures: Pictures::default(),
        };
        while let Some(line) = lines.next()? {
            let mut facts: Facts = serde_json::from_str(line)?;
            if let Some(place) = place {
                facts.blocks.iter_mut().for_each(|block| block.place = place.into());
            }
            reading.take(&self.pack, facts);
        }
        Ok(reading)
    }
}

impl Kept {
    /// The facts, in reading order: for comparisons between versions of an app.
    ///
    /// # Errors
    /// When the facts are damaged or of another form.
    pub fn facts(&self) -> Result<Facts, KeptError> {
        let mut lines = Lines::new(&self.0, (LINE_MAX, TOTAL_MAX))?;
        let _: Head = serde_json::from_str(lines.next()?.unwrap_or_default())?;
        let mut facts = Facts::default();
        while let Some(line) = lines.next()? {
            facts.append(serde_json::from_str(line)?);
        }
        Ok(facts)
    }
}

/// Lines under zstd, one held at a time.
struct Lines<'a> {
    from: io::Take<BufReader<zstd::Decoder<'a, BufReader<&'a [u8]>>>>,
    line: String,
    line_max: u64,
}

impl<'a> Lines<'a> {
    fn new(compressed: &'a [u8], (line_max, total_max): (u64, u64)) -> io::Result<Self> {
        let decoder = BufReader::with_capacity(1 << 16, zstd::Decoder::new(compressed)?);
        Ok(Self { from: decoder.take(total_max), line: String::new(), line_max })
    }

    fn next(&mut self) -> io::Result<Option<&str>> {
        self.line.clear();
        let read = (&mut self.from).take(self.line_max).read_line(&mut self.line)?;
        if read > 0 && !self.line.ends_with('\n') {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "cut off, or longer than any package's facts"));
        }
        Ok((read > 0).then_some(self.line.as_str()))
    }
}
