//! A reading on its way from the process that read a package to the one that judges it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

use super::limits::Seen;
use super::pictures::{CutOuts, Pictures};
use super::{Artifact, Hits, Limit, Manifest, Name, Read, Reading};

/// A reading as it is written.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    hits: Cow<'a, Hits>,
    limits: Cow<'a, [Limit]>,
    read: Read,
    manifest: Cow<'a, Manifest>,
    artifacts: Cow<'a, [Artifact]>,
    certificates: Cow<'a, [String]>,
    icon: Cow<'a, Option<String>>,
    cut_outs: Cow<'a, CutOuts>,
    is_shown: bool,
    #[serde(default)]
    names: Cow<'a, [(String, Name)]>,
    /// Hashes of class names, eight bytes each, in base64: there are hundreds of thousands.
    classes: String,
    seen: Cow<'a, Seen>,
}

impl Reading {
    /// A reading of a file of which nothing is known but why.
    #[must_use]
    pub fn lost(artifact: Artifact, limit: Limit) -> Self {
        Self { artifacts: vec![artifact], limits: vec![limit], ..Self::default() }
    }

    /// A reading of a picture that a store shows, of which nothing is known but why.
    #[must_use]
    pub fn unseen(limit: Limit) -> Self {
        Self { limits: vec![limit], is_shown: true, ..Self::default() }
    }

    /// Writes down what was seen; facts that are kept are not part of it.
    ///
    /// # Errors
    /// None that bytes could bring about.
    pub fn to_wire(&self) -> serde_json::Result<Vec<u8>> {
        let classes: Vec<u8> = self.seen.classes().flat_map(u64::to_le_bytes).collect();
        serde_json::to_vec(&Wire {
            hits: Cow::Borrowed(&self.hits),
            limits: Cow::Borrowed(&self.limits),
            read: self.read,
            manifest: Cow::Borrowed(&self.manifest),
            artifacts: Cow::Borrowed(&self.artifacts),
            certificates: Cow::Borrowed(&self.certificates),
            icon: Cow::Borrowed(&self.icon),
            cut_outs: Cow::Borrowed(&self.cut_outs),
            is_shown: self.is_shown,
            names: Cow::Borrowed(&self.names),
            classes: STANDARD_NO_PAD.encode(classes),
            seen: Cow::Borrowed(&self.seen),
        })
    }

    /// The reading that was written down, by a process that judges with the same pack.
    ///
    /// # Errors
    /// When it is of another form.
    pub fn from_wire(bytes: &[u8]) -> serde_json::Result<Self> {
        let wire: Wire<'_> = serde_json::from_slice(bytes)?;
        let mut seen = wire.seen.into_owned();
        let classes = STANDARD_NO_PAD.decode(wire.classes).map_err(<serde_json::Error as serde::de::Error>::custom)?;
        seen.define(classes.as_chunks::<8>().0.iter().map(|hash| u64::from_le_bytes(*hash)));
        // Every field is named, so that a new one cannot be forgotten here.
        Ok(Self {
            hits: wire.hits.into_owned(),
            limits: wire.limits.into_owned(),
            read: wire.read,
            manifest: wire.manifest.into_owned(),
            artifacts: wire.artifacts.into_owned(),
            certificates: wire.certificates.into_owned(),
            icon: wire.icon.into_owned(),
            cut_outs: wire.cut_outs.into_owned(),
            is_shown: wire.is_shown,
            names: wire.names.into_owned(),
            seen,
            // Of listings, of packages inside packages, of those who keep facts, and read by now.
            pictures: Pictures::default(),
            // Artifacts have them already.
            signers: Vec::new(),
            // A reading of these is none.
            strangers: None,
            models: BTreeMap::new(),
            contents: Vec::new(),
            kept: None,
        })
    }
}
