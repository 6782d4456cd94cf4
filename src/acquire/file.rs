//! Answers into files: as pages are fetched, for those too long to be held.

use std::path::Path;

use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::Client;
use crate::model::fetch::{Ask, Downloaded, Fault, Outcome};
use crate::model::hex;

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
        let mut opened = self.open(&self.pages, ask, &[], self.config.network.package_timeout).await?;
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        while let Some(chunk) = opened.chunk(None).await? {
            let chunk = chunk.as_ref();
            bytes += chunk.len() as u64;
            if bytes > cap {
                let detail = format!("{}: the body is over {cap} bytes", opened.answer.url);
                return Err(Fault::new(Outcome::AdapterBroken, detail));
            }
            hash.update(chunk);
            file.write_all(chunk).await.map_err(disk)?;
        }
        file.sync_all().await.map_err(disk)?;
        let answer = self.judge(ask, opened.answer)?;
        let (_, path) = place.keep().map_err(|e| disk(e.error))?;
        Ok(Downloaded { path, sha256: hex(&hash.finalize()), bytes, answer, resumed: 0 })
    }
}

fn disk(error: std::io::Error) -> Fault {
    Fault::new(Outcome::Network, format!("the index cannot be written: {error}"))
}
