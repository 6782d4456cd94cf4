//! A package described in words: what a reader would find in it, without the package.
//!
//! Apps of others cannot be kept in a repository and fixtures cost a build each, so most
//! labelled packages are descriptions: the facts that extraction would hand on, written
//! down by hand. Detection and scoring run on them as on the real thing.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::{Block, Facts, Kind};

/// What a package contains. Nothing that is left out is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Contents {
    /// Package name.
    pub package: String,
    /// Labels of the app and its components.
    pub labels: Vec<String>,
    /// Permissions; the short ones are Android's own.
    pub permissions: Vec<String>,
    /// Activities, services, receivers, providers; one that begins with a dot is the app's own.
    pub components: Vec<String>,
    /// Names of the app's classes that say something; a leading dot as above.
    pub classes: Vec<String>,
    /// Package prefixes of third-party libraries that are really there: a body of classes
    /// under each. A stub is written as a class or two under `classes`.
    pub libraries: Vec<String>,
    /// Native libraries, by file name.
    pub natives: Vec<String>,
    /// Texts of the interface, as the resource table has them.
    pub resources: Vec<String>,
    /// String constants of the code.
    pub code: Vec<String>,
    /// String constants by the class that uses them; a leading dot as above.
    pub literals: BTreeMap<String, Vec<String>>,
    /// Domains the code names, as addresses.
    pub domains: Vec<String>,
    /// Bundled files: path below `assets/` to what it says.
    pub assets: BTreeMap<String, String>,
    /// Schemes and hosts that the package answers to.
    pub deep_links: Vec<String>,
    /// Manifest meta-data as `name=value`.
    pub metadata: Vec<String>,
    /// Switches of the manifest as `name=value`.
    pub settings: Vec<String>,
}

/// Classes written for each library: enough that nobody takes it for a stub.
const BODY: [&str; 8] =
    ["Core", "Config", "Client", "Manager", "view.MainView", "net.Request", "util.Tools", "Callback"];

impl Contents {
    /// The facts that reading such a package would give.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let own = |name: &String| {
            if name.starts_with('.') { format!("{}{name}", self.package) } else { name.clone() }
        };
        let android = |name: &String| {
            if name.contains('.') { name.clone() } else { format!("android.permission.{name}") }
        };
        let bodies = self.libraries.iter().flat_map(|prefix| BODY.iter().map(move |class| format!("{prefix}.{class}")));
        let natives = self.natives.iter().map(|name| format!("lib/arm64-v8a/{name}"));
        let files = natives.chain(self.assets.keys().map(|path| format!("assets/{path}")));
        let addresses = self.domains.iter().map(|domain| format!("https://{domain}/"));
        let mut facts = Facts::default();
        let own = &own;
        let mut add = |kind: Kind, place: &str, unit: &str, texts: &mut dyn Iterator<Item = String>| {
            let mut block = Block::new(kind, place, unit);
            texts.enumerate().for_each(|(index, text)| block.push(index as u32 + 1, &text));
            facts.push(block);
        };
        add(Kind::Label, "told!/AndroidManifest.xml", "label", &mut self.labels.iter().cloned());
        add(Kind::Component, "told!/AndroidManifest.xml", "component", &mut self.components.iter().map(own));
        add(Kind::Permission, "told!/AndroidManifest.xml", "permission", &mut self.permissions.iter().map(android));
        add(Kind::DeepLink, "told!/AndroidManifest.xml", "link", &mut self.deep_links.iter().cloned());
        add(Kind::Metadata, "told!/AndroidManifest.xml", "meta-data", &mut self.metadata.iter().cloned());
        add(Kind::Setting, "told!/AndroidManifest.xml", "setting", &mut self.settings.iter().cloned());
        add(Kind::Resource, "told!/resources.arsc", "string", &mut self.resources.iter().cloned());
        add(Kind::Class, "told!/classes.dex", "class", &mut self.classes.iter().map(own).chain(bodies));
        let constants = self.code.iter().chain(self.literals.values().flatten()).cloned();
        add(Kind::Code, "told!/classes.dex", "string", &mut constants.chain(addresses));
        add(Kind::File, "told!", "entry", &mut files.into_iter());
        for (path, text) in &self.assets {
            add(Kind::Asset, &format!("told!/assets/{path}"), "line", &mut text.lines().map(str::to_owned));
        }
        let mut literals = Block::new(Kind::Literal, "told!/classes.dex", "");
        for (class, texts) in &self.literals {
            texts.iter().for_each(|text| literals.push_named(&own(class), text));
        }
        facts.push(literals);
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_those_of_a_package() {
        let contents: Contents = serde_json::from_str(
            r#"{"package": "cn.example.a", "permissions": ["CAMERA"], "components": [".MainActivity"],
                "libraries": ["io.agora.rtc"], "natives": ["libagora-rtc-sdk.so"], "domains": ["a.example"],
                "assets": {"bank/1.json": "第一题\n第二题"}}"#,
        )
        .unwrap();
        let facts = contents.facts();
        let all = |kind| facts.of(kind).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(all(Kind::Permission), ["android.permission.CAMERA"]);
        assert_eq!(all(Kind::Component), ["cn.example.a.MainActivity"]);
        assert_eq!(all(Kind::Class).len(), BODY.len());
        assert_eq!(all(Kind::File), ["lib/arm64-v8a/libagora-rtc-sdk.so", "assets/bank/1.json"]);
        assert_eq!(all(Kind::Asset), ["第一题", "第二题"]);
        assert_eq!(all(Kind::Code), ["https://a.example/"]);
        assert!(serde_json::from_str::<Contents>(r#"{"permision": []}"#).is_err(), "a misspelt key is a fault");
    }
}
