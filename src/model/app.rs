//! Which app an audit is about, and the files it was read from.

use serde::{Deserialize, Serialize};

/// Who an app is, as far as its listing and package tell.
///
/// A field that nobody stated is empty or absent; nothing is guessed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Store the listing came from; empty for a bare package.
    pub store: String,
    /// Android package name, HarmonyOS bundle name or iOS bundle id.
    pub package: String,
    /// Title of the listing, else the label of the package (Chinese first).
    pub title: String,
    /// Developer as the store prints it.
    pub developer: String,
    /// Version as shown to people.
    pub version_name: String,
    /// Version as compared by machines.
    pub version_code: u64,
    /// Page of the listing.
    pub url: String,
    /// The listing's own id, else empty.
    pub id: String,
}

/// What sort of file an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArtifactKind {
    /// One Android package.
    Apk,
    /// A configuration or feature split of an Android package.
    Split,
    /// Archive of splits with a `manifest.json` (APKPure's form).
    Xapk,
    /// Archive of splits as `bundletool` or APKMirror make it.
    Apks,
    /// Android App Bundle.
    Aab,
    /// HarmonyOS package.
    Hap,
    /// iOS package.
    Ipa,
    /// Expansion file that an Android package comes with.
    Obb,
}

/// One file of an app, named as the user gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Path as given on the command line, or path inside its container.
    pub name: String,
    /// SHA-256 of its bytes, in lower-case hex.
    pub sha256: String,
    /// Length in bytes.
    pub bytes: u64,
    /// What sort of file it is.
    pub kind: ArtifactKind,
    /// SHA-256 of each distinct signing certificate, in lower-case hex.
    pub certificates: Vec<String>,
}
