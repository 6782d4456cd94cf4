//! `module.json` (stage model), `config.json` (FA model) and `pack.info`.
//!
//! Keys as documented in "module.json5 Configuration File", "Application Configuration
//! File Overview (FA Model)" and "pack.info" of
//! <https://gitee.com/openharmony/docs> (`en/application-dev/quick-start`).

use serde_json::Value;

use crate::extract::json::{list, number, object, text};
use crate::extract::manifest::{Blocks, Manifest};
use crate::extract::{Extracted, Resources};
use crate::model::{Budget, Kind, Limit, LimitCode, Meter};

/// Reads `module.json` or `config.json`.
#[must_use]
pub fn module(bytes: &[u8], place: &str, resources: &Resources, budget: &Budget) -> (Manifest, Extracted) {
    let mut out = Extracted::default();
    let meter = Meter::new(budget, bytes.len());
    out.read.bytes = bytes.len() as u64;
    let Some(value) = object(bytes).filter(|v| !text(v, "/app/bundleName").is_empty()) else {
        out.limits.push(Limit::new(LimitCode::BadManifest, place, "no bundle name in it"));
        return (Manifest::default(), out);
    };
    let mut reader = Reader { value: &value, resources, meter: &meter, blocks: Blocks::new(place) };
    let manifest = reader.manifest();
    reader.facts(&manifest);
    reader.blocks.finish(&mut out);
    out.limits.extend(meter.limit(place));
    (manifest, out)
}

/// What `pack.info` says of the package it lies in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pack {
    /// Bundle name and version, as far as the module itself does not say.
    pub manifest: Manifest,
    /// Packages of the app, without the ending: `entry-default`.
    pub packages: Vec<String>,
}

/// Reads `pack.info`.
#[must_use]
pub fn pack(bytes: &[u8]) -> Option<Pack> {
    let value = object(bytes)?;
    let manifest = Manifest {
        package: text(&value, "/summary/app/bundleName"),
        version_name: text(&value, "/summary/app/version/name"),
        version_code: number(&value, "/summary/app/version/code"),
        is_readable: true,
        is_hearsay: true,
        ..Manifest::default()
    };
    let packages = list(&value, "/packages").map(|p| text(p, "/name")).filter(|name| !name.is_empty()).collect();
    (!manifest.package.is_empty()).then_some(Pack { manifest, packages })
}

struct Reader<'a> {
    value: &'a Value,
    resources: &'a Resources,
    meter: &'a Meter<'a>,
    blocks: Blocks,
}

impl Reader<'_> {
    fn manifest(&self) -> Manifest {
        let value = self.value;
        // An entry is what a user opens; features and shared packages come with it.
        let kind = text(value, "/module/type") + &text(value, "/module/distro/moduleType");
        let name = text(value, "/module/name") + &text(value, "/module/distro/moduleName");
        let main = text(value, "/module/mainElement") + &text(value, "/module/mainAbility");
        let abilities = || list(value, "/module/abilities");
        let opened = abilities().find(|a| text(a, "/name") == main).or_else(|| abilities().next());
        let mut labels = self.texts(value, "/app/label", "/app/labelId");
        if labels.is_empty() {
            labels = opened.map(|a| self.texts(a, "/label", "/labelId")).unwrap_or_default();
        }
        let icon = self.texts(value, "/app/icon", "/app/iconId");
        Manifest {
            package: text(value, "/app/bundleName"),
            split: if kind == "entry" { String::new() } else { name },
            version_name: text(value, "/app/versionName") + &text(value, "/app/version/name"),
            version_code: number(value, "/app/versionCode").max(number(value, "/app/version/code")),
            labels,
            // The index puts the module's name before the path.
            icons: icon.iter().filter_map(|(_, path)| Some(path.split_once('/')?.1.to_owned())).collect(),
            is_readable: true,
            ..Manifest::default()
        }
    }

    fn facts(&mut self, manifest: &Manifest) {
        let value = self.value;
        for (config, label) in &manifest.labels {
            self.blocks.add(Kind::Label, &format!("application label{}", bracket(config)), label);
        }
        for list_of in ["/module/requestPermissions", "/module/reqPermissions", "/module/definePermissions"] {
            for permission in list(value, list_of) {
                self.blocks.add(Kind::Permission, list_of.trim_start_matches("/module/"), &text(permission, "/name"));
                // Why it is asked for is shown to people; resources say it where it refers to one.
                let reason = text(permission, "/reason");
                if !reason.starts_with('$') {
                    self.blocks.add(Kind::Metadata, "reason", &reason);
                }
            }
        }
        for (list_of, kind) in [("/module/abilities", "ability"), ("/module/extensionAbilities", "extension ability")] {
            for ability in list(value, list_of).take_while(|_| self.meter.step()) {
                self.ability(kind, ability, &manifest.package);
            }
        }
        for metadata in list(value, "/module/metadata").chain(list(value, "/module/metaData/customizeData")) {
            let said = format!("{}={}", text(metadata, "/name"), text(metadata, "/value"));
            self.blocks.add(Kind::Metadata, "metadata", &said);
        }
        for scheme in list(value, "/module/querySchemes").filter_map(Value::as_str) {
            self.blocks.add(Kind::Setting, "queries", &format!("queries={scheme}"));
        }
        for (pointer, key) in [
            ("/app/debug", "debuggable"),
            ("/app/vendor", "vendor"),
            ("/app/minAPIVersion", "minAPIVersion"),
            ("/app/targetAPIVersion", "targetAPIVersion"),
            ("/deviceConfig/default/network/cleartextTraffic", "cleartextTrafficPermitted"),
        ] {
            let said = text(value, pointer);
            if !said.is_empty() {
                self.blocks.add(Kind::Setting, "app", &format!("{key}={said}"));
            }
        }
    }

    fn ability(&mut self, kind: &str, ability: &Value, package: &str) {
        let name = match text(ability, "/name") {
            short if short.contains('.') && !short.starts_with('.') => short,
            short => format!("{package}.{}", short.trim_start_matches('.')),
        };
        self.blocks.add(Kind::Component, kind, &name);
        for (config, label) in self.texts(ability, "/label", "/labelId") {
            self.blocks.add(Kind::Label, &format!("{name} label{}", bracket(&config)), &label);
        }
        for skill in list(ability, "/skills") {
            for uri in list(skill, "/uris") {
                let port = text(uri, "/port");
                let port = if port.is_empty() { port } else { format!(":{port}") };
                let start = format!("{}://{}{port}", text(uri, "/scheme"), text(uri, "/host"));
                // A path may be given whole, by its beginning or as an expression.
                let paths = ["/path", "/pathStartWith", "/pathRegex"].map(|key| text(uri, key));
                let said = paths.iter().filter(|path| !path.is_empty());
                let links: Vec<String> = said
                    .map(
                        |path| if path.starts_with('/') { format!("{start}{path}") } else { format!("{start}/{path}") },
                    )
                    .collect();
                let links = if links.is_empty() { vec![start] } else { links };
                for link in links.iter().filter(|link| link.len() > "://".len()) {
                    self.blocks.add(Kind::DeepLink, "skill", link);
                }
            }
            for action in list(skill, "/actions").chain(list(skill, "/entities")).filter_map(Value::as_str) {
                self.blocks.add(Kind::Setting, "skill", action);
            }
        }
    }

    /// A text: itself, or what the resource says that it names (`$string:app_name`) or
    /// numbers.
    fn texts(&self, of: &Value, name: &str, id: &str) -> Vec<(String, String)> {
        let said = text(of, name);
        let named = said.strip_prefix('$').and_then(|n| self.resources.id_of(&n.replacen(':', "/", 1)));
        let id = named.or_else(|| u32::try_from(number(of, id)).ok().filter(|&id| id > 0));
        let found = id.map(|id| self.resources.texts(id, self.meter)).unwrap_or_default();
        if !found.is_empty() || said.is_empty() || said.starts_with('$') {
            return found;
        }
        vec![(String::new(), said)]
    }
}

fn bracket(config: &str) -> String {
    if config.is_empty() { String::new() } else { format!(" [{config}]") }
}
