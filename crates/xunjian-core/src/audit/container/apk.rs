//! Android packages, splits included.

use super::{Form, Identity};
use crate::audit::Reading;
use crate::audit::package::Package;
use crate::extract::{self, Resources};
use crate::model::{ArtifactKind, Limit, LimitCode};

pub(super) const MANIFEST: &str = "AndroidManifest.xml";
const TABLE: &str = "resources.arsc";

pub(super) struct Apk;

impl Form for Apk {
    fn kind(&self) -> ArtifactKind {
        ArtifactKind::Apk
    }

    fn is(&self, package: &Package) -> bool {
        [MANIFEST, "classes.dex", TABLE].iter().any(|name| package.has(name))
    }

    fn identity(&self, package: &Package) -> Option<Identity> {
        package.copies(MANIFEST).find_map(|entry| {
            let content = package.archive.read(entry, "", package.budget);
            let (manifest, _) = extract::manifest(&content.bytes, "", &Resources::default(), package.budget);
            manifest.is_readable.then(|| manifest.into())
        })
    }

    fn read(&self, package: &Package, reading: &mut Reading) {
        if !package.has(MANIFEST) && !package.is_carried {
            reading.limits.push(Limit::new(LimitCode::BadManifest, package.place, "no AndroidManifest.xml"));
        }
        let resources = package.tables(|name| name == TABLE, reading);
        package.manifests(self, |name| name == MANIFEST, &resources, reading);
        if !reading.manifest.split.is_empty() {
            let place = format!("{}!/{TABLE}", package.place);
            reading.names.extend(resources.names().into_iter().map(|name| (place.clone(), name)));
        }
        moved(package, &resources, reading);
    }

    fn reads(&self, name: &str) -> bool {
        name == MANIFEST || name == TABLE
    }
}

/// Resource files under other paths than `res/`.
fn moved(package: &Package, resources: &Resources, reading: &mut Reading) {
    let names: std::collections::HashSet<&str> = package.archive.entries.iter().map(|e| e.name.as_str()).collect();
    let moved: std::collections::BTreeSet<&str> =
        resources.paths().filter(|path| !path.starts_with("res/") && names.contains(path)).collect();
    if let Some(first) = moved.first() {
        let detail = format!("{} resource files lie outside res/, the first is {first}", moved.len());
        reading.limits.push(Limit::new(LimitCode::ObfuscatedPaths, package.place, detail));
    }
}
