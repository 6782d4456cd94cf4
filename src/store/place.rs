//! The vault that a home has: a folder or a bucket.

use std::path::{Path, PathBuf};

use super::{Blob, Bucket, Folder, Result, Vault};

/// Where bytes are kept.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a folder.
    Folder(Folder),
    /// On an S3-compatible store.
    Bucket(Bucket),
}

/// The same call to whichever it is.
macro_rules! of {
    ($self:ident.$call:ident($($value:expr),*)) => {
        match $self {
            Self::Folder(folder) => folder.$call($($value),*).await,
            Self::Bucket(bucket) => bucket.$call($($value),*).await,
        }
    };
}

impl Place {
    /// A folder of this machine for files under way.
    #[must_use]
    pub fn incoming(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.incoming(),
            Self::Bucket(bucket) => bucket.incoming(),
        }
    }
}

impl Vault for Place {
    async fn put(&self, bytes: &[u8]) -> Result<String> {
        of!(self.put(bytes))
    }

    async fn adopt(&self, file: &Path, sha256: &str) -> Result<()> {
        of!(self.adopt(file, sha256))
    }

    async fn size(&self, sha256: &str) -> Result<Option<u64>> {
        of!(self.size(sha256))
    }

    async fn range(&self, sha256: &str, offset: u64, len: u64) -> Result<Vec<u8>> {
        of!(self.range(sha256, offset, len))
    }

    async fn local(&self, sha256: &str) -> Result<PathBuf> {
        of!(self.local(sha256))
    }

    async fn list(&self, digits: &str) -> Result<Vec<Blob>> {
        of!(self.list(digits))
    }

    async fn remove(&self, sha256: &str, before: i64) -> Result<bool> {
        of!(self.remove(sha256, before))
    }

    async fn verify(&self, sha256: &str) -> Result<()> {
        of!(self.verify(sha256))
    }
}
