//! The resource table: every string in every locale, and values by resource id.

use std::collections::HashMap;

use apk_info_axml::structs::{ResTableEntry, ResTableFlag, ResTablePackage, ResourceValue, ResourceValueType};
use apk_info_axml::{ARSC, ResAnomaly};

use super::{Extracted, chunks, pool};
use crate::model::{Block, Budget, Kind, Limit, LimitCode};

/// What other readers ask of the table.
#[derive(Debug, Default)]
pub struct Resources {
    /// Resource id to (configuration, value), for strings and references.
    values: HashMap<u32, Vec<(String, Value)>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    Reference(u32),
}

/// References followed from one resource at most.
const HOPS: usize = 8;

impl Resources {
    /// Reads a table: its strings as facts, its values for look-up.
    #[must_use]
    pub fn read(bytes: &[u8], place: &str, budget: &Budget) -> (Self, Extracted) {
        let mut out = Extracted::default();
        out.read.bytes = bytes.len() as u64;
        let mut resources = Self::default();
        let tidy = match chunks::table(bytes) {
            Ok(tidy) => tidy,
            Err(reason) => {
                out.limits.push(Limit::new(LimitCode::BadResources, place, reason));
                return (resources, out);
            }
        };
        let mut odd = tidy.odd;
        let texts = pool::strings(&tidy.bytes, 12);
        let mut used = vec![false; texts.len()];
        match ARSC::new(&mut tidy.bytes.as_slice()) {
            Ok(table) => {
                let mut packages: Vec<&ResTablePackage> = table.packages().collect();
                packages.sort_by_key(|p| p.header.id);
                for package in packages {
                    resources.package(package, &texts, &mut used, place, &mut out);
                }
                // Splits and test packages really have empty tables.
                let anomalies = table.anomalies().iter().filter(|a| !matches!(a, ResAnomaly::NoPackages));
                odd.extend(anomalies.map(|a| a.code().to_string()));
            }
            Err(error) => out.limits.push(Limit::new(LimitCode::BadResources, place, error.to_string())),
        }
        for oddity in odd {
            out.limits.push(Limit::new(LimitCode::TamperedResources, place, oddity));
        }
        left_over(&texts, &used, place, &mut out);
        if out.read.strings > budget.strings as u64 {
            out.limits.push(Limit::new(LimitCode::OverBudget, place, "more strings than the budget allows"));
        }
        (resources, out)
    }

    fn package(
        &mut self,
        package: &ResTablePackage,
        texts: &[String],
        used: &mut [bool],
        place: &str,
        out: &mut Extracted,
    ) {
        let mut configs: Vec<_> = package.resources.iter().map(|(config, types)| (config.as_string(), types)).collect();
        // Chinese first: reviewers read it first, and evidence keeps the first places.
        configs.sort_by(|a, b| rank(&a.0).cmp(&rank(&b.0)).then_with(|| a.0.cmp(&b.0)));
        for (config, types) in configs {
            let mut block = Block::new(Kind::Resource, place, "");
            let mut ids: Vec<&u8> = types.keys().collect();
            ids.sort_unstable();
            for &type_id in ids {
                let entries = &types[&type_id];
                for (position, entry) in entries.entries.iter().enumerate() {
                    let entry_id =
                        entries.entry_ids.as_ref().and_then(|ids| ids.get(position)).map_or(position as u16, |&id| id);
                    let id = (package.header.id & 0xff) << 24 | u32::from(type_id) << 16 | u32::from(entry_id);
                    for value in values_of(entry) {
                        self.value(package, entry, (id, type_id), &value, &config, texts, used, &mut block);
                    }
                }
            }
            out.read.strings += block.len() as u64;
            out.facts.push(block);
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn value(
        &mut self,
        package: &ResTablePackage,
        entry: &ResTableEntry,
        (id, type_id): (u32, u8),
        value: &Plain,
        config: &str,
        texts: &[String],
        used: &mut [bool],
        block: &mut Block,
    ) {
        match *value {
            Plain::Text(index) => {
                let Some(text) = texts.get(index as usize).filter(|t| !t.is_empty()) else { return };
                if let Some(used) = used.get_mut(index as usize) {
                    *used = true;
                }
                self.values.entry(id).or_default().push((config.to_owned(), Value::Text(text.clone())));
                if !is_path(text) {
                    let name = package.get_entry_full_name(entry, type_id).unwrap_or_else(|| format!("{id:#010x}"));
                    let name = if config.is_empty() { name } else { format!("{name} [{config}]") };
                    block.push_named(&name, text);
                }
            }
            Plain::Reference(to) => {
                self.values.entry(id).or_default().push((config.to_owned(), Value::Reference(to)));
            }
        }
    }

    /// Every value of a resource, references followed, Chinese configurations first.
    #[must_use]
    pub fn texts(&self, id: u32) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.collect(id, HOPS, &mut found);
        found.sort_by(|a, b| rank(&a.0).cmp(&rank(&b.0)).then_with(|| a.cmp(b)));
        found.dedup();
        found
    }

    /// No value was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Strings of the table that look like paths of files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.values.values().flatten().filter_map(|(_, value)| match value {
            Value::Text(text) if is_path(text) => Some(text.as_str()),
            _ => None,
        })
    }

    fn collect(&self, id: u32, hops: usize, found: &mut Vec<(String, String)>) {
        if hops == 0 || found.len() > 500 {
            return;
        }
        for (config, value) in self.values.get(&id).into_iter().flatten() {
            match value {
                Value::Text(text) => found.push((config.clone(), text.clone())),
                Value::Reference(to) => self.collect(*to, hops - 1, found),
            }
        }
    }
}

/// Simplified Chinese, other Chinese, the default, the rest.
fn rank(config: &str) -> u8 {
    let is_chinese = config.starts_with("zh") || config.contains("-zh");
    match (is_chinese, config.is_empty()) {
        (true, _) if ["TW", "HK", "MO", "Hant"].iter().any(|region| config.contains(region)) => 1,
        (true, _) => 0,
        (false, true) => 2,
        (false, false) => 3,
    }
}

/// A file of the package, `res/layout/main.xml` or, obfuscated, `r/a/b.xml`: no words.
fn is_path(text: &str) -> bool {
    const ENDINGS: &[&str] = &["xml", "png", "webp", "jpg", "jpeg", "gif", "ttf", "otf", "mp3", "ogg", "json", "txt"];
    text.starts_with("res/")
        || text.contains('/')
            && !text.contains([' ', ':'])
            && text.is_ascii()
            && text.rsplit_once('.').is_some_and(|(_, end)| ENDINGS.contains(&end))
}

/// A value as far as we care.
enum Plain {
    Text(u32),
    Reference(u32),
}

fn values_of(entry: &ResTableEntry) -> Vec<Plain> {
    match entry {
        ResTableEntry::NoEntry => Vec::new(),
        ResTableEntry::Default(entry) => plain(&entry.value).into_iter().collect(),
        // Data type in the high byte of the flags, the value in place (`ResTable_entry::Compact`).
        ResTableEntry::Compact(entry) => match entry.flags >> 8 {
            0x03 => vec![Plain::Text(entry.data)],
            0x01 | 0x07 => vec![Plain::Reference(entry.data)],
            _ => Vec::new(),
        },
        ResTableEntry::Complex(entry) => {
            debug_assert!(ResTableFlag::from_bits_truncate(entry.flags).contains(ResTableFlag::FLAG_COMPLEX));
            entry.values.iter().filter_map(|map| plain(&map.value)).collect()
        }
    }
}

fn plain(value: &ResourceValue) -> Option<Plain> {
    match value.data_type {
        ResourceValueType::String => Some(Plain::Text(value.data)),
        ResourceValueType::Reference | ResourceValueType::DynamicReference => Some(Plain::Reference(value.data)),
        _ => None,
    }
}

/// Strings of the pool that no entry we could read refers to: words all the same.
fn left_over(texts: &[String], used: &[bool], place: &str, out: &mut Extracted) {
    let mut block = Block::new(Kind::Resource, place, "pool string");
    for (index, text) in texts.iter().enumerate() {
        if !used[index] && !text.is_empty() && !is_path(text) {
            block.push(index as u32, text);
        }
    }
    out.read.strings += block.len() as u64;
    out.facts.push(block);
}
