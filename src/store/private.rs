//! Folders and files for the user who runs this alone, whatever the umask: they hold hashes of
//! passwords and tokens, and evidence.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes a folder where there is none, and closes it to others. One that belongs to another user is
/// left as it is: whoever set that up meant it.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    close(path, 0o700);
    Ok(())
}

/// Makes a database's file where there is none, and closes it and those beside it to others.
pub(super) fn file(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    for beside in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(beside);
        close(Path::new(&name), 0o600);
    }
    Ok(())
}

#[cfg(unix)]
fn close(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(meta) = path.metadata() else { return };
    if meta.permissions().mode() & 0o077 != 0
        && let Err(error) = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
    {
        tracing::warn!(path = %path.display(), %error, "others may read this, and it cannot be closed to them");
    }
}

#[cfg(not(unix))]
fn close(_: &Path, _: u32) {}
