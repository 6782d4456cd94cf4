//! The vault on S3, in a build without the feature `cluster`: there is none, and whoever names one is told.

use std::path::{Path, PathBuf};

use crate::store::{Blob, Result, StoreError, Vault};

/// Never made in this build.
#[derive(Debug, Clone)]
pub enum Bucket {}

impl Bucket {
    /// Refuses.
    ///
    /// # Errors
    /// Always: this build has no vault on S3.
    pub fn open(_address: &str, _cache: &Path, _cache_bytes: u64) -> Result<Self> {
        Err(StoreError::Absent("S3"))
    }

    /// There is none to be reached.
    ///
    /// # Errors
    /// Never: there is no bucket.
    #[allow(clippy::unused_async, reason = "as the real one")]
    pub async fn reach(&self, _address: &str) -> Result<()> {
        match *self {}
    }

    /// Where files lie until they are whole.
    #[must_use]
    pub fn incoming(&self) -> PathBuf {
        match *self {}
    }
}

impl Vault for Bucket {
    async fn put(&self, _bytes: &[u8]) -> Result<String> {
        match *self {}
    }

    async fn adopt(&self, _file: &Path, _sha256: &str) -> Result<()> {
        match *self {}
    }

    async fn size(&self, _sha256: &str) -> Result<Option<u64>> {
        match *self {}
    }

    async fn range(&self, _sha256: &str, _offset: u64, _len: u64) -> Result<Vec<u8>> {
        match *self {}
    }

    async fn local(&self, _sha256: &str) -> Result<PathBuf> {
        match *self {}
    }

    async fn list(&self, _digits: &str) -> Result<Vec<Blob>> {
        match *self {}
    }

    async fn remove(&self, _sha256: &str, _before: i64) -> Result<bool> {
        match *self {}
    }

    async fn verify(&self, _sha256: &str) -> Result<()> {
        match *self {}
    }
}
