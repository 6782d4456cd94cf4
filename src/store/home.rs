//! The embedded home of everything remembered: one folder.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::{Database, Folder, Result};

/// A folder with `state.sqlite` and `vault/`.
#[derive(Debug, Clone)]
pub struct Home {
    /// The folder.
    pub root: PathBuf,
    /// State and work.
    pub state: Database,
    /// Bytes.
    pub vault: Folder,
}

impl Home {
    /// Opens a home, made where it is not there yet.
    ///
    /// # Errors
    /// When the folder cannot be made, or its state is of a later version.
    pub async fn open(root: &Path) -> Result<Self> {
        std::fs::create_dir_all(root)?;
        let vault = Folder::open(&root.join("vault"))?;
        let state = Database::sqlite(&root.join("state.sqlite")).await?;
        Ok(Self { root: root.to_owned(), state, vault })
    }

    /// Takes the home for one process that changes it; `None` where another one has it. The
    /// system frees it when the process ends, however that happens.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn lock(&self) -> Result<Option<Lock>> {
        let file = File::options().create(true).truncate(false).write(true).open(self.root.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

/// Holds a home until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}
