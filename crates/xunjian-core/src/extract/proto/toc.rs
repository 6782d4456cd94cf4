//! `toc.pb` of `bundletool`'s archives of splits (APKS): which packages belong to which
//! variant of the app. A device installs the packages of one variant, never of two.
//!
//! Field numbers are those of `android.bundle.BuildApksResult` in
//! `src/main/proto/commands.proto` of <https://github.com/google/bundletool>.

use prost::Message;

use crate::extract::manifest::{Blocks, Manifest};
use crate::extract::{Bundle, Extracted};
use crate::model::{Kind, Limit, LimitCode};

/// Tables of large apps have some hundred kilobytes; decoded, one takes some thirty times
/// its bytes at worst.
const BYTES_MAX: usize = 4 << 20;

/// `BuildApksResult`.
#[derive(Clone, PartialEq, Message)]
struct Toc {
    #[prost(message, repeated, tag = "1")]
    variant: Vec<Variant>,
    #[prost(message, repeated, tag = "3")]
    asset_slice_set: Vec<Set>,
    #[prost(string, tag = "4")]
    package_name: String,
}

/// `Variant`.
#[derive(Clone, PartialEq, Message)]
struct Variant {
    #[prost(message, repeated, tag = "2")]
    apk_set: Vec<Set>,
    #[prost(uint32, tag = "3")]
    variant_number: u32,
}

/// `ApkSet`, the packages of a module, and `AssetSliceSet`, those of a pack of assets.
#[derive(Clone, PartialEq, Message)]
struct Set {
    #[prost(message, optional, tag = "1")]
    metadata: Option<Metadata>,
    #[prost(message, repeated, tag = "2")]
    apk_description: Vec<Apk>,
}

/// `ModuleMetadata` and `AssetModuleMetadata`: they put the delivery under different numbers.
#[derive(Clone, PartialEq, Message)]
struct Metadata {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int32, tag = "4")]
    assets_delivery_type: i32,
    #[prost(int32, tag = "6")]
    delivery_type: i32,
}

/// `ApkDescription`.
#[derive(Clone, PartialEq, Message)]
struct Apk {
    #[prost(string, tag = "2")]
    path: String,
    #[prost(message, optional, tag = "3")]
    split: Option<Split>,
}

/// `SplitApkMetadata`.
#[derive(Clone, PartialEq, Message)]
struct Split {
    #[prost(string, tag = "1")]
    split_id: String,
}

/// `DeliveryType`.
const fn delivery(number: i32) -> &'static str {
    match number {
        1 => "install-time",
        2 => "on-demand",
        3 => "fast-follow",
        _ => "",
    }
}

/// Reads a `toc.pb`. One that does not decode leaves open which packages there should be.
#[must_use]
pub fn toc(bytes: &[u8], place: &str) -> (Bundle, Extracted) {
    let mut out = Extracted::default();
    out.read.bytes = bytes.len() as u64;
    if bytes.len() > BYTES_MAX {
        let detail = format!("a table of {} bytes was not read", bytes.len());
        out.limits.push(Limit::new(LimitCode::OverBudget, place, detail));
        return (Bundle::default(), out);
    }
    let toc = match Toc::decode(bytes) {
        Ok(toc) => toc,
        Err(error) => {
            out.limits.push(Limit::new(LimitCode::BadFormat, place, format!("no table of packages: {error}")));
            return (Bundle::default(), out);
        }
    };
    modules(&toc, place, &mut out);
    (bundle(toc), out)
}

/// How each module reaches the device: what comes on demand is not there at first.
fn modules(toc: &Toc, place: &str, out: &mut Extracted) {
    let sets = toc.variant.iter().flat_map(|variant| &variant.apk_set).chain(&toc.asset_slice_set);
    let mut said: Vec<String> = sets
        .filter_map(|set| set.metadata.as_ref())
        .map(|module| (&module.name, delivery(module.delivery_type.max(module.assets_delivery_type))))
        .filter(|(_, delivery)| !delivery.is_empty())
        .map(|(name, delivery)| format!("{name}={delivery}"))
        .collect();
    said.sort();
    said.dedup();
    let mut blocks = Blocks::new(place);
    said.iter().for_each(|text| blocks.add(Kind::Setting, "module", text));
    blocks.finish(out);
}

fn bundle(mut toc: Toc) -> Bundle {
    // Of two variants that fit, a device takes the one of the higher number.
    toc.variant.sort_by_key(|variant| std::cmp::Reverse(variant.variant_number));
    let mut found = Bundle {
        manifest: Manifest {
            is_readable: !toc.package_name.is_empty(),
            package: toc.package_name,
            is_hearsay: true,
            ..Manifest::default()
        },
        ..Bundle::default()
    };
    for variant in toc.variant {
        let apks: Vec<Apk> = variant.apk_set.into_iter().flat_map(|set| set.apk_description).collect();
        found.variants.push(apks.iter().map(|apk| apk.path.clone()).collect());
        found.splits.extend(apks.into_iter().map(named));
    }
    found.splits.extend(toc.asset_slice_set.into_iter().flat_map(|set| set.apk_description).map(named));
    // Variants share packages.
    found.splits.sort();
    found.splits.dedup();
    found
}

fn named(apk: Apk) -> (String, String) {
    (apk.split.map(|split| split.split_id).unwrap_or_default(), apk.path)
}
