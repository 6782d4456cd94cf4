//! Archives of splits: APKPure's XAPK, `bundletool`'s APKS, APKMirror's APKM.

use std::collections::HashMap;

use super::{Form, Identity, Others, apps, form_of, is_package};
use crate::audit::package::{Package, certificates_of};
use crate::audit::{Reading, sha256_of};
use crate::extract;
use crate::model::{Artifact, ArtifactKind, Limit, LimitCode};
use crate::unpack::{Archive, Entry, ReadAt};

/// What an XAPK, and what an APKM says of itself.
const WORDS: &[&str] = &["manifest.json", "info.json"];
/// What `bundletool` says of the set it made.
const TOC: &str = "toc.pb";
/// A deflated package of more bytes is not inflated only to see who it is, where the archive says it.
const PEEK_MAX: u64 = 4 << 20;

/// Entries looked at for the word of the set: more of that name are content.
const WORDS_MAX: usize = 16;

/// An archive of splits of one sort.
pub(super) struct Bundle {
    kind: ArtifactKind,
    /// The file that tells it from other sorts.
    mark: Option<&'static str>,
}

/// With a `manifest.json`.
pub(super) const XAPK: Bundle = Bundle { kind: ArtifactKind::Xapk, mark: Some("manifest.json") };
/// Any other, an archive around one set among them.
pub(super) const APKS: Bundle = Bundle { kind: ArtifactKind::Apks, mark: None };

impl Form for Bundle {
    fn kind(&self) -> ArtifactKind {
        self.kind
    }

    fn is(&self, package: &Package) -> bool {
        let holds_packages = package.any(is_package);
        match self.mark {
            None => holds_packages,
            Some(mark) if holds_packages && package.has(mark) => true,
            // In a folder of the archive, or beside expansion files only: it must say whose.
            Some(mark) => {
                let is_marked = |place: &str| place.ends_with(&format!("/{mark}"));
                (holds_packages || package.any(is_expansion)) && words(package).any(|(place, ..)| is_marked(&place))
            }
        }
    }

    fn identity(&self, package: &Package) -> Option<Identity> {
        let several = apps::all(package);
        if let Some(first) = several.first() {
            return Some(Identity { package: first.package.clone(), apps: several, ..Identity::default() });
        }
        let said = words(package).next().map(|(_, bundle, _)| bundle);
        let mut found: Option<Identity> = said.map(|bundle| Identity {
            splits: bundle
                .splits
                .into_iter()
                .map(|(name, _)| if name == "base" { String::new() } else { name })
                .collect(),
            ..bundle.manifest.into()
        });
        let mut parts = package.archive.entries.iter().filter(|e| is_package(&e.name));
        if let Some(told) = found.as_mut().filter(|id| !id.splits.is_empty()) {
            let first = parts.find_map(|entry| identity_within(package, entry));
            told.certificates = first.map(|first| first.certificates).unwrap_or_default();
            return found;
        }
        for entry in parts {
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
            package.absorb(reading, extracted);
            missing(package, &place, &bundle, reading);
            reading.manifest.yield_to(bundle.manifest);
        }
        for entry in package.copies(TOC) {
            let (place, bytes) = package.content(entry, reading);
            let (bundle, extracted) = extract::toc(&bytes, &place);
            package.absorb(reading, extracted);
            missing(package, &place, &bundle, reading);
            reading.manifest.yield_to(bundle.manifest);
        }
        for entry in package.archive.entries.iter().filter(|e| is_expansion(&e.name)) {
            reading.artifacts.push(expansion(package, entry));
        }
    }

    fn reads(&self, name: &str) -> bool {
        name == TOC
    }

    fn others(&self, package: &Package) -> Others {
        // What an app carries along is all of it that app's.
        if package.is_carried { Others::default() } else { apps::others(package) }
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

fn is_expansion(name: &str) -> bool {
    name.ends_with(".obb")
}

/// Where the parts of the set lie: the root, or the folder of a package or expansion file.
/// (An archive that somebody packed once more has one folder around all.)
fn is_beside_parts(package: &Package, name: &str) -> bool {
    let Some((folder, _)) = name.rsplit_once('/') else { return true };
    package.any(|other| {
        other.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
            && (is_expansion(other) || is_package(other))
    })
}

fn words(package: &Package) -> impl Iterator<Item = (String, extract::Bundle, extract::Extracted)> {
    let entries = package.archive.entries.iter().filter(|entry| {
        let file = entry.name.rsplit('/').next().unwrap_or(&entry.name);
        entry.name.matches('/').count() < 2 && WORDS.contains(&file) && is_beside_parts(package, &entry.name)
    });
    entries.take(WORDS_MAX).filter_map(|entry| {
        let place = package.place_of(entry);
        let bytes = package.archive.read(entry, &place, package.budget).bytes;
        let (bundle, extracted) = extract::bundle(&bytes, &place)?;
        Some((place, bundle, extracted))
    })
}

fn identity_within(package: &Package, entry: &Entry) -> Option<Identity> {
    let open = |source: &dyn ReadAt| {
        if package.depth + 1 >= package.budget.depth {
            return None;
        }
        let archive = Archive::open(source, "", package.budget).ok()?;
        let inner = Package { archive: &archive, depth: package.depth + 1, ..*package };
        let identity = form_of(&inner)?.identity(&inner)?;
        let certificates = certificates_of(&archive, package.budget);
        Some(if certificates.is_empty() { identity } else { Identity { certificates, ..identity } })
    };
    match package.archive.window(entry, "") {
        Some((window, _)) => open(&window),
        None if entry.size <= PEEK_MAX => open(&package.archive.read(entry, "", package.budget).bytes),
        None => None,
    }
}

/// Whether `entry` is `file` in a folder.
fn ends_in(entry: &str, file: &str) -> bool {
    !file.is_empty() && entry.strip_suffix(file).is_some_and(|folder| folder.ends_with('/'))
}

/// Says which splits and expansion files are named and not there.
fn missing(package: &Package, place: &str, bundle: &extract::Bundle, reading: &mut Reading) {
    let is_here = |name: &str, file: &str| {
        package.any(|entry| {
            let last = entry.rsplit('/').next().unwrap_or(entry);
            let stem = last.strip_suffix(".apk").unwrap_or_default();
            entry == file
                || ends_in(entry, file)
                || !name.is_empty() && (stem == name || stem.strip_prefix("split_") == Some(name))
        })
    };
    let splits =
        bundle.splits.iter().filter(|(name, file)| !is_here(name, file)).map(|(name, file)| {
            format!("the split {} is named and not here", if name.is_empty() { file } else { name })
        });
    let expansions =
        bundle.expansions.iter().filter(|file| !package.any(|entry| entry == *file || ends_in(entry, file)));
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
    let (kind, certificates, signers, also) = (ArtifactKind::Obb, Vec::new(), Vec::new(), Vec::new());
    Artifact { name, sha256, bytes, kind, certificates, signers, also }
}
