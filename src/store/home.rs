//! Where everything remembered is kept: a folder, and what its parts stand on.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Bucket, Database, Folder, Place, Result, StoreError, private};
use crate::model::config::Engine;

/// Time after which a job is taken that no message told of: the one that pushed it died in between.
const GRACE: Duration = Duration::from_secs(5);

/// A folder, with state and work in `state.sqlite` or PostgreSQL, and bytes in `vault/` or on S3.
#[derive(Debug, Clone)]
pub struct Home {
    /// The folder.
    pub root: PathBuf,
    /// State and work.
    pub state: Database,
    /// Bytes.
    pub vault: Place,
}

impl Home {
    /// Opens a home with everything in its folder, made where it is not there yet.
    ///
    /// # Errors
    /// When the folder cannot be made, or its state is of a later version.
    pub async fn open(root: &Path) -> Result<Self> {
        Self::open_on(root, &Engine::default()).await
    }

    /// Opens a home whose parts stand on these engines.
    ///
    /// # Errors
    /// When an engine cannot be reached or used, or its state is of a later version.
    pub async fn open_on(root: &Path, engine: &Engine) -> Result<Self> {
        private::folder(root)?;
        let vault = match engine.vault.as_str() {
            "" => Place::Folder(Folder::open(&root.join("vault"))?),
            address if address.starts_with("s3://") => {
                let bucket = Bucket::open(address, &root.join("cache"), engine.cache_bytes)?;
                bucket.reach(address).await?;
                Place::Bucket(bucket)
            }
            folder => Place::Folder(Folder::open(Path::new(folder))?),
        };
        let state = match (engine.database.as_str(), engine.nats.as_str()) {
            ("", "") => {
                private::file(&root.join("state.sqlite"))?;
                Database::sqlite(&root.join("state.sqlite")).await?
            }
            ("", _) => {
                return Err(StoreError::Address("nats hands out work that lies in a database: set that too".into()));
            }
            (database, "") => Database::postgres(database).await?,
            (database, nats) => Database::nats(database, nats, GRACE).await?,
        };
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
