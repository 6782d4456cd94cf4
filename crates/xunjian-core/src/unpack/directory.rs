//! The central directory, read the way Android reads it.

use std::collections::HashSet;
use std::io;

use super::ends::{self, End};
use super::headers::{CENTRAL, CENTRAL_LEN, LOCAL, LOCAL_LEN, apply_zip64, u16_at, u32_at};
use super::{ReadAt, names, salvage};
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
    /// How many entries of this name stand before it.
    pub copy: usize,
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
    /// Bytes before the first entry: none in an ordinary package.
    pub lead: u64,
}

/// Directory bytes read at most: 100,000 entries of 300 bytes fit well.
const DIRECTORY_MAX: u64 = 64 << 20;

/// Entries of a directory, and how the reading went.
#[derive(Default)]
struct Listed {
    entries: Vec<Entry>,
    /// It came to its end in order.
    is_whole: bool,
    odd: Vec<&'static str>,
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
        let mut archive = Self { source, entries: Vec::new(), limits: Vec::new(), directory: source.size(), lead: 0 };
        let ends = ends::find(source)?;
        let is_whole = archive.list(&ends, place, budget)?;
        if !is_whole {
            archive.salvage(place, budget)?;
        }
        if archive.entries.is_empty() && ends.is_empty() {
            return Err(UnpackError::NotAnArchive);
        }
        let allowed = budget.take_entries(archive.entries.len());
        if archive.entries.len() > allowed {
            let detail = format!("{} entries; the first {allowed} were read", archive.entries.len());
            archive.limits.push(Limit::new(LimitCode::OverBudget, place, detail));
            archive.entries.truncate(allowed);
        }
        archive.note_layout(place);
        let odd = names::note(&mut archive.entries);
        odd.into_iter().for_each(|detail| archive.flag(place, detail));
        Ok(archive)
    }

    fn flag(&mut self, place: &str, detail: impl Into<String>) {
        self.limits.push(Limit::new(LimitCode::TamperedArchive, place, detail));
    }

    /// Takes the entries of the last end record that leads to a directory; whether
    /// that came to its end in order.
    fn list(&mut self, ends: &[End], place: &str, budget: &Budget) -> io::Result<bool> {
        let mut chosen: Option<(&End, bool)> = None;
        let mut others: Vec<&End> = Vec::new();
        for end in ends {
            if chosen.is_some() {
                others.push(end);
                continue;
            }
            let Some((start, listed)) = self.directory_at(end, budget)? else {
                self.flag(place, "an end record leads to no directory");
                continue;
            };
            self.directory = start;
            self.note_end(end, &listed, start, place);
            self.entries = listed.entries;
            chosen = Some((end, listed.is_whole));
        }
        // A stored package within the package brings its own end record along.
        if others.iter().any(|end| !self.is_inside_entry(end.at)) {
            self.flag(place, "several end records; read the last, as Android does");
        }
        Ok(chosen.is_some_and(|(_, is_whole)| is_whole))
    }

    fn is_inside_entry(&self, at: u64) -> bool {
        let around = self.entries.iter().filter(|e| e.offset < at).max_by_key(|e| e.offset);
        around.is_some_and(|e| {
            self.data_start(e).is_ok_and(|start| (start..start.saturating_add(e.compressed)).contains(&at))
        })
    }

    /// Reads the directory an end record points to. When the offset does not lead to one,
    /// data was put before the archive, and the directory ends where the end record begins.
    fn directory_at(&self, end: &End, budget: &Budget) -> io::Result<Option<(u64, Listed)>> {
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
            return Ok(Some((start, parse(&bytes, shift, budget.entries + 1))));
        }
        Ok(None)
    }

    fn note_end(&mut self, end: &End, listed: &Listed, start: u64, place: &str) {
        let found = listed.entries.len();
        // The 16-bit count wraps at 65,536 in archives without ZIP64.
        if end.entries != found as u64 && end.entries != (found as u64 & 0xffff) {
            self.flag(place, format!("the end record counts {} entries, the directory holds {found}", end.entries));
        }
        if !end.comment_fits {
            self.flag(place, "bytes after the end record, or a comment of another length than stated");
        }
        if end.has_idle_zip64 {
            self.flag(place, "a ZIP64 end record that nothing asks for");
        }
        if start != end.offset {
            self.flag(place, "the end record points past the directory: bytes were put before the archive");
        }
        listed.odd.iter().for_each(|detail| self.flag(place, *detail));
    }

    /// Flags bytes before the first entry, and entries that share bytes.
    fn note_layout(&mut self, place: &str) {
        let mut spans: Vec<(u64, u64)> = self
            .entries
            .iter()
            .map(|e| (e.offset, e.offset.saturating_add(LOCAL_LEN as u64).saturating_add(e.compressed)))
            .collect();
        spans.sort_unstable();
        self.lead = spans.first().map_or(0, |(start, _)| *start).min(self.directory);
        if self.lead <= PADDING_MAX && self.source.range(0, self.lead).is_ok_and(|lead| is_padding(&lead)) {
            self.lead = 0;
        }
        if self.lead > 0 {
            self.flag(place, format!("{} bytes before the first entry", self.lead));
        }
        let overlaps = spans.windows(2).filter(|pair| pair[0].1 > pair[1].0).count();
        if overlaps > 0 {
            self.flag(place, format!("{overlaps} entries overlap with the next, or state more bytes than they have"));
        }
    }

    fn salvage(&mut self, place: &str, budget: &Budget) -> Result<(), UnpackError> {
        let found = salvage::walk(self.source, budget)?;
        let known: HashSet<u64> = self.entries.iter().map(|e| e.offset).collect();
        let fresh: Vec<Entry> = found.into_iter().filter(|e| !known.contains(&e.offset)).collect();
        if fresh.is_empty() && self.entries.is_empty() {
            return Ok(());
        }
        let detail = format!(
            "the directory is missing or breaks off after {} entries; {} more found by their own headers",
            self.entries.len(),
            fresh.len()
        );
        self.limits.push(Limit::new(LimitCode::DamagedArchive, place, detail));
        self.entries.extend(fresh);
        Ok(())
    }
}

/// Bytes before the first entry that may be padding: one header with the longest extra field.
const PADDING_MAX: u64 = (LOCAL_LEN + 65_535) as u64;

/// Whether bytes before the first entry are what Android's build tools fill gaps with: headers
/// without a name or data, and an extra field of zeros (`zipflinger`'s virtual entries).
fn is_padding(mut lead: &[u8]) -> bool {
    while lead.starts_with(LOCAL) && lead.len() >= LOCAL_LEN {
        let (head, rest) = lead.split_at(LOCAL_LEN);
        let extra = usize::from(u16_at(head, 28));
        let is_empty = u16_at(head, 26) == 0 && u32_at(head, 18) == 0 && u32_at(head, 22) == 0;
        let Some(filler) = rest.get(..extra).filter(|filler| is_empty && filler.iter().all(|&b| b == 0)) else {
            return false;
        };
        lead = &rest[filler.len()..];
    }
    lead.is_empty()
}

/// Bytes after a header in which the next one is looked for when lengths lie.
const RESYNC: usize = 256 << 10;

/// Headers until something else comes.
fn parse(bytes: &[u8], shift: u64, most: usize) -> Listed {
    let mut listed = Listed::default();
    // Where the next header may begin at the earliest: behind the name of the last.
    let (mut at, mut earliest) = (0, 0);
    while listed.entries.len() < most {
        if bytes.get(at..at + 4) != Some(CENTRAL) {
            // A header that states a wrong length of its extra field or comment leads astray.
            let near = bytes.get(earliest..).map(|rest| &rest[..rest.len().min(RESYNC)]).unwrap_or_default();
            let next = memchr::memmem::find(near, CENTRAL).map(|n| earliest + n);
            let Some(next) = next.filter(|next| earliest > 0 && fits(&bytes[*next..])) else { break };
            listed.odd.push("the directory states wrong lengths of its headers");
            at = next;
        }
        let Some((entry, length, zip64_lies)) = header(&bytes[at..], shift) else { return listed };
        earliest = at + CENTRAL_LEN + usize::from(u16_at(&bytes[at..], 28));
        if zip64_lies {
            listed.odd.push("a ZIP64 field that nothing asks for states other sizes");
        }
        listed.entries.push(entry);
        at += length;
    }
    listed.odd.dedup();
    // What follows the last header is the end record, a ZIP64 record or a signature.
    let rest = bytes.get(at..).unwrap_or(&[]);
    listed.is_whole = at <= bytes.len() && (rest.is_empty() || (rest.starts_with(b"PK") && !rest.starts_with(LOCAL)));
    listed
}

/// A chance `PK\1\2` seldom has a name and a method behind it.
fn fits(header: &[u8]) -> bool {
    let name_len = usize::from(u16_at(header, 28));
    header.len() > CENTRAL_LEN + name_len && name_len > 0 && u16_at(header, 34) == 0
}

/// One header: the entry, the length of the header, and whether its ZIP64 field lies.
fn header(header: &[u8], shift: u64) -> Option<(Entry, usize, bool)> {
    if header.len() < CENTRAL_LEN {
        return None;
    }
    let name_len = usize::from(u16_at(header, 28));
    let extra_len = usize::from(u16_at(header, 30));
    let comment_len = usize::from(u16_at(header, 32));
    let name = header.get(CENTRAL_LEN..CENTRAL_LEN + name_len)?;
    let extra = header.get(CENTRAL_LEN + name_len..CENTRAL_LEN + name_len + extra_len).unwrap_or(&[]);
    let mut entry = Entry {
        name: names::decode(name, extra),
        copy: 0,
        flags: u16_at(header, 8),
        method: u16_at(header, 10),
        crc: u32_at(header, 16),
        compressed: u64::from(u32_at(header, 20)),
        size: u64::from(u32_at(header, 24)),
        offset: u64::from(u32_at(header, 42)),
    };
    let zip64_lies = apply_zip64(extra, &mut entry.size, &mut entry.compressed, &mut entry.offset);
    entry.offset = entry.offset.saturating_add(shift);
    Some((entry, CENTRAL_LEN + name_len + extra_len + comment_len, zip64_lies))
}

#[cfg(test)]
mod tests {
    use super::is_padding;

    #[test]
    fn padding_of_build_tools_is_told_from_hidden_bytes() {
        let mut header = vec![0_u8; 132];
        header[..4].copy_from_slice(b"PK\x03\x04");
        header[28] = 102;
        assert!(is_padding(&header) && is_padding(&[header.clone(), header.clone()].concat()));
        for at in [26, 18, 22, 90] {
            let mut hides = header.clone();
            hides[at] = 1;
            assert!(!is_padding(&hides), "{at}");
        }
        assert!(!is_padding(&[&header[..], b"dex\n"].concat()));
    }
}
