//! What earlier sweeps kept of a store, looked up when its adapter asks.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use tokio::runtime::Handle;

use crate::crawl::Memory;
use crate::store::{State, Vault};

/// Memory of one store. It waits for state and vault: for threads that may wait.
pub(super) struct Remembered<S, V> {
    pub(super) state: S,
    pub(super) vault: V,
    /// Id of the store.
    pub(super) store: String,
    /// For files on their way into the vault.
    pub(super) incoming: PathBuf,
    pub(super) runtime: Handle,
}

impl<S: State, V: Vault> Remembered<S, V> {
    fn file(&self, name: &str) -> Option<PathBuf> {
        self.runtime.block_on(async {
            let blob = self.state.noted(&self.store, name).await.ok()??;
            self.vault.local(&blob).await.ok()
        })
    }
}

impl<S: State, V: Vault> Memory for Remembered<S, V> {
    fn recall(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.file(name)?).ok()
    }

    fn open(&self, name: &str) -> Option<Box<dyn Read>> {
        File::open(self.file(name)?).ok().map(|file| Box::new(file) as Box<dyn Read>)
    }

    fn scratch(&self) -> PathBuf {
        self.incoming.clone()
    }
}
