//! Where a report goes: standard output, or a file that is whole or not there.
//!
//! A report is written beside its place under a temporary name and renamed at the end: whoever stops the program, or
//! fills the disk, is left with the report of before.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::usage::{OrUsage, ensure_usage};

/// A place for a report.
pub(super) enum Out {
    /// Standard output.
    Stdout,
    /// A device or a pipe, written as it is: there is nothing to keep.
    Device(File),
    /// A file to be, and its name.
    File(NamedTempFile, PathBuf),
}

impl Out {
    /// Standard output, or a file to be.
    ///
    /// # Errors
    /// When the file is one of `inputs`, or its folder takes no files.
    pub(super) fn open(path: Option<&Path>, inputs: &[PathBuf]) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::Stdout) };
        ensure_usage!(
            !inputs.iter().any(|input| is_same(input, path)),
            "--out {}: that is one of the inputs; name another file, so that the evidence stays as it is",
            path.display()
        );
        ensure_usage!(!path.is_dir(), "--out {}: that is a folder; name a file in it", path.display());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let hint = if folder.is_dir() { "" } else { "; its folder is not there: make it, or name another" };
        let what = || format!("--out {}: cannot be written{hint}", path.display());
        if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
            return Ok(Self::Device(File::options().write(true).open(path).or_usage(what)?));
        }
        let file = tempfile::Builder::new().prefix(".report-").suffix(".part").tempfile_in(folder).or_usage(what)?;
        Ok(Self::File(file, path.to_owned()))
    }

    /// Whether it is a terminal, which shows colour and takes no binary.
    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Stdout) && std::io::stdout().is_terminal()
    }

    /// What the report is written to.
    ///
    /// # Errors
    /// When the system has no more file handles.
    pub(super) fn writer(&self) -> std::io::Result<Box<dyn Write + Send>> {
        Ok(match self {
            // Line by line, so that whoever reads along has each app as it is done.
            Self::Stdout => Box::new(std::io::stdout()),
            Self::Device(file) => Box::new(BufWriter::new(file.try_clone()?)),
            Self::File(file, _) => Box::new(BufWriter::new(file.as_file().try_clone()?)),
        })
    }

    /// The report is whole: it takes its place.
    ///
    /// # Errors
    /// When the medium fails.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let Self::File(file, path) = self else { return Ok(()) };
        let what = || format!("--out {}: cannot be written; the file of before is as it was", path.display());
        file.as_file().sync_all().or_usage(what)?;
        readable(file.as_file());
        file.persist(&path).map_err(|error| error.error).or_usage(what)?;
        Ok(())
    }
}

/// A temporary file is its owner's alone; a report is like any other file.
#[cfg(unix)]
fn readable(file: &File) {
    use std::os::unix::fs::PermissionsExt;
    // Without it the report is whole all the same.
    let _ = file.set_permissions(std::fs::Permissions::from_mode(0o644));
}

#[cfg(not(unix))]
fn readable(_file: &File) {}

/// Whether two names lead to one file; a link to an input is that input.
fn is_same(input: &Path, out: &Path) -> bool {
    match (std::fs::canonicalize(input), std::fs::canonicalize(out)) {
        (Ok(input), Ok(out)) => input == out || is_one_inode(&input, &out),
        _ => false,
    }
}

#[cfg(unix)]
fn is_one_inode(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (std::fs::metadata(one), std::fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_one_inode(_one: &Path, _other: &Path) -> bool {
    false
}
