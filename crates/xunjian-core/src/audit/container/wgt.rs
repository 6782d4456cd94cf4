//! Pages and scripts of a uni-app or 5+ app by themselves: what DCloud's shell installs as
//! an update (`.wgt`), or the folder `www` as a developer hands it in
//! (<https://uniapp.dcloud.net.cn/collocation/manifest.html>).

use super::{Form, Identity};
use crate::audit::Reading;
use crate::audit::package::Package;
use crate::extract;
use crate::model::ArtifactKind;
use crate::unpack::Entry;

const MANIFEST: &str = "manifest.json";

pub(super) struct Wgt;

impl Form for Wgt {
    fn kind(&self) -> ArtifactKind {
        ArtifactKind::Wgt
    }

    fn is(&self, package: &Package) -> bool {
        manifests(package).any(|entry| read(package, entry).is_some())
    }

    fn identity(&self, package: &Package) -> Option<Identity> {
        manifests(package).find_map(|entry| read(package, entry)).map(|(manifest, _)| manifest.into())
    }

    /// The manifest is read as an ordinary entry as well: its words count.
    fn read(&self, package: &Package, reading: &mut Reading) {
        for entry in manifests(package) {
            let Some((manifest, extracted)) = read(package, entry) else { continue };
            reading.absorb(&package.auditor.pack, extracted);
            reading.manifest.yield_to(manifest);
        }
    }
}

/// At the root, or in a folder such as `www`.
fn manifests<'a>(package: &'a Package) -> impl Iterator<Item = &'a Entry> {
    let is = |name: &str| name == MANIFEST || name.split_once('/').is_some_and(|(_, rest)| rest == MANIFEST);
    package.archive.entries.iter().filter(move |entry| is(&entry.name)).take(8)
}

fn read(package: &Package, entry: &Entry) -> Option<(extract::Manifest, extract::Extracted)> {
    let place = package.place_of(entry);
    extract::widget(&package.archive.read(entry, &place, package.budget).bytes, &place)
}
