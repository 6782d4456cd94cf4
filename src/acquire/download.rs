//! Packages into files: streamed, hashed on the way, resumed where they broke off, and taken only whole.

use std::path::Path;

use sha2::Digest;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;

use super::part::{Part, Range, Tie};
use super::send::Opened;
use super::sniff::{self, Looks, looks};
use super::{Client, coding, file};
use crate::model::fetch::{Answer, Ask, Downloaded, Expected, Fault, Outcome};
use crate::model::hex;

/// Bytes of a page that came instead of a package, kept for whoever mends the adapter.
const PAGE_KEPT: u64 = 1 << 20;
/// Pieces that one file may come in, where a server hands out no more at once.
const PIECES_MAX: u32 = 4096;

/// What one answer brought.
enum Piece {
    /// The end of the file.
    Last(Answer),
    /// A piece; the server hands out no more at once.
    One,
}

impl Client {
    /// Fetches a file into `folder`, under a name of its own that the caller moves. On failure
    /// nothing is left behind. A file is whole: as long as its server and its store say, of one version,
    /// and with the hash that the store says, each where it is said.
    ///
    /// # Errors
    /// As [`Client::fetch`]; `network` also when the bytes are not those the store promised,
    /// `adapter-broken` for a page instead of a file, a file over the cap, and refused addresses.
    pub async fn download(&self, ask: &Ask, expected: &Expected, folder: &Path) -> Result<Downloaded, Fault> {
        if let Some(bytes) = expected.bytes {
            self.has_room(ask, bytes, folder)?;
        }
        let place = tempfile::Builder::new().prefix("download-").suffix(".part").tempfile_in(folder).map_err(disk)?;
        let file = tokio::fs::File::from_std(place.reopen().map_err(disk)?);
        let mut part = Part::new(file, expected.sha256.is_some());
        let (mut attempt, mut resumed, mut pieces) = (0, 0, 0);
        let answer = loop {
            let before = part.written;
            let fault = match self.try_once(ask, folder, &mut part).await {
                Ok(Piece::Last(answer)) => break answer,
                Ok(Piece::One) if pieces < PIECES_MAX && part.may_resume() => {
                    pieces += 1;
                    continue;
                }
                Ok(Piece::One) => {
                    part.restart().await.map_err(disk)?;
                    Fault::new(Outcome::Network, format!("{}: comes in pieces that nothing ties together", ask.url))
                }
                Err(fault) => fault,
            };
            // A connection that brings something each time may break as often as it likes,
            // within the cap on bytes; one that begins anew each time may not.
            let is_gain = part.written > before + PAGE_KEPT && part.restarts <= self.config.network.retries;
            attempt = if is_gain { 1 } else { attempt + 1 };
            self.pause(&fault, attempt).await.ok_or(fault)?;
            resumed += u32::from(part.written > 0);
        };
        part.file.flush().await.map_err(disk)?;
        self.settle(ask, expected, folder, (place, part), answer, resumed).await
    }

    async fn try_once(&self, ask: &Ask, folder: &Path, part: &mut Part) -> Result<Piece, Fault> {
        let mut extra = vec![("accept-encoding", "identity".to_owned())];
        if part.written > 0 && !part.may_resume() {
            part.restart().await.map_err(disk)?;
        }
        if part.written > 0 {
            extra.extend(part.tie.as_ref().map(|tie| ("if-range", tie.value())));
            extra.push(("range", format!("bytes={}-", part.written)));
        }
        let opened = self.open(ask, &extra, self.config.network.package_timeout).await?;
        let mut range = None;
        match opened.answer.status {
            206 => match part.piece(&opened.answer) {
                Some(piece) => range = Some(piece),
                // Another version, or not where we stand: from the start.
                None => {
                    part.restart().await.map_err(disk)?;
                    let detail = format!("{}: answers with a piece that does not fit", ask.url);
                    return Err(Fault::new(Outcome::Network, detail));
                }
            },
            200 | 203 if part.written == 0 => {}
            200 | 203 => part.restart().await.map_err(disk)?,
            416 if part.written > 0 => {
                part.restart().await.map_err(disk)?;
                return Err(Fault::new(Outcome::Network, format!("{}: does not resume", ask.url)));
            }
            304 if super::is_conditional(ask) => return Ok(Piece::Last(opened.answer)),
            _ => return Err(self.no_file(ask, opened).await),
        }
        self.take(ask, folder, part, opened, range).await
    }

    /// Writes the body of an answer that belongs behind what is here.
    async fn take(
        &self,
        ask: &Ask,
        folder: &Path,
        part: &mut Part,
        mut opened: Opened,
        range: Option<Range>,
    ) -> Result<Piece, Fault> {
        let length = opened.answer.header("content-length").and_then(|v| v.trim().parse::<u64>().ok());
        let promised = range.map(Range::length).or(length);
        self.has_room(ask, part.written.saturating_add(promised.unwrap_or(0)), folder)?;
        let begin = part.written;
        if begin == 0 {
            part.total = range.map(|range| range.total).or(length);
            part.tie = Tie::of(&opened.answer);
            opened = self.begun(ask, opened).await?;
        }
        self.stream(&mut opened, part).await?;
        let came = part.written - begin;
        if range.is_some_and(|range| range.length() != came) {
            part.restart().await.map_err(disk)?;
            let detail = format!("{}: {came} bytes came where the answer says another number", ask.url);
            return Err(Fault::new(Outcome::Network, detail));
        }
        if part.is_whole() {
            opened.host.succeeded();
            return Ok(Piece::Last(opened.answer));
        }
        match range {
            Some(_) => Ok(Piece::One),
            None => Err(Fault::new(Outcome::Network, format!("{}: broke off after {} bytes", ask.url, part.written))),
        }
    }

    /// Reads the first bytes of a body, which tell whether it is a file at all; they stay in the answer.
    async fn begun(&self, ask: &Ask, mut opened: Opened) -> Result<Opened, Fault> {
        let mut head: Vec<u8> = Vec::new();
        while head.len() < sniff::HEAD {
            match opened.chunk(Some(self)).await? {
                Some(chunk) => head.extend_from_slice(chunk.as_ref()),
                None => break,
            }
        }
        let (looks, is_labelled) = (looks(&head), is_page(&opened.answer));
        opened.answer.body = head;
        // What is coded is looked at when it is decoded.
        let codings = coding::codings(&opened.answer);
        let is_coded = looks != Looks::Archive && !coding::is_plain(&codings, &opened.answer.body);
        match looks {
            Looks::Empty if opened.answer.status != 206 => {
                Err(Fault::new(Outcome::Network, format!("{}: an empty file", ask.url)))
            }
            Looks::Page => Err(self.no_file(ask, opened).await),
            Looks::Unknown if is_labelled && !is_coded => Err(self.no_file(ask, opened).await),
            _ => Ok(opened),
        }
    }

    async fn stream(&self, opened: &mut Opened, part: &mut Part) -> Result<(), Fault> {
        let head = std::mem::take(&mut opened.answer.body);
        self.write(opened, part, &head).await?;
        loop {
            let chunk = match opened.chunk(Some(self)).await {
                Ok(Some(chunk)) => chunk,
                end => {
                    part.file.flush().await.map_err(disk)?;
                    return end.map(|_| ());
                }
            };
            self.write(opened, part, chunk.as_ref()).await?;
        }
    }

    async fn write(&self, opened: &Opened, part: &mut Part, bytes: &[u8]) -> Result<(), Fault> {
        let cap = self.config.caps.package_bytes;
        part.written += bytes.len() as u64;
        if part.written > cap {
            let detail = format!("{}: the package is over {cap} bytes", opened.answer.url);
            return Err(Fault::new(Outcome::AdapterBroken, detail));
        }
        part.hash.update(bytes);
        part.file.write_all(bytes).await.map_err(disk)
    }

    /// Undoes codings, and checks what came against what the store says.
    async fn settle(
        &self,
        ask: &Ask,
        expected: &Expected,
        folder: &Path,
        (mut place, part): (NamedTempFile, Part),
        answer: Answer,
        resumed: u32,
    ) -> Result<Downloaded, Fault> {
        let (mut sha256, mut bytes) = (hex(&part.hash.finalize()), part.written);
        if !answer.is_unchanged() {
            let codings = coding::codings(&answer);
            let head = start_of(&place).map_err(disk)?;
            if looks(&head) != Looks::Archive && !coding::is_plain(&codings, &head) {
                (place, sha256, bytes) = self.decoded(ask, folder, (place, codings), &answer).await?;
            }
            verify(ask, expected, &sha256, bytes)?;
        }
        let (_, path) = place.keep().map_err(|e| disk(e.error))?;
        Ok(Downloaded { path, sha256, bytes, answer, resumed })
    }

    async fn decoded(
        &self,
        ask: &Ask,
        folder: &Path,
        (place, codings): (NamedTempFile, Vec<String>),
        answer: &Answer,
    ) -> Result<(NamedTempFile, String, u64), Fault> {
        let (folder, cap) = (folder.to_owned(), self.config.caps.package_bytes);
        let undone = tokio::task::spawn_blocking(move || file::undo(&place, &codings, &folder, cap)).await;
        let undone = undone.map_err(|e| disk(std::io::Error::other(e)))?;
        let broken = |e| Fault::new(Outcome::Network, format!("{}: the file does not decode: {e}", ask.url));
        let (place, sha256, bytes) = undone.map_err(broken)?;
        if bytes > cap {
            let detail = format!("{}: the package is over {cap} bytes", ask.url);
            return Err(Fault::new(Outcome::AdapterBroken, detail));
        }
        let head = start_of(&place).map_err(disk)?;
        // What was packed once more is taken for a package only where it is one.
        if looks(&head) != Looks::Archive {
            let page = Answer { body: head, ..answer.clone() };
            let detail = format!("{}: a page or something encoded came instead of a package", ask.url);
            return Err(Fault::with_page(Outcome::AdapterBroken, detail, &page));
        }
        Ok((place, sha256, bytes))
    }

    /// Why an answer is no file.
    async fn no_file(&self, ask: &Ask, opened: Opened) -> Fault {
        let status = opened.answer.status;
        let answer = match opened.head(PAGE_KEPT).await {
            Ok(answer) => answer,
            Err(fault) => return fault,
        };
        let answer = match self.judge(ask, answer) {
            Ok(answer) => answer,
            Err(fault) => return fault,
        };
        let (outcome, what) = match status {
            403 => (Outcome::Throttled, "the package is refused"),
            404 => (Outcome::NotFound, "the package is not there"),
            410 => (Outcome::Delisted, "the package was taken away"),
            451 => (Outcome::RegionLocked, "the package is not for this region"),
            _ => (Outcome::AdapterBroken, "a page or something encoded came instead of a package"),
        };
        Fault::with_page(outcome, format!("{}: HTTP {status}: {what}", answer.url), &answer)
    }

    fn has_room(&self, ask: &Ask, bytes: u64, folder: &Path) -> Result<(), Fault> {
        let caps = &self.config.caps;
        if bytes > caps.package_bytes {
            let detail = format!("{}: the package has {bytes} bytes, over {}", ask.url, caps.package_bytes);
            return Err(Fault::new(Outcome::AdapterBroken, detail));
        }
        let free = fs4::available_space(folder).map_err(disk)?;
        if free < bytes.saturating_add(caps.free_bytes) {
            let detail = format!(
                "{}: {free} bytes are free on the disk, {bytes} are needed and {} kept",
                ask.url, caps.free_bytes
            );
            return Err(Fault::new(Outcome::DiskFull, detail));
        }
        Ok(())
    }
}

/// A full disk is no fault of the network, and no try gets past it.
pub(super) fn of_disk(error: &std::io::Error) -> Outcome {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    if matches!(error.kind(), StorageFull | QuotaExceeded) { Outcome::DiskFull } else { Outcome::Network }
}

fn disk(error: std::io::Error) -> Fault {
    Fault::new(of_disk(&error), format!("the package cannot be written: {error}"))
}

/// The first bytes of a file.
fn start_of(place: &NamedTempFile) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut head = Vec::new();
    std::fs::File::open(place.path())?.take(sniff::HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn verify(ask: &Ask, expected: &Expected, sha256: &str, bytes: u64) -> Result<(), Fault> {
    if let Some(wanted) = expected.bytes.filter(|wanted| *wanted != bytes) {
        let detail = format!("{}: {bytes} bytes came, the store says {wanted}", ask.url);
        return Err(Fault::new(Outcome::Network, detail));
    }
    if let Some(wanted) = expected.sha256.as_deref().filter(|wanted| !wanted.eq_ignore_ascii_case(sha256)) {
        let detail = format!("{}: SHA-256 is {sha256}, the store says {wanted}", ask.url);
        return Err(Fault::new(Outcome::Network, detail));
    }
    Ok(())
}

/// The label says that it is a page, or an interface's answer.
fn is_page(answer: &Answer) -> bool {
    answer.header("content-type").is_some_and(|kind| {
        let kind = kind.trim().to_ascii_lowercase();
        ["text/html", "text/xml", "application/json", "application/xml", "application/xhtml"]
            .iter()
            .any(|page| kind.starts_with(page))
    })
}
