//! The wiring: the only module that knows every stage.
//!
//! [`Auditor::read`] turns one package file into a [`Reading`], [`Auditor::conclude`]
//! turns the readings and the listing of one app into its audit. Both are pure
//! functions of bytes and pack: no clock, no network, no file system.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine;
use rayon::prelude::*;

use crate::detect::{self, Hits, ModelVerdict};
use crate::extract::{self, Extracted, Format, Manifest, Resources};
use crate::model::{
    App, Artifact, ArtifactKind, Audit, Block, Budget, Coverage, Facts, Kind, Limit, LimitCode, Listing,
    MadeBy, Read,
};
use crate::score;
use crate::signature::{Pack, Policy, lint};
use crate::unpack::{Archive, Entry, ReadAt, UnpackError, signing_block};

/// Everything an audit needs besides the app.
pub struct Auditor {
    /// The compiled pack.
    pub pack: Arc<Pack>,
    /// Policy in force.
    pub policy: Policy,
    /// Budget for each app.
    pub budget: Budget,
}

/// What was read of one package file, packages inside it included.
#[derive(Default)]
pub struct Reading {
    hits: Hits,
    limits: Vec<Limit>,
    read: Read,
    manifest: Manifest,
    artifacts: Vec<Artifact>,
    certificates: Vec<String>,
    icon: Option<String>,
    models: BTreeMap<String, ModelVerdict>,
}

/// Who a package file says it is: enough to put splits together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Package name.
    pub package: String,
    /// Version for machines.
    pub version_code: u64,
    /// Split name; empty for a base.
    pub split: String,
}

/// Why a file is no package.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no archive.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// An archive of something else.
    #[error("a ZIP archive, but no package: it holds neither a manifest, nor code, nor packages")]
    NotAPackage,
}

/// Bytes of a launcher icon that a report carries along at most.
const ICON_MAX: u64 = 96 << 10;
/// Longest entry name put into a place.
const NAME_MAX: usize = 200;

impl Auditor {
    /// What reports are made by.
    #[must_use]
    pub fn made_by(&self) -> MadeBy {
        MadeBy {
            version: env!("CARGO_PKG_VERSION").into(),
            pack_sha256: self.pack.sha256.clone(),
            policy: self.policy.id.clone(),
        }
    }

    /// Reads one package file. `name` is the path as given, `sha256` that of its bytes.
    ///
    /// # Errors
    /// When it is no archive or no package.
    pub fn read(&self, name: &str, sha256: &str, source: &dyn ReadAt) -> Result<Reading, ReadError> {
        let budget = self.budget.renewed();
        let place = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let archive = Archive::open(source, place, &budget)?;
        let package = Package { auditor: self, archive: &archive, place, name, depth: 0, budget: &budget };
        let kind = package.kind().ok_or(ReadError::NotAPackage)?;
        let mut reading = package.read();
        let kind = if kind == ArtifactKind::Apk && !reading.manifest.split.is_empty() { ArtifactKind::Split } else { kind };
        let artifact = Artifact {
            name: name.into(),
            sha256: sha256.into(),
            bytes: source.size(),
            kind,
            certificates: reading.certificates.clone(),
        };
        reading.artifacts.insert(0, artifact);
        Ok(reading)
    }

    /// Reads only the manifest, to tell which files belong together.
    #[must_use]
    pub fn identify(&self, source: &dyn ReadAt) -> Option<Identity> {
        let budget = self.budget.renewed();
        let archive = Archive::open(source, "", &budget).ok()?;
        let entry = archive.entries.iter().find(|e| e.name == MANIFEST)?;
        let content = archive.read(entry, "", &budget);
        let (manifest, _) = extract::manifest(&content.bytes, "", &Resources::default());
        manifest.is_readable.then_some(Identity {
            package: manifest.package,
            version_code: manifest.version_code,
            split: manifest.split,
        })
    }

    /// Judges one app by its listing and the readings of its files.
    #[must_use]
    pub fn conclude(&self, listing: Option<&Listing>, readings: Vec<Reading>) -> Audit {
        let mut all = Reading::default();
        if let Some(listing) = listing {
            let facts = extract::listing(listing);
            all.read.strings += facts.blocks.iter().map(|b| b.len() as u64).sum::<u64>();
            all.hits.merge(detect::scan(&self.pack, &facts));
            all.models = detect::judge(&self.pack, &facts);
        } else {
            all.limits.push(Limit::new(LimitCode::NoListing, "", "no listing was given"));
        }
        if readings.is_empty() {
            all.limits.push(Limit::new(LimitCode::NoPackage, "", "no package was given"));
        }
        let splits: BTreeSet<String> =
            readings.iter().map(|r| r.manifest.split.clone()).filter(|s| !s.is_empty()).collect();
        for reading in readings {
            all.merge(reading);
        }
        if all.manifest.requires_splits && splits.is_empty() && all.artifacts.len() == 1 {
            let detail = "the manifest requires splits, none was given; fetch them with the base";
            all.limits.push(Limit::new(LimitCode::MissingSplit, "", detail));
        }
        self.finish(listing, all)
    }

    fn finish(&self, listing: Option<&Listing>, all: Reading) -> Audit {
        let app = app_of(listing, &all.manifest);
        let coverage = Coverage::new(all.limits, all.read);
        let detection = detect::conclude(&self.pack, all.hits, &all.models);
        let scored = score::score(&self.pack, &self.policy, &app, &coverage, &detection);
        Audit {
            app,
            artifacts: all.artifacts,
            profile: scored.profile,
            coverage,
            checks: scored.checks,
            findings: scored.findings,
            out_of_scope: scored.out_of_scope,
            icon: all.icon,
        }
    }
}

impl Reading {
    fn merge(&mut self, other: Self) {
        self.hits.merge(other.hits);
        self.limits.extend(other.limits);
        self.read += other.read;
        self.artifacts.extend(other.artifacts);
        for certificate in other.certificates {
            if !self.certificates.contains(&certificate) {
                self.certificates.push(certificate);
            }
        }
        // The base speaks for the app; a split only where there is no base.
        let better = !self.manifest.is_readable
            || !self.manifest.split.is_empty() && other.manifest.is_readable && other.manifest.split.is_empty();
        if better {
            self.manifest = other.manifest;
        }
        if self.icon.is_none() || (better && other.icon.is_some()) {
            self.icon = other.icon;
        }
    }

    fn absorb(&mut self, pack: &Pack, extracted: Extracted) {
        self.hits.merge(detect::scan(pack, &extracted.facts));
        self.limits.extend(extracted.limits);
        self.read += extracted.read;
    }
}

fn app_of(listing: Option<&Listing>, manifest: &Manifest) -> App {
    let mut app = App {
        package: manifest.package.clone(),
        title: manifest.labels.first().map(|(_, text)| text.clone()).unwrap_or_default(),
        version_name: manifest.version_name.clone(),
        version_code: manifest.version_code,
        ..App::default()
    };
    let Some(listing) = listing else { return app };
    let prefer = |field: &mut String, said: &str| {
        if !said.is_empty() {
            *field = said.to_owned();
        }
    };
    prefer(&mut app.title, &listing.title);
    prefer(&mut app.store, &listing.store);
    prefer(&mut app.developer, &listing.developer);
    prefer(&mut app.url, &listing.url);
    prefer(&mut app.id, &listing.id);
    // The package knows its own name and version better than a page about it.
    if app.package.is_empty() {
        app.package.clone_from(&listing.package);
    }
    if app.version_name.is_empty() {
        app.version_name.clone_from(&listing.version_name);
    }
    if app.version_code == 0 {
        app.version_code = listing.version_code;
    }
    app
}

const MANIFEST: &str = "AndroidManifest.xml";
const TABLE: &str = "resources.arsc";

/// One archive on its way through the stages.
struct Package<'a> {
    auditor: &'a Auditor,
    archive: &'a Archive<'a>,
    /// How places name it.
    place: &'a str,
    /// How artifacts name it.
    name: &'a str,
    depth: usize,
    budget: &'a Budget,
}

impl Package<'_> {
    fn has(&self, name: &str) -> bool {
        self.archive.entries.iter().any(|e| e.name == name)
    }

    /// What sort of package it is; `None` for an archive of something else.
    fn kind(&self) -> Option<ArtifactKind> {
        let any = |test: &dyn Fn(&str) -> bool| self.archive.entries.iter().any(|e| test(&e.name));
        if self.has(MANIFEST) || self.has("classes.dex") || self.has(TABLE) {
            Some(ArtifactKind::Apk)
        } else if any(&|n| n.ends_with("/manifest/AndroidManifest.xml")) {
            Some(ArtifactKind::Aab)
        } else if self.has("module.json") || self.has("config.json") || self.has("pack.info") {
            Some(ArtifactKind::Hap)
        } else if any(&|n| n.starts_with("Payload/") && n.contains(".app/")) {
            Some(ArtifactKind::Ipa)
        } else if any(&|n| n.ends_with(".apk")) {
            Some(if self.has("manifest.json") { ArtifactKind::Xapk } else { ArtifactKind::Apks })
        } else {
            None
        }
    }

    fn read(&self) -> Reading {
        let mut reading = Reading { limits: self.archive.limits.clone(), ..Reading::default() };
        reading.read.entries = self.archive.entries.len() as u64;
        let resources = self.resources(&mut reading);
        self.manifest(&resources, &mut reading);
        self.certificates(&mut reading);
        self.names(&mut reading);
        let parts: Vec<Reading> = self
            .archive
            .entries
            .par_iter()
            .filter(|e| e.name != MANIFEST && e.name != TABLE && !e.name.ends_with('/'))
            .map(|entry| self.entry(entry))
            .collect();
        for part in parts {
            reading.merge(part);
        }
        reading.icon = reading.icon.take().or_else(|| self.icon(&reading.manifest));
        reading
    }

    fn place_of(&self, entry: &Entry) -> String {
        let name: String = entry.name.chars().take(NAME_MAX).collect();
        format!("{}!/{name}", self.place)
    }

    fn content(&self, name: &str, reading: &mut Reading) -> Option<(String, Vec<u8>)> {
        let entry = self.archive.entries.iter().find(|e| e.name == name)?;
        let place = self.place_of(entry);
        let content = self.archive.read(entry, &place, self.budget);
        reading.limits.extend(content.limits);
        Some((place, content.bytes))
    }

    fn resources(&self, reading: &mut Reading) -> Resources {
        let Some((place, bytes)) = self.content(TABLE, reading) else { return Resources::default() };
        let (resources, extracted) = Resources::read(&bytes, &place, self.budget);
        reading.absorb(&self.auditor.pack, extracted);
        resources
    }

    fn manifest(&self, resources: &Resources, reading: &mut Reading) {
        if self.kind() != Some(ArtifactKind::Apk) {
            return;
        }
        let Some((place, bytes)) = self.content(MANIFEST, reading) else {
            reading.limits.push(Limit::new(LimitCode::BadManifest, self.place, "no AndroidManifest.xml"));
            return;
        };
        let (manifest, extracted) = extract::manifest(&bytes, &place, resources);
        reading.absorb(&self.auditor.pack, extracted);
        reading.manifest = manifest;
    }

    fn certificates(&self, reading: &mut Reading) {
        let is_v1 = |name: &str| {
            let upper = name.to_ascii_uppercase();
            upper.starts_with("META-INF/") && [".RSA", ".DSA", ".EC"].iter().any(|end| upper.ends_with(end))
        };
        let small = self.archive.entries.iter().filter(|e| is_v1(&e.name) && e.size < 1 << 20).take(16);
        let v1: Vec<(String, Vec<u8>)> = small
            .map(|entry| (entry.name.clone(), self.archive.read(entry, self.place, self.budget).bytes))
            .collect();
        let pairs = signing_block(self.archive).ok().flatten().unwrap_or_default().pairs;
        let found = extract::certificate::read(&v1, &pairs, self.place);
        reading.hits.merge(detect::scan(&self.auditor.pack, &found.facts));
        reading.limits.extend(found.limits);
        reading.certificates = found.sha256;
    }

    /// The names of the entries are facts: native libraries, assets, media.
    fn names(&self, reading: &mut Reading) {
        let mut block = Block::new(Kind::File, self.place, "entry");
        for (index, entry) in self.archive.entries.iter().enumerate() {
            block.push(index as u32, &entry.name);
        }
        let facts = Facts { blocks: vec![block] };
        reading.hits.merge(detect::scan(&self.auditor.pack, &facts));
    }

    fn entry(&self, entry: &Entry) -> Reading {
        let mut reading = Reading::default();
        let place = self.place_of(entry);
        if extract::names_media(&entry.name)
            && Format::of(&self.archive.peek(entry, Format::MAGIC_LEN)) == Format::Media
        {
            return reading;
        }
        let content = self.archive.read(entry, &place, self.budget);
        reading.limits.extend(content.limits);
        if Format::of(&content.bytes) == Format::Archive {
            self.nested(&content.bytes, &place, &entry.name, &mut reading);
        } else {
            let extracted = extract::entry(&entry.name, &place, &content.bytes, self.budget);
            reading.absorb(&self.auditor.pack, extracted);
        }
        reading
    }

    fn nested(&self, bytes: &Vec<u8>, place: &str, entry: &str, reading: &mut Reading) {
        if self.depth + 1 >= self.budget.depth {
            let detail = format!("packages nested more than {} deep", self.budget.depth);
            reading.limits.push(Limit::new(LimitCode::OverBudget, place, detail));
            return;
        }
        let name = format!("{}!/{entry}", self.name);
        let archive = match Archive::open(bytes, place, self.budget) {
            Ok(archive) => archive,
            Err(error) => {
                reading.limits.push(Limit::new(LimitCode::UnreadableEntry, place, error.to_string()));
                return;
            }
        };
        let inner = Package {
            auditor: self.auditor,
            archive: &archive,
            place,
            name: &name,
            depth: self.depth + 1,
            budget: self.budget,
        };
        let kind = inner.kind();
        let mut found = inner.read();
        if let Some(kind) = kind {
            let is_split = kind == ArtifactKind::Apk && !found.manifest.split.is_empty();
            found.artifacts.insert(0, Artifact {
                name,
                sha256: sha256(bytes),
                bytes: bytes.len() as u64,
                kind: if is_split { ArtifactKind::Split } else { kind },
                certificates: found.certificates.clone(),
            });
        }
        // A package that an app carries along does not speak for the app that carries it.
        if self.kind() == Some(ArtifactKind::Apk) {
            found.manifest = Manifest::default();
            found.icon = None;
            found.certificates.clear();
        }
        reading.merge(found);
    }

    /// The largest launcher icon that is small enough, as a `data:` address.
    fn icon(&self, manifest: &Manifest) -> Option<String> {
        let candidates = self.archive.entries.iter().filter(|e| {
            e.size <= ICON_MAX
                && (manifest.icons.contains(&e.name)
                    || manifest.icons.iter().any(|i| i.ends_with(".xml")) && e.name.contains("ic_launcher"))
        });
        let mut best: Vec<&Entry> = candidates.filter(|e| extract::names_media(&e.name)).collect();
        best.sort_by_key(|e| std::cmp::Reverse(e.size));
        best.into_iter().find_map(|entry| {
            let bytes = self.archive.read(entry, self.place, self.budget).bytes;
            let mime = match bytes.as_slice() {
                [0x89, b'P', b'N', b'G', ..] => "image/png",
                [0xff, 0xd8, 0xff, ..] => "image/jpeg",
                [b'R', b'I', b'F', b'F', ..] => "image/webp",
                _ => return None,
            };
            Some(format!("data:{mime};base64,{}", base64::engine::general_purpose::STANDARD.encode(bytes)))
        })
    }
}

/// Runs the linter with real detection over every signature of a pack.
#[must_use]
pub fn lint(pack: &Pack) -> Vec<lint::Case> {
    let holding = |facts: &Facts| -> BTreeSet<usize> {
        // An example shows what speaks for a sign; a model that leans away does not.
        let mut models = detect::judge(pack, facts);
        models.retain(|_, verdict| verdict.lean > 0.0);
        let detection = detect::conclude(pack, detect::scan(pack, facts), &models);
        (0..pack.clues.len()).filter(|&clue| detection.holding.contains(clue)).collect()
    };
    pack.signatures.iter().flat_map(|signature| lint::check(pack, signature, &holding)).collect()
}

/// SHA-256 in lower-case hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    crate::model::hex(&Sha256::digest(bytes))
}
