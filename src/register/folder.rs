//! Registers in a folder: `KIND.json` each, the ones before in `history/`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Register;
use crate::model::{RegisterKind, hex};

/// Why a folder of registers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The file system.
    #[error("{path}: {1}", path = .0.display())]
    Io(PathBuf, io::Error),
    /// A file that is not one of ours.
    #[error("{path}: not a register we wrote; import it again: {1}", path = .0.display())]
    Register(PathBuf, serde_json::Error),
}

/// Where the register of a kind lies.
#[must_use]
pub fn path_of(folder: &Path, kind: RegisterKind) -> PathBuf {
    folder.join(format!("{}.json", kind.id()))
}

/// The registers of these kinds that a folder holds.
///
/// # Errors
/// When a file cannot be read, or is not one of ours.
pub fn read_all(folder: &Path, kinds: &[RegisterKind]) -> Result<Vec<Register>, FolderError> {
    let mut registers = Vec::new();
    for kind in kinds {
        let path = path_of(folder, *kind);
        if path.is_file() {
            let text = std::fs::read(&path).map_err(|error| FolderError::Io(path.clone(), error))?;
            registers.push(serde_json::from_slice(&text).map_err(|error| FolderError::Register(path, error))?);
        }
    }
    Ok(registers)
}

/// Writes a register whole; the one before goes to `history/`, named by its content.
///
/// # Errors
/// When the folder cannot be written.
pub fn keep(folder: &Path, register: &Register) -> Result<(), FolderError> {
    let path = path_of(folder, register.kind);
    replace(folder, &path, register).map_err(|error| FolderError::Io(path, error))
}

fn replace(folder: &Path, path: &Path, register: &Register) -> io::Result<()> {
    let history = folder.join("history");
    std::fs::create_dir_all(&history)?;
    if path.is_file() {
        let text = std::fs::read(path)?;
        let before = hex(&Sha256::digest(&text));
        std::fs::write(history.join(format!("{}-{}.json", register.kind.id(), &before[..16])), text)?;
    }
    // Beside it first: a reader sees the old register or the new one, never half of one.
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut fresh, register)?;
    fresh.flush()?;
    fresh.as_file().sync_all()?;
    fresh.persist(path).map_err(|error| error.error)?;
    Ok(())
}
