//! One archive on its way through the stages.

use base64::Engine;
use rayon::prelude::*;

use super::{Auditor, Reading, sha256_of};
use crate::detect;
use crate::extract::{self, Format, Manifest, Resources};
use crate::model::{Artifact, ArtifactKind, Block, Budget, Facts, Kind, Limit, LimitCode};
use crate::unpack::{Archive, Entry, ReadAt, signing_block};

const MANIFEST: &str = "AndroidManifest.xml";
const TABLE: &str = "resources.arsc";
/// Bytes of a launcher icon that a report carries along at most.
const ICON_MAX: u64 = 96 << 10;
/// Longest entry name put into a place.
const NAME_MAX: usize = 200;

/// An opened archive with what is needed to read it.
pub(super) struct Package<'a> {
    pub(super) auditor: &'a Auditor,
    pub(super) archive: &'a Archive<'a>,
    /// How places name it.
    pub(super) place: &'a str,
    /// How artifacts name it.
    pub(super) name: &'a str,
    pub(super) depth: usize,
    /// An app carries it along: it says nothing about who the app is.
    pub(super) is_carried: bool,
    pub(super) budget: &'a Budget,
}

impl Package<'_> {
    fn has(&self, name: &str) -> bool {
        self.archive.entries.iter().any(|e| e.name == name)
    }

    /// What sort of package it is; `None` for an archive of something else.
    pub(super) fn kind(&self) -> Option<ArtifactKind> {
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

    /// The manifest alone, to tell which files belong together.
    pub(super) fn identity(&self) -> Option<Manifest> {
        self.copies(MANIFEST).find_map(|entry| {
            let content = self.archive.read(entry, "", self.budget);
            let (manifest, _) = extract::manifest(&content.bytes, "", &Resources::default());
            manifest.is_readable.then_some(manifest)
        })
    }

    pub(super) fn read(&self) -> Reading {
        let mut reading = Reading { limits: self.archive.limits.clone(), ..Reading::default() };
        reading.read.entries = self.archive.entries.len() as u64;
        let resources = self.resources(&mut reading);
        self.manifest(&resources, &mut reading);
        self.certificates(&mut reading);
        self.names(&resources, &mut reading);
        self.lead(&mut reading);
        let parts: Vec<Reading> = self
            .archive
            .entries
            .par_iter()
            .filter(|e| e.name != MANIFEST && e.name != TABLE && !(e.name.ends_with('/') && e.size == 0))
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
        match entry.copy {
            0 => format!("{}!/{name}", self.place),
            copy => format!("{}!/{name} (copy {})", self.place, copy + 1),
        }
    }

    /// Entries of a name: more than one only in a package made to confuse.
    fn copies(&self, name: &str) -> impl Iterator<Item = &Entry> {
        self.archive.entries.iter().filter(move |e| e.name == name)
    }

    fn content(&self, entry: &Entry, reading: &mut Reading) -> (String, Vec<u8>) {
        let place = self.place_of(entry);
        let content = self.archive.read(entry, &place, self.budget);
        reading.limits.extend(content.limits);
        (place, content.bytes)
    }

    /// All copies are read; the first that holds anything is looked things up in.
    fn resources(&self, reading: &mut Reading) -> Resources {
        let mut resources = Resources::default();
        for entry in self.copies(TABLE) {
            let (place, bytes) = self.content(entry, reading);
            let (found, extracted) = Resources::read(&bytes, &place, self.budget);
            reading.absorb(&self.auditor.pack, extracted);
            if resources.is_empty() {
                resources = found;
            }
        }
        resources
    }

    /// The file the manifest names for its network security.
    fn network_config(&self, reading: &mut Reading) {
        let Some(path) = reading.manifest.network_config.clone() else { return };
        if let Some(entry) = self.archive.entries.iter().find(|e| e.name == path) {
            let (place, bytes) = self.content(entry, reading);
            reading.absorb(&self.auditor.pack, extract::network_config(&bytes, &place));
        }
    }

    fn manifest(&self, resources: &Resources, reading: &mut Reading) {
        if self.kind() != Some(ArtifactKind::Apk) {
            return;
        }
        if !self.has(MANIFEST) && !self.is_carried {
            reading.limits.push(Limit::new(LimitCode::BadManifest, self.place, "no AndroidManifest.xml"));
        }
        let mut limits = Vec::new();
        for entry in self.copies(MANIFEST) {
            let (place, bytes) = self.content(entry, reading);
            let (manifest, mut extracted) = extract::manifest(&bytes, &place, resources);
            limits.append(&mut extracted.limits);
            reading.absorb(&self.auditor.pack, extracted);
            if !reading.manifest.is_readable || reading.manifest.package.is_empty() {
                reading.manifest = manifest;
            }
        }
        self.network_config(reading);
        // A broken copy beside a sound one hides nothing.
        if reading.manifest.is_readable {
            let broken = limits.iter_mut().filter(|l| l.code == LimitCode::BadManifest);
            broken.for_each(|l| l.code = LimitCode::TamperedManifest);
        }
        reading.limits.append(&mut limits);
    }

    fn certificates(&self, reading: &mut Reading) {
        let is_v1 = |name: &str| {
            let upper = name.to_ascii_uppercase();
            upper.starts_with("META-INF/") && [".RSA", ".DSA", ".EC"].iter().any(|end| upper.ends_with(end))
        };
        let small = self.archive.entries.iter().filter(|e| is_v1(&e.name) && e.size < 1 << 20).take(16);
        let v1: Vec<(String, Vec<u8>)> =
            small.map(|entry| (entry.name.clone(), self.archive.read(entry, self.place, self.budget).bytes)).collect();
        let pairs = signing_block(self.archive).ok().flatten().unwrap_or_default().pairs;
        for (id, value) in &pairs {
            if matches!(Format::of(value), Format::Dex | Format::Elf | Format::Archive) {
                self.out_of_place(&format!("signing block {id:#010x}"), value, reading);
            }
        }
        let found = extract::certificate::read(&v1, &pairs, self.place);
        reading.hits.merge(detect::scan(&self.auditor.pack, &found.facts));
        reading.limits.extend(found.limits);
        reading.certificates = found.sha256;
    }

    /// The names of the entries are facts: native libraries, assets, media.
    fn names(&self, resources: &Resources, reading: &mut Reading) {
        let mut block = Block::new(Kind::File, self.place, "entry");
        for (index, entry) in self.archive.entries.iter().enumerate() {
            block.push(index as u32, &entry.name);
        }
        let facts = Facts { blocks: vec![block] };
        reading.hits.merge(detect::scan(&self.auditor.pack, &facts));
        let names: std::collections::HashSet<&str> = self.archive.entries.iter().map(|e| e.name.as_str()).collect();
        let moved: std::collections::BTreeSet<&str> =
            resources.paths().filter(|path| !path.starts_with("res/") && names.contains(path)).collect();
        if let Some(first) = moved.first() {
            let detail = format!("{} resource files lie outside res/, the first is {first}", moved.len());
            reading.limits.push(Limit::new(LimitCode::ObfuscatedPaths, self.place, detail));
        }
    }

    /// What stands before the first entry: a DEX there is what Android ran under
    /// CVE-2017-13156 ("Janus").
    fn lead(&self, reading: &mut Reading) {
        if self.archive.lead == 0 {
            return;
        }
        match self.archive.lead_bytes(self.budget) {
            Ok(bytes) if self.budget.take(bytes.len() as u64) => {
                self.out_of_place("before the first entry", &bytes, reading)
            }
            Ok(_) => {
                let detail = "the bytes before the first entry do not fit what is left for this app";
                reading.limits.push(Limit::new(LimitCode::OverBudget, self.place, detail));
            }
            Err(error) => {
                reading.limits.push(Limit::new(LimitCode::UnreadableEntry, self.place, error.to_string()));
            }
        }
    }

    /// Bytes that are no entry, read by what they are.
    fn out_of_place(&self, spot: &str, bytes: &[u8], reading: &mut Reading) {
        let place = format!("{} {spot}", self.place);
        if Format::of(bytes) == Format::Archive {
            reading.limits.push(Limit::new(LimitCode::HiddenCode, &place, "an archive where none belongs"));
            self.nested(&bytes, &place, spot, reading);
        } else {
            let extracted = extract::entry(spot, &place, bytes, self.budget);
            reading.absorb(&self.auditor.pack, extracted);
        }
    }

    fn entry(&self, entry: &Entry) -> Reading {
        let mut reading = Reading::default();
        let place = self.place_of(entry);
        let format = || Format::of(&self.archive.peek(entry, Format::MAGIC_LEN));
        if extract::names_media(&entry.name) && format() == Format::Media {
            return reading;
        }
        if entry.size > self.budget.entry_bytes
            && format() == Format::Archive
            && let Some(window) = self.archive.window(entry)
        {
            self.nested(&window, &place, &entry.name, &mut reading);
            return reading;
        }
        let content = self.archive.read(entry, &place, self.budget);
        reading.limits.extend(content.limits);
        if extract::is_misnamed(&entry.name, &content.bytes) {
            let detail = format!("named as media, and is {}", Format::of(&content.bytes).words());
            reading.limits.push(Limit::new(LimitCode::LyingName, &place, detail));
        }
        if Format::of(&content.bytes) == Format::Archive {
            self.nested(&content.bytes, &place, &entry.name, &mut reading);
        } else {
            let extracted = extract::entry(&entry.name, &place, &content.bytes, self.budget);
            reading.absorb(&self.auditor.pack, extracted);
        }
        reading
    }

    fn nested(&self, source: &dyn ReadAt, place: &str, entry: &str, reading: &mut Reading) {
        if self.depth + 1 >= self.budget.depth {
            let detail = format!("packages nested more than {} deep", self.budget.depth);
            reading.limits.push(Limit::new(LimitCode::OverBudget, place, detail));
            return;
        }
        let name = format!("{}!/{entry}", self.name);
        let archive = match Archive::open(source, place, self.budget) {
            Ok(archive) => archive,
            Err(error) => {
                reading.limits.push(Limit::new(LimitCode::UnreadableEntry, place, error.to_string()));
                return;
            }
        };
        let depth = self.depth + 1;
        let is_carried = self.is_carried || self.kind() == Some(ArtifactKind::Apk);
        let (auditor, budget) = (self.auditor, self.budget);
        let inner = Package { auditor, archive: &archive, place, name: &name, depth, is_carried, budget };
        let kind = inner.kind();
        let mut found = inner.read();
        if let Some(kind) = kind {
            let is_split = kind == ArtifactKind::Apk && !found.manifest.split.is_empty();
            found.artifacts.insert(
                0,
                Artifact {
                    sha256: sha256_of(source),
                    name,
                    bytes: source.size(),
                    kind: if is_split { ArtifactKind::Split } else { kind },
                    certificates: found.certificates.clone(),
                },
            );
        }
        // A package that an app carries along does not speak for the app that carries it.
        if is_carried {
            if found.read.classes > 0 {
                let detail = format!("an archive within the package defines {} classes", found.read.classes);
                found.limits.push(Limit::new(LimitCode::HiddenCode, place, detail));
            }
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
