//! Android App Bundles: one folder a module, as `bundletool` takes them
//! (<https://developer.android.com/guide/app-bundle/app-bundle-format>).

use super::{Form, Identity};
use crate::audit::Reading;
use crate::audit::package::Package;
use crate::extract::{self, Resources};
use crate::model::{ArtifactKind, Limit, LimitCode};

const MANIFEST: &str = "manifest/AndroidManifest.xml";
const TABLE: &str = "resources.pb";

pub(super) struct Aab;

impl Form for Aab {
    fn kind(&self) -> ArtifactKind {
        ArtifactKind::Aab
    }

    fn is(&self, package: &Package) -> bool {
        package.any(is_manifest)
    }

    fn identity(&self, package: &Package) -> Option<Identity> {
        let mut found = extract::Manifest::default();
        for entry in package.archive.entries.iter().filter(|e| is_manifest(&e.name)) {
            let content = package.archive.read(entry, "", package.budget);
            found.yield_to(extract::manifest(&content.bytes, "", &Resources::default(), package.budget).0);
        }
        found.is_readable.then(|| found.into())
    }

    fn read(&self, package: &Package, reading: &mut Reading) {
        if !package.has("base/manifest/AndroidManifest.xml") {
            let detail = "a bundle without its base module";
            reading.limits.push(Limit::new(LimitCode::MissingSplit, package.place, detail));
        }
        let resources = package.tables(is_table, reading);
        package.manifests(self, is_manifest, &resources, reading);
    }

    fn reads(&self, name: &str) -> bool {
        is_manifest(name) || is_table(name)
    }

    /// `base/dex/classes.dex` becomes `classes.dex`, `base/root/x` becomes `x`, and all
    /// else loses the name of its module.
    fn installed<'a>(&self, name: &'a str) -> &'a str {
        let Some((module, rest)) = name.split_once('/') else { return name };
        if ["BUNDLE-METADATA", "META-INF"].contains(&module) {
            return name;
        }
        rest.strip_prefix("dex/").or_else(|| rest.strip_prefix("root/")).unwrap_or(rest)
    }
}

fn is_manifest(name: &str) -> bool {
    in_module(name) == Some(MANIFEST)
}

fn is_table(name: &str) -> bool {
    in_module(name) == Some(TABLE)
}

fn in_module(name: &str) -> Option<&str> {
    name.split_once('/').map(|(_, rest)| rest)
}
