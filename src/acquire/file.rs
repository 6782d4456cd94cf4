//! Answers into files: as pages are fetched, for those too long to be held.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;

use super::{Client, coding};
use crate::model::fetch::{Answer, Ask, Downloaded, Fault, Outcome};
use crate::model::hex;

/// Octets read at once.
const PART: usize = 1 << 16;

impl Client {
    /// Fetches an answer as [`Client::fetch`] does, its body decoded into a file in `folder` that
    /// the caller moves; empty for 304. On failure nothing is left behind.
    ///
    /// # Errors
    /// As [`Client::fetch`], and when the disk takes no more.
    pub async fn fetch_file(&self, ask: &Ask, folder: &Path) -> Result<Downloaded, Fault> {
        let mut attempt = 0;
        loop {
            let fault = match self.try_file(ask, folder).await {
                Ok(file) => return Ok(file),
                Err(fault) => fault,
            };
            attempt += 1;
            self.pause(&fault, attempt).await.ok_or(fault)?;
        }
    }

    async fn try_file(&self, ask: &Ask, folder: &Path) -> Result<Downloaded, Fault> {
        let cap = self.config.caps.index_bytes;
        let place = tempfile::Builder::new().prefix("index-").suffix(".part").tempfile_in(folder).map_err(disk)?;
        let mut file = tokio::fs::File::from_std(place.reopen().map_err(disk)?);
        let mut opened = self.open(ask, &[], self.config.network.package_timeout).await?;
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        let mut head = Vec::new();
        while let Some(chunk) = opened.chunk(None).await? {
            let chunk = chunk.as_ref();
            bytes += chunk.len() as u64;
            if bytes > cap {
                return Err(over(&opened.answer, cap));
            }
            head.extend(chunk.iter().take(8 - head.len().min(8)));
            hash.update(chunk);
            file.write_all(chunk).await.map_err(disk)?;
        }
        file.flush().await.map_err(disk)?;
        let answer = self.judge(ask, opened.answer)?;
        let codings = coding::codings(&answer);
        if coding::is_plain(&codings, &head) {
            let (_, path) = place.keep().map_err(|e| disk(e.error))?;
            return Ok(Downloaded { path, sha256: hex(&hash.finalize()), bytes, answer, resumed: 0 });
        }
        let folder = folder.to_owned();
        let undone = tokio::task::spawn_blocking(move || undo(&place, &codings, &folder, cap)).await;
        let undone = undone.map_err(|e| disk(io::Error::other(e)))?;
        let (place, sha256, bytes) = undone
            .map_err(|e| Fault::new(Outcome::Network, format!("{}: the body does not decode: {e}", answer.url)))?;
        if bytes > cap {
            return Err(over(&answer, cap));
        }
        let (_, path) = place.keep().map_err(|e| disk(e.error))?;
        Ok(Downloaded { path, sha256, bytes, answer, resumed: 0 })
    }
}

/// A file with its codings undone into another one, `cap + 1` octets at most: the file, the hash of its
/// content and their number.
pub(super) fn undo(
    from: &NamedTempFile,
    codings: &[String],
    folder: &Path,
    cap: u64,
) -> io::Result<(NamedTempFile, String, u64)> {
    let mut to = tempfile::Builder::new().prefix("decoded-").suffix(".part").tempfile_in(folder)?;
    let coded = BufReader::with_capacity(PART, File::open(from.path())?);
    let mut decoded = coding::undone(codings, coded)?.take(cap.saturating_add(1));
    let (mut hash, mut bytes, mut part) = (Sha256::new(), 0, vec![0; PART]);
    loop {
        let read = decoded.read(&mut part)?;
        if read == 0 {
            break;
        }
        hash.update(&part[..read]);
        to.write_all(&part[..read])?;
        bytes += read as u64;
    }
    Ok((to, hex(&hash.finalize()), bytes))
}

fn over(answer: &Answer, cap: u64) -> Fault {
    Fault::new(Outcome::AdapterBroken, format!("{}: the body is over {cap} bytes", answer.url))
}

fn disk(error: io::Error) -> Fault {
    Fault::new(super::download::of_disk(&error), format!("the index cannot be written: {error}"))
}
