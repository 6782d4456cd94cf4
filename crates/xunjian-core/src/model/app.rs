//! Which app an audit is about, and the files it was read from.

use serde::{Deserialize, Serialize};

use super::Listing;

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

/// An app as it is listed: what findings and decisions belong to, whatever package is inside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Store; empty for a bare package.
    pub store: String,
    /// What the store calls it: [`Listing::name`]; of a bare package its own name, else its title.
    pub name: String,
}

impl Listed {
    /// The app that a listing is of, or that a bare package says it is.
    #[must_use]
    pub fn of(listing: Option<&Listing>, app: &App) -> Self {
        if let Some(listing) = listing
            && !listing.name().is_empty()
        {
            return Self { store: listing.store.clone(), name: listing.name().to_owned() };
        }
        let name = if app.package.is_empty() { &app.title } else { &app.package };
        Self { store: app.store.clone(), name: name.clone() }
    }
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
    /// Pages and scripts of a uni-app or 5+ app by themselves (DCloud's `.wgt`).
    Wgt,
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
    /// Who signed it, by what the certificates say of themselves; nobody vouches for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<Signer>,
    /// Other names under which the same bytes were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

/// A signing certificate as it describes itself (X.509, RFC 5280). Read, not verified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// Schemes under which it stands, e.g. `v1`, `v2`.
    pub schemes: Vec<String>,
    /// SHA-256 of the certificate, in lower-case hex.
    pub sha256: String,
    /// Whom it names, e.g. `CN=…,O=…`; empty where it does not parse.
    pub subject: String,
    /// Who issued it; of most apps the same as the subject.
    pub issuer: String,
    /// First day of validity, `YYYY-MM-DD`.
    pub from: String,
    /// Last day of validity, `YYYY-MM-DD`.
    pub until: String,
}
