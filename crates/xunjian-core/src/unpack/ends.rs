//! End records: where the directory is said to be.
//!
//! `libziparchive` (`zip_archive.cc`, `MapCentralDirectory`) takes the last `PK\5\6` of
//! the file and asks for the ZIP64 record only where a field of the plain one is all ones.

use std::io;

use super::ReadAt;
use super::headers::{END, END_LEN, END64, END64_LOCATOR, END64_LOCATOR_LEN, u16_at, u32_at, u64_at};

/// The end record may have a comment of 65,535 bytes …
const COMMENT_MAX: u64 = 65_535 + END_LEN as u64;
/// … and shells append junk after it.
const JUNK_MAX: u64 = COMMENT_MAX + (1 << 20);
/// Candidates looked at: nested packages that are stored bring theirs along.
const CANDIDATES_MAX: usize = 64;

/// One end record.
pub(super) struct End {
    pub(super) at: u64,
    pub(super) entries: u64,
    pub(super) size: u64,
    pub(super) offset: u64,
    /// It and its comment end the file.
    pub(super) comment_fits: bool,
    /// A ZIP64 record stands before it although the plain one says all.
    pub(super) has_idle_zip64: bool,
}

/// Candidates for the end record, the last one in the file first.
pub(super) fn find(source: &dyn ReadAt) -> io::Result<Vec<End>> {
    // An ordinary file ends in a record and its comment; only an odd one is looked at further.
    let near = find_within(source, COMMENT_MAX)?;
    if near.iter().any(|end| end.comment_fits) { Ok(near) } else { find_within(source, JUNK_MAX) }
}

fn find_within(source: &dyn ReadAt, length: u64) -> io::Result<Vec<End>> {
    let from = source.size().saturating_sub(length);
    let tail = source.range(from, length)?;
    let mut ends = Vec::new();
    let found: Vec<usize> = memchr::memmem::find_iter(&tail, END).collect();
    for at in found.into_iter().rev() {
        if at + END_LEN > tail.len() || ends.len() >= CANDIDATES_MAX {
            continue;
        }
        let record = &tail[at..];
        let comment = usize::from(u16_at(record, 20));
        let mut end = End {
            at: from + at as u64,
            entries: u64::from(u16_at(record, 10)),
            size: u64::from(u32_at(record, 12)),
            offset: u64::from(u32_at(record, 16)),
            comment_fits: at + END_LEN + comment == tail.len(),
            has_idle_zip64: false,
        };
        end.apply_zip64(source)?;
        ends.push(end);
    }
    Ok(ends)
}

impl End {
    fn apply_zip64(&mut self, source: &dyn ReadAt) -> io::Result<()> {
        let Some(at) = self.at.checked_sub(END64_LOCATOR_LEN as u64) else { return Ok(()) };
        let locator = source.range(at, END64_LOCATOR_LEN as u64)?;
        if !locator.starts_with(END64_LOCATOR) {
            return Ok(());
        }
        let is_asked_for = self.entries == u64::from(u16::MAX)
            || self.size == u64::from(u32::MAX)
            || self.offset == u64::from(u32::MAX);
        if !is_asked_for {
            self.has_idle_zip64 = true;
            return Ok(());
        }
        let record = source.range(u64_at(&locator, 8), 56)?;
        if record.starts_with(END64) && record.len() == 56 {
            self.entries = u64_at(&record, 32);
            self.size = u64_at(&record, 40);
            self.offset = u64_at(&record, 48);
        }
        Ok(())
    }
}
