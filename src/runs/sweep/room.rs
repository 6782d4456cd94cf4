//! `--limit`: room for so many apps of each store.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

/// Apps that a sweep took in, by store. Holds names only where there is a limit, so that
/// memory does not grow with a catalogue.
#[derive(Debug, Default)]
pub struct Room {
    limit: Option<usize>,
    taken: Mutex<HashMap<String, HashSet<String>>>,
}

impl Room {
    /// Room for `limit` apps of each store; without end for `None`.
    #[must_use]
    pub fn of(limit: Option<usize>) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Takes an app in; `false` where there is no room.
    pub(super) fn take(&self, store: &str, name: &str) -> bool {
        let Some(limit) = self.limit else { return true };
        let mut taken = self.taken.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let names = taken.entry(store.to_owned()).or_default();
        if names.len() >= limit {
            return names.contains(name);
        }
        names.insert(name.to_owned());
        true
    }

    /// No further app of the store has room.
    pub(super) fn is_full(&self, store: &str) -> bool {
        let Some(limit) = self.limit else { return false };
        let taken = self.taken.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        taken.get(store).is_some_and(|names| names.len() >= limit)
    }

    /// There is a limit to keep count for.
    pub(super) const fn is_limited(&self) -> bool {
        self.limit.is_some()
    }
}
