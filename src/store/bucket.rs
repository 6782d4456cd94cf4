//! The vault on an S3-compatible store: `PREFIX/ab/cd/<sha256>`.
//!
//! Bytes that were fetched to be read stay in a cache folder under their hash, the longest
//! unread going first; the folder is emptied when it is opened.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::StreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, WriteMultipart};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::error::innermost;
use super::vault::{checked, digits};
use super::{Blob, Folder, Result, StoreError, Vault, is_sha256};
use crate::model::hex;

/// How long the store may take for its first answer.
const ANSWER: Duration = Duration::from_secs(4);
/// Bytes of one part of an upload; S3 asks for 5 MiB at least.
const PART: usize = 8 << 20;
/// Parts of one upload on their way at once.
const PARTS_AT_ONCE: usize = 4;

/// Bytes put again are written again once they lie there for so long: nothing else changes an
/// object's time. A vault forgets nothing younger than a day.
const RENEWED: Duration = Duration::from_secs(12 * 3_600);

/// A vault in a bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    store: Arc<AmazonS3>,
    prefix: Key,
    cache: Cache,
}

impl Bucket {
    /// A vault at `s3://BUCKET/PREFIX`; keys, region and endpoint come from the environment
    /// (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT`). The address may
    /// name the last two itself, `?endpoint=http://HOST:PORT&region=NAME`, and `unsigned=true` for a
    /// store that asks for no keys.
    ///
    /// # Errors
    /// When the address names no bucket, the environment does not fit, or the cache cannot be made.
    pub fn open(address: &str, cache: &Path, cache_bytes: u64) -> Result<Self> {
        // Fails when there is one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = url::Url::parse(address).map_err(|error| StoreError::Address(error.to_string()))?;
        let told: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let mut plain = url.clone();
        plain.set_query(None);
        let mut builder = AmazonS3Builder::from_env().with_url(plain.as_str());
        if let Some(region) = told.get("region") {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = told.get("endpoint") {
            // Whoever writes http means it.
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        // And whoever sets the endpoint of the environment to http means that.
        let endpoint =
            ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"].iter().find_map(|n| std::env::var(n).ok());
        if !told.contains_key("endpoint") && endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
            builder = builder.with_allow_http(true);
        }
        builder = builder.with_skip_signature(told.get("unsigned").is_some_and(|told| told == "true"));
        let store = builder.build()?;
        let prefix = Key::from_url_path(url.path()).map_err(|error| StoreError::Address(error.to_string()))?;
        Ok(Self { store: Arc::new(store), prefix, cache: Cache::open(cache, cache_bytes)? })
    }

    /// Asks the store for something, so that an address or keys that do not fit are told at once.
    ///
    /// # Errors
    /// When it does not answer soon, refuses, or there is no such bucket.
    pub async fn reach(&self, address: &str) -> Result<()> {
        let has_keys = address.contains("unsigned=true")
            || ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
                .iter()
                .any(|name| std::env::var_os(name).is_some());
        let advice = match has_keys {
            true => {
                "start it, make the bucket, or correct address and keys: --vault, XUNJIAN_VAULT, AWS_ENDPOINT, AWS_ACCESS_KEY_ID"
            }
            false => {
                "no AWS_ACCESS_KEY_ID is set: set it with AWS_SECRET_ACCESS_KEY, or add ?unsigned=true to the address"
            }
        };
        let place = address.split('?').next().unwrap_or_default().to_owned();
        let unusable = |cause| StoreError::Unusable { place: place.clone(), cause, advice };
        // A name that nothing has: what is asked is whether the answer is one.
        let key = self.key(&"0".repeat(64))?;
        match tokio::time::timeout(ANSWER, self.head(&key)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(StoreError::Bucket(error))) => Err(unusable(innermost(&error))),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(unusable(format!("no answer within {} s", ANSWER.as_secs()))),
        }
    }

    /// Where files lie until they are whole.
    #[must_use]
    pub fn incoming(&self) -> PathBuf {
        self.cache.folder.incoming()
    }

    fn key(&self, sha256: &str) -> Result<Key> {
        let name = checked(sha256)?;
        Ok(self.prefix.clone().join(&name[..2]).join(&name[2..4]).join(name))
    }

    /// What lies under a key.
    async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>> {
        match self.store.head(key).await {
            Ok(meta) => Ok(Some(meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether something lies there, and long since.
    async fn needs_put(&self, key: &Key) -> Result<bool> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let limit = i64::try_from(now.saturating_sub(RENEWED).as_millis()).unwrap_or(i64::MAX);
        Ok(self.head(key).await?.is_none_or(|meta| meta.last_modified.timestamp_millis() < limit))
    }

    /// Writes a file part by part. Whoever comes second writes the same bytes.
    async fn upload(&self, file: &Path, key: &Key) -> Result<()> {
        let mut upload = WriteMultipart::new_with_chunk_size(self.store.put_multipart(key).await?, PART);
        let mut from = tokio::fs::File::open(file).await?;
        loop {
            let mut part = bytes::BytesMut::with_capacity(PART);
            while part.len() < PART && tokio::io::AsyncReadExt::read_buf(&mut from, &mut part).await? > 0 {}
            if part.is_empty() {
                break;
            }
            upload.wait_for_capacity(PARTS_AT_ONCE).await?;
            upload.put(part.freeze());
        }
        upload.finish().await?;
        Ok(())
    }

    /// Fetches bytes into a file, and says what they hash to.
    async fn download(&self, key: &Key, to: &Path) -> Result<String> {
        let mut body = self.store.get(key).await?.into_stream();
        let mut file = tokio::fs::File::create(to).await?;
        let mut hash = Sha256::new();
        while let Some(part) = body.next().await {
            let part = part?;
            hash.update(&part);
            file.write_all(&part).await?;
        }
        file.flush().await?;
        Ok(hex(&hash.finalize()))
    }
}

impl Vault for Bucket {
    async fn put(&self, bytes: &[u8]) -> Result<String> {
        let name = hex(&Sha256::digest(bytes));
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let (key, bytes) = (self.key(&name)?, Bytes::copy_from_slice(bytes));
        match self.store.put_opts(&key, bytes.clone().into(), options).await {
            Ok(_) => Ok(name),
            Err(object_store::Error::AlreadyExists { .. }) => {
                if self.needs_put(&key).await? {
                    self.store.put(&key, bytes.into()).await?;
                }
                Ok(name)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn adopt(&self, file: &Path, sha256: &str) -> Result<()> {
        let key = self.key(sha256)?;
        if self.needs_put(&key).await? {
            self.upload(file, &key).await?;
        }
        // It is about to be read: by this worker, as often as not.
        self.cache.keep(file, sha256).await
    }

    async fn size(&self, sha256: &str) -> Result<Option<u64>> {
        Ok(self.head(&self.key(sha256)?).await?.map(|meta| meta.size))
    }

    async fn range(&self, sha256: &str, offset: u64, len: u64) -> Result<Vec<u8>> {
        let key = self.key(sha256)?;
        if offset == 0 && len == u64::MAX {
            return Ok(self.store.get(&key).await?.bytes().await?.into());
        }
        // A range that begins behind the end is an error to S3, and no bytes to us.
        let end = self.store.head(&key).await?.size.min(offset.saturating_add(len));
        if offset >= end {
            return Ok(Vec::new());
        }
        Ok(self.store.get_range(&key, offset..end).await?.into())
    }

    async fn local(&self, sha256: &str) -> Result<PathBuf> {
        let key = self.key(sha256)?;
        if let Some(path) = self.cache.find(sha256).await? {
            return Ok(path);
        }
        let file = tempfile::NamedTempFile::new_in(self.incoming())?.into_temp_path();
        let found = self.download(&key, &file).await?;
        if found != sha256 {
            return Err(StoreError::Damaged(sha256.into(), found));
        }
        let path = file.keep().map_err(|e| e.error)?;
        self.cache.keep(&path, sha256).await?;
        self.cache.folder.local(sha256).await
    }

    async fn list(&self, of: &str) -> Result<Vec<Blob>> {
        let mut all = self.store.list(Some(&self.prefix.clone().join(digits(of)?)));
        let mut found = Vec::new();
        while let Some(meta) = all.next().await {
            let meta = meta?;
            let name = meta.location.filename().unwrap_or_default();
            if is_sha256(name) {
                let put_at = meta.last_modified.timestamp_millis();
                found.push(Blob { sha256: name.to_owned(), bytes: meta.size, put_at });
            }
        }
        Ok(found)
    }

    async fn remove(&self, sha256: &str, before: i64) -> Result<bool> {
        let key = self.key(sha256)?;
        // A last look: whoever put the same bytes meanwhile wrote them anew.
        match self.head(&key).await? {
            Some(meta) if meta.last_modified.timestamp_millis() < before => {
                self.store.delete(&key).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn verify(&self, sha256: &str) -> Result<()> {
        let mut body = self.store.get(&self.key(sha256)?).await?.into_stream();
        let mut hash = Sha256::new();
        while let Some(part) = body.next().await {
            hash.update(&part?);
        }
        let found = hex(&hash.finalize());
        if found == sha256 { Ok(()) } else { Err(StoreError::Damaged(sha256.into(), found)) }
    }
}

/// Copies on this machine.
#[derive(Debug, Clone)]
struct Cache {
    folder: Folder,
    most: u64,
    /// What lies there, the longest unread first.
    kept: Arc<Mutex<VecDeque<(String, u64)>>>,
}

impl Cache {
    fn open(root: &Path, most: u64) -> Result<Self> {
        // Copies of an earlier process may be cut short or many: they are fetched again.
        for level in std::fs::read_dir(root).into_iter().flatten().flatten() {
            let _ = std::fs::remove_dir_all(level.path());
        }
        Ok(Self { folder: Folder::open(root)?, most, kept: Arc::default() })
    }

    /// A copy, where there is one.
    async fn find(&self, sha256: &str) -> Result<Option<PathBuf>> {
        let Some(bytes) = self.folder.size(sha256).await? else { return Ok(None) };
        self.touch(sha256, bytes);
        Ok(Some(self.folder.local(sha256).await?))
    }

    async fn keep(&self, file: &Path, sha256: &str) -> Result<()> {
        let bytes = tokio::fs::metadata(file).await?.len();
        self.folder.adopt(file, sha256).await?;
        self.touch(sha256, bytes);
        for name in self.surplus() {
            self.forget(&name).await;
        }
        Ok(())
    }

    /// Moves a copy to the end.
    fn touch(&self, sha256: &str, bytes: u64) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(name, _)| name != sha256);
        kept.push_back((sha256.to_owned(), bytes));
    }

    /// Copies that are too many. The last one is in use.
    fn surplus(&self) -> Vec<String> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut total: u64 = kept.iter().map(|(_, bytes)| bytes).sum();
        let mut gone = Vec::new();
        while total > self.most && kept.len() > 1 {
            if let Some((name, bytes)) = kept.pop_front() {
                total -= bytes;
                gone.push(name);
            }
        }
        gone
    }

    /// Somebody who has it open reads on.
    async fn forget(&self, sha256: &str) {
        if let Ok(path) = self.folder.local(sha256).await {
            let _ = tokio::fs::remove_file(path).await;
        }
    }
}
