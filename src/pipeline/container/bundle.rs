//! Archives of splits: APKPure's XAPK, `bundletool`'s APKS, APKMirror's APKM.

use std::collections::HashMap;

use super::apk::Apk;
use super::{Form, Identity};
use crate::extract;
use crate::model::{Artifact, ArtifactKind, Limit, LimitCode};
use crate::pipeline::package::Package;
use crate::pipeline::{Reading, sha256_of};
use crate::unpack::{Archive, Entry, ReadAt};

/// What an XAPK, and what an APKM says of itself.
const WORDS: &[&str] = &["manifest.json", "info.json"];
/// What `bundletool` says of the set it made.
const TOC: &str = "toc.pb";
/// A deflated package of more bytes is not inflated only to see who it is.
const PEEK_MAX: u64 = 4 << 20;

/// An archive of splits of one sort.
pub(super) struct Bundle {
    kind: ArtifactKind,
    /// The entry that tells it from other sorts.
    mark: Option<&'static str>,
}

/// With a `manifest.json`.
pub(super) const XAPK: Bundle = Bundle { kind: ArtifactKind::Xapk, mark: Some("manifest.json") };
/// Any other.
pub(super) const APKS: Bundle = Bundle { kind: ArtifactKind::Apks, mark: None };

impl Form for Bundle {
    fn kind(&self) -> ArtifactKind {
        self.kind
    }

    fn is(&self, package: &Package) -> bool {
        package.any(|name| name.ends_with(".apk")) && self.mark.is_none_or(|mark| package.has(mark))
    }

    fn identity(&self, package: &Package) -> Option<Identity> {
        let said = words(package).next().map(|(_, bundle, _)| bundle);
        let mut found: Option<Identity> = said.map(|bundle| Identity {
            splits: bundle
                .splits
                .into_iter()
                .map(|(name, _)| if name == "base" { String::new() } else { name })
                .collect(),
            ..bundle.manifest.into()
        });
        if found.as_ref().is_some_and(|id| !id.splits.is_empty()) {
            return found;
        }
        for entry in package.archive.entries.iter().filter(|e| e.name.ends_with(".apk")) {
            let Some(inner) = identity_within(package, entry) else { continue };
            match &mut found {
                Some(found) => found.splits.extend(inner.splits),
                None => found = Some(inner),
            }
        }
        found
    }

    fn read(&self, package: &Package, reading: &mut Reading) {
        for (place, bundle, extracted) in words(package) {
            reading.absorb(&package.auditor.pack, extracted);
            missing(package, &place, &bundle, reading);
            reading.manifest.yield_to(bundle.manifest);
        }
        for entry in package.copies(TOC) {
            let (place, bytes) = package.content(entry, reading);
            let (bundle, extracted) = extract::toc(&bytes, &place);
            reading.absorb(&package.auditor.pack, extracted);
            missing(package, &place, &bundle, reading);
            reading.manifest.yield_to(bundle.manifest);
        }
        for entry in package.archive.entries.iter().filter(|e| e.name.ends_with(".obb")) {
            reading.artifacts.push(expansion(package, entry));
        }
    }

    fn reads(&self, name: &str) -> bool {
        name == TOC
    }

    fn is_set(&self) -> bool {
        true
    }

    /// Variants are the same app built for different devices: mostly the same files again.
    fn rounds<'a>(&self, package: &Package<'a>) -> Vec<Vec<&'a Entry>> {
        let toc = package.copies(TOC).next().map(|entry| package.archive.read(entry, "", package.budget).bytes);
        let variants = toc.map(|bytes| extract::toc(&bytes, "").0.variants).unwrap_or_default();
        let mut rounds = vec![Vec::new(); variants.len().max(1)];
        let mut first: HashMap<&str, usize> = HashMap::new();
        for (round, files) in variants.iter().enumerate() {
            files.iter().for_each(|file| _ = first.entry(file).or_insert(round));
        }
        for entry in &package.archive.entries {
            rounds[first.get(entry.name.as_str()).copied().unwrap_or(0)].push(entry);
        }
        rounds
    }
}

fn words(package: &Package) -> impl Iterator<Item = (String, extract::Bundle, extract::Extracted)> {
    let entries = WORDS.iter().flat_map(|name| package.copies(name));
    entries.filter_map(|entry| {
        let place = package.place_of(entry);
        let bytes = package.archive.read(entry, &place, package.budget).bytes;
        let (bundle, extracted) = extract::bundle(&bytes, &place)?;
        Some((place, bundle, extracted))
    })
}

fn identity_within(package: &Package, entry: &Entry) -> Option<Identity> {
    let open = |source: &dyn ReadAt| {
        let archive = Archive::open(source, "", package.budget).ok()?;
        Apk.identity(&Package { archive: &archive, ..*package })
    };
    match package.archive.window(entry, "") {
        Some((window, _)) => open(&window),
        None if entry.size <= PEEK_MAX => open(&package.archive.read(entry, "", package.budget).bytes),
        None => None,
    }
}

/// Says which splits and expansion files are named and not there.
fn missing(package: &Package, place: &str, bundle: &extract::Bundle, reading: &mut Reading) {
    let is_here = |name: &str, file: &str| {
        package.any(|entry| {
            let last = entry.rsplit('/').next().unwrap_or(entry);
            let stem = last.strip_suffix(".apk").unwrap_or_default();
            entry == file || !name.is_empty() && (stem == name || stem.strip_prefix("split_") == Some(name))
        })
    };
    let splits =
        bundle.splits.iter().filter(|(name, file)| !is_here(name, file)).map(|(name, file)| {
            format!("the split {} is named and not here", if name.is_empty() { file } else { name })
        });
    let expansions = bundle.expansions.iter().filter(|file| !package.has(file));
    let expansions = expansions.map(|file| format!("the expansion file {file} is named and not here"));
    for detail in splits.chain(expansions) {
        reading.limits.push(Limit::new(LimitCode::MissingSplit, place, detail));
    }
}

/// An expansion file as an artifact; what is in it is read as any entry is.
fn expansion(package: &Package, entry: &Entry) -> Artifact {
    let (sha256, bytes) = match package.archive.window(entry, "") {
        Some((window, _)) if package.budget.take(window.size()) => (sha256_of(&window), window.size()),
        _ => {
            let content = package.archive.read(entry, "", package.budget).bytes;
            (sha256_of(&content), content.len() as u64)
        }
    };
    let name = format!("{}!/{}", package.name, entry.name);
    Artifact { name, sha256, bytes, kind: ArtifactKind::Obb, certificates: Vec::new() }
}
