//! One archive on its way through the stages.

use std::collections::{BTreeSet, HashSet};

use base64::Engine;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::container::{Form, form_of};
use super::pictures::{Candidate, Pictures};
use super::{Auditor, Content, Reading, sha256_of};
use crate::extract::certificate::Certificates;
use crate::extract::picture::{self, Worth};
use crate::extract::{self, Extracted, Format, Manifest, Resources};
use crate::model::{Artifact, ArtifactKind, Block, Budget, Facts, Kind, Limit, LimitCode};
use crate::unpack::{Archive, Entry, ReadAt, Signing, Window, signing_block};

/// Bytes of a launcher icon that a report carries along at most.
const ICON_MAX: u64 = 96 << 10;
/// Longest entry name put into a place.
const NAME_MAX: usize = 200;

/// A larger signature is none.
const SIGNATURE_MAX: u64 = 1 << 20;
/// What iOS apps from elsewhere than Apple's store are signed by.
const PROFILE: &str = "embedded.mobileprovision";

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
    /// Facts are kept in the reading, to be judged again by another pack.
    pub(super) keeps: bool,
    /// Package name of the app that is wanted of an archive of several; the first where nobody named one.
    pub(super) wanted: Option<&'a str>,
    /// What was read in earlier rounds; `None` where there is one round.
    pub(super) known: Option<&'a HashSet<Content>>,
    pub(super) budget: &'a Budget,
}

impl Package<'_> {
    pub(super) fn has(&self, name: &str) -> bool {
        self.any(|n| n == name)
    }

    /// Some entry has such a name.
    pub(super) fn any(&self, is: impl Fn(&str) -> bool) -> bool {
        self.archive.entries.iter().any(|e| is(&e.name))
    }

    /// A reading of nothing yet.
    fn blank(&self) -> Reading {
        let pictures = Pictures::up_to(self.budget.pictures);
        Reading { kept: self.keeps.then(Vec::new), pictures, ..Reading::default() }
    }

    pub(super) fn read(&self, form: Option<&dyn Form>) -> Reading {
        let mut reading = Reading { limits: self.archive.limits.clone(), ..self.blank() };
        reading.read.entries = self.archive.entries.len() as u64;
        if let Some(form) = form {
            form.read(self, &mut reading);
        }
        self.certificates(form, &mut reading);
        self.names(form, &mut reading);
        self.lead(&mut reading);
        self.entries(form, &mut reading);
        self.unseal(&mut reading);
        reading.icon = reading.icon.take().or_else(|| self.icon(form, &reading.manifest));
        reading
    }

    /// Reads the entries, many at once, and puts what they say together in their order.
    fn entries(&self, form: Option<&dyn Form>, reading: &mut Reading) {
        let rounds = form.map_or_else(|| vec![self.archive.entries.iter().collect()], |form| form.rounds(self));
        let others = form.map(|form| form.others(self)).unwrap_or_default();
        if !others.told.is_empty() {
            let detail = format!("the archive holds other apps, which were not read: {}", listed(&others.told));
            if others.is_all {
                reading.strangers.get_or_insert_with(|| listed(&others.told));
            }
            reading.limits.push(Limit::new(LimitCode::OtherApps, self.place, detail));
        }
        let mut known = HashSet::new();
        let has_more = rounds.len() > 1;
        for round in rounds {
            let package = Package { known: if has_more { Some(&known) } else { self.known }, ..*self };
            let parts: Vec<Reading> = round
                .into_par_iter()
                .filter(|e| !others.entries.contains(&e.offset))
                .filter(|e| !(form.is_some_and(|form| form.reads(&e.name)) || e.name.ends_with('/') && e.size == 0))
                .map(|entry| package.entry(form, entry))
                .collect();
            for part in parts {
                known.extend(part.contents.iter().copied());
                reading.merge(part);
            }
        }
    }

    /// Whether these bytes were read in an earlier round; if not, they are from now on.
    fn is_known(&self, bytes: &[u8], reading: &mut Reading) -> bool {
        let Some(known) = self.known else { return false };
        let content: Content = Sha256::digest(bytes).into();
        reading.contents.push(content);
        known.contains(&content)
    }

    /// What became of it as an artifact.
    pub(super) fn artifact(&self, form: &dyn Form, sha256: String, bytes: u64, reading: &Reading) -> Artifact {
        let is_split = form.kind() == ArtifactKind::Apk && !reading.manifest.split.is_empty();
        let kind = if is_split { ArtifactKind::Split } else { form.kind() };
        Artifact {
            name: self.name.into(),
            sha256,
            bytes,
            kind,
            certificates: reading.certificates.clone(),
            signers: reading.signers.clone(),
            also: Vec::new(),
        }
    }

    pub(super) fn place_of(&self, entry: &Entry) -> String {
        let name: String = entry.name.chars().take(NAME_MAX).collect();
        match entry.copy {
            0 => format!("{}!/{name}", self.place),
            copy => format!("{}!/{name} (copy {})", self.place, copy + 1),
        }
    }

    /// Entries of a name: more than one only in a package made to confuse.
    pub(super) fn copies(&self, name: &str) -> impl Iterator<Item = &Entry> {
        self.archive.entries.iter().filter(move |e| e.name == name)
    }

    pub(super) fn content(&self, entry: &Entry, reading: &mut Reading) -> (String, Vec<u8>) {
        let place = self.place_of(entry);
        let content = self.archive.read(entry, &place, self.budget);
        reading.limits.extend(content.limits);
        (place, content.bytes)
    }

    /// Reads the tables of these names; where two say something of one id, the first counts.
    pub(super) fn tables(&self, is: impl Fn(&str) -> bool, reading: &mut Reading) -> Resources {
        let mut resources = Resources::default();
        for entry in self.archive.entries.iter().filter(|e| is(&e.name) && e.size > 0) {
            let (place, bytes) = self.content(entry, reading);
            let (found, extracted) = Resources::read(&bytes, &place, self.budget);
            self.absorb(reading, extracted);
            resources.merge(found);
        }
        resources
    }

    /// Reads Android manifests of these names; the one of highest standing speaks.
    pub(super) fn manifests(
        &self,
        form: &dyn Form,
        is: fn(&str) -> bool,
        resources: &Resources,
        reading: &mut Reading,
    ) {
        let mut limits = Vec::new();
        let mut sound = BTreeSet::new();
        for entry in self.archive.entries.iter().filter(|e| is(&e.name)) {
            let (place, bytes) = self.content(entry, reading);
            let (manifest, mut extracted) = extract::manifest(&bytes, &place, resources, self.budget);
            limits.extend(extracted.limits.drain(..).map(|limit| (&entry.name, limit)));
            self.absorb(reading, extracted);
            if manifest.is_readable {
                sound.insert(&entry.name);
            }
            reading.manifest.yield_to(manifest);
        }
        for (name, mut limit) in limits {
            // A broken copy beside a sound one hides nothing.
            if limit.code == LimitCode::BadManifest && sound.contains(name) {
                limit.code = LimitCode::TamperedManifest;
            }
            reading.limits.push(limit);
        }
        self.network_config(form, reading);
    }

    /// The file the manifest names for its network security.
    fn network_config(&self, form: &dyn Form, reading: &mut Reading) {
        let Some(path) = reading.manifest.network_config.clone() else { return };
        if let Some(entry) = self.archive.entries.iter().find(|e| form.installed(&e.name) == path) {
            let (place, bytes) = self.content(entry, reading);
            self.absorb(reading, extract::network_config(&bytes, &place, self.budget));
        }
    }

    /// Takes what was read of a file, and looks for signs in it; not any more when the time is over.
    pub(super) fn absorb(&self, reading: &mut Reading, extracted: Extracted) {
        let is_late = self.budget.is_out_of_time() && !extracted.facts.blocks.is_empty();
        if is_late {
            let place =
                extracted.facts.blocks.first().map_or_else(|| self.place.to_owned(), |block| block.place.to_string());
            reading.limits.extend(extracted.limits);
            reading.limits.push(Limit::new(LimitCode::OverBudget, &place, "the time for this app is over"));
        } else {
            reading.absorb(&self.auditor.pack, extracted);
        }
    }

    fn certificates(&self, form: Option<&dyn Form>, reading: &mut Reading) {
        let mut found = Certificates::default();
        for entry in jar_signatures(self.archive) {
            let place = self.place_of(entry);
            found.jar(&self.archive.read(entry, &place, self.budget).bytes, &place);
        }
        let block = signing_block(self.archive).ok().flatten().unwrap_or_default();
        for (id, value) in &block.pairs {
            if matches!(Format::of(value), Format::Dex | Format::Elf | Format::Archive) {
                self.out_of_place(&format!("signing block {id:#010x}"), value, reading);
            }
        }
        match block.signing {
            Signing::Android => found.android(&block.pairs, self.place),
            Signing::Harmony => found.harmony(&block.pairs, self.place),
        }
        if let Some(form) = form.filter(|form| form.kind() == ArtifactKind::Ipa) {
            for entry in self.archive.entries.iter().filter(|e| form.installed(&e.name) == PROFILE) {
                let (place, bytes) = self.content(entry, reading);
                found.ios(&bytes, &place);
            }
        }
        reading.take(&self.auditor.pack, found.facts);
        // Android installs nothing unsigned, so no store hands such a package out.
        let is_bare = found.sha256.is_empty() && found.limits.iter().all(|l| l.code != LimitCode::BadCertificate);
        if is_bare && !self.is_carried && form.is_some_and(|form| form.kind() == ArtifactKind::Apk) {
            reading.limits.push(Limit::new(LimitCode::BadCertificate, self.place, "no signature"));
        }
        reading.limits.extend(found.limits);
        reading.certificates = found.sha256;
        reading.signers = found.signers;
    }

    /// The names of the entries are facts: native libraries, assets, media.
    fn names(&self, form: Option<&dyn Form>, reading: &mut Reading) {
        let mut block = Block::new(Kind::File, self.place, "entry");
        for (index, entry) in self.archive.entries.iter().enumerate() {
            block.push(index as u32, form.map_or(&entry.name, |form| form.installed(&entry.name)));
        }
        let facts = Facts { blocks: vec![block] };
        reading.take(&self.auditor.pack, facts);
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
            self.nested(None, &bytes, &place, spot, reading);
        } else {
            self.file(None, spot, &place, bytes, reading);
        }
    }

    fn entry(&self, form: Option<&dyn Form>, entry: &Entry) -> Reading {
        let mut reading = self.blank();
        let place = self.place_of(entry);
        // Only these two are told by their magic before they are read.
        let is_asked = extract::names_media(&entry.name) || self.archive.is_stored(entry);
        let mut head = if is_asked { self.archive.peek(entry, Format::MAGIC_LEN) } else { Vec::new() };
        let more = Format::peek_len(&head);
        if more > head.len() && head.len() == Format::MAGIC_LEN {
            head = self.archive.peek(entry, more);
        }
        if extract::names_media(&entry.name) && Format::of(&head) == Format::Media {
            self.picture(entry, &place, None, &mut reading);
            self.behind_media(form, entry, &place, &mut reading);
            return reading;
        }
        let path = form.map_or(entry.name.as_str(), |form| form.installed(&entry.name));
        if Format::of(&head) == Format::Archive
            && let Some((window, limits)) = self.archive.window(entry, &place)
        {
            reading.limits.extend(limits);
            self.note_name(entry, &head, &place, &mut reading);
            self.nested_in_place(form, &window, &place, entry, &mut reading);
            return reading;
        }
        let content = self.archive.read(entry, &place, self.budget);
        reading.limits.extend(content.limits);
        self.note_name(entry, &content.bytes, &place, &mut reading);
        if self.is_known(&content.bytes, &mut reading) {
            return reading;
        }
        if Format::of(&content.bytes) == Format::Archive {
            self.nested(form, &content.bytes, &place, &entry.name, &mut reading);
        } else {
            if Format::of(&content.bytes) == Format::Media {
                self.picture(entry, &place, Some(&content.bytes), &mut reading);
            }
            self.file(form, path, &place, &content.bytes, &mut reading);
            if Format::of(&content.bytes) == Format::Other && extract::ends_as_archive(&content.bytes) {
                self.nested(form, &content.bytes, &place, &entry.name, &mut reading);
            }
        }
        reading
    }

    /// Reads one file, and the archives that lie within it.
    fn file(&self, form: Option<&dyn Form>, path: &str, place: &str, bytes: &[u8], reading: &mut Reading) {
        let mut extracted = extract::entry(path, place, bytes, self.budget);
        let archives = std::mem::take(&mut extracted.archives);
        self.absorb(reading, extracted);
        self.within(form, archives, reading);
    }

    /// Reads archives that lay within a file.
    pub(super) fn within(&self, form: Option<&dyn Form>, archives: Vec<(String, Vec<u8>)>, reading: &mut Reading) {
        for (place, bytes) in archives {
            if self.budget.take(bytes.len() as u64) {
                let name = place.strip_prefix(self.place).unwrap_or(&place).trim_start_matches("!/").to_owned();
                self.nested(form, &bytes, &place, &name, reading);
            } else {
                let detail = "the bytes for this app are used up";
                reading.limits.push(Limit::new(LimitCode::OverBudget, &place, detail));
            }
        }
    }

    /// Takes notice of a picture that may hold words.
    fn picture(&self, entry: &Entry, place: &str, bytes: Option<&[u8]>, reading: &mut Reading) {
        let head = match bytes {
            Some(bytes) => bytes[..bytes.len().min(picture::HEAD_LEN)].to_vec(),
            None => self.archive.peek(entry, picture::HEAD_LEN),
        };
        let rank = match picture::worth(&entry.name, &head, entry.size) {
            Worth::None => return,
            Worth::Unread => return reading.pictures.add_odd(place),
            Worth::Read(rank) => rank,
        };
        if !picture::IS_BUILT || self.budget.pictures == 0 || entry.size > picture::BYTES_MAX {
            return reading.pictures.leave();
        }
        let bytes = match bytes {
            Some(bytes) => bytes.to_vec(),
            None => {
                let content = self.archive.read(entry, place, self.budget);
                reading.limits.extend(content.limits);
                content.bytes
            }
        };
        reading.pictures.add(Candidate::new(rank, place, picture::family(&entry.name), bytes));
    }

    /// An archive behind a picture: it shows as the one and opens as the other. Code is loaded
    /// from it in place, so only what is stored is looked at.
    fn behind_media(&self, form: Option<&dyn Form>, entry: &Entry, place: &str, reading: &mut Reading) {
        let Some((window, _)) = self.archive.window(entry, place) else { return };
        let tail = window.size().saturating_sub(extract::END_LEN as u64);
        let ends = window.range(tail, extract::END_LEN as u64).is_ok_and(|end| extract::ends_as_archive(&end));
        if !ends {
            return;
        }
        reading.limits.push(Limit::new(LimitCode::LyingName, place, "named as media, and is an archive"));
        self.nested_in_place(form, &window, place, entry, reading);
    }

    /// Nothing is copied, but its bytes are hashed: many entries may be the same ones.
    fn nested_in_place(
        &self,
        form: Option<&dyn Form>,
        window: &Window<'_>,
        place: &str,
        entry: &Entry,
        reading: &mut Reading,
    ) {
        if self.budget.take(window.size()) {
            self.nested(form, window, place, &entry.name, reading);
        } else {
            let detail = "the bytes for this app are used up";
            reading.limits.push(Limit::new(LimitCode::OverBudget, place, detail));
        }
    }

    fn note_name(&self, entry: &Entry, bytes: &[u8], place: &str, reading: &mut Reading) {
        if let Some(words) = extract::misnamed(&entry.name, bytes) {
            let detail = format!("named as media, and is {words}");
            reading.limits.push(Limit::new(LimitCode::LyingName, place, detail));
        }
    }

    /// A package or bundle of data within a package of `form`.
    fn nested(&self, form: Option<&dyn Form>, source: &dyn ReadAt, place: &str, entry: &str, reading: &mut Reading) {
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
        let is_carried = self.is_carried || form.is_some_and(|form| !form.is_set());
        let inner = Package {
            auditor: self.auditor,
            archive: &archive,
            place,
            name: &name,
            depth: self.depth + 1,
            is_carried,
            keeps: self.keeps,
            wanted: self.wanted,
            known: self.known,
            budget: self.budget,
        };
        let form = form_of(&inner);
        let mut found = inner.read(form);
        if let Some(form) = form {
            let artifact = inner.artifact(form, sha256_of(source), source.size(), &found);
            found.artifacts.insert(0, artifact);
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
            found.signers.clear();
        }
        reading.merge(found);
    }

    /// The largest launcher icon that is small enough, as a `data:` address.
    fn icon(&self, form: Option<&dyn Form>, manifest: &Manifest) -> Option<String> {
        let candidates = self.archive.entries.iter().filter(|e| {
            e.size <= ICON_MAX
                && (manifest.icons.iter().any(|icon| form.is_some_and(|form| form.installed(&e.name) == icon))
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

/// Names of other apps said at most.
const OTHERS_MAX: usize = 8;
/// Longest that is said of one.
const TOLD_MAX: usize = 600;

fn listed(names: &[String]) -> String {
    let shown: Vec<String> =
        names.iter().take(OTHERS_MAX).map(|name| name.chars().take(TOLD_MAX).collect::<String>()).collect();
    let more = if names.len() > OTHERS_MAX { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// SHA-256 of each certificate that an Android package is signed with.
pub(super) fn certificates_of(archive: &Archive, budget: &Budget) -> Vec<String> {
    let mut found = Certificates::default();
    for entry in jar_signatures(archive) {
        found.jar(&archive.read(entry, "", budget).bytes, "");
    }
    let block = signing_block(archive).ok().flatten().unwrap_or_default();
    if let Signing::Android = block.signing {
        found.android(&block.pairs, "");
    }
    found.sha256
}

/// The blocks of the JAR signature: a package has one, or one a signer.
fn jar_signatures<'a>(archive: &'a Archive<'_>) -> impl Iterator<Item = &'a Entry> {
    archive.entries.iter().filter(|e| is_jar_signature(&e.name) && e.size < SIGNATURE_MAX).take(16)
}

/// A block of the JAR signature.
fn is_jar_signature(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    upper.starts_with("META-INF/") && [".RSA", ".DSA", ".EC"].iter().any(|end| upper.ends_with(end))
}
