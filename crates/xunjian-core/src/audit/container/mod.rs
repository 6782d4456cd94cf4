//! Forms of package: who the app in one is, and what only that form says.
//!
//! A new form is one file here, one line in [`FORMS`], and a reader under `extract/`.

mod aab;
mod apk;
mod apps;
mod bundle;
mod harmony;
mod ios;
mod wgt;

use serde::{Deserialize, Serialize};

use super::Reading;
use super::package::Package;
use crate::extract::Manifest;
use crate::model::ArtifactKind;
use crate::unpack::Entry;

/// Who a package file says it is: enough to put files together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Package name.
    pub package: String,
    /// Version for machines.
    pub version_code: u64,
    /// Names of the splits it holds; that of a base is empty.
    pub splits: Vec<String>,
    /// SHA-256 of each certificate that it is signed with; of an archive of splits, that of the first of them.
    #[serde(default)]
    pub certificates: Vec<String>,
    /// The apps of an archive that holds several; the fields above then are of the first.
    #[serde(default)]
    pub apps: Vec<Inner>,
}

pub(super) use apps::Others;
pub use apps::{Inner, InnerFile};

/// Endings of packages, and of sets of them, that an archive may hold.
const PACKAGES: &[&str] = &[".apk", ".xapk", ".apks", ".apkm"];

/// Whether an entry is named as a package, in whatever case.
fn is_package(name: &str) -> bool {
    PACKAGES.iter().any(|end| {
        let tail = name.len().checked_sub(end.len()).and_then(|at| name.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    })
}

/// A form of package.
pub(super) trait Form: Sync {
    /// What artifacts of this form are called.
    fn kind(&self) -> ArtifactKind;

    /// Whether the archive is of this form.
    fn is(&self, package: &Package) -> bool;

    /// Who the app is, as cheaply as can be told.
    fn identity(&self, package: &Package) -> Option<Identity>;

    /// Reads what is not an ordinary entry: manifests, tables.
    fn read(&self, package: &Package, reading: &mut Reading);

    /// Whether [`Form::read`] reads this entry, so that nobody else does.
    fn reads(&self, _name: &str) -> bool {
        false
    }

    /// The path that an entry has once the app is installed: what libraries are known by.
    fn installed<'a>(&self, name: &'a str) -> &'a str {
        name
    }

    /// The entries in the order they are read: those of a later round are left out where
    /// their bytes were read in an earlier one.
    fn rounds<'a>(&self, package: &Package<'a>) -> Vec<Vec<&'a Entry>> {
        vec![package.archive.entries.iter().collect()]
    }

    /// Entries that are other apps' and left unread.
    fn others(&self, _package: &Package) -> Others {
        Others::default()
    }

    /// A package within is part of the same app, rather than carried along by it.
    fn is_set(&self) -> bool {
        false
    }
}

/// Every form, the surest to tell first.
const FORMS: &[&dyn Form] =
    &[&apk::Apk, &aab::Aab, &harmony::App, &harmony::Hap, &ios::Ipa, &bundle::XAPK, &bundle::APKS, &wgt::Wgt];

/// The form of an archive; `None` for an archive of something else.
pub(super) fn form_of(package: &Package) -> Option<&'static dyn Form> {
    FORMS.iter().copied().find(|form| form.is(package))
}

impl From<Manifest> for Identity {
    fn from(manifest: Manifest) -> Self {
        Self {
            package: manifest.package,
            version_code: manifest.version_code,
            splits: vec![manifest.split],
            ..Self::default()
        }
    }
}
