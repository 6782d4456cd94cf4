//! Bytes under the name of their SHA-256, written once.

use std::future::Future;
use std::path::{Path, PathBuf};

use super::{Result, StoreError};

/// Bytes in a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Their name.
    pub sha256: String,
    /// How many.
    pub bytes: u64,
    /// When they were last put, in milliseconds since 1970 UTC by the vault's clock, to half a day.
    pub put_at: i64,
}

/// A store of bytes by hash. Nothing in it is ever changed or replaced.
pub trait Vault: Send + Sync {
    /// Puts bytes; their name. What is there already is left alone, and counts as put now.
    fn put(&self, bytes: &[u8]) -> impl Future<Output = Result<String>> + Send;

    /// Takes over a file whose name the caller computed while writing it. The file is gone
    /// afterwards, also where the bytes were there already.
    fn adopt(&self, file: &Path, sha256: &str) -> impl Future<Output = Result<()>> + Send;

    /// Bytes under a name; `None` where it holds none.
    fn size(&self, sha256: &str) -> impl Future<Output = Result<Option<u64>>> + Send;

    /// Up to `len` bytes from `offset` on; fewer at the end.
    fn range(&self, sha256: &str, offset: u64, len: u64) -> impl Future<Output = Result<Vec<u8>>> + Send;

    /// All bytes under a name.
    fn get(&self, sha256: &str) -> impl Future<Output = Result<Vec<u8>>> + Send {
        async move { self.range(sha256, 0, u64::MAX).await }
    }

    /// A file of this machine that holds the bytes, to be read and not changed.
    fn local(&self, sha256: &str) -> impl Future<Output = Result<PathBuf>> + Send;

    /// What lies under names that begin with two hex digits, in no order.
    fn list(&self, digits: &str) -> impl Future<Output = Result<Vec<Blob>>> + Send;

    /// Removes bytes that were not put since `before`; `false` where they were, or are not there.
    fn remove(&self, sha256: &str, before: i64) -> impl Future<Output = Result<bool>> + Send;

    /// Hashes the bytes anew.
    ///
    /// The error is [`StoreError::Damaged`] where they are not what their name says.
    fn verify(&self, sha256: &str) -> impl Future<Output = Result<()>> + Send;
}

/// Whether a name can be one: 64 characters of lower-case hex. Names come from databases and
/// bags, so nothing else may ever become a path.
#[must_use]
pub fn is_sha256(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Two digits that names begin with.
pub(super) fn digits(digits: &str) -> Result<&str> {
    let is_hex = digits.len() == 2 && is_sha256(&digits.repeat(32));
    if is_hex { Ok(digits) } else { Err(StoreError::Name(digits.chars().take(100).collect())) }
}

pub(super) fn checked(name: &str) -> Result<&str> {
    if is_sha256(name) { Ok(name) } else { Err(StoreError::Name(name.chars().take(100).collect())) }
}
