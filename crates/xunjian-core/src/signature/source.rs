//! The files of a pack: the embedded ones, overlaid by a folder.

use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

use crate::model::hex;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../signatures");

/// No signature file is near this size; one that is, is a mistake.
const MAX_FILE: u64 = 16 << 20;

/// The texts of a pack by path within the signatures folder, `/`-separated.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Path to text, sorted.
    pub files: BTreeMap<String, String>,
}

impl Source {
    /// The files embedded in the program.
    #[must_use]
    pub fn embedded() -> Self {
        let mut source = Self::default();
        collect(&EMBEDDED, &mut source.files);
        source
    }

    /// Whether a file is as the program was built with.
    pub(super) fn has(file: &str, text: &str) -> bool {
        EMBEDDED.get_file(file).and_then(include_dir::File::contents_utf8) == Some(text)
    }

    /// Adds the files below `dir`; one with the same path replaces ours.
    ///
    /// # Errors
    /// When the folder or a file of it cannot be read as UTF-8 text.
    pub fn overlay(&mut self, dir: &Path) -> Result<(), std::io::Error> {
        self.overlay_below(dir, dir, 0)
    }

    fn overlay_below(&mut self, root: &Path, dir: &Path, depth: usize) -> Result<(), std::io::Error> {
        let mut entries: Vec<_> = std::fs::read_dir(dir)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let kind = entry.file_type()?;
            // A link could lead anywhere, so links are not followed.
            if kind.is_dir() && depth < 8 {
                self.overlay_below(root, &path, depth + 1)?;
            } else if kind.is_file() && is_pack_file(&path) {
                if entry.metadata()?.len() > MAX_FILE {
                    return Err(std::io::Error::other(format!("{} is over 16 MiB", path.display())));
                }
                let name = path.strip_prefix(root).unwrap_or(&path);
                let name = name.iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>().join("/");
                let text = std::fs::read_to_string(&path)
                    .map_err(|e| std::io::Error::other(format!("{}: {e}", path.display())))?;
                self.files.insert(name, text);
            }
        }
        Ok(())
    }

    /// SHA-256 over every path and text: what `made_by.pack_sha256` says.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for (path, text) in &self.files {
            for part in [path, text] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        hex(&hash.finalize())
    }
}

fn is_pack_file(path: &Path) -> bool {
    path.extension().is_some_and(|ext| ext == "toml" || ext == "csv" || ext == "model")
}

fn collect(dir: &Dir<'_>, files: &mut BTreeMap<String, String>) {
    for file in dir.files() {
        if is_pack_file(file.path())
            && let Some(text) = file.contents_utf8()
        {
            let name = file.path().iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>().join("/");
            files.insert(name, text.to_owned());
        }
    }
    for sub in dir.dirs() {
        collect(sub, files);
    }
}
