//! iOS: who `Info.plist` says an app is, and what it asks of the system.
//!
//! Keys as documented in "Information Property List" of
//! <https://developer.apple.com/documentation/bundleresources/information-property-list>.

use serde_json::Value;

use super::json::{list, text};
use super::manifest::{Blocks, Manifest};
use super::{Extracted, locale, plist};
use crate::model::{Kind, Limit, LimitCode};

/// Keys of the app's name, the one on the home screen first.
const NAMES: &[&str] = &["/CFBundleDisplayName", "/CFBundleName", "/CFBundleSpokenName"];

/// Reads the `Info.plist` of an app. `localised` are its names in other languages:
/// (language, name), from [`label`].
#[must_use]
pub fn info(bytes: &[u8], place: &str, localised: Vec<(String, String)>) -> (Manifest, Extracted) {
    let mut out = Extracted::default();
    let Some(value) = plist::value(bytes).filter(|v| !text(v, "/CFBundleIdentifier").is_empty()) else {
        out.limits.push(Limit::new(LimitCode::BadManifest, place, "no bundle identifier in it"));
        return (Manifest::default(), out);
    };
    let manifest = manifest(&value, localised);
    let mut blocks = Blocks::new(place);
    for (language, name) in &manifest.labels {
        let language = if language.is_empty() { String::new() } else { format!(" [{language}]") };
        blocks.add(Kind::Label, &format!("application label{language}"), name);
    }
    // An app that lacks the sentence for a resource is ended when it asks for it.
    for key in value.as_object().into_iter().flat_map(|members| members.keys()) {
        if key.ends_with("UsageDescription") {
            blocks.add(Kind::Permission, "usage description", key);
        }
    }
    let schemes = list(&value, "/CFBundleURLTypes").flat_map(|kind| list(kind, "/CFBundleURLSchemes"));
    for scheme in schemes.filter_map(Value::as_str) {
        blocks.add(Kind::DeepLink, "URL scheme", &format!("{scheme}://"));
    }
    for scheme in list(&value, "/LSApplicationQueriesSchemes").filter_map(Value::as_str) {
        blocks.add(Kind::Setting, "queries", &format!("queries={scheme}"));
    }
    for (pointer, key) in [
        ("/NSAppTransportSecurity/NSAllowsArbitraryLoads", "cleartextTrafficPermitted"),
        ("/MinimumOSVersion", "MinimumOSVersion"),
    ] {
        let said = text(&value, pointer);
        if !said.is_empty() {
            blocks.add(Kind::Setting, "app", &format!("{key}={said}"));
        }
    }
    blocks.finish(&mut out);
    (manifest, out)
}

/// The app's name in an `InfoPlist.strings`.
#[must_use]
pub fn label(bytes: &[u8]) -> Option<String> {
    name(&plist::value(bytes)?)
}

fn name(value: &Value) -> Option<String> {
    NAMES.iter().map(|key| text(value, key)).find(|name| !name.is_empty())
}

fn manifest(value: &Value, localised: Vec<(String, String)>) -> Manifest {
    let own = name(value).map(|name| (String::new(), name));
    let mut labels: Vec<(String, String)> = localised.into_iter().chain(own).collect();
    locale::arrange(&mut labels);
    let version = text(value, "/CFBundleVersion");
    let short = text(value, "/CFBundleShortVersionString");
    Manifest {
        package: text(value, "/CFBundleIdentifier"),
        // A build number may have dots; then nothing compares it as one number.
        version_code: version.parse().unwrap_or(0),
        version_name: if short.is_empty() { version } else { short },
        labels,
        is_readable: true,
        ..Manifest::default()
    }
}
