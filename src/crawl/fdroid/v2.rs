//! `index-v2.json`: read app by app from wherever it lies, so that a large index is held neither as
//! bytes nor as a tree.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::{App, localised};
use crate::model::Listing;

/// Bytes read at once.
const PART: usize = 1 << 16;
/// Screenshots and permissions kept of one app.
const LIST_MAX: usize = 500;

type Texts = BTreeMap<String, String>;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Package {
    metadata: Metadata,
    versions: BTreeMap<String, Version>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    name: Texts,
    summary: Texts,
    description: Texts,
    categories: Vec<String>,
    author_name: String,
    last_updated: i64,
    web_site: String,
    screenshots: BTreeMap<String, BTreeMap<String, Vec<File>>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct File {
    name: String,
    sha256: String,
    size: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Version {
    file: File,
    manifest: Manifest,
    release_channels: Vec<String>,
    anti_features: BTreeMap<String, Value>,
    whats_new: Texts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Manifest {
    version_name: String,
    version_code: i64,
    uses_permission: Vec<Named>,
    uses_permission_sdk23: Vec<Named>,
    nativecode: Vec<String>,
    signer: Signer,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Signer {
    sha256: Vec<String>,
}

/// Hands on every app of an index.
pub(super) fn read(from: &mut dyn Read, found: super::Each<'_>) -> Result<(), String> {
    each(from, &mut |name, package: Package| found(app(name, package)))
}

fn app(name: String, package: Package) -> App {
    let metadata = package.metadata;
    let text = |texts: &Texts| localised(texts).cloned().unwrap_or_default();
    let summary = text(&metadata.summary);
    let said = [summary.clone(), text(&metadata.description)];
    let mut listing = Listing {
        package: name,
        title: text(&metadata.name),
        developer: metadata.author_name,
        category: metadata.categories.join(", "),
        description: said.into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n"),
        ..Listing::default()
    };
    if let Some(forms) = metadata.screenshots.get("phone").and_then(localised) {
        listing.screenshots = forms.iter().take(LIST_MAX).map(|file| file.name.clone()).collect();
    }
    if metadata.last_updated != 0 {
        listing.more.insert("updated".into(), metadata.last_updated.into());
    }
    if !metadata.web_site.is_empty() {
        listing.more.insert("website".into(), metadata.web_site.into());
    }
    let mut app = App { listing, summary, ..App::default() };
    if let Some(version) = newest(package.versions) {
        fill(&mut app, version);
    }
    app
}

/// The newest version that is not for testers, else the newest.
fn newest(versions: BTreeMap<String, Version>) -> Option<Version> {
    // Two builds of one version, signed by two: always the same one, whatever their order.
    versions.into_values().max_by_key(|v| {
        (v.release_channels.is_empty(), v.manifest.version_code, std::cmp::Reverse(v.file.sha256.clone()))
    })
}

fn fill(app: &mut App, version: Version) {
    let manifest = version.manifest;
    app.listing.version_name = manifest.version_name;
    app.listing.version_code = u64::try_from(manifest.version_code).unwrap_or(0);
    app.listing.changelog = localised(&version.whats_new).cloned().unwrap_or_default();
    let permissions = manifest.uses_permission.into_iter().chain(manifest.uses_permission_sdk23);
    app.listing.permissions = permissions.map(|p| p.name).take(LIST_MAX).collect();
    let mut more = |key: &str, values: Vec<String>| {
        if !values.is_empty() {
            app.listing.more.insert(key.into(), values.into());
        }
    };
    more("nativecode", manifest.nativecode);
    more("signer", manifest.signer.sha256);
    more("antiFeatures", version.anti_features.into_keys().collect());
    app.file = version.file.name;
    app.sha256 = version.file.sha256;
    app.bytes = version.file.size;
}

type Each<'a, T> = &'a mut dyn FnMut(String, T) -> Result<(), String>;

/// Hands on each package of an index, in its order.
fn each<T: DeserializeOwned>(from: &mut dyn Read, each: Each<'_, T>) -> Result<(), String> {
    let mut deserializer = serde_json::Deserializer::from_reader(BufReader::with_capacity(PART, from));
    Index(each).deserialize(&mut deserializer).map_err(|e| format!("no index of version 2: {e}"))?;
    deserializer.end().map_err(|e| format!("no index of version 2: {e}"))
}

struct Index<'a, T>(Each<'a, T>);
struct Packages<'a, T>(Each<'a, T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Index<'_, T> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Index<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an index")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut is_there = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "packages" {
                is_there = true;
                map.next_value_seed(Packages(&mut *self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if is_there { Ok(()) } else { Err(serde::de::Error::missing_field("packages")) }
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Packages<'_, T> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Packages<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("packages by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, package)) = map.next_entry::<String, T>()? {
            (self.0)(name, package).map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}

/// Applies a diff, a JSON Merge Patch (RFC 7396) of the whole index, and writes the index that
/// results. The diff is held as a tree, of the index one app at a time.
pub(super) fn merge(old: &mut dyn Read, diff: &[u8], out: &mut dyn Write) -> Result<(), String> {
    let mut patch: Value = serde_json::from_slice(diff).map_err(|e| format!("no diff: {e}"))?;
    let mut changed = match patch.get_mut("packages").map(Value::take) {
        Some(Value::Object(changed)) => changed,
        Some(Value::Null) | None => serde_json::Map::new(),
        Some(_) => return Err("no diff: `packages` is no object".into()),
    };
    let mut before = "{\"packages\":{";
    let mut write = |name: &str, package: &Value| -> std::io::Result<()> {
        out.write_all(std::mem::replace(&mut before, ",").as_bytes())?;
        serde_json::to_writer(&mut *out, name)?;
        out.write_all(b":")?;
        serde_json::to_writer(&mut *out, package).map_err(Into::into)
    };
    each(old, &mut |name, mut package: Value| {
        match changed.shift_remove(&name) {
            Some(Value::Null) => return Ok(()),
            Some(change) => patch_value(&mut package, change),
            None => {}
        }
        write(&name, &package).map_err(|e| e.to_string())
    })?;
    for (name, change) in changed.into_iter().filter(|(_, change)| !change.is_null()) {
        let mut package = Value::Null;
        patch_value(&mut package, change);
        write(&name, &package).map_err(|e| e.to_string())?;
    }
    let end = if before == "," { "}}" } else { "{\"packages\":{}}" };
    out.write_all(end.as_bytes()).and_then(|()| out.flush()).map_err(|e| e.to_string())
}

/// RFC 7396, 2. Depth is bounded by the parser's own limit.
fn patch_value(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.shift_remove(&key);
        } else {
            patch_value(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apps(bytes: &[u8]) -> Result<Vec<App>, String> {
        let mut all = Vec::new();
        read(&mut &*bytes, &mut |app| {
            all.push(app);
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn a_diff_changes_adds_and_removes() {
        let old =
            r#"{"repo":{},"packages":{"a.a":{"metadata":{"name":{"en-US":"A"}},"versions":{}},"b.b":{"metadata":{}}}}"#;
        let diff = r#"{"packages":{"a.a":{"metadata":{"name":{"en-US":null,"zh-CN":"甲"}}},"b.b":null,"c.c":{"metadata":{"name":{"en":"C"},"x":null}}}}"#;
        let mut merged = Vec::new();
        merge(&mut old.as_bytes(), diff.as_bytes(), &mut merged).unwrap();
        let apps = apps(&merged).unwrap();
        let names: Vec<_> = apps.iter().map(|a| (a.listing.package.as_str(), a.listing.title.as_str())).collect();
        assert_eq!(names, [("a.a", "甲"), ("c.c", "C")]);
        let mut none = Vec::new();
        merge(&mut &b"{\"packages\":{\"a.a\":{}}}"[..], b"{\"packages\":{\"a.a\":null}}", &mut none).unwrap();
        assert_eq!(none, b"{\"packages\":{}}");
    }

    #[test]
    fn what_is_no_index_is_refused() {
        for text in ["", "[]", "{}", r#"{"packages":[]}"#, r#"{"packages":{"a":1}}"#, r#"{"packages":{}}x"#] {
            assert!(apps(text.as_bytes()).is_err(), "{text}");
        }
        assert!(apps(br#"{"packages":{}}"#).unwrap().is_empty());
    }
}
