//! The central directory, read the way Android reads it.

use std::collections::HashMap;
use std::io;

use super::ReadAt;
use super::headers::{
    CENTRAL, CENTRAL_LEN, END, END_LEN, END64, END64_LOCATOR, END64_LOCATOR_LEN, LOCAL, apply_zip64, u16_at, u32_at,
    u64_at,
};
use super::salvage;
use crate::model::{Budget, Limit, LimitCode};

/// Why a file is no archive.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The medium failed.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Nothing in it.
    #[error("the file is empty; fetch it again")]
    Empty,
    /// No ZIP at all.
    #[error("not a package: no ZIP directory and no entry headers; give an .apk or another package file")]
    NotAnArchive,
}

/// One entry, named and located; not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path within the archive as stored, made valid UTF-8. For labels only.
    pub name: String,
    /// Compression method as stated.
    pub method: u16,
    /// General purpose flags as stated.
    pub flags: u16,
    /// CRC-32 as stated.
    pub crc: u32,
    /// Compressed length as stated.
    pub compressed: u64,
    /// Length as stated.
    pub size: u64,
    /// Offset of the local header.
    pub offset: u64,
}

/// An opened archive.
pub struct Archive<'a> {
    pub(super) source: &'a dyn ReadAt,
    /// The entries, in directory order.
    pub entries: Vec<Entry>,
    /// What is odd about the archive itself.
    pub limits: Vec<Limit>,
    /// Offset at which the central directory begins: entry data ends before it.
    pub directory: u64,
}

/// The end record may have a comment of 65,535 bytes, and shells append junk after it.
const TAIL: u64 = (1 << 20) + 65_535 + END_LEN as u64;
/// Directory bytes read at most: 100,000 entries of 300 bytes fit well.
const DIRECTORY_MAX: u64 = 64 << 20;

struct End {
    at: u64,
    entries: u64,
    size: u64,
    offset: u64,
    comment_fits: bool,
}

impl<'a> Archive<'a> {
    /// Finds the directory, or failing that the entries by their own headers.
    ///
    /// # Errors
    /// When the file is empty, unreadable, or holds no entry.
    pub fn open(source: &'a dyn ReadAt, place: &str, budget: &Budget) -> Result<Self, UnpackError> {
        if source.size() == 0 {
            return Err(UnpackError::Empty);
        }
        let mut archive = Self { source, entries: Vec::new(), limits: Vec::new(), directory: source.size() };
        let ends = archive.ends()?;
        let mut complete = false;
        let mut directories = Vec::new();
        for end in &ends {
            let Some((start, entries, whole)) = archive.directory_at(end, budget)? else { continue };
            if directories.contains(&start) {
                continue;
            }
            directories.push(start);
            if archive.entries.is_empty() {
                complete = whole;
                archive.directory = start;
                archive.note_end(end, entries.len(), start, place);
                archive.entries = entries;
            }
        }
        if directories.len() > 1 {
            archive.flag(place, "several end records point to different directories; read the last, as Android does");
        }
        if !complete {
            archive.salvage(place, budget)?;
        }
        if archive.entries.is_empty() && ends.is_empty() {
            return Err(UnpackError::NotAnArchive);
        }
        if archive.entries.len() > budget.entries {
            archive.limits.push(Limit::new(
                LimitCode::OverBudget,
                place,
                format!("{} entries; the first {} were read", archive.entries.len(), budget.entries),
            ));
            archive.entries.truncate(budget.entries);
        }
        archive.note_names(place);
        Ok(archive)
    }

    pub(super) fn flag(&mut self, place: &str, detail: impl Into<String>) {
        self.limits.push(Limit::new(LimitCode::TamperedArchive, place, detail));
    }

    /// Candidates for the end record, the last one in the file first.
    fn ends(&self) -> io::Result<Vec<End>> {
        let size = self.source.size();
        let from = size.saturating_sub(TAIL);
        let tail = self.source.range(from, TAIL)?;
        let mut ends = Vec::new();
        for at in memchr::memmem::rfind_iter(&tail, END) {
            if at + END_LEN > tail.len() || ends.len() >= 64 {
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
            };
            self.apply_end64(&mut end)?;
            ends.push(end);
        }
        Ok(ends)
    }

    fn apply_end64(&self, end: &mut End) -> io::Result<()> {
        let Some(at) = end.at.checked_sub(END64_LOCATOR_LEN as u64) else { return Ok(()) };
        let locator = self.source.range(at, END64_LOCATOR_LEN as u64)?;
        if !locator.starts_with(END64_LOCATOR) {
            return Ok(());
        }
        let record = self.source.range(u64_at(&locator, 8), 56)?;
        if record.starts_with(END64) && record.len() == 56 {
            end.entries = u64_at(&record, 32);
            end.size = u64_at(&record, 40);
            end.offset = u64_at(&record, 48);
        }
        Ok(())
    }

    /// Reads the directory an end record points to. When the offset does not lead to one,
    /// data was put before the archive, and the directory ends where the end record begins.
    fn directory_at(&self, end: &End, budget: &Budget) -> io::Result<Option<(u64, Vec<Entry>, bool)>> {
        let shifted = end.at.saturating_sub(end.size);
        for start in [end.offset, shifted] {
            if start > end.at {
                continue;
            }
            let bytes = self.source.range(start, (end.at - start).min(DIRECTORY_MAX))?;
            if end.entries > 0 && !bytes.starts_with(CENTRAL) {
                continue;
            }
            let shift = start.saturating_sub(end.offset);
            let (entries, whole) = parse_directory(&bytes, shift, budget.entries + 1);
            return Ok(Some((start, entries, whole)));
        }
        Ok(None)
    }

    fn note_end(&mut self, end: &End, found: usize, start: u64, place: &str) {
        // The 16-bit count wraps at 65,536 in archives without ZIP64.
        if end.entries != found as u64 && end.entries != (found as u64 & 0xffff) {
            self.flag(place, format!("the end record counts {} entries, the directory holds {found}", end.entries));
        }
        if !end.comment_fits {
            self.flag(place, "bytes after the end record, or a comment of another length than stated");
        }
        if start != end.offset {
            self.flag(place, format!("{} bytes before the archive", start.saturating_sub(end.offset)));
        }
    }

    fn salvage(&mut self, place: &str, budget: &Budget) -> Result<(), UnpackError> {
        let found = salvage::walk(self.source, budget)?;
        let known: std::collections::HashSet<u64> = self.entries.iter().map(|e| e.offset).collect();
        let fresh: Vec<Entry> = found.into_iter().filter(|e| !known.contains(&e.offset)).collect();
        if fresh.is_empty() && self.entries.is_empty() {
            return Ok(());
        }
        self.limits.push(Limit::new(
            LimitCode::DamagedArchive,
            place,
            format!(
                "the directory is missing or breaks off after {} entries; {} more found by their own headers",
                self.entries.len(),
                fresh.len()
            ),
        ));
        self.entries.extend(fresh);
        Ok(())
    }

    /// Flags names that readers disagree on. Names are labels to us, never paths.
    fn note_names(&mut self, place: &str) {
        let mut odd: Vec<String> = Vec::new();
        let mut seen: HashMap<String, usize> = HashMap::new();
        for entry in &mut self.entries {
            let times = seen.entry(entry.name.clone()).or_default();
            *times += 1;
            if *times > 1 {
                odd.push(format!("the name {} stands {times} times", show(&entry.name)));
                entry.name = format!("{}#{times}", entry.name);
            }
            let plain = entry.name.trim_end_matches('/');
            if plain.is_empty()
                || plain.starts_with(['/', '\\'])
                || plain.split(['/', '\\']).any(|part| part == "..")
                || plain.contains(['\0', '\n', '\r'])
            {
                odd.push(format!("an entry is named {}", show(&entry.name)));
            }
            if entry.name.ends_with('/') && entry.size > 0 {
                odd.push(format!("{} looks like a folder and holds data", show(&entry.name)));
            }
        }
        odd.into_iter().for_each(|detail| self.flag(place, detail));
    }
}

/// A hostile name, shortened and quoted.
fn show(name: &str) -> String {
    let mut shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
    if name.chars().nth(80).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// Headers until something else comes; whether it came to the end in order.
fn parse_directory(bytes: &[u8], shift: u64, most: usize) -> (Vec<Entry>, bool) {
    let mut entries = Vec::new();
    let mut at = 0;
    while bytes.get(at..at + 4) == Some(CENTRAL) && entries.len() < most {
        let header = &bytes[at..];
        if header.len() < CENTRAL_LEN {
            return (entries, false);
        }
        let name_len = usize::from(u16_at(header, 28));
        let extra_len = usize::from(u16_at(header, 30));
        let comment_len = usize::from(u16_at(header, 32));
        let Some(name) = header.get(CENTRAL_LEN..CENTRAL_LEN + name_len) else {
            return (entries, false);
        };
        let extra = header.get(CENTRAL_LEN + name_len..CENTRAL_LEN + name_len + extra_len).unwrap_or(&[]);
        let mut entry = Entry {
            name: String::from_utf8_lossy(name).into_owned(),
            flags: u16_at(header, 8),
            method: u16_at(header, 10),
            crc: u32_at(header, 16),
            compressed: u64::from(u32_at(header, 20)),
            size: u64::from(u32_at(header, 24)),
            offset: u64::from(u32_at(header, 42)),
        };
        apply_zip64(extra, &mut entry.size, &mut entry.compressed, &mut entry.offset);
        entry.offset = entry.offset.saturating_add(shift);
        entries.push(entry);
        at += CENTRAL_LEN + name_len + extra_len + comment_len;
    }
    // What follows the last header is the end record, a ZIP64 record or a signature.
    let rest = bytes.get(at..).unwrap_or(&[]);
    (entries, at <= bytes.len() && (rest.is_empty() || (rest.starts_with(b"PK") && !rest.starts_with(LOCAL))))
}
