//! The library (SDK) catalogue: CSV tables of facts about third-party code.

use std::collections::HashMap;

use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use super::PackError;

/// Categories a library may have.
pub(super) const CATEGORIES: &[&str] = &[
    "ads",
    "games",
    "live",
    "ocr",
    "tracker",
    "payment",
    "push",
    "map",
    "social",
    "framework",
    "packer",
    "late-code",
    "video",
    "speech",
    "education",
    "network",
    "security",
    "ui",
    "utility",
    "storage",
    "login",
    "update",
    "other",
];

/// Folders of an installed package that hold files as the app's maker put them: Android's,
/// HarmonyOS's.
const ASSETS: &[&str] = &["assets/", "resources/rawfile/"];

/// One row of a catalogue file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// Product.
    pub name: String,
    /// Vendor.
    pub vendor: String,
    /// Category.
    pub category: String,
    /// Dotted package or class prefixes, blank-separated.
    pub classes: String,
    /// Manifest components, blank-separated.
    pub components: String,
    /// File names of native libraries, `*` allowed at the end, blank-separated.
    pub natives: String,
    /// Domains, blank-separated.
    pub domains: String,
    /// Asset names, beginnings of paths below the assets, or `content=…`, blank-separated.
    pub assets: String,
    /// Where the facts come from.
    pub source: String,
}

/// The catalogue, indexed for look-up.
#[derive(Debug, Default)]
pub struct Libraries {
    /// All libraries.
    pub all: Vec<Library>,
    classes: HashMap<String, u32>,
    components: HashMap<String, u32>,
    natives: HashMap<String, u32>,
    native_globs: GlobSet,
    native_glob_owner: Vec<u32>,
    asset_names: HashMap<String, u32>,
    /// Beginnings of asset paths by their first byte.
    asset_starts: HashMap<u8, Vec<(String, u32)>>,
}

impl Libraries {
    /// Reads the rows of one CSV file and adds them.
    ///
    /// # Errors
    /// A row that does not fit the header, an unknown category, a prefix too short to mean
    /// anything, or a row that nothing could match.
    pub(super) fn add_file(&mut self, file: &str, text: &str) -> Result<(), PackError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        for row in reader.deserialize::<Library>() {
            let library = row.map_err(|e| {
                let line = e.position().map_or(1, |p| p.line() as usize);
                PackError { file: file.into(), line, column: 1, message: e.to_string() }
            })?;
            if let Some(fault) = fault_of(&library) {
                let offset = text.find(&library.name).unwrap_or(0);
                return Err(PackError::at(file, text, offset, format!("{}: {fault}", library.name)));
            }
            self.all.push(library);
        }
        Ok(())
    }

    /// Builds the look-up tables; the first row that claims a fact keeps it.
    pub(super) fn index(&mut self) -> Result<(), String> {
        let mut globs = GlobSetBuilder::new();
        // Rows of several files about one product are one library, the first.
        let mut first: HashMap<(&str, &str), u32> = HashMap::new();
        for (id, library) in self.all.iter().enumerate() {
            let id = *first.entry((&library.name, &library.vendor)).or_insert(id as u32);
            for prefix in library.classes.split_whitespace() {
                self.classes.entry(prefix.trim_end_matches('.').to_owned()).or_insert(id);
            }
            for component in library.components.split_whitespace() {
                self.components.entry(component.to_owned()).or_insert(id);
            }
            for native in library.natives.split_whitespace() {
                if native.contains(['*', '?', '[']) {
                    globs.add(Glob::new(native).map_err(|e| e.to_string())?);
                    self.native_glob_owner.push(id);
                } else {
                    self.natives.entry(native.to_owned()).or_insert(id);
                }
            }
            for asset in library.assets.split_whitespace() {
                self.asset_names.entry(asset.to_owned()).or_insert(id);
                if let Some(&first) = asset.as_bytes().first() {
                    self.asset_starts.entry(first).or_default().push((asset.to_owned(), id));
                }
            }
        }
        self.native_globs = globs.build().map_err(|e| e.to_string())?;
        Ok(())
    }

    /// The library whose longest prefix covers a dotted class name.
    #[must_use]
    pub fn of_class(&self, class: &str) -> Option<u32> {
        let mut end = class.len();
        loop {
            if let Some(&id) = self.classes.get(&class[..end]) {
                return Some(id);
            }
            end = class[..end].rfind(['.', '$'])?;
        }
    }

    /// The library of a manifest component: by its full name, else as a class.
    #[must_use]
    pub fn of_component(&self, component: &str) -> Option<u32> {
        self.components.get(component).copied().or_else(|| self.of_class(component))
    }

    /// The library of a native file name.
    #[must_use]
    pub fn of_native(&self, file: &str) -> Option<u32> {
        self.natives
            .get(file)
            .copied()
            .or_else(|| self.native_globs.matches(file).first().map(|&i| self.native_glob_owner[i]))
    }

    /// The libraries of an entry path: its file name, or how its path below the assets begins.
    /// A package without a folder of that name (iOS, HarmonyOS code) keeps them at its root.
    pub fn of_asset<'a>(&'a self, path: &'a str) -> impl Iterator<Item = u32> + 'a {
        let below = ASSETS.iter().find_map(|folder| path.strip_prefix(folder)).unwrap_or(path);
        let name = path.rsplit('/').next().unwrap_or(path);
        let named = self.asset_names.get(name).copied();
        let begun = below
            .as_bytes()
            .first()
            .and_then(|first| self.asset_starts.get(first).map(|starts| (below, starts)))
            .into_iter()
            .flat_map(|(below, starts)| starts.iter().filter(move |(start, _)| below.starts_with(start.as_str())))
            .map(|(_, id)| *id);
        named.into_iter().chain(begun)
    }
}

fn fault_of(library: &Library) -> Option<String> {
    if !CATEGORIES.contains(&library.category.as_str()) {
        return Some(format!("no category `{}`; use one of {}", library.category, CATEGORIES.join(" ")));
    }
    let facts = [&library.classes, &library.components, &library.natives, &library.domains, &library.assets];
    if facts.iter().all(|f| f.trim().is_empty()) {
        return Some("nothing could match it; give a class prefix, component, native, domain or asset".into());
    }
    let short = library.classes.split_whitespace().find(|p| !p.contains('.') || p.len() < 6);
    if let Some(short) = short {
        return Some(format!("class prefix `{short}` is too short to mean anything"));
    }
    let bad = library.domains.split_whitespace().find(|d| !d.contains('.') || d.len() < 4);
    bad.map(|bad| format!("`{bad}` is no domain"))
}
