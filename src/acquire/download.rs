//! Packages into files: streamed, hashed on the way, resumed where they broke off.

use std::path::Path;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::Client;
use super::send::Opened;
use crate::model::fetch::{Answer, Ask, Downloaded, Expected, Fault, Outcome};
use crate::model::hex;

/// Bytes of a page that came instead of a package, kept for whoever mends the adapter.
const PAGE_KEPT: u64 = 1 << 20;

/// A file being written.
struct Part {
    file: tokio::fs::File,
    written: u64,
    hash: Sha256,
    /// What ties a resume to the bytes at hand: a strong `ETag`, or `Last-Modified`.
    tie: Option<String>,
}

impl Part {
    async fn restart(&mut self) -> std::io::Result<()> {
        self.file.set_len(0).await?;
        self.file.rewind().await?;
        self.written = 0;
        self.hash = Sha256::new();
        self.tie = None;
        Ok(())
    }
}

impl Client {
    /// Fetches a file into `folder`, under a name of its own that the caller moves. On failure
    /// nothing is left behind.
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
        let mut part = Part { file, written: 0, hash: Sha256::new(), tie: None };
        let mut attempt = 0;
        let mut resumed = 0;
        let answer = loop {
            let before = part.written;
            let fault = match self.try_once(ask, expected, folder, &mut part).await {
                Ok(answer) => break answer,
                Err(fault) => fault,
            };
            // A connection that brings something each time may break as often as it likes,
            // within the cap on bytes.
            attempt = if part.written > before + PAGE_KEPT { 1 } else { attempt + 1 };
            self.pause(&fault, attempt).await.ok_or(fault)?;
            resumed += u32::from(part.written > 0);
        };
        part.file.sync_all().await.map_err(disk)?;
        let sha256 = hex(&part.hash.finalize());
        verify(ask, expected, &sha256, part.written)?;
        let (_, path) = place.keep().map_err(|e| disk(e.error))?;
        Ok(Downloaded { path, sha256, bytes: part.written, answer, resumed })
    }

    async fn try_once(&self, ask: &Ask, expected: &Expected, folder: &Path, part: &mut Part) -> Result<Answer, Fault> {
        let mut extra = vec![("accept-encoding", "identity".to_owned())];
        if part.written > 0 {
            match &part.tie {
                Some(tie) => extra.push(("if-range", tie.clone())),
                // Without a tie only a known hash can tell whether the pieces fit.
                None if expected.sha256.is_none() => part.restart().await.map_err(disk)?,
                None => {}
            }
        }
        if part.written > 0 {
            extra.push(("range", format!("bytes={}-", part.written)));
        }
        let mut opened = self.open(&self.files, ask, &extra, self.config.network.package_timeout).await?;
        match opened.answer.status {
            206 if resumes_at(&opened.answer, part.written) => {}
            200 if part.written == 0 => {}
            200 => part.restart().await.map_err(disk)?,
            // The file changed, or the server cannot resume: once more from the start.
            206 | 416 if part.written > 0 => {
                part.restart().await.map_err(disk)?;
                return Err(Fault::new(Outcome::Network, format!("{}: does not resume", ask.url)));
            }
            304 => return Ok(opened.answer),
            _ => return Err(self.no_file(ask, opened).await),
        }
        if is_page(&opened.answer) || opened.answer.header("content-encoding").is_some_and(|v| v != "identity") {
            return Err(self.no_file(ask, opened).await);
        }
        let promised = opened.answer.header("content-length").and_then(|v| v.parse::<u64>().ok()).unwrap_or(0);
        self.has_room(ask, part.written.saturating_add(promised), folder)?;
        if part.written == 0 {
            part.tie = tie(&opened.answer);
        }
        self.stream(&mut opened, part).await?;
        opened.host.succeeded();
        Ok(opened.answer)
    }

    async fn stream(&self, opened: &mut Opened, part: &mut Part) -> Result<(), Fault> {
        let cap = self.config.caps.package_bytes;
        loop {
            let chunk = match opened.chunk(Some(self)).await {
                Ok(Some(chunk)) => chunk,
                end => {
                    part.file.flush().await.map_err(disk)?;
                    return end.map(|_| ());
                }
            };
            let bytes = chunk.as_ref();
            part.written += bytes.len() as u64;
            if part.written > cap {
                let detail = format!("{}: the package is over {cap} bytes", opened.answer.url);
                return Err(Fault::new(Outcome::AdapterBroken, detail));
            }
            part.hash.update(bytes);
            part.file.write_all(bytes).await.map_err(disk)?;
        }
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
            return Err(Fault::new(Outcome::Network, detail));
        }
        Ok(())
    }
}

fn disk(error: std::io::Error) -> Fault {
    Fault::new(Outcome::Network, format!("the package cannot be written: {error}"))
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

/// `Content-Range: bytes START-END/TOTAL` begins where we stopped.
fn resumes_at(answer: &Answer, written: u64) -> bool {
    let range = answer.header("content-range").and_then(|v| v.strip_prefix("bytes "));
    range.and_then(|v| v.split('-').next()).and_then(|v| v.trim().parse::<u64>().ok()) == Some(written)
}

/// A weak `ETag` does not promise the same bytes (RFC 9110, 13.1.5).
fn tie(answer: &Answer) -> Option<String> {
    let strong = answer.header("etag").filter(|etag| !etag.starts_with("W/"));
    strong.or_else(|| answer.header("last-modified")).map(str::to_owned)
}

fn is_page(answer: &Answer) -> bool {
    answer.header("content-type").is_some_and(|kind| {
        let kind = kind.to_ascii_lowercase();
        kind.starts_with("text/html") || kind.starts_with("application/json") || kind.starts_with("application/xhtml")
    })
}
