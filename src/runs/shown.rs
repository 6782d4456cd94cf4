//! Pictures that a store shows of an app: read once, and judged by what was kept of them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::judge::is_whole;
use super::sweep::{SweepError, ask_key, picture_asks};
use crate::audit::{Auditor, Kept, READS_PICTURES, READS_PICTURES_BY, Reading};
use crate::isolate::{self, Asked, Opened};
use crate::model::{Limit, LimitCode, Listing, Verdict};
use crate::store::{READINGS, State, Vault};

/// What a picture is called while it is read: where a listing has it is said when it is judged.
const NAME: &str = "screenshot";

/// Under which readings are noted, each by the SHA-256 of its picture: those of other models are made anew.
pub(super) fn notes() -> String {
    format!("{READINGS}{READS_PICTURES_BY}")
}

/// What is kept of the pictures of one listing: each with its place, and its facts where it was read.
#[derive(Default)]
pub(super) struct Shown(Vec<(String, Option<Kept>)>);

impl Shown {
    /// Their readings, by this auditor's pack.
    pub(super) fn readings(&self, auditor: &Auditor) -> Vec<Reading> {
        let reading = |(place, kept): &(String, Option<Kept>)| {
            let reread = kept.as_ref().and_then(|kept| auditor.reread_shown(kept, place).ok());
            reread.unwrap_or_else(|| {
                Reading::unseen(Limit::new(LimitCode::UnreadPicture, place, "it was not fetched, or not read yet"))
            })
        };
        self.0.iter().map(reading).collect()
    }

    /// The same behind the reading of a package.
    pub(super) fn with(&self, auditor: &Auditor, package: Reading) -> Vec<Reading> {
        let mut readings = vec![package];
        readings.extend(self.readings(auditor));
        readings
    }
}

/// Whether what a store shows of this app is read: unless its listing makes clear that it teaches nothing.
/// Judging asks as well, so that it does not matter what else became known of a picture meanwhile.
pub(super) fn are_wanted(auditor: &Auditor, listing: &Listing) -> bool {
    READS_PICTURES
        && auditor.budget.screenshots > 0
        && picture_asks(listing).next().is_some()
        && auditor.conclude(Some(listing), Vec::new()).profile.education.verdict != Verdict::No
}

/// What is kept of the pictures that a listing names. Nothing is read for it.
pub(super) async fn kept<S: State, V: Vault>(
    (state, vault): (&S, &V),
    auditor: &Auditor,
    listing: Option<&Listing>,
) -> Result<Arc<Shown>, SweepError> {
    let mut shown = Shown::default();
    let Some(listing) = listing.filter(|listing| are_wanted(auditor, listing)) else { return Ok(Arc::new(shown)) };
    for (place, ask) in picture_asks(listing) {
        let row = state.last_fetch(&ask_key(&ask)).await?.filter(|row| row.fetch.status == 200);
        let blob = match row {
            Some(row) => state.noted(&notes(), &row.fetch.body).await?,
            None => None,
        };
        let kept = match blob {
            Some(blob) if is_whole(vault, &blob).await? => Some(Kept(vault.get(&blob).await?)),
            _ => None,
        };
        shown.0.push((place, kept));
    }
    // Where none was read, that is one limit, not one for each.
    shown.0 = if shown.0.iter().any(|(_, kept)| kept.is_some()) { shown.0 } else { Vec::new() };
    Ok(Arc::new(shown))
}

/// Reads a picture of the vault and keeps what was read; nothing where that was done before.
pub(super) async fn read<S: State, V: Vault>(
    (state, vault): (&S, &V),
    auditor: &Arc<Auditor>,
    sha256: &str,
    timeout: u64,
) -> Result<(), SweepError> {
    if let Some(blob) = state.noted(&notes(), sha256).await?
        && is_whole(vault, &blob).await?
    {
        return Ok(());
    }
    let (path, auditor, name): (PathBuf, _, _) = (vault.local(sha256).await?, Arc::clone(auditor), sha256.to_owned());
    let read = move || {
        let until = Instant::now().checked_add(Duration::from_secs(timeout));
        let file = Opened::new(&path).ok()?;
        let asked = Asked { name: NAME, sha256: &name, wanted: None, keeps: true, until };
        isolate::read_picture(&auditor, file, asked).1
    };
    // One that breaks its reader is left unread, and that is said where it is judged.
    let kept = tokio::task::spawn_blocking(read).await.ok().flatten();
    if let Some(kept) = kept {
        let blob = vault.put(&kept.0).await?;
        state.note(&notes(), sha256, &blob).await?;
    }
    Ok(())
}
