//! Android's binary resource table, `resources.arsc`.

use apk_info_axml::structs::{ResTableEntry, ResTableFlag, ResTablePackage, ResourceValue, ResourceValueType};
use apk_info_axml::{ARSC, ResAnomaly};

use super::{Builder, Value, is_path, rank};
use crate::extract::{Input, chunks, pool};
use crate::model::{Block, Kind, Limit, LimitCode};

/// Reads a table into `builder`; what is wrong with it is said there.
pub(super) fn read(input: Input<'_>, builder: &mut Builder) {
    let place = input.place;
    let tidy = match chunks::table(input) {
        Ok(tidy) => tidy,
        Err(reason) => {
            builder.out.limits.push(Limit::new(LimitCode::BadResources, place, reason));
            return;
        }
    };
    let mut odd = tidy.odd;
    let texts = pool::strings(input.part(&tidy.bytes, place), 12);
    let mut table = Table { used: vec![false; texts.len()], texts: &texts, builder };
    match ARSC::new(&mut tidy.bytes.as_slice()) {
        Ok(parsed) => {
            let mut packages: Vec<&ResTablePackage> = parsed.packages().collect();
            packages.sort_by_key(|p| p.header.id);
            packages.into_iter().for_each(|package| table.package(package));
            // Splits and test packages really have empty tables.
            let anomalies = parsed.anomalies().iter().filter(|a| !matches!(a, ResAnomaly::NoPackages));
            odd.extend(anomalies.map(|a| a.code().to_string()));
        }
        Err(error) => table.builder.out.limits.push(Limit::new(LimitCode::BadResources, place, error.to_string())),
    }
    let left = left_over(&texts, &table.used, input);
    for oddity in odd {
        builder.out.limits.push(Limit::new(LimitCode::TamperedResources, place, oddity));
    }
    builder.out.read.strings += left.len() as u64;
    builder.out.facts.push(left);
}

/// A table with its string pool.
struct Table<'a, 'b> {
    texts: &'a [String],
    used: Vec<bool>,
    builder: &'a mut Builder<'b>,
}

impl Table<'_, '_> {
    fn package(&mut self, package: &ResTablePackage) {
        let mut configs: Vec<_> = package.resources.iter().map(|(config, types)| (config.as_string(), types)).collect();
        configs.sort_by(|a, b| rank(&a.0).cmp(&rank(&b.0)).then_with(|| a.0.cmp(&b.0)));
        for (config, types) in configs {
            let mut ids: Vec<&u8> = types.keys().collect();
            ids.sort_unstable();
            for &type_id in ids {
                let entries = &types[&type_id];
                for (position, entry) in entries.entries.iter().enumerate() {
                    if self.builder.is_full() {
                        return;
                    }
                    let entry_id =
                        entries.entry_ids.as_ref().and_then(|ids| ids.get(position)).map_or(position as u16, |&id| id);
                    let id = (package.header.id & 0xff) << 24 | u32::from(type_id) << 16 | u32::from(entry_id);
                    for value in values_of(entry) {
                        let Some(value) = self.value(&value) else { continue };
                        self.builder.add(id, &config, value, || {
                            package.get_entry_full_name(entry, type_id).unwrap_or_else(|| format!("{id:#010x}"))
                        });
                    }
                }
            }
        }
    }

    fn value(&mut self, plain: &Plain) -> Option<Value> {
        match *plain {
            Plain::Text(index) => {
                let text = self.texts.get(index as usize).filter(|t| !t.is_empty())?;
                self.used[index as usize] = true;
                Some(Value::Text(text.clone()))
            }
            Plain::Reference(to) => Some(Value::Reference(to)),
        }
    }
}

/// A value as it stands in the table.
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
fn left_over(texts: &[String], used: &[bool], input: Input<'_>) -> Block {
    let mut block = Block::new(Kind::Resource, input.place, "pool string");
    for (index, text) in texts.iter().enumerate().take(input.budget().strings) {
        if !used[index] && !text.is_empty() && !is_path(text) {
            block.push(index as u32, text);
        }
    }
    block
}
