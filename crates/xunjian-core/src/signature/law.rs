//! Instruments and policies of a pack: one that is at fault is left out, and the others load.

use std::collections::BTreeMap;

use super::instrument::quoted_twice;
use super::loader::stem;
use super::{Instrument, PackError, Policy};

/// What was read of the law, and what is wrong with the rest.
pub(super) struct Law {
    pub(super) policies: BTreeMap<String, Policy>,
    pub(super) instruments: BTreeMap<String, Instrument>,
    pub(super) faults: Vec<PackError>,
}

impl Law {
    /// Reads all files, given as path and text: instruments first, since policies cite them.
    pub(super) fn read(files: &[(String, String)]) -> Self {
        let mut law = Self { policies: BTreeMap::new(), instruments: BTreeMap::new(), faults: Vec::new() };
        let named = |folder: &'static str| {
            files.iter().filter_map(move |(file, text)| {
                let name = file.strip_prefix(folder)?.strip_prefix('/')?;
                Some((file.as_str(), stem(name), text.as_str()))
            })
        };
        for (file, id, text) in named("instruments") {
            match Instrument::parse(file, id, text) {
                Ok(instrument) => drop(law.instruments.insert(id.to_owned(), instrument)),
                Err(faults) => law.faults.extend(faults),
            }
        }
        let read = named("instruments").filter_map(|(file, id, text)| Some((file, text, law.instruments.get(id)?)));
        law.faults.extend(quoted_twice(read));
        let mut homes: BTreeMap<String, &str> = BTreeMap::new();
        for (file, id, text) in named("policies") {
            match Policy::parse(file, id, text, &law.instruments) {
                Ok(policy) => match homes.get(&policy.id) {
                    Some(first) => {
                        let at = text.find(&policy.id).unwrap_or(0);
                        let message = format!("a second policy `{}`; the first is {first}", policy.id);
                        law.faults.push(PackError::at(file, text, at, message));
                    }
                    None => {
                        homes.insert(policy.id.clone(), file);
                        law.policies.insert(policy.id.clone(), policy);
                    }
                },
                Err(faults) => law.faults.extend(faults),
            }
        }
        law
    }
}
