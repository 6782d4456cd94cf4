//! The vault as a folder: `ab/cd/<sha256>`.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::unsynced::Unsynced;
use super::vault::{checked, digits};
use super::{Blob, Result, StoreError, Vault, is_sha256};
use crate::model::hex;

/// Bytes hashed or copied at once.
const PART: usize = 1 << 20;

/// A vault in a folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    unsynced: Arc<Unsynced>,
}

impl Folder {
    /// A vault at `root`, made where it is not there yet.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(root: &Path) -> Result<Self> {
        fs::create_dir_all(root.join("incoming"))?;
        Ok(Self { root: root.to_owned(), unsynced: Arc::default() })
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

    /// Says of bytes that are there already that they were put now; `false` where they are not there, or not as
    /// many (a power cut may leave a name without its bytes), or it cannot be said. They are looked for once more
    /// at the end: see [`Folder::take_away`].
    fn renew(path: &Path, bytes: u64) -> bool {
        let renewed = File::options().write(true).open(path).and_then(|file| {
            let is_whole = file.metadata()?.len() == bytes;
            if is_whole { file.set_modified(SystemTime::now()).map(|()| true) } else { Ok(false) }
        });
        matches!(renewed, Ok(true)) && path.is_file()
    }

    /// A file that is whole takes its name.
    fn settle(&self, file: tempfile::TempPath, sha256: &str) -> Result<()> {
        let path = self.path(sha256)?;
        if Self::renew(&path, fs::metadata(&file)?.len()) {
            return Ok(());
        }
        fs::create_dir_all(path.parent().unwrap_or(&self.root))?;
        // Whoever comes second puts the same bytes in the place of the same.
        file.persist(&path).map_err(|e| e.error)?;
        self.unsynced.add(path);
        Ok(())
    }

    fn put_now(&self, bytes: &[u8]) -> Result<String> {
        let name = hex(&Sha256::digest(bytes));
        if Self::renew(&self.path(&name)?, bytes.len() as u64) {
            return Ok(name);
        }
        let mut file = tempfile::NamedTempFile::new_in(self.incoming())?;
        file.write_all(bytes)?;
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

    fn list_now(&self, digits: &str) -> Result<Vec<Blob>> {
        self.bring_back(digits)?;
        let mut found = Vec::new();
        for level in entries(&self.root.join(digits))? {
            for entry in entries(&level.path())? {
                let name = entry.file_name().to_string_lossy().into_owned();
                if is_sha256(&name)
                    && let Ok(meta) = entry.metadata()
                {
                    found.push(Blob { sha256: name, bytes: meta.len(), put_at: put_at(&meta) });
                }
            }
        }
        Ok(found)
    }

    /// What a process was about to remove when it was killed is looked at anew.
    fn bring_back(&self, digits: &str) -> Result<()> {
        for entry in entries(&self.root.join("leaving"))? {
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_sha256(&name) && name.starts_with(digits) {
                fs::rename(entry.path(), self.path(&name)?).or_else(absent)?;
            }
        }
        Ok(())
    }

    /// Out of everybody's way first, and then a last look: whoever put the same bytes up to that
    /// moment changed the file's time, and whoever comes later finds none and writes it anew.
    fn take_away(&self, sha256: &str, before: i64) -> Result<bool> {
        let path = self.path(sha256)?;
        let leaving = self.root.join("leaving");
        fs::create_dir_all(&leaving)?;
        let aside = leaving.join(sha256);
        match fs::rename(&path, &aside) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        // Not there: another process that forgets brought it back.
        let Ok(meta) = fs::metadata(&aside) else { return Ok(false) };
        if put_at(&meta) >= before {
            fs::rename(&aside, &path).or_else(absent)?;
            return Ok(false);
        }
        Ok(fs::remove_file(&aside).is_ok())
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

/// Somebody else moved it.
fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// What is in a folder; nothing where there is none.
fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.collect::<io::Result<_>>()?),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// A file whose time cannot be told was put just now.
fn put_at(meta: &fs::Metadata) -> i64 {
    let since = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    since.map_or(i64::MAX, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
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

    async fn list(&self, of: &str) -> Result<Vec<Blob>> {
        let (me, of) = (self.clone(), digits(of)?.to_owned());
        off(move || me.list_now(&of)).await
    }

    async fn remove(&self, sha256: &str, before: i64) -> Result<bool> {
        let (me, name) = (self.clone(), sha256.to_owned());
        off(move || me.take_away(&name, before)).await
    }

    async fn verify(&self, sha256: &str) -> Result<()> {
        let (me, name) = (self.clone(), sha256.to_owned());
        off(move || me.verify_now(&name)).await
    }
}
