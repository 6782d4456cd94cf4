//! `index-v1.json`: apps and their versions in two lists.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::soft::{Mended, Soft};
use super::{App, localised, ranks};
use crate::model::Listing;

const LIST_MAX: usize = 500;

/// What a version says, of what is needed.
#[derive(Debug, Default)]
struct Version {
    file: String,
    sha256: String,
    bytes: u64,
    code: u64,
    name: String,
    signer: String,
    nativecode: Vec<String>,
    permissions: Vec<String>,
    lost: Vec<String>,
}

/// What an app says, of what is needed; its versions stand elsewhere.
#[derive(Debug, Default)]
struct Meta {
    app: App,
    suggested: Option<u64>,
}

/// Hands on every app of an index. Apps and versions stand in two lists, of which the second is
/// needed for the first: of this older and smaller form what is needed is held.
pub(super) fn read(from: &mut dyn Read, each: super::Each<'_>) -> Result<(), String> {
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(Mended::new(from)));
    let mut index = Index::default();
    Whole(&mut index).deserialize(&mut json).map_err(|e| format!("no index of version 1: {e}"))?;
    json.end().map_err(|e| format!("no index of version 1: {e}"))?;
    let Index { apps, mut versions, .. } = index;
    apps.into_iter().try_for_each(|meta| each(joined(meta, &mut versions)))
}

#[derive(Default)]
struct Index {
    apps: Vec<Meta>,
    versions: BTreeMap<String, Vec<Version>>,
    has_apps: bool,
}

struct Whole<'a>(&'a mut Index);
struct Apps<'a>(&'a mut Vec<Meta>);
struct Packages<'a>(&'a mut BTreeMap<String, Vec<Version>>);

impl<'de> DeserializeSeed<'de> for Whole<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an index")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "apps" => {
                    self.0.has_apps = true;
                    map.next_value_seed(Apps(&mut self.0.apps))?;
                }
                "packages" => map.next_value_seed(Packages(&mut self.0.versions))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if self.0.has_apps { Ok(()) } else { Err(serde::de::Error::missing_field("apps")) }
    }
}

impl<'de> DeserializeSeed<'de> for Apps<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Apps<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of apps")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        while let Some(value) = all.next_element::<Value>()? {
            self.0.push(meta(&value));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Packages<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Packages<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("versions by package")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            let all = value.as_array().map(Vec::as_slice).unwrap_or_default();
            self.0.insert(name, all.iter().map(version).collect());
        }
        Ok(())
    }

    /// `[]` for an empty map.
    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        while all.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }
}

fn version(value: &Value) -> Version {
    let mut soft = Soft::new(Some(value), "version");
    let is_sha256 = soft.text("hashType") == "sha256";
    Version {
        file: soft.text("apkName"),
        sha256: if is_sha256 { soft.text("hash") } else { String::new() },
        bytes: soft.number("size"),
        code: soft.number("versionCode"),
        name: soft.text("versionName"),
        signer: soft.text("signer"),
        nativecode: soft.list("nativecode"),
        permissions: soft.list("uses-permission"),
        lost: soft.lost,
    }
}

fn meta(value: &Value) -> Meta {
    let mut soft = Soft::new(Some(value), "app");
    let package = soft.text("packageName");
    let mut locales: BTreeMap<&String, Soft<'_>> = BTreeMap::new();
    for (locale, value) in soft.entries("localized") {
        locales.insert(locale, Soft::new(Some(value), "localized"));
    }
    // Each text by the best locale that has it: one may have nothing but pictures.
    let mut pick = |key: &str, own: String| {
        let texts: BTreeMap<String, String> = locales
            .iter_mut()
            .map(|(locale, said)| ((*locale).clone(), said.text(key)))
            .filter(|(_, text)| !text.trim().is_empty())
            .collect();
        localised(&texts).cloned().unwrap_or(own)
    };
    let summary = pick("summary", soft.text("summary"));
    let said = [summary.clone(), pick("description", soft.text("description"))];
    let mut listing = Listing {
        title: pick("name", soft.text("name")),
        changelog: pick("whatsNew", String::new()),
        developer: soft.text("authorName"),
        category: soft.list("categories").join(", "),
        description: said.into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n"),
        ..Listing::default()
    };
    let mut picture = |key: &str| {
        let named = locales.iter_mut().map(|(locale, said)| (ranks(locale), *locale, said.text(key)));
        let best = named.filter(|(_, _, name)| !name.is_empty()).min_by_key(|(rank, ..)| *rank);
        best.map_or_else(String::new, |(_, locale, name)| format!("{package}/{locale}/{name}"))
    };
    listing.icon = picture("icon");
    listing.banner = picture("featureGraphic");
    let mut shots: Vec<(usize, &String, Vec<String>)> =
        locales.iter_mut().map(|(locale, said)| (ranks(locale), *locale, said.list("phoneScreenshots"))).collect();
    shots.retain(|(_, _, shots)| !shots.is_empty());
    if let Some((_, locale, shots)) = shots.into_iter().min_by_key(|(rank, ..)| *rank) {
        let place = |name: &String| format!("{package}/{locale}/phoneScreenshots/{name}");
        listing.screenshots = shots.iter().take(LIST_MAX).map(place).collect();
    }
    let (updated, website) = (soft.number("lastUpdated"), soft.text("webSite"));
    if updated != 0 {
        listing.more.insert("updated".into(), updated.into());
    }
    if !website.is_empty() {
        listing.more.insert("website".into(), website.into());
    }
    let suggested = Some(soft.number("suggestedVersionCode")).filter(|code| *code > 0);
    listing.package = package;
    locales.into_values().for_each(|said| soft.took(said));
    Meta { app: App { listing, summary, lost: soft.lost, ..App::default() }, suggested }
}

fn joined(meta: Meta, versions: &mut BTreeMap<String, Vec<Version>>) -> App {
    let Meta { mut app, suggested } = meta;
    let versions = versions.remove(&app.listing.package).unwrap_or_default();
    // The suggested version is the newest that is not for testers.
    let best = versions
        .into_iter()
        .max_by_key(|v| (suggested.is_none_or(|s| v.code <= s), v.code, std::cmp::Reverse(v.sha256.clone())));
    if let Some(version) = best {
        fill(&mut app, version);
    }
    app
}

fn fill(app: &mut App, version: Version) {
    app.listing.version_name = version.name;
    app.listing.version_code = version.code;
    app.listing.permissions = version.permissions.into_iter().take(LIST_MAX).collect();
    if !version.signer.is_empty() {
        app.listing.more.insert("signer".into(), vec![version.signer].into());
    }
    if !version.nativecode.is_empty() {
        app.listing.more.insert("nativecode".into(), version.nativecode.into());
    }
    app.file = version.file;
    app.bytes = version.bytes;
    app.sha256 = version.sha256;
    app.lost.extend(version.lost);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(app: Value) -> App {
        let versions = json!([{ "apkName": "a.apk", "hash": "00", "hashType": "sha256", "size": 9, "versionCode": 1 }]);
        let index = json!({ "apps": [app], "packages": { "cn.example.tishan": versions } }).to_string();
        let mut found = Vec::new();
        read(&mut index.as_bytes(), &mut |app| {
            found.push(app);
            Ok(())
        })
        .unwrap();
        found.pop().unwrap()
    }

    #[test]
    fn each_text_comes_from_the_best_locale_that_has_it() {
        let english = json!({ "name": "Tishan", "summary": "sum", "description": "words" });
        let taiwan = json!({ "name": "題山", "description": "words" });
        for (localized, title) in [
            (json!({ "en-US": english }), "Tishan"),
            (json!({ "en-US": english, "zh-CN": { "phoneScreenshots": ["1.png"] } }), "Tishan"),
            (json!({ "en-US": english, "zh-CN": { "whatsNew": "修复" } }), "Tishan"),
            (json!({ "en-US": english, "zh-CN": { "name": "", "summary": "", "description": "" } }), "Tishan"),
            (json!({ "de": english }), "Tishan"),
            (json!({ "en-US": { "icon": "i.png" }, "en-GB": english }), "Tishan"),
            (json!({ "zh-CN": { "icon": "i.png" }, "zh-TW": taiwan }), "題山"),
            (json!({ "en-US": english, "zh-CN": { "name": "题山" } }), "题山"),
        ] {
            let app = one(json!({ "packageName": "cn.example.tishan", "localized": localized }));
            assert_eq!((app.listing.title.as_str(), app.lost.len()), (title, 0), "{localized}");
            assert!(app.listing.description.ends_with("words") && app.file == "a.apk", "{localized}");
        }
    }

    #[test]
    fn an_odd_field_costs_that_field() {
        for (field, value, lost) in [
            ("authorName", Value::Null, 0),
            ("suggestedVersionCode", Value::Null, 0),
            ("localized", json!([]), 0),
            ("categories", json!({ "a": 1 }), 1),
            ("lastUpdated", json!("1700000000000"), 0),
            ("summary", json!([1, 2]), 1),
        ] {
            let mut odd = json!({ "packageName": "cn.example.tishan", "name": "题山" });
            odd[field] = value;
            let app = one(odd);
            assert_eq!((app.listing.title.as_str(), app.lost.len()), ("题山", lost), "{field}: {:?}", app.lost);
        }
        assert!(read(&mut &b"{\"packages\":{}}"[..], &mut |_| Ok(())).is_err());
    }
}
