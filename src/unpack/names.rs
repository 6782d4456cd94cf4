//! Entry names that readers disagree on. Names are labels to us, never paths.

use std::collections::{HashMap, HashSet};

use super::Entry;

/// Numbers the copies of each name and tells what is odd about the names.
pub(super) fn note(entries: &mut [Entry]) -> Vec<String> {
    let mut odd: Vec<String> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for entry in entries.iter_mut() {
        let times = seen.entry(entry.name.clone()).or_default();
        entry.copy = *times;
        *times += 1;
        if *times > 1 {
            odd.push(format!("the name {} stands {times} times", show(&entry.name)));
        }
        if is_odd(&entry.name) {
            odd.push(format!("an entry is named {}", show(&entry.name)));
        }
        if entry.name.ends_with('/') && entry.size > 0 {
            odd.push(format!("{} looks like a folder and holds data", show(&entry.name)));
        }
    }
    odd.extend(collisions(entries));
    odd
}

fn is_odd(name: &str) -> bool {
    let plain = name.trim_end_matches('/');
    plain.is_empty()
        || plain.starts_with(['/', '\\'])
        || plain.split(['/', '\\']).any(|part| part == "..")
        || plain.contains(|c: char| c.is_control())
}

/// Names that fall together where packages are written to disk: one that is both file
/// and folder, and the parts of a package in another case. (Shrinkers name resources
/// `res/aB.xml` and `res/ab.xml`; that is ordinary.)
fn collisions(entries: &[Entry]) -> Vec<String> {
    let files: HashSet<&str> = entries.iter().map(|e| e.name.as_str()).filter(|n| !n.ends_with('/')).collect();
    let mut folders: HashSet<&str> = HashSet::new();
    for entry in entries {
        let mut rest = entry.name.as_str();
        // A path of ten thousand parts would make this quadratic.
        for _ in 0..32 {
            let Some((parent, _)) = rest.rsplit_once('/') else { break };
            folders.insert(parent);
            rest = parent;
        }
    }
    let mut both: Vec<&str> = folders.intersection(&files).copied().filter(|n| !n.is_empty()).collect();
    both.sort_unstable();
    let mut odd: Vec<String> = both.iter().map(|name| format!("{} is both a file and a folder", show(name))).collect();
    for name in &files {
        let lower = name.to_ascii_lowercase();
        if let Some(part) = PARTS.iter().find(|p| p.to_ascii_lowercase() == lower && *p != name) {
            odd.push(format!("{} differs from {part} only in case", show(name)));
        }
    }
    odd.sort();
    odd
}

/// Parts of a package that the system looks up by name.
const PARTS: &[&str] = &["AndroidManifest.xml", "classes.dex", "classes2.dex", "classes3.dex", "resources.arsc"];

/// A hostile name, shortened and quoted.
fn show(name: &str) -> String {
    let mut shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
    if name.chars().nth(80).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}
