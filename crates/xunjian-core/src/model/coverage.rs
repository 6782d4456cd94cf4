//! What could and could not be read.

use serde::{Deserialize, Serialize};

use super::config::WhichPictures;
use super::{Kind, Kinds};

/// How much of an app was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing that carries words or code.
    None,
    /// Something is missing; `limits` says what.
    Partial,
    /// All there was.
    Full,
}

macro_rules! limits {
    ($($variant:ident = $id:literal, $hides:expr, $doc:literal;)*) => {
        /// Why something was not read, or was read although it was tampered with.
        /// Codes are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum LimitCode { $(#[doc = $doc] #[serde(rename = $id)] $variant,)* }

        impl LimitCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable code.
            #[must_use]
            pub const fn id(self) -> &'static str { match self { $(Self::$variant => $id,)* } }

            /// Kinds of facts that may be missing because of it; empty for a flag
            /// that only says how the package was made.
            #[must_use]
            pub const fn hides(self) -> Kinds { match self { $(Self::$variant => $hides,)* } }
        }
    };
}

const WORDS: Kinds = Kinds::INSIDE;
const CODE: Kinds =
    Kinds::from_bits_truncate(1 << Kind::Code as u32 | 1 << Kind::Class as u32 | 1 << Kind::Native as u32);
const MANIFEST: Kinds = Kinds::from_bits_truncate(
    1 << Kind::Label as u32
        | 1 << Kind::Component as u32
        | 1 << Kind::Permission as u32
        | 1 << Kind::DeepLink as u32
        | 1 << Kind::Metadata as u32
        | 1 << Kind::Setting as u32,
);
const RESOURCES: Kinds = Kinds::from_bits_truncate(1 << Kind::Label as u32 | 1 << Kind::Resource as u32);
const PACKAGE: Kinds = Kinds::ALL.difference(Kinds::LISTING.union(Kinds::PICTURES));
const SCRIPT: Kinds = Kinds::from_bits_truncate(1 << Kind::Asset as u32);
const FLAG: Kinds = Kinds::empty();

limits! {
    NoListing = "no-listing", Kinds::LISTING, "No listing was given with the package.";
    UnreadListing = "unread-listing", Kinds::LISTING, "Part of the listing could not be read.";
    NoPackage = "no-package", PACKAGE, "Only a listing was given.";
    Packed = "packed", CODE.union(SCRIPT), "The code is wrapped by an app shell.";
    EncryptedScript = "encrypted-script", SCRIPT, "Scripts are encrypted.";
    EncryptedStrings = "encrypted-strings", CODE, "The constants of the code are encrypted.";
    DynamicCode = "dynamic-code", CODE, "Code is loaded after installation.";
    RemoteContent = "remote-content", WORDS, "The app shows pages of a server.";
    ObfuscatedNames = "obfuscated-names", Kinds::from_bits_truncate(1 << Kind::Class as u32), "Most class names are obfuscated.";
    MissingSplit = "missing-split", RESOURCES.union(SCRIPT).union(CODE), "Splits that the base requires are not here.";
    UnreadableEntry = "unreadable-entry", WORDS, "An entry does not inflate or is cut off.";
    OverBudget = "over-budget", PACKAGE, "A cap on bytes, entries, depth, strings or time stopped the reading.";
    Crashed = "crashed", PACKAGE, "The process that read the package died; nothing of it was read.";
    EncryptedEntry = "encrypted-entry", WORDS, "An entry is really encrypted.";
    BadManifest = "bad-manifest", MANIFEST, "The manifest is missing or does not parse.";
    BadResources = "bad-resources", RESOURCES, "The resource table does not parse.";
    BadDex = "bad-dex", CODE, "A DEX file does not parse, or parses in part.";
    BadCertificate = "bad-certificate", FLAG, "A signature could not be read.";
    BadFormat = "bad-format", WORDS, "A file of a known format does not parse.";
    UnreadFormat = "unread-format", WORDS, "A file is packed or laid out in a way that is not read.";
    DamagedArchive = "damaged-archive", WORDS, "The archive's directory is broken; entries were found by their own headers.";
    TamperedArchive = "tampered-archive", FLAG, "Archive headers lie, in a way that ordinary readers trip over.";
    TamperedManifest = "tampered-manifest", FLAG, "The manifest is built to trip readers.";
    TamperedResources = "tampered-resources", FLAG, "The resource table is built to trip readers.";
    HiddenCode = "hidden-code", FLAG, "Code lies where code does not belong.";
    ObfuscatedPaths = "obfuscated-paths", FLAG, "Resource files lie under other paths than `res/`.";
    OtherVersion = "other-version", FLAG, "Listing and package are of different versions.";
    OtherPackage = "other-package", FLAG, "The package inside is not of the app that is listed.";
    OtherApps = "other-apps", FLAG, "The archive holds other apps, which are audited on their own.";
    LyingName = "lying-name", FLAG, "A file is of another format than its name says.";
    UnreadPicture = "unread-picture", FLAG, "Pictures were not looked at for words.";
}

impl std::fmt::Display for LimitCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

/// One thing that limits what a clean result means.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Limit {
    /// Stable code.
    pub code: LimitCode,
    /// Plain facts, in English: names, counts, sizes.
    pub detail: String,
    /// The file or entry.
    #[serde(rename = "where")]
    pub place: String,
}

impl Limit {
    /// A limit at a place.
    #[must_use]
    pub fn new(code: LimitCode, place: &str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), place: place.into() }
    }
}

/// How much was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Entries of archives seen.
    pub entries: u64,
    /// Bytes looked at after inflation.
    pub bytes: u64,
    /// Strings taken.
    pub strings: u64,
    /// Classes named.
    pub classes: u64,
}

impl std::ops::AddAssign for Read {
    fn add_assign(&mut self, other: Self) {
        self.entries += other.entries;
        self.bytes += other.bytes;
        self.strings += other.strings;
        self.classes += other.classes;
    }
}

/// Coverage of one audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The sum of it.
    pub level: Level,
    /// What is missing or odd, sorted, without repeats.
    pub limits: Vec<Limit>,
    /// What was read.
    pub read: Read,
    /// Which pictures were asked for: a word of `[pictures] read`; none in audits of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<WhichPictures>,
}

/// Limits of one code and place-independent detail shown at most; the rest is counted.
const SHOWN_PER_CODE: usize = 20;

impl Coverage {
    /// Sums up the limits that the readers reported.
    #[must_use]
    pub fn new(mut limits: Vec<Limit>, read: Read) -> Self {
        limits.sort();
        limits.dedup();
        let hidden = limits.iter().fold(Kinds::empty(), |all, limit| all | limit.code.hides());
        let level = if read.strings == 0 && read.classes == 0 {
            Level::None
        } else if hidden.is_empty() {
            Level::Full
        } else {
            Level::Partial
        };
        Self { level, limits: shorten(limits), read, pictures: None }
    }

    /// Kinds of facts that may have been missed.
    #[must_use]
    pub fn hidden(&self) -> Kinds {
        self.limits.iter().fold(Kinds::empty(), |all, limit| all | limit.code.hides())
    }

    /// The first limit that hides any of `kinds`.
    pub fn hiding(&self, kinds: Kinds) -> impl Iterator<Item = &Limit> {
        self.limits.iter().filter(move |limit| limit.code.hides().intersects(kinds))
    }
}

/// Keeps the report readable when ten thousand entries are broken in the same way.
fn shorten(limits: Vec<Limit>) -> Vec<Limit> {
    let mut kept: Vec<Limit> = Vec::new();
    for group in limits.chunk_by(|a, b| a.code == b.code) {
        kept.extend(group.iter().take(SHOWN_PER_CODE).cloned());
        if let Some(more) = group.len().checked_sub(SHOWN_PER_CODE).filter(|&n| n > 0) {
            kept.push(Limit::new(group[0].code, "", format!("and {more} more of this kind")));
        }
    }
    kept
}

/// How much of an app was read, as people ask for it: an app of which all that was given
/// was read is not the same as one with a hole in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Listing and package, all of it.
    Full,
    /// All of the listing; there was no package.
    ListingOnly,
    /// All of the package; there was no listing.
    PackageOnly,
    /// Something given could not be read.
    Partial,
    /// Nothing that carries words or code.
    None,
}

impl Reading {
    /// Every reading.
    pub const ALL: [Self; 5] = [Self::Full, Self::ListingOnly, Self::PackageOnly, Self::Partial, Self::None];

    /// Its id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::ListingOnly => "listing-only",
            Self::PackageOnly => "package-only",
            Self::Partial => "partial",
            Self::None => "none",
        }
    }
}

impl Coverage {
    /// How much was read.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let has = |code: LimitCode| self.limits.iter().any(|limit| limit.code == code);
        let is_hole = |limit: &Limit| {
            !matches!(limit.code, LimitCode::NoListing | LimitCode::NoPackage) && !limit.code.hides().is_empty()
        };
        match self.level {
            Level::None => Reading::None,
            Level::Full => Reading::Full,
            Level::Partial if self.limits.iter().any(is_hole) => Reading::Partial,
            Level::Partial if has(LimitCode::NoPackage) => Reading::ListingOnly,
            Level::Partial => Reading::PackageOnly,
        }
    }
}
