//! `index-v2.json`: read app by app from wherever it lies, so that a large index is held neither as
//! bytes nor as a tree.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::soft::{Mended, Soft};
use super::{App, localised, ranks};
use crate::model::Listing;

/// Bytes read at once.
const PART: usize = 1 << 16;
/// Screenshots and permissions kept of one app.
const LIST_MAX: usize = 500;

/// What a version says, of what is needed.
struct Version {
    is_stable: bool,
    code: u64,
    sha256: String,
    filled: App,
}

/// Hands on every app of an index.
pub(super) fn read(from: &mut dyn Read, found: super::Each<'_>) -> Result<(), String> {
    each(from, &mut |name, package: Value| found(app(name, &package)))
}

fn app(name: String, package: &Value) -> App {
    let mut soft = Soft::new(Some(package), "package");
    let mut metadata = soft.inner("metadata");
    let text = |texts: &BTreeMap<String, String>| localised(texts).cloned().unwrap_or_default();
    let summary = text(&metadata.texts("summary"));
    let said = [summary.clone(), text(&metadata.texts("description"))];
    let mut listing = Listing {
        package: name,
        title: text(&metadata.texts("name")),
        developer: metadata.text("authorName"),
        category: metadata.list("categories").join(", "),
        description: said.into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n"),
        ..Listing::default()
    };
    let mut shots = metadata.inner("screenshots");
    let mut phone = shots.inner("phone");
    let locales: Vec<String> = phone.keys();
    let best = locales.iter().map(|locale| (ranks(locale), phone.list(locale))).filter(|(_, files)| !files.is_empty());
    if let Some((_, files)) = best.min_by_key(|(rank, _)| *rank) {
        listing.screenshots = files.into_iter().take(LIST_MAX).collect();
    }
    shots.took(phone);
    metadata.took(shots);
    listing.icon = picture(&mut metadata, "icon");
    listing.banner = picture(&mut metadata, "featureGraphic");
    let (updated, website) = (metadata.number("lastUpdated"), metadata.text("webSite"));
    if updated != 0 {
        listing.more.insert("updated".into(), updated.into());
    }
    if !website.is_empty() {
        listing.more.insert("website".into(), website.into());
    }
    soft.took(metadata);
    let versions: Vec<Version> = soft.entries("versions").into_iter().map(|(_, value)| version(value)).collect();
    let mut app = App { listing, summary, lost: soft.lost, ..App::default() };
    if let Some(version) = newest(versions) {
        app.fill(version.filled);
    }
    app
}

/// The file of a picture, by the best locale that has one.
fn picture(metadata: &mut Soft<'_>, key: &str) -> String {
    let mut locales = metadata.inner(key);
    let mut found: Vec<(usize, String)> = Vec::new();
    for locale in locales.keys() {
        let mut file = locales.inner(&locale);
        found.push((ranks(&locale), file.text("name")));
        locales.took(file);
    }
    metadata.took(locales);
    found.retain(|(_, name)| !name.is_empty());
    found.into_iter().min_by_key(|(rank, _)| *rank).map_or_else(String::new, |(_, name)| name)
}

/// The newest version that is not for testers, else the newest.
fn newest(versions: Vec<Version>) -> Option<Version> {
    // Two builds of one version, signed by two: always the same one, whatever their order.
    versions.into_iter().max_by_key(|v| (v.is_stable, v.code, std::cmp::Reverse(v.sha256.clone())))
}

fn version(value: &Value) -> Version {
    let mut soft = Soft::new(Some(value), "version");
    let (mut file, mut manifest) = (soft.inner("file"), soft.inner("manifest"));
    let mut filled = App::default();
    filled.listing.version_name = manifest.text("versionName");
    filled.listing.version_code = manifest.number("versionCode");
    filled.listing.changelog = localised(&soft.texts("whatsNew")).cloned().unwrap_or_default();
    let permissions = [manifest.list("usesPermission"), manifest.list("usesPermissionSdk23")].concat();
    filled.listing.permissions = permissions.into_iter().take(LIST_MAX).collect();
    let mut more = |key: &str, values: Vec<String>| {
        if !values.is_empty() {
            filled.listing.more.insert(key.into(), values.into());
        }
    };
    more("nativecode", manifest.list("nativecode"));
    let mut signer = manifest.inner("signer");
    more("signer", signer.list("sha256"));
    manifest.took(signer);
    let features = match value.get("antiFeatures") {
        Some(Value::Array(_)) => soft.list("antiFeatures"),
        _ => soft.entries("antiFeatures").into_iter().map(|(name, _)| name.clone()).collect(),
    };
    more("antiFeatures", features);
    filled.file = file.text("name");
    filled.sha256 = file.text("sha256");
    filled.bytes = file.number("size");
    let is_stable = soft.list("releaseChannels").is_empty();
    soft.took(file);
    soft.took(manifest);
    filled.lost = soft.lost;
    let (code, sha256) = (filled.listing.version_code, filled.sha256.clone());
    Version { is_stable, code, sha256, filled }
}

type Each<'a, T> = &'a mut dyn FnMut(String, T) -> Result<(), String>;

/// Hands on each package of an index, in its order.
fn each<T: DeserializeOwned>(from: &mut dyn Read, each: Each<'_, T>) -> Result<(), String> {
    let mut deserializer = serde_json::Deserializer::from_reader(BufReader::with_capacity(PART, Mended::new(from)));
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
        deserializer.deserialize_any(self)
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

    /// `[]` for an empty map.
    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        match all.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(serde::de::Error::custom("packages without names")),
        }
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
        for text in ["", "[]", "{}", r#"{"packages":7}"#, r#"{"packages":{"a":1}"#, r#"{"packages":{}}x"#] {
            assert!(apps(text.as_bytes()).is_err(), "{text}");
        }
        assert!(apps(br#"{"packages":{}}"#).unwrap().is_empty() && apps(br#"{"packages":[]}"#).unwrap().is_empty());
        let odd = apps(br#"{"packages":{"a":1,"b.b":null}}"#).unwrap();
        assert!(odd[0].lost == ["package"] && odd[1].lost.is_empty(), "{odd:?}");
    }

    /// One app of an index in which another one is sound.
    fn odd(package: &str) -> App {
        let sound = r#"{"metadata":{"name":{"zh-CN":"好"}},"versions":{}}"#;
        let index = format!(r#"{{"packages":{{"a.a":{sound},"odd.odd":{package},"z.z":{sound}}}}}"#);
        let mut apps = apps(index.as_bytes()).unwrap();
        let titles: Vec<_> = [&apps[0], &apps[2]].iter().map(|app| app.listing.title.as_str()).collect();
        assert_eq!(titles, ["好", "好"], "{package}");
        apps.remove(1)
    }

    #[test]
    fn one_odd_app_costs_what_is_odd_of_it_and_no_other_app() {
        let of = |metadata: &str, manifest: &str| {
            odd(&format!(
                r#"{{"metadata":{{"name":{{"zh-CN":"题山"}},"description":{{"zh-CN":"","en-US":"words"}}{metadata}}},
                    "versions":{{"v":{{"file":{{"name":"/a.apk","sha256":"00","size":9}},"manifest":{{"versionName":"1.0","versionCode":12{manifest}}}}}}}}}"#
            ))
        };
        let plain = of("", "");
        assert_eq!((plain.listing.title.as_str(), plain.listing.description.as_str()), ("题山", "words"));
        for (metadata, manifest, lost) in [
            (r#","somethingNew":{"a":[1,null]}"#, "", 0),
            (r#","authorName":null,"webSite":null,"categories":null,"screenshots":null"#, "", 0),
            (r#","screenshots":{"phone":null},"lastUpdated":"1700000000000""#, "", 0),
            (r#","summary":{"zh-CN":null},"categories":[]"#, "", 0),
            (r#","summary":"好\ud83d""#, "", 0),
            (r#","authorName":{"x":1}"#, "", 1),
            ("", r#","nativecode":null,"usesPermission":null,"signer":null"#, 0),
            ("", r#","usesPermission":[{"name":"p"},7]"#, 1),
        ] {
            let app = of(metadata, manifest);
            assert_eq!((app.listing.title.as_str(), app.listing.version_code), ("题山", 12), "{metadata} {manifest}");
            assert_eq!(app.lost.len(), lost, "{metadata} {manifest}: {:?}", app.lost);
        }
        for (code, read, lost) in [
            ("\"12\"", 12, 0),
            ("12.0", 12, 0),
            ("9223372036854775813", 9_223_372_036_854_775_813, 0),
            ("1e40", 0, 1),
            ("null", 0, 0),
        ] {
            let app = odd(&format!(
                r#"{{"metadata":{{"name":{{"en":"x"}}}},"versions":{{"v":{{"manifest":{{"versionCode":{code}}}}}}}}}"#
            ));
            assert_eq!((app.listing.version_code, app.lost.len()), (read, lost), "{code}");
        }
        for package in ["null", "[]", r#"{"metadata":null,"versions":null}"#, r#"{"versions":[]}"#] {
            assert!(odd(package).lost.is_empty(), "{package}");
        }
    }
}
