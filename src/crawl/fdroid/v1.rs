//! `index-v1.json`: apps and their versions in two lists.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};

use serde::Deserialize;
use serde_json::Value;

use super::{App, localised};
use crate::model::Listing;

#[derive(Debug, Deserialize)]
struct Index {
    apps: Vec<Meta>,
    packages: BTreeMap<String, Vec<Version>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Meta {
    package_name: String,
    name: String,
    summary: String,
    description: String,
    author_name: String,
    categories: Vec<String>,
    /// A number in a text, or a number.
    suggested_version_code: Value,
    last_updated: i64,
    web_site: String,
    localized: BTreeMap<String, Localised>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Localised {
    name: String,
    summary: String,
    description: String,
    whats_new: String,
    phone_screenshots: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Version {
    apk_name: String,
    hash: String,
    hash_type: String,
    size: u64,
    version_code: i64,
    version_name: String,
    signer: String,
    nativecode: Vec<String>,
    #[serde(rename = "uses-permission")]
    uses_permission: Vec<Value>,
}

const LIST_MAX: usize = 500;

/// Hands on every app of an index. Apps and versions stand in two lists, of which the second is
/// needed for the first: this older and smaller form is held as a whole.
pub(super) fn read(from: &mut dyn Read, each: super::Each<'_>) -> Result<(), String> {
    let index: Index =
        serde_json::from_reader(BufReader::new(from)).map_err(|e| format!("no index of version 1: {e}"))?;
    let mut packages = index.packages;
    index.apps.into_iter().try_for_each(|meta| each(app(meta, &mut packages)))
}

fn app(meta: Meta, packages: &mut BTreeMap<String, Vec<Version>>) -> App {
    let words = localised(&meta.localized);
    let pick = |own: String, get: fn(&Localised) -> &String| {
        let theirs = words.map(get).filter(|text| !text.is_empty());
        theirs.cloned().unwrap_or(own)
    };
    let summary = pick(meta.summary, |l| &l.summary);
    let said = [summary.clone(), pick(meta.description, |l| &l.description)];
    let mut listing = Listing {
        title: pick(meta.name, |l| &l.name),
        changelog: pick(String::new(), |l| &l.whats_new),
        developer: meta.author_name,
        category: meta.categories.join(", "),
        description: said.into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n"),
        ..Listing::default()
    };
    let shots = meta.localized.iter().find(|(_, l)| !l.phone_screenshots.is_empty());
    if let Some((locale, shots)) = shots {
        let place = |name: &String| format!("{}/{locale}/phoneScreenshots/{name}", meta.package_name);
        listing.screenshots = shots.phone_screenshots.iter().take(LIST_MAX).map(place).collect();
    }
    if meta.last_updated != 0 {
        listing.more.insert("updated".into(), meta.last_updated.into());
    }
    if !meta.web_site.is_empty() {
        listing.more.insert("website".into(), meta.web_site.into());
    }
    let suggested = meta.suggested_version_code;
    let suggested = suggested.as_i64().or_else(|| suggested.as_str()?.parse().ok());
    let versions = packages.remove(&meta.package_name).unwrap_or_default();
    listing.package = meta.package_name;
    let mut app = App { listing, summary, ..App::default() };
    // The suggested version is the newest that is not for testers.
    let best = versions.into_iter().max_by_key(|v| {
        (suggested.is_none_or(|s| v.version_code <= s), v.version_code, std::cmp::Reverse(v.hash.clone()))
    });
    if let Some(version) = best {
        fill(&mut app, version);
    }
    app
}

fn fill(app: &mut App, version: Version) {
    app.listing.version_name = version.version_name;
    app.listing.version_code = u64::try_from(version.version_code).unwrap_or(0);
    let names = version.uses_permission.iter().filter_map(|p| p.get(0)?.as_str().map(str::to_owned));
    app.listing.permissions = names.take(LIST_MAX).collect();
    if !version.signer.is_empty() {
        app.listing.more.insert("signer".into(), vec![version.signer].into());
    }
    if !version.nativecode.is_empty() {
        app.listing.more.insert("nativecode".into(), version.nativecode.into());
    }
    app.file = version.apk_name;
    app.bytes = version.size;
    if version.hash_type == "sha256" {
        app.sha256 = version.hash;
    }
}
