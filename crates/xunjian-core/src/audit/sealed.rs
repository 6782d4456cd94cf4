//! Encrypted scripts and mini-programs whose key the package carries.

use super::Reading;
use super::package::Package;
use crate::extract::{self, BareKeys, ScriptKey};
use crate::model::LimitCode;
use crate::unpack::Entry;

/// Libraries searched for a key: one architecture's are enough, and they are large.
const LIBRARIES_MAX: usize = 8;
/// Files searched for the ids of mini-programs, and what their names end in.
const TEXTS_MAX: usize = 256;
const TEXTS: &[&str] = &[".dex", ".json", ".js", ".xml", ".html", ".txt", ".properties", ".arsc", ".plist"];

/// A key, and the library that holds it.
type Found = (ScriptKey, String);

/// What was found sealed: an entry and its place.
type Sealed<'a> = (&'a Entry, String);

impl Package<'_> {
    /// Reads what was found sealed, where this package carries the key; what is opened is no limit any more.
    pub(super) fn unseal(&self, reading: &mut Reading) {
        let is_sealed = |place: &str| {
            reading.limits.iter().any(|limit| limit.code == LimitCode::EncryptedScript && limit.place == place)
        };
        let mut sealed: Vec<Sealed<'_>> = self
            .archive
            .entries
            .iter()
            .map(|entry| (entry, self.place_of(entry)))
            .filter(|(_, place)| is_sealed(place))
            .collect();
        // The shortest is the cheapest to try keys on.
        sealed.sort_by_key(|(entry, _)| (entry.size, entry.offset));
        let mut keys = Keys { package: self, known: Vec::new(), bare: BareKeys::default(), ids: None, failed: false };
        for (entry, place) in sealed {
            if self.budget.is_out_of_time() {
                return;
            }
            let bytes = self.archive.read(entry, &place, self.budget).bytes;
            let Some((text, how)) = keys.open(&bytes) else { continue };
            reading.limits.retain(|limit| limit.code != LimitCode::EncryptedScript || limit.place != place);
            let opened = format!("{place} (opened with {how})");
            let mut extracted = extract::entry(&entry.name, &opened, &text, self.budget);
            let archives = std::mem::take(&mut extracted.archives);
            self.absorb(reading, extracted);
            self.within(None, archives, reading);
        }
    }

    /// What some libraries of this package give, the first of them that gives something.
    fn in_libraries<T>(&self, mut look: impl FnMut(&[u8]) -> Option<T>) -> Option<(T, String)> {
        let libraries = self.archive.entries.iter().filter(|entry| entry.name.ends_with(".so"));
        libraries.take(LIBRARIES_MAX).find_map(|entry| {
            let library = self.archive.read(entry, &self.place_of(entry), self.budget).bytes;
            let name = entry.name.rsplit('/').next().unwrap_or(&entry.name);
            Some((look(&library)?, name.to_owned()))
        })
    }

    /// Ids of mini-programs that the names and texts of this package say.
    fn program_ids(&self) -> Vec<String> {
        let names = self.archive.entries.iter().flat_map(|entry| extract::program_ids(entry.name.as_bytes()));
        let mut ids: Vec<String> = names.collect();
        let is_text = |entry: &&Entry| TEXTS.iter().any(|ending| entry.name.ends_with(ending));
        for entry in self.archive.entries.iter().filter(is_text).take(TEXTS_MAX) {
            ids.extend(extract::program_ids(&self.archive.read(entry, "", self.budget).bytes));
        }
        ids.sort();
        ids.dedup();
        ids
    }
}

/// The keys of one package, looked for when they are needed.
struct Keys<'a> {
    package: &'a Package<'a>,
    known: Vec<Found>,
    bare: BareKeys,
    ids: Option<Vec<String>>,
    /// No key was found for a script without a sign: there is none for the next.
    failed: bool,
}

impl Keys<'_> {
    /// What is behind the encryption, and what opened it.
    fn open(&mut self, sealed: &[u8]) -> Option<(Vec<u8>, String)> {
        if extract::is_sealed_program(sealed) {
            let ids = self.ids.get_or_insert_with(|| self.package.program_ids());
            if !self.package.budget.take_steps(extract::PROGRAM_ID_STEPS.saturating_mul(ids.len() as u64)) {
                return None;
            }
            return extract::open_program(sealed, ids).map(|(plain, id)| (plain, format!("the id {id}")));
        }
        let known = self.known.iter().position(|(key, _)| key.open(sealed).is_some());
        let at = known.or_else(|| {
            let found = self.behind_sign(sealed).or_else(|| self.bare(sealed))?;
            self.known.push(found);
            Some(self.known.len() - 1)
        })?;
        let (key, library) = self.known.get(at)?;
        Some((key.open(sealed)?, format!("the key in {library}")))
    }

    fn behind_sign(&self, script: &[u8]) -> Option<Found> {
        let word = extract::script_sign(script)?;
        self.package.in_libraries(|library| extract::script_key(library, script, &word))
    }

    fn bare(&mut self, script: &[u8]) -> Option<Found> {
        if self.failed {
            return None;
        }
        let (package, bare) = (self.package, &mut self.bare);
        let found = package.in_libraries(|library| bare.find(library, script, package.budget));
        self.failed = found.is_none() && script.len().is_multiple_of(4);
        found
    }
}
