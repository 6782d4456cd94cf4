//! The configuration in force, as a file with comments.

use std::fmt::Write;

use super::{Caps, Config, Network, Pace};

/// Stands for a secret.
const MASK: &str = "********";

impl Config {
    /// TOML with a comment above each key, Chinese where `lang` is `zh` and else English;
    /// secrets are masked.
    #[must_use]
    pub fn show(&self, lang: &str) -> String {
        let pick = usize::from(lang == "zh");
        let mut shown = self.clone();
        shown.network.proxy = masked(&shown.network.proxy);
        for store in shown.store.values_mut() {
            store.vars.values_mut().for_each(|value| *value = MASK.into());
        }
        let Ok(toml::Value::Table(table)) = toml::Value::try_from(&shown) else { return String::new() };
        let mut out = String::new();
        let sections = [("network", Network::WORDS), ("caps", Caps::WORDS), ("pace", Pace::WORDS)];
        for (name, words) in sections {
            let _ = writeln!(out, "[{name}]");
            for (field, doc) in words {
                let key = field.replace('_', "-");
                if let Some(value) = table.get(name).and_then(|section| section.get(&key)) {
                    let _ = write!(out, "# {}\n{key} = {value}\n", doc[pick]);
                }
            }
            out.push('\n');
        }
        for name in ["host", "store", "watch"] {
            let mut part = toml::Table::new();
            let is_some = |v: &&toml::Value| {
                v.as_table().is_some_and(|t| !t.is_empty()) || v.as_array().is_some_and(|a| !a.is_empty())
            };
            if let Some(value) = table.get(name).filter(is_some) {
                part.insert(name.into(), value.clone());
                out.push_str(&toml::to_string(&part).unwrap_or_default());
                out.push('\n');
            }
        }
        out
    }
}

/// Hides the user part of an address.
fn masked(address: &str) -> String {
    match (address.find("://"), address.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}{MASK}{}", &address[..scheme + 3], &address[at..]),
        _ => address.to_owned(),
    }
}
