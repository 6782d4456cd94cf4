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

/// Puts the register that was replaced last back in its place; `false` where there is none. The one
/// that it replaces can be had back the same way.
///
/// # Errors
/// When the folder cannot be read or written.
pub fn undo(folder: &Path, kind: RegisterKind) -> Result<bool, FolderError> {
    let path = path_of(folder, kind);
    let fail = |error: io::Error| FolderError::Io(path.clone(), error);
    let entries = match std::fs::read_dir(folder.join("history")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(fail(error)),
    };
    let is_of = |name: &str| name.strip_prefix(kind.id()).is_some_and(|rest| rest.starts_with('-'));
    let kept = entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_of));
    let latest = kept.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).max();
    let Some((_, latest)) = latest else { return Ok(false) };
    let before: Register = std::fs::read(&latest)
        .and_then(|text| serde_json::from_slice(&text).map_err(io::Error::other))
        .map_err(fail)?;
    std::fs::remove_file(&latest).map_err(fail)?;
    replace(folder, &path, &before).map_err(fail)?;
    Ok(true)
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
