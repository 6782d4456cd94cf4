//! What archives of splits say of what they hold.
//!
//! `manifest.json` of an XAPK as APKPure writes it, `info.json` of an APKM as APKMirror
//! does. Neither is documented; the keys are those found in their files and in readers
//! such as `jadx-plugins/jadx-xapk-input` of <https://github.com/skylot/jadx>.

use serde_json::Value;

use super::Extracted;
use super::json::{list, number, object, text};
use super::manifest::{Blocks, Manifest};
use crate::model::Kind;

/// The word of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    /// Who it says the app is.
    pub manifest: Manifest,
    /// Splits it names, `base` among them: (name, file); the file may be unsaid.
    pub splits: Vec<(String, String)>,
    /// Expansion files (OBB) it names.
    pub expansions: Vec<String>,
    /// Files of each variant of the app, the one that devices prefer first.
    pub variants: Vec<Vec<String>>,
}

/// Reads `manifest.json` or `info.json`; `None` where it names no app.
#[must_use]
pub fn bundle(bytes: &[u8], place: &str) -> Option<(Bundle, Extracted)> {
    let value = object(bytes)?;
    let first = |keys: &[&str]| keys.iter().map(|key| text(&value, key)).find(|t| !t.is_empty()).unwrap_or_default();
    let package = first(&["/package_name", "/pname"]);
    if package.is_empty() {
        return None;
    }
    let name = first(&["/name", "/app_name", "/apk_title"]);
    let manifest = Manifest {
        package,
        version_name: first(&["/version_name", "/release_version"]),
        version_code: number(&value, "/version_code").max(number(&value, "/versioncode")),
        labels: if name.is_empty() { Vec::new() } else { vec![(String::new(), name)] },
        is_readable: true,
        is_hearsay: true,
        ..Manifest::default()
    };
    let mut out = Extracted::default();
    out.read.bytes = bytes.len() as u64;
    let mut blocks = Blocks::new(place);
    for (_, name) in &manifest.labels {
        blocks.add(Kind::Label, "name", name);
    }
    for permission in list(&value, "/permissions").filter_map(Value::as_str) {
        blocks.add(Kind::Permission, "permissions", permission);
    }
    blocks.finish(&mut out);
    let said = Bundle { manifest, splits: splits(&value), expansions: expansions(&value), variants: Vec::new() };
    Some((said, out))
}

/// Reads the `manifest.json` of a uni-app or 5+ app; `None` where it is another file of that
/// name. Keys as in <https://uniapp.dcloud.net.cn/collocation/manifest.html>.
#[must_use]
pub fn widget(bytes: &[u8], place: &str) -> Option<(Manifest, Extracted)> {
    let value = object(bytes)?;
    let id = text(&value, "/id");
    let is_widget = id.starts_with("__UNI__")
        || !id.is_empty() && ["/plus", "/app-plus", "/launch_path"].iter().any(|key| value.pointer(key).is_some());
    if !is_widget {
        return None;
    }
    let name = text(&value, "/name");
    let manifest = Manifest {
        package: id,
        version_name: text(&value, "/version/name"),
        version_code: number(&value, "/version/code"),
        labels: if name.is_empty() { Vec::new() } else { vec![(String::new(), name)] },
        is_readable: true,
        ..Manifest::default()
    };
    let mut out = Extracted::default();
    let mut blocks = Blocks::new(place);
    for (_, name) in &manifest.labels {
        blocks.add(Kind::Label, "name", name);
    }
    blocks.finish(&mut out);
    Some((manifest, out))
}

fn splits(value: &Value) -> Vec<(String, String)> {
    let with_files: Vec<_> = list(value, "/split_apks").map(|s| (text(s, "/id"), text(s, "/file"))).collect();
    if !with_files.is_empty() {
        return with_files;
    }
    let names = list(value, "/split_configs").filter_map(Value::as_str);
    names.map(|name| (name.to_owned(), String::new())).collect()
}

fn expansions(value: &Value) -> Vec<String> {
    list(value, "/expansions").map(|e| text(e, "/file")).filter(|file| !file.is_empty()).collect()
}
