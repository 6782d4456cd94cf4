//! Archives of splits: APKPure's XAPK, `bundletool`'s APKS, APKMirror's APKM.

use super::{Form, Identity};
use crate::model::ArtifactKind;
use crate::pipeline::Reading;
use crate::pipeline::package::Package;

pub(super) struct Bundle;

impl Form for Bundle {
    fn kind(&self) -> ArtifactKind {
        ArtifactKind::Apks
    }

    fn is(&self, package: &Package) -> bool {
        package.any(|name| name.ends_with(".apk"))
    }

    fn identity(&self, _: &Package) -> Option<Identity> {
        None
    }

    fn read(&self, _: &Package, _: &mut Reading) {}

    fn is_set(&self) -> bool {
        true
    }
}
