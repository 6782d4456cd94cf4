//! Several apps in one archive: people pack what they were given into a ZIP. Packages are one app's where they
//! share package name, version and signer; whatever else lies beside them is another app.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{Identity, form_of, is_package};
use crate::audit::package::{Package, certificates_of};
use crate::audit::sha256_of;
use crate::unpack::{Archive, Entry, ReadAt};

/// Packages of one archive that are told apart; the rest stays with the archive.
const APPS_MAX: usize = 512;
/// Files of other apps that are told.
const TOLD_MAX: usize = 8;
/// Longest name of a file that is told.
const NAME_MAX: usize = 200;

/// One app of an archive that holds several.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inner {
    /// Who it says it is; empty where that cannot be told.
    pub package: String,
    /// Its files in the archive.
    pub files: Vec<InnerFile>,
}

/// A file of an app within an archive, and where its bytes lie.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InnerFile {
    /// Path in the archive.
    pub name: String,
    /// Offset of its data.
    pub start: u64,
    /// Length of its data as it lies.
    pub packed: u64,
    /// Length as stated.
    pub bytes: u64,
    /// By deflate; else it lies as it is.
    pub is_deflated: bool,
}

/// Entries of one app.
struct Group<'a> {
    identity: Option<Identity>,
    entries: Vec<&'a Entry>,
}

/// The packages of an archive, app by app, where there are several apps; else nothing.
fn groups<'a>(package: &Package<'a>) -> Vec<Group<'a>> {
    let archive: &'a Archive<'a> = package.archive;
    let packages: Vec<&Entry> = archive.entries.iter().filter(|e| is_package(&e.name)).take(APPS_MAX).collect();
    if packages.len() < 2 {
        return Vec::new();
    }
    // What looking costs is not taken from what reading may take; but archives within archives look at the cost of
    // the outermost, or each would have as much again.
    let own = (package.depth == 0).then(|| package.auditor.budget.for_file(archive.size()));
    let budget = own.as_ref().unwrap_or(package.budget);
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut unknown: Vec<&Entry> = Vec::new();
    for entry in packages {
        let Some(identity) = identity_of(package, entry, budget).filter(|id| !id.package.is_empty()) else {
            unknown.push(entry);
            continue;
        };
        let home =
            groups.iter_mut().find(|group| group.identity.as_ref().is_some_and(|own| own.is_one_with(&identity)));
        match home {
            Some(group) => group.entries.push(entry),
            None => groups.push(Group { identity: Some(identity), entries: vec![entry] }),
        }
    }
    if groups.len() < 2 {
        return Vec::new();
    }
    // Beside several apps nobody can say whose it is.
    groups.extend(unknown.into_iter().map(|entry| Group { identity: None, entries: vec![entry] }));
    groups
}

/// What of an archive is left unread, because it is of other apps.
#[derive(Default)]
pub(in crate::audit) struct Others {
    /// Offsets of their entries.
    pub(in crate::audit) entries: HashSet<u64>,
    /// Each of their files, as it is told: the app, the file, its SHA-256.
    pub(in crate::audit) told: Vec<String>,
    /// None of the apps is the one that is wanted.
    pub(in crate::audit) is_all: bool,
}

/// The apps of an archive beside the one that is wanted, or beside the first where nobody named one.
pub(super) fn others(package: &Package) -> Others {
    let groups = groups(package);
    let is_wanted = |group: &Group| match package.wanted {
        None => true,
        Some(wanted) => group.identity.as_ref().is_some_and(|identity| identity.package == wanted),
    };
    let own = groups.iter().position(is_wanted);
    let mut others = Others { is_all: own.is_none() && !groups.is_empty(), ..Others::default() };
    // What telling them costs is not taken from what reading the app may take.
    let fresh = (package.depth == 0).then(|| package.auditor.budget.for_file(package.archive.size()));
    let budget = fresh.as_ref().unwrap_or(package.budget);
    let rest = groups.iter().enumerate().filter(|(index, _)| Some(*index) != own);
    for (entry, identity) in rest.flat_map(|(_, group)| group.entries.iter().map(move |entry| (entry, &group.identity)))
    {
        others.entries.insert(entry.offset);
        if others.told.len() <= TOLD_MAX {
            others.told.push(told(package, entry, identity.as_ref(), budget));
        }
    }
    others
}

/// A file of another app: whose it is, what it is called, and what it is known by.
fn told(package: &Package, entry: &Entry, identity: Option<&Identity>, budget: &crate::model::Budget) -> String {
    let file: String = entry.name.chars().take(NAME_MAX).collect();
    let whose = identity.map_or("?", |identity| identity.package.as_str());
    let hashed = match package.archive.window(entry, "") {
        Some((window, _)) => budget.take(window.size()).then(|| sha256_of(&window)),
        None => {
            let content = package.archive.read(entry, "", budget);
            content.limits.is_empty().then(|| sha256_of(&content.bytes))
        }
    };
    format!("{whose} ({file}, SHA-256 {})", hashed.as_deref().unwrap_or("?"))
}

/// The apps of an archive of several, each with where its files lie. Empty for an archive of one.
pub(super) fn all(package: &Package) -> Vec<Inner> {
    let file = |entry: &&Entry| {
        let (start, packed) = package.archive.data_of(entry)?;
        let is_deflated = !package.archive.is_stored(entry);
        Some(InnerFile { name: entry.name.clone(), start, packed, bytes: entry.size, is_deflated })
    };
    let inner = |group: &Group| Inner {
        package: group.identity.as_ref().map(|identity| identity.package.clone()).unwrap_or_default(),
        files: group.entries.iter().filter_map(file).collect(),
    };
    groups(package).iter().map(inner).filter(|inner| !inner.files.is_empty()).collect()
}

/// Who a package within says it is, and who signed it.
fn identity_of(package: &Package, entry: &Entry, budget: &crate::model::Budget) -> Option<Identity> {
    let open = |source: &dyn ReadAt| {
        if package.depth + 1 >= budget.depth {
            return None;
        }
        let archive = Archive::open(source, "", budget).ok()?;
        let inner = Package { archive: &archive, depth: package.depth + 1, budget, ..*package };
        let identity = form_of(&inner)?.identity(&inner)?;
        // Several apps are none that could be put together with another.
        if !identity.apps.is_empty() {
            return None;
        }
        let certificates = certificates_of(&archive, budget);
        Some(if certificates.is_empty() { identity } else { Identity { certificates, ..identity } })
    };
    match package.archive.window(entry, "") {
        Some((window, _)) => open(&window),
        None => open(&package.archive.read(entry, "", budget).bytes),
    }
}

impl Identity {
    /// Whether two files are of one app: package, version and signer are the same. Who is unsigned is no part of
    /// what is signed: anybody could have made it.
    #[must_use]
    pub fn is_one_with(&self, other: &Self) -> bool {
        let is_one_signer = self.certificates.is_empty() && other.certificates.is_empty()
            || self.certificates.iter().any(|certificate| other.certificates.contains(certificate));
        self.package == other.package && self.version_code == other.version_code && is_one_signer
    }
}
