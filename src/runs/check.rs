//! Whether what is remembered is whole: the state, the bytes under every hash, and what refers to what.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::sweep::{SweepError, want_again};
use crate::store::{Database, Keep, Prune, State, StoreError, Vault};

const DIGITS: &str = "0123456789abcdef";
/// References are looked at as they are, whatever could be forgotten.
const ALL: Keep = Keep { before: 0, runs: u32::MAX, listings: u32::MAX, died_before: 0 };

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// What the database says of itself; empty where it is whole.
    pub state: Vec<String>,
    /// Bytes whose hash was computed, and how many files they are in.
    pub bytes: u64,
    /// Files looked at.
    pub files: u64,
    /// Names under which other bytes lie.
    pub damaged: BTreeSet<String>,
    /// Names that something refers to, and under which nothing lies.
    pub missing: BTreeSet<String>,
    /// Files that nothing refers to: `prune` takes them away in time.
    pub idle: u64,
    /// Packages marked, so that the next sweep fetches them again.
    pub wanted: u64,
    /// Everything was looked at; else it was stopped.
    pub is_done: bool,
}

impl Checked {
    /// Nothing is damaged and nothing missing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.state.is_empty() && self.damaged.is_empty() && self.missing.is_empty()
    }
}

/// Looks at everything. With `mends`, bytes that are not what their name says are taken away, and
/// packages that are gone are marked to be fetched again.
///
/// # Errors
/// When state or vault cannot be read at all.
pub async fn check<V: Vault>(
    (state, vault): (&Database, &V),
    mends: bool,
    stop: &AtomicBool,
) -> Result<Checked, SweepError> {
    let mut checked = Checked { state: state.integrity().await?, ..Checked::default() };
    for digit in DIGITS.chars() {
        let mut referred = state.referred(digit, &ALL, false).await?;
        for second in DIGITS.chars() {
            if stop.load(Ordering::Relaxed) {
                return Ok(checked);
            }
            for blob in vault.list(&format!("{digit}{second}")).await? {
                checked.files += 1;
                checked.bytes += blob.bytes;
                let is_referred = referred.remove(&blob.sha256);
                match vault.verify(&blob.sha256).await {
                    Ok(()) => checked.idle += u64::from(!is_referred),
                    Err(StoreError::Damaged(..)) => {
                        if mends {
                            vault.remove(&blob.sha256, i64::MAX).await?;
                        }
                        checked.damaged.insert(blob.sha256);
                    }
                    // Taken away in between.
                    Err(_) if vault.size(&blob.sha256).await?.is_none() => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        for name in referred {
            // What was put while this went on is no loss.
            if vault.size(&name).await?.is_none() {
                checked.missing.insert(name);
            }
        }
    }
    if mends {
        for name in checked.damaged.iter().chain(&checked.missing) {
            for app in state.apps_of_file(name).await? {
                let before = state.withheld(app).await?;
                want_again(state, app, name, before.as_ref()).await?;
                checked.wanted += 1;
            }
        }
    }
    checked.is_done = true;
    Ok(checked)
}
