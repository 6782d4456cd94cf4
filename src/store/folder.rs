//! The vault as a folder: `ab/cd/<sha256>`.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::vault::checked;
use super::{Result, StoreError, Vault};
use crate::model::hex;

/// Bytes hashed or copied at once.
const PART: usize = 1 << 20;

/// A vault in a folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// A vault at `root`, made where it is not there yet.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(root: &Path) -> Result<Self> {
        fs::create_dir_all(root.join("incoming"))?;
        Ok(Self { root: root.to_owned() })
    }

    /// Where files lie until they are whole: on the same disk, so that moving them is one step.
    #[must_use]
    pub fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    fn path(&self, sha256: &str) -> Result<PathBuf> {
        let name = checked(sha256)?;
        Ok(self.root.join(&name[..2]).join(&name[2..4]).join(name))
    }

    /// A file that is whole and on the disk takes its name.
    fn settle(&self, file: tempfile::TempPath, sha256: &str) -> Result<()> {
        let path = self.path(sha256)?;
        if path.is_file() {
            return Ok(());
        }
        let parent = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent)?;
        // Whoever comes second finds the same bytes there, and lets them be.
        file.persist(&path).map_err(|e| e.error)?;
        // The name must outlive a power cut as well. Windows opens no folders.
        if cfg!(unix) {
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    }

    fn put_now(&self, bytes: &[u8]) -> Result<String> {
        let name = hex(&Sha256::digest(bytes));
        if self.path(&name)?.is_file() {
            return Ok(name);
        }
        let mut file = tempfile::NamedTempFile::new_in(self.incoming())?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        self.settle(file.into_temp_path(), &name)?;
        Ok(name)
    }

    fn range_now(&self, sha256: &str, offset: u64, len: u64) -> Result<Vec<u8>> {
        let mut file = File::open(self.path(sha256)?)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(len).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn verify_now(&self, sha256: &str) -> Result<()> {
        let mut file = File::open(self.path(sha256)?)?;
        let mut hash = Sha256::new();
        let mut part = vec![0; PART];
        loop {
            match file.read(&mut part)? {
                0 => break,
                read => hash.update(&part[..read]),
            }
        }
        let found = hex(&hash.finalize());
        if found == sha256 { Ok(()) } else { Err(StoreError::Damaged(sha256.into(), found)) }
    }
}

/// Files are slow: off the threads that serve the network.
async fn off<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| StoreError::Io(io::Error::other(e)))?
}

impl Vault for Folder {
    async fn put(&self, bytes: &[u8]) -> Result<String> {
        let (me, bytes) = (self.clone(), bytes.to_vec());
        off(move || me.put_now(&bytes)).await
    }

    async fn adopt(&self, file: &Path, sha256: &str) -> Result<()> {
        let (me, file, name) = (self.clone(), file.to_owned(), sha256.to_owned());
        off(move || {
            checked(&name)?;
            File::open(&file)?.sync_all()?;
            me.settle(tempfile::TempPath::try_from_path(file)?, &name)
        })
        .await
    }

    async fn size(&self, sha256: &str) -> Result<Option<u64>> {
        match fs::metadata(self.path(sha256)?) {
            Ok(meta) => Ok(Some(meta.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn range(&self, sha256: &str, offset: u64, len: u64) -> Result<Vec<u8>> {
        let (me, name) = (self.clone(), sha256.to_owned());
        off(move || me.range_now(&name, offset, len)).await
    }

    async fn local(&self, sha256: &str) -> Result<PathBuf> {
        self.path(sha256)
    }

    async fn verify(&self, sha256: &str) -> Result<()> {
        let (me, name) = (self.clone(), sha256.to_owned());
        off(move || me.verify_now(&name)).await
    }
}
