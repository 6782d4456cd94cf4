//! HarmonyOS: a module (`.hap`, `.hsp`), and an app of several (`.app`).

use super::{Form, Identity};
use crate::audit::Reading;
use crate::audit::package::Package;
use crate::extract::{Manifest, Resources, harmony};
use crate::model::{ArtifactKind, Limit, LimitCode};

/// Stage model, FA model.
const MODULES: &[&str] = &["module.json", "config.json"];
const PACK: &str = "pack.info";
const TABLE: &str = "resources.index";

/// One module.
pub(super) struct Hap;

impl Form for Hap {
    fn kind(&self) -> ArtifactKind {
        ArtifactKind::Hap
    }

    /// Many an archive has a `config.json`: it must name a bundle, or lie beside what only
    /// a module has.
    fn is(&self, package: &Package) -> bool {
        package.has(TABLE) || package.has(PACK) || package.any(is_code) || module(package).is_some()
    }

    fn identity(&self, package: &Package) -> Option<Identity> {
        module(package).or_else(|| packs(package).next().map(|pack| pack.manifest)).map(Into::into)
    }

    fn read(&self, package: &Package, reading: &mut Reading) {
        let resources = package.tables(|name| name == TABLE, reading);
        for entry in package.archive.entries.iter().filter(|e| MODULES.contains(&e.name.as_str())) {
            let (place, bytes) = package.content(entry, reading);
            let (manifest, extracted) = harmony::module(&bytes, &place, &resources, package.budget);
            package.absorb(reading, extracted);
            reading.manifest.yield_to(manifest);
        }
        for pack in packs(package) {
            reading.manifest.yield_to(pack.manifest);
        }
        if !reading.manifest.is_readable && !package.is_carried {
            reading.limits.push(Limit::new(
                LimitCode::BadManifest,
                package.place,
                "no module.json that says who it is",
            ));
        }
    }

    fn reads(&self, name: &str) -> bool {
        name == TABLE
    }
}

fn is_code(name: &str) -> bool {
    name.starts_with("ets/") && name.ends_with(".abc")
}

/// The module's own word on who it is.
fn module(package: &Package) -> Option<Manifest> {
    MODULES.iter().flat_map(|name| package.copies(name)).find_map(|entry| {
        let content = package.archive.read(entry, "", package.budget);
        let (manifest, _) = harmony::module(&content.bytes, "", &Resources::default(), package.budget);
        manifest.is_readable.then_some(manifest)
    })
}

fn packs(package: &Package) -> impl Iterator<Item = harmony::Pack> {
    package.copies(PACK).filter_map(|entry| harmony::pack(&package.archive.read(entry, "", package.budget).bytes))
}

/// An app of several modules, as a store takes it.
pub(super) struct App;

impl Form for App {
    fn kind(&self) -> ArtifactKind {
        ArtifactKind::Hap
    }

    fn is(&self, package: &Package) -> bool {
        package.any(is_module)
    }

    fn identity(&self, package: &Package) -> Option<Identity> {
        packs(package).next().map(|pack| pack.manifest.into())
    }

    fn read(&self, package: &Package, reading: &mut Reading) {
        for pack in packs(package) {
            let missing = pack.packages.iter().filter(|name| {
                let name = name.as_str();
                !package.any(|entry| entry.strip_suffix(".hap").or_else(|| entry.strip_suffix(".hsp")) == Some(name))
            });
            for name in missing {
                let detail = format!("pack.info names the module {name}, which is not here");
                reading.limits.push(Limit::new(LimitCode::MissingSplit, package.place, detail));
            }
            reading.manifest.yield_to(pack.manifest);
        }
    }

    fn is_set(&self) -> bool {
        true
    }
}

fn is_module(name: &str) -> bool {
    name.ends_with(".hap") || name.ends_with(".hsp")
}
