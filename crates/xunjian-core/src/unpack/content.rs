//! The bytes of one entry, whatever its headers say.

use std::borrow::Cow;
use std::io;

use flate2::{Decompress, FlushDecompress, Status};

use super::headers::{DEFLATED, LOCAL, LOCAL_LEN, STORED, u16_at, u32_at};
use super::{Archive, Entry, ReadAt, Window, methods, names};
use crate::model::{Budget, Limit, LimitCode};

/// What came out of an entry.
#[derive(Debug, Default)]
pub struct Content {
    /// The bytes, as many as came out.
    pub bytes: Vec<u8>,
    /// What was wrong with it.
    pub limits: Vec<Limit>,
}

/// Room made at once for an entry that says it needs it; a lie costs no more.
const BELIEVED: u64 = 1 << 20;

/// Longest name compared; the field holds 65,535.
const NAME_MAX: usize = 4 << 10;
/// Bytes beyond the directory's name that are read of another one, to be shown.
const NAME_MORE: usize = 80;
const CHUNK: u64 = 64 << 10;
/// What is said of an entry for which nothing is left.
const USED_UP: &str = "the bytes for this app are used up";
/// Output at which the ratio begins to count.
const RATIO_FROM: u64 = 1 << 20;

/// How inflating ended.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Complete,
    Broken,
    Capped,
    Late,
}

impl Archive<'_> {
    /// The first bytes of an entry, for its magic.
    #[must_use]
    pub fn peek(&self, entry: &Entry, length: usize) -> Vec<u8> {
        let Ok(start) = self.data_start(entry) else { return Vec::new() };
        if entry.method == DEFLATED {
            self.inflate(start, self.source.size(), length as u64, length as u64, &|| false)
                .map(|(bytes, _)| bytes)
                .unwrap_or_default()
        } else {
            self.source.range(start, length as u64).unwrap_or_default().into_owned()
        }
    }

    /// Where the data of an entry begins and how long it is as it lies; `None` where that cannot be told, or
    /// it is neither stored nor deflated.
    #[must_use]
    pub fn data_of(&self, entry: &Entry) -> Option<(u64, u64)> {
        let start = self.data_start(entry).ok()?;
        match entry.method {
            STORED => Some((start, if entry.size == 0 { entry.compressed } else { entry.size })),
            DEFLATED => Some((start, self.data_end(start, entry).saturating_sub(start))),
            _ => None,
        }
    }

    /// Bytes of the archive itself.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.source.size()
    }

    /// Whether its bytes lie as they are.
    #[must_use]
    pub fn is_stored(&self, entry: &Entry) -> bool {
        entry.method == STORED
    }

    /// The bytes of a stored entry in place, so that a package within a package costs no
    /// memory, and what is wrong with its headers.
    #[must_use]
    pub fn window(&self, entry: &Entry, place: &str) -> Option<(Window<'_>, Vec<Limit>)> {
        let header = self.local_header(entry).ok().filter(|_| self.is_stored(entry))?;
        let start = data_start(&header, entry);
        let mut content = Content::default();
        note_local(&header, entry, place, &mut content);
        // Stored data has as many bytes as the uncompressed size says (libziparchive).
        let stated = if entry.size == 0 { entry.compressed } else { entry.size };
        let window = Window::new(self.source, start, stated);
        if window.size() < stated {
            let detail = format!("breaks off after {} of {stated} bytes", window.size());
            content.limits.push(Limit::new(LimitCode::UnreadableEntry, place, detail));
        }
        if entry.size == 0 && stated > 0 {
            let detail = format!("the directory states 0 bytes, {stated} came out");
            content.limits.push(Limit::new(LimitCode::TamperedArchive, place, detail));
        }
        if entry.flags & 1 != 0 {
            let detail = "marked as encrypted and is not";
            content.limits.push(Limit::new(LimitCode::TamperedArchive, place, detail));
        }
        Some((window, content.limits))
    }

    /// The bytes before the first entry, as many as one entry may have.
    ///
    /// # Errors
    /// When the medium fails.
    pub fn lead_bytes(&self, budget: &Budget) -> io::Result<Vec<u8>> {
        self.source.range(0, self.lead.min(budget.entry_bytes)).map(Cow::into_owned)
    }

    /// All bytes of an entry within the budget; what goes wrong is said, what came out is kept.
    #[must_use]
    pub fn read(&self, entry: &Entry, place: &str, budget: &Budget) -> Content {
        let mut content = Content::default();
        if budget.is_out_of_time() {
            content.limits.push(Limit::new(LimitCode::OverBudget, place, "the time for this app is over"));
            return content;
        }
        // What is not there any more is not inflated to be thrown away.
        if budget.bytes_left() == 0 {
            content.limits.push(Limit::new(LimitCode::OverBudget, place, USED_UP));
            return content;
        }
        let header = match self.local_header(entry) {
            Ok(header) => header,
            Err(reason) => {
                content.limits.push(Limit::new(LimitCode::UnreadableEntry, place, reason));
                return content;
            }
        };
        if let Err(error) = self.read_from(&header, entry, place, budget, &mut content) {
            content.limits.push(Limit::new(LimitCode::UnreadableEntry, place, error.to_string()));
        }
        if !budget.take(content.bytes.len() as u64) {
            content.bytes.clear();
            content.limits.push(Limit::new(LimitCode::OverBudget, place, USED_UP));
        }
        content
    }

    /// Where the data begins: behind the *local* header's name and extra field.
    pub(super) fn data_start(&self, entry: &Entry) -> Result<u64, String> {
        self.local_header(entry).map(|header| data_start(&header, entry))
    }

    /// The local header and, as far as it agrees with the directory, its name.
    fn local_header(&self, entry: &Entry) -> Result<Cow<'_, [u8]>, String> {
        let length = LOCAL_LEN + entry.name.len().min(NAME_MAX) + NAME_MORE;
        let header = self.source.range(entry.offset, length as u64).map_err(|e| e.to_string())?;
        if header.len() < LOCAL_LEN || !header.starts_with(LOCAL) {
            return Err("no local header where the directory says".into());
        }
        Ok(header)
    }

    fn read_from(
        &self,
        header: &[u8],
        entry: &Entry,
        place: &str,
        budget: &Budget,
        content: &mut Content,
    ) -> io::Result<()> {
        let start = data_start(header, entry);
        let cap = self.cap_of(entry, budget);
        let tampered = |content: &mut Content, detail: String| {
            content.limits.push(Limit::new(LimitCode::TamperedArchive, place, detail));
        };
        note_local(header, entry, place, content);
        let ending = match entry.method {
            STORED => self.stored(start, entry, cap, content)?,
            DEFLATED => {
                let (bytes, ending) =
                    self.inflate(start, self.data_end(start, entry), cap, entry.size, &|| budget.is_out_of_time())?;
                content.bytes = bytes;
                ending
            }
            other => match self.other_method(start, entry, cap)? {
                // A ZIP of data is packed in any way there is; Android knows two.
                Some(bytes) => {
                    content.bytes = bytes;
                    Ending::Complete
                }
                None => {
                    tampered(content, format!("compression method {other}, which Android reads as stored"));
                    self.bogus(start, entry, cap, budget, content)?
                }
            },
        };
        let sound = crc32fast::hash(&content.bytes) == entry.crc;
        if entry.flags & 1 != 0 {
            if sound || ending == Ending::Complete && entry.method == DEFLATED {
                tampered(content, "marked as encrypted and is not".into());
            } else {
                content.limits.push(Limit::new(LimitCode::EncryptedEntry, place, "encrypted with a password"));
            }
        }
        match ending {
            Ending::Broken => content.limits.push(Limit::new(
                LimitCode::UnreadableEntry,
                place,
                format!("breaks off after {} of {} bytes", content.bytes.len(), entry.size),
            )),
            Ending::Capped => content.limits.push(Limit::new(
                LimitCode::OverBudget,
                place,
                format!("larger than {cap} bytes; the rest was not read"),
            )),
            Ending::Late => {
                content.limits.push(Limit::new(LimitCode::OverBudget, place, "the time for this app is over"));
            }
            Ending::Complete if entry.size != content.bytes.len() as u64 && entry.flags & 8 == 0 => tampered(
                content,
                format!("the directory states {} bytes, {} came out", entry.size, content.bytes.len()),
            ),
            Ending::Complete => {}
        }
        Ok(())
    }

    /// An entry may inflate to its budget, and no further than the ratio allows.
    fn cap_of(&self, entry: &Entry, budget: &Budget) -> u64 {
        let held = self.source.size().saturating_sub(entry.offset).min(entry.compressed.max(1 << 12));
        budget.entry_bytes.min(held.saturating_mul(budget.ratio).max(RATIO_FROM))
    }

    /// Deflate ends by itself; a compressed size that lies must not cut it short.
    fn data_end(&self, start: u64, entry: &Entry) -> u64 {
        let stated = start.saturating_add(entry.compressed);
        if entry.compressed == 0 || stated > self.source.size() {
            return self.source.size();
        }
        if start < self.directory { self.directory.max(stated) } else { self.source.size() }
    }

    fn stored(&self, start: u64, entry: &Entry, cap: u64, content: &mut Content) -> io::Result<Ending> {
        // Stored data has as many bytes as the uncompressed size says (libziparchive).
        let stated = if entry.size == 0 { entry.compressed } else { entry.size };
        content.bytes = self.source.range(start, stated.min(cap))?.into_owned();
        Ok(if stated > cap {
            Ending::Capped
        } else if (content.bytes.len() as u64) < stated {
            Ending::Broken
        } else {
            Ending::Complete
        })
    }

    /// What another method of the specification packed: whole, and with the right checksum.
    fn other_method(&self, start: u64, entry: &Entry, cap: u64) -> io::Result<Option<Vec<u8>>> {
        if !methods::is_known(entry.method) {
            return Ok(None);
        }
        let raw = self.source.range(start, entry.compressed.min(cap))?;
        let unpacked = methods::unpack(entry.method, &raw, entry.size, cap);
        Ok(unpacked.filter(|bytes| crc32fast::hash(bytes) == entry.crc))
    }

    /// A method that is neither stored nor deflated: Android takes the bytes as they are;
    /// other writers really deflate and lie about it. What inflates whole, is deflated.
    fn bogus(&self, start: u64, entry: &Entry, cap: u64, budget: &Budget, content: &mut Content) -> io::Result<Ending> {
        if entry.size != entry.compressed {
            let (bytes, ending) =
                self.inflate(start, self.data_end(start, entry), cap, entry.size, &|| budget.is_out_of_time())?;
            if ending == Ending::Complete && !bytes.is_empty() {
                content.bytes = bytes;
                return Ok(ending);
            }
        }
        self.stored(start, entry, cap, content)
    }

    /// Inflates up to `cap` bytes; `stated` is how many are said to come, which may be a lie.
    fn inflate(
        &self,
        start: u64,
        end: u64,
        cap: u64,
        stated: u64,
        is_late: &dyn Fn() -> bool,
    ) -> io::Result<(Vec<u8>, Ending)> {
        let mut inflater = Decompress::new(false);
        let mut out: Vec<u8> = Vec::with_capacity(stated.min(cap).min(BELIEVED) as usize);
        let mut at = start;
        let mut input: Cow<'_, [u8]> = Cow::default();
        let mut used = 0;
        loop {
            if used == input.len() && at < end {
                input = self.source.range(at, CHUNK.min(end - at))?;
                at += input.len() as u64;
                used = 0;
                if input.is_empty() {
                    return Ok((out, Ending::Broken));
                }
            }
            if out.len() as u64 >= cap {
                return Ok((out, Ending::Capped));
            }
            if is_late() {
                return Ok((out, Ending::Late));
            }
            if out.len() == out.capacity() {
                out.reserve((out.len()).clamp(16 << 10, 8 << 20));
            }
            let before = (inflater.total_in(), inflater.total_out());
            let status = inflater.decompress_vec(&input[used..], &mut out, FlushDecompress::None);
            used += (inflater.total_in() - before.0) as usize;
            match status {
                Ok(Status::StreamEnd) => {
                    out.truncate(cap as usize);
                    return Ok((out, Ending::Complete));
                }
                Ok(_) => {
                    let stuck = inflater.total_in() == before.0 && inflater.total_out() == before.1;
                    if stuck && used == input.len() && at >= end {
                        return Ok((out, Ending::Broken));
                    }
                    if stuck && out.len() < out.capacity() && used < input.len() {
                        return Ok((out, Ending::Broken));
                    }
                }
                Err(_) => return Ok((out, Ending::Broken)),
            }
        }
    }
}

fn data_start(header: &[u8], entry: &Entry) -> u64 {
    let skip = LOCAL_LEN + usize::from(u16_at(header, 26)) + usize::from(u16_at(header, 28));
    entry.offset + skip as u64
}

/// Flags a local header that tells another story than the directory, which is the one
/// that Android believes.
fn note_local(header: &[u8], entry: &Entry, place: &str, content: &mut Content) {
    let mut flag = |detail: String| content.limits.push(Limit::new(LimitCode::TamperedArchive, place, detail));
    let name_len = usize::from(u16_at(header, 26));
    let extra_len = usize::from(u16_at(header, 28));
    // The read ends behind the name: a longer extra field is not there to say another.
    let extra = header.get(LOCAL_LEN + name_len..).map_or(&[][..], |rest| &rest[..rest.len().min(extra_len)]);
    let local = header.get(LOCAL_LEN..LOCAL_LEN + name_len).map(|raw| names::decode(raw, extra));
    let raw = header.get(LOCAL_LEN..LOCAL_LEN + name_len).map(|raw| names::decode(raw, &[]));
    if let Some(local) = local.filter(|local| *local != entry.name && raw.as_deref() != Some(&entry.name)) {
        flag(format!("the local header has another name: {}", local.chars().take(80).collect::<String>()));
    }
    let method = u16_at(header, 8);
    if method != entry.method {
        flag(format!("method {} in the directory, {method} in the local header", entry.method));
    }
    let flags = u16_at(header, 6);
    if (flags ^ entry.flags) & 1 != 0 {
        flag("marked as encrypted in one header only".into());
    }
    // Writers that stream leave the sizes to a record behind the data.
    let sizes = [u64::from(u32_at(header, 18)), u64::from(u32_at(header, 22))];
    let is_deferred = flags & 8 != 0 && sizes == [0, 0] || sizes.contains(&u64::from(u32::MAX));
    if !is_deferred && sizes != [entry.compressed, entry.size] {
        flag(format!(
            "sizes {} and {} in the directory, {} and {} in the local header",
            entry.compressed, entry.size, sizes[0], sizes[1]
        ));
    }
}
