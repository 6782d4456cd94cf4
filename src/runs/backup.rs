//! A copy of an embedded home, taken while it is in use, and a home made of one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::sweep::SweepError;
use crate::store::{Database, Folder, Home, Keep, Place, Prune, Vault};

const DIGITS: &str = "0123456789abcdef";
const ALL: Keep = Keep { before: 0, runs: u32::MAX, listings: u32::MAX, died_before: 0 };
/// Tries to copy a state together with all it refers to: something may be pruned in between.
const TRIES: u32 = 3;
/// What lies in a home beside state and vault and is copied with them.
const BESIDE: [&str; 2] = ["config.toml", "registers"];

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// State or vault.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// A run's error.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// The folder of the copy.
    #[error("the copy cannot be written or read: {0}")]
    Io(#[from] io::Error),
    /// Something is there already.
    #[error("{} is not empty; name a new folder", .0.display())]
    NotEmpty(PathBuf),
    /// State or packages lie on a server.
    #[error(
        "this home's state or vault is not in its folder; copy the database and the bucket as docs/operating.md says"
    )]
    NotEmbedded,
    /// What the state refers to is not in the vault.
    #[error("{0} files that the state refers to are not in the vault; see `xunjian check`")]
    Missing(usize),
    /// The copy is not whole.
    #[error("the copy is not whole: {0}")]
    Damaged(String),
}

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Files of the vault.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that the state refers to and that were not there: their evidence is lost.
    pub missing: u64,
}

/// Copies a home into a new folder while others use it: the state as of one moment, then all bytes
/// that it refers to. What is not there after some tries is counted.
///
/// # Errors
/// When the home is not embedded, or the folder cannot be written.
pub async fn backup(home: &Home, out: &Path) -> Result<Copied, BackupError> {
    let Place::Folder(vault) = &home.vault else { return Err(BackupError::NotEmbedded) };
    if !home.state.is_embedded() {
        return Err(BackupError::NotEmbedded);
    }
    empty(out)?;
    let mut copied = Copied::default();
    for attempt in 1..=TRIES {
        let state = out.join("state.sqlite");
        remove(&state)?;
        home.state.copy_into(&state).await?;
        let copy = Database::sqlite(&state).await?;
        copied = blobs(&copy, vault, &Folder::open(&out.join("vault"))?).await?;
        copy.close().await;
        if copied.missing == 0 {
            break;
        }
        tracing::info!(attempt, missing = copied.missing, "something was forgotten meanwhile; copying once more");
    }
    beside(&home.root, out)?;
    Ok(copied)
}

/// Makes a home of a copy: every byte is hashed, and the state checked, before it counts as one.
///
/// # Errors
/// When the copy is damaged, or the folder holds something already.
pub async fn restore(from: &Path, root: &Path) -> Result<Copied, BackupError> {
    empty(root)?;
    let state = root.join("state.sqlite");
    if !from.join("state.sqlite").is_file() {
        return Err(BackupError::Damaged(format!("{}: no state.sqlite", from.display())));
    }
    fs::copy(from.join("state.sqlite"), &state)?;
    File::open(&state)?.sync_all()?;
    let copy = Database::sqlite(&state).await?;
    let said = copy.integrity().await?;
    if let Some(said) = said.first() {
        return Err(BackupError::Damaged(said.clone()));
    }
    let copied = blobs(&copy, &Folder::open(&from.join("vault"))?, &Folder::open(&root.join("vault"))?).await?;
    copy.close().await;
    beside(from, root)?;
    Ok(copied)
}

/// Copies the bytes that a state refers to, each hashed on the way.
async fn blobs(state: &Database, from: &Folder, to: &Folder) -> Result<Copied, BackupError> {
    let mut copied = Copied::default();
    for digit in DIGITS.chars() {
        for name in state.referred(digit, &ALL, false).await? {
            if to.size(&name).await?.is_some() {
                copied.files += 1;
                continue;
            }
            let Some(bytes) = from.size(&name).await? else {
                copied.missing += 1;
                continue;
            };
            from.verify(&name).await?;
            let aside = to.incoming().join(&name);
            fs::copy(from.local(&name).await?, &aside)?;
            to.adopt(&aside, &name).await?;
            copied.files += 1;
            copied.bytes += bytes;
        }
    }
    Ok(copied)
}

fn empty(folder: &Path) -> Result<(), BackupError> {
    fs::create_dir_all(folder)?;
    match fs::read_dir(folder)?.next() {
        Some(_) => Err(BackupError::NotEmpty(folder.to_owned())),
        None => Ok(()),
    }
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn beside(from: &Path, to: &Path) -> io::Result<()> {
    for name in BESIDE {
        let source = from.join(name);
        if source.is_file() {
            fs::copy(&source, to.join(name))?;
        } else if source.is_dir() {
            tree(&source, &to.join(name))?;
        }
    }
    Ok(())
}

/// A folder of files and folders; links are not followed.
fn tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            tree(&entry.path(), &to.join(entry.file_name()))?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
