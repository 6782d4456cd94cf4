//! Files that have their name and not yet a place on the disk that outlives a power cut: they get it together.
//!
//! A sweep keeps thousands of small answers. Asking the disk for each of them, and for the folder it lies in, took
//! longer than all the rest (`benches/README.md`). What a power cut may cost in between is a blob that is missing or
//! short. Both are noticed when it is used, put again or looked over by `xunjian check`, and it is fetched again.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longest time that a file waits.
const WAIT: Duration = Duration::from_secs(1);
/// Most files that wait; whoever brings one more sees to all of them.
const MOST: usize = 256;

/// Files that wait. What is left at the end of the process is seen to when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    paths: Mutex<Vec<PathBuf>>,
}

impl Unsynced {
    /// Sees to a file within a second.
    pub(super) fn add(self: &Arc<Self>, path: PathBuf) {
        let waiting = {
            let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
            paths.push(path);
            paths.len()
        };
        if waiting >= MOST || (waiting == 1 && !self.see_to_it_later()) {
            self.sync();
        }
    }

    /// Starts who sees to all that came until then; `false` where the system gives no thread.
    fn see_to_it_later(self: &Arc<Self>) -> bool {
        let me = Arc::downgrade(self);
        let later = move || {
            std::thread::sleep(WAIT);
            if let Some(me) = me.upgrade() {
                me.sync();
            }
        };
        std::thread::Builder::new().name("unsynced".into()).spawn(later).is_ok()
    }

    /// Sees to all that wait: the bytes first, then the names.
    pub(super) fn sync(&self) {
        let paths = std::mem::take(&mut *self.paths.lock().unwrap_or_else(PoisonError::into_inner));
        let mut folders = BTreeSet::new();
        for path in &paths {
            note(path, File::open(path).and_then(|file| file.sync_all()));
            folders.extend(path.parent());
        }
        // Windows opens no folders.
        if cfg!(unix) {
            for folder in folders {
                note(folder, File::open(folder).and_then(|folder| folder.sync_all()));
            }
        }
    }
}

impl Drop for Unsynced {
    fn drop(&mut self) {
        self.sync();
    }
}

/// Nobody waits for the answer any more. What was pruned meanwhile needs no place.
fn note(path: &std::path::Path, synced: std::io::Result<()>) {
    match synced {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::error!("{}: may not outlive a power cut: {error}", path.display());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn waiting(files: &Unsynced) -> usize {
        files.paths.lock().unwrap().len()
    }

    #[test]
    fn no_more_than_so_many_wait_and_none_is_left_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let files = Arc::new(Unsynced::default());
        for n in 0..MOST * 3 + 7 {
            let path = dir.path().join(n.to_string());
            std::fs::write(&path, "x").unwrap();
            files.add(path);
            assert!(waiting(&files) < MOST);
        }
        files.sync();
        assert_eq!(waiting(&files), 0);
    }

    #[test]
    fn what_is_gone_meanwhile_is_no_trouble() {
        let files = Arc::new(Unsynced::default());
        files.add(PathBuf::from("/not/there"));
        files.sync();
        assert_eq!(waiting(&files), 0);
    }
}
