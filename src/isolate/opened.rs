//! Package files on disk.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::audit::{ReadAt, read_range};
use crate::model::hex;

/// A file opened for reading. A small one is held whole: its entries are read in thousands
/// of small parts, and each would be a call to the system.
pub struct Opened {
    file: File,
    size: u64,
    held: Option<Vec<u8>>,
}

/// Files up to this size are held: half of the packages of a store, and little for a thread.
const HELD_MAX: u64 = 16 << 20;

impl Opened {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be opened or read.
    pub fn new(path: &Path) -> io::Result<Self> {
        Self::from_file(File::open(path)?)
    }

    /// A file that is open already.
    ///
    /// # Errors
    /// When its length cannot be told.
    pub fn from_file(file: File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self { file, size, held: None })
    }

    /// The file itself, to be handed to somebody else.
    #[must_use]
    pub const fn file(&self) -> &File {
        &self.file
    }

    /// SHA-256 in lower-case hex.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sha256(&self) -> io::Result<String> {
        const PART: u64 = 1 << 20;
        let mut hash = Sha256::new();
        match &self.held {
            Some(bytes) => hash.update(bytes),
            None => {
                let mut at = 0;
                while at < self.size {
                    let part = self.range(at, PART)?;
                    if part.is_empty() {
                        break;
                    }
                    hash.update(&part);
                    at += part.len() as u64;
                }
            }
        }
        Ok(hex(&hash.finalize()))
    }

    /// Takes a small file into memory.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn held(mut self) -> io::Result<Self> {
        if self.size <= HELD_MAX {
            let bytes = read_range(&self, 0, self.size)?;
            self.size = bytes.len() as u64;
            self.held = Some(bytes);
        }
        Ok(self)
    }
}

impl ReadAt for Opened {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match &self.held {
            Some(bytes) => bytes.read_at(buffer, offset),
            None => read_file(&self.file, buffer, offset),
        }
    }

    fn range(&self, offset: u64, length: u64) -> io::Result<Cow<'_, [u8]>> {
        match &self.held {
            Some(bytes) => bytes.range(offset, length),
            None => read_range(self, offset, length).map(Cow::Owned),
        }
    }
}

#[cfg(unix)]
fn read_file(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_file(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
