//! iOS packages: `Payload/NAME.app/`.

use super::{Form, Identity};
use crate::audit::Reading;
use crate::audit::package::Package;
use crate::extract::ios;
use crate::model::{ArtifactKind, Limit, LimitCode};

pub(super) struct Ipa;

impl Form for Ipa {
    fn kind(&self) -> ArtifactKind {
        ArtifactKind::Ipa
    }

    fn is(&self, package: &Package) -> bool {
        package.any(|name| in_app(name).is_some())
    }

    fn identity(&self, package: &Package) -> Option<Identity> {
        package.archive.entries.iter().filter(|e| is_info(&e.name)).find_map(|entry| {
            let content = package.archive.read(entry, "", package.budget);
            let (manifest, _) = ios::info(&content.bytes, "", Vec::new());
            manifest.is_readable.then(|| manifest.into())
        })
    }

    /// The list and the names are read as ordinary entries as well: all their words count.
    fn read(&self, package: &Package, reading: &mut Reading) {
        let labels: Vec<(String, String)> = package
            .archive
            .entries
            .iter()
            .filter_map(|entry| {
                let language = language_of_names(&entry.name)?;
                let content = package.archive.read(entry, "", package.budget);
                Some((language.to_owned(), ios::label(&content.bytes)?))
            })
            .collect();
        for entry in package.archive.entries.iter().filter(|e| is_info(&e.name)) {
            let (place, bytes) = package.content(entry, reading);
            let (manifest, extracted) = ios::info(&bytes, &place, labels.clone());
            package.absorb(reading, extracted);
            reading.manifest.yield_to(manifest);
        }
        if !package.any(is_info) {
            reading.limits.push(Limit::new(LimitCode::BadManifest, package.place, "no Info.plist"));
        }
    }

    fn installed<'a>(&self, name: &'a str) -> &'a str {
        in_app(name).unwrap_or(name)
    }
}

/// The path within the app.
fn in_app(name: &str) -> Option<&str> {
    let (app, rest) = name.strip_prefix("Payload/")?.split_once('/')?;
    app.ends_with(".app").then_some(rest)
}

fn is_info(name: &str) -> bool {
    in_app(name) == Some("Info.plist")
}

/// The language of an app's localised names: `zh-Hans` of `zh-Hans.lproj/InfoPlist.strings`.
fn language_of_names(name: &str) -> Option<&str> {
    let language = in_app(name)?.strip_suffix(".lproj/InfoPlist.strings")?;
    Some(if language == "Base" { "" } else { language })
}
