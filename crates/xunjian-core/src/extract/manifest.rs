//! The manifest: who the app is and what it asks of the system.

use apk_info_axml::AXML;
use apk_info_xml::Element;
use serde::{Deserialize, Serialize};

use super::{Extracted, Input, Resources, chunks, decoded, links, pool, proto, start_page};
use crate::model::{Asks, Block, Budget, Kind, Limit, LimitCode, Meter};

/// What the pipeline asks of a manifest beyond its facts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Package name.
    pub package: String,
    /// Name of the split; empty for a base.
    pub split: String,
    /// Version for people.
    pub version_name: String,
    /// Version for machines.
    pub version_code: u64,
    /// Labels of the application, or of the activity that the launcher shows where it has none:
    /// (configuration, text), first the one that a phone in simplified Chinese shows.
    pub labels: Vec<(String, String)>,
    /// The resource that the label names: a split may hold it in another language.
    #[serde(default)]
    pub label_id: Option<u32>,
    /// Paths of the launcher icon, one a density.
    pub icons: Vec<String>,
    /// The base says that it does not run without its splits.
    pub requires_splits: bool,
    /// Dotted names of its activities, services, receivers and providers, aliases left out.
    pub components: Vec<String>,
    /// How many of them are activities.
    pub activities: usize,
    /// Classes that run before any component: the application and its component factory.
    pub entry_points: Vec<String>,
    /// Where it stands.
    pub place: String,
    /// Path of the network security configuration.
    pub network_config: Option<String>,
    /// It parsed.
    pub is_readable: bool,
    /// Said by a container of what it holds, not by the app itself.
    pub is_hearsay: bool,
    /// What it asks of the system.
    #[serde(default)]
    pub asks: Option<Asks>,
}

impl Manifest {
    /// How much it may speak for the app: a base before a split, a split before the word
    /// of the container they came in.
    #[must_use]
    pub const fn standing(&self) -> u8 {
        match (self.is_readable, self.is_hearsay, self.package.is_empty(), self.split.is_empty()) {
            (false, ..) => 0,
            (true, _, true, _) => 1,
            (true, true, ..) => 2,
            (true, false, false, false) => 3,
            (true, false, false, true) => 4,
        }
    }

    /// Gives way to a manifest of higher standing; whether it did.
    pub fn yield_to(&mut self, other: Self) -> bool {
        let yields = other.standing() > self.standing();
        if yields {
            *self = other;
        }
        yields
    }
}

/// A document of either form, and what was odd about it.
fn document(input: Input<'_>) -> Result<(Element, Vec<String>), String> {
    if proto::is_document(input.bytes()) {
        return proto::document(input).map(|root| (root, Vec::new()));
    }
    let tidy = chunks::document(input)?;
    let parsed = AXML::new(&mut tidy.bytes.as_slice(), None).map_err(|e| e.to_string())?;
    let odd = tidy.odd.into_iter().chain(parsed.anomalies().iter().map(|a| a.code().to_string())).collect();
    Ok((parsed.root, odd))
}

/// Reads `AndroidManifest.xml`, binary or of an app bundle.
#[must_use]
pub fn manifest(bytes: &[u8], place: &str, resources: &Resources, budget: &Budget) -> (Manifest, Extracted) {
    let meter = Meter::new(budget, bytes.len());
    let input = Input::new(bytes, place, &meter);
    let mut out = Extracted::default();
    out.read.bytes = bytes.len() as u64;
    let found = match document(input) {
        Ok((root, odd)) => {
            for oddity in odd {
                out.limits.push(Limit::new(LimitCode::TamperedManifest, place, oddity));
            }
            let mut reader = Reader { place, resources, meter: &meter, out, manifest: Manifest::default() };
            reader.read(&root);
            decoded::reveal(&mut reader.out);
            out = reader.out;
            reader.manifest
        }
        Err(reason) => {
            out.limits.push(Limit::new(LimitCode::BadManifest, place, reason));
            words(input, &mut out);
            Manifest::default()
        }
    };
    out.limits.extend(meter.limit(place));
    (found, out)
}

/// The words of a manifest that does not parse: facts even where its structure is lost.
fn words(input: Input<'_>, out: &mut Extracted) {
    if proto::is_document(input.bytes()) {
        return super::native::read(input, Kind::Resource, out);
    }
    let mut block = Block::new(Kind::Resource, input.place, "string");
    for (index, text) in pool::strings(input, 8).iter().enumerate().filter(|(_, t)| !t.is_empty()) {
        block.push(index as u32, text);
    }
    out.read.strings += block.len() as u64;
    out.facts.push(block);
}

/// Reads a network security configuration: where cleartext traffic is allowed.
#[must_use]
pub fn network_config(bytes: &[u8], place: &str, budget: &Budget) -> Extracted {
    let mut out = Extracted::default();
    let meter = Meter::new(budget, bytes.len());
    let Ok((root, _)) = document(Input::new(bytes, place, &meter)) else {
        out.limits.extend(meter.limit(place));
        out.limits.push(Limit::new(LimitCode::BadFormat, place, "the network security configuration does not parse"));
        return out;
    };
    let mut block = Block::new(Kind::Setting, place, "");
    for element in root.descendants().take(ELEMENTS_MAX) {
        if let Some(value) = element.attr("cleartextTrafficPermitted") {
            block.push_named(element.name(), &format!("cleartextTrafficPermitted={value}"));
        }
    }
    out.read.strings += block.len() as u64;
    out.facts.push(block);
    out
}

struct Reader<'a> {
    place: &'a str,
    resources: &'a Resources,
    meter: &'a Meter<'a>,
    out: Extracted,
    manifest: Manifest,
}

/// Elements looked at.
const ELEMENTS_MAX: usize = 100_000;

/// Permissions kept, and characters of one.
const PERMISSIONS_MAX: usize = 200;
const PERMISSION_MAX: usize = 200;

impl Reader<'_> {
    fn read(&mut self, root: &Element) {
        let get = |name: &str| root.attr(name).unwrap_or_default().to_owned();
        self.manifest.is_readable = true;
        self.manifest.place = self.place.to_owned();
        self.manifest.package = get("package");
        self.manifest.split = get("split");
        self.manifest.version_name = self.text_of(&get("versionName"));
        self.manifest.version_code = number(&get("versionCode")) | number(&get("versionCodeMajor")) << 32;
        self.manifest.requires_splits = get("isSplitRequired") == "true" || !get("requiredSplitTypes").is_empty();
        let mut blocks = Blocks::new(self.place);
        for element in root.descendants().take(ELEMENTS_MAX) {
            if !self.meter.step() {
                break;
            }
            self.element(element, &mut blocks);
        }
        blocks.finish(&mut self.out);
    }

    fn element(&mut self, element: &Element, blocks: &mut Blocks) {
        let get = |name: &str| element.attr(name).unwrap_or_default();
        if self.manifest.labels.is_empty()
            && let Some(named) = launched(element)
        {
            self.label(named, blocks);
        }
        match element.name() {
            "application" => self.application(element, blocks),
            "activity" | "activity-alias" | "service" | "receiver" | "provider" => {
                let name = full_name(get("name"), &self.manifest.package);
                blocks.add(Kind::Component, element.name(), &name);
                self.manifest.activities += usize::from(element.name() == "activity");
                if element.name() != "activity-alias" {
                    self.manifest.components.push(name.clone());
                }
                for (config, text) in self.texts_of(get("label")) {
                    blocks.add(Kind::Label, &format!("{name} label{}", bracket(&config)), &text);
                }
            }
            "uses-permission" | "uses-permission-sdk-23" | "uses-permission-sdk-m" => {
                blocks.add(Kind::Permission, "uses-permission", get("name"));
                self.permission(get("name"));
            }
            "meta-data" | "property" => {
                let value = if get("value").is_empty() { get("resource") } else { get("value") };
                let (name, value) = (self.text_of(get("name")), self.text_of(value));
                if name == start_page::TRUSTED_WEB {
                    self.out.limits.extend(start_page::of_address(&value, self.place));
                }
                blocks.add(Kind::Metadata, "meta-data", &format!("{name}={value}"));
            }
            "intent-filter" => {
                for link in links::of_filter(element, &|value| self.text_of(value)) {
                    blocks.add(Kind::DeepLink, "intent-filter", &link);
                }
            }
            "action" | "category" => blocks.add(Kind::Setting, "intent-filter", get("name")),
            "uses-sdk" => {
                for key in ["minSdkVersion", "targetSdkVersion"] {
                    blocks.add(Kind::Setting, "uses-sdk", &format!("{key}={}", get(key)));
                }
                let level = |key: &str| u32::try_from(number(get(key))).unwrap_or(0);
                let asks = self.manifest.asks.get_or_insert_default();
                (asks.min_sdk, asks.target_sdk) = (level("minSdkVersion"), level("targetSdkVersion"));
            }
            "package" => blocks.add(Kind::Setting, "queries", &format!("queries={}", get("name"))),
            _ => {}
        }
        self.manifest.requires_splits |= element.name() == "meta-data"
            && get("name") == "com.android.vending.splits.required"
            && get("value") == "true";
    }

    /// Notes a permission once.
    fn permission(&mut self, name: &str) {
        let asks = self.manifest.asks.get_or_insert_default();
        if !name.is_empty() && asks.permissions.len() < PERMISSIONS_MAX && !asks.permissions.iter().any(|p| p == name) {
            asks.permissions.push(name.chars().take(PERMISSION_MAX).collect());
        }
    }

    fn application(&mut self, element: &Element, blocks: &mut Blocks) {
        let get = |name: &str| element.attr(name).unwrap_or_default();
        self.label(element, blocks);
        let package = self.manifest.package.clone();
        self.manifest.entry_points = ["name", "appComponentFactory"]
            .map(|key| full_name(get(key), &package))
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect();
        self.manifest.icons = self.texts_of(get("icon")).into_iter().map(|(_, path)| path).collect();
        let network = self.texts_of(get("networkSecurityConfig"));
        self.manifest.network_config = network.into_iter().map(|(_, path)| path).next();
        for key in ["usesCleartextTraffic", "debuggable", "allowBackup", "appComponentFactory"] {
            if let Some(value) = element.attr(key) {
                blocks.add(Kind::Setting, "application", &format!("{key}={value}"));
            }
        }
        if !get("name").is_empty() {
            let name = full_name(get("name"), &self.manifest.package);
            blocks.add(Kind::Component, "application", &name);
        }
    }

    /// Takes the label of an element for that of the app. What refers to the system's own
    /// texts, which no package holds, is no name.
    fn label(&mut self, element: &Element, blocks: &mut Blocks) {
        let label = element.attr("label").unwrap_or_default();
        self.manifest.labels = self.texts_of(label);
        self.manifest.labels.retain(|(_, text)| !text.starts_with('@'));
        self.manifest.label_id = self.id_of(label);
        for (config, text) in &self.manifest.labels {
            blocks.add(Kind::Label, &format!("application label{}", bracket(config)), text);
        }
    }

    /// The resource that an attribute refers to.
    fn id_of(&self, value: &str) -> Option<u32> {
        let named = value.strip_prefix('@')?;
        u32::from_str_radix(named, 16).ok().or_else(|| self.resources.id_of(named.trim_start_matches('+')))
    }

    /// An attribute's text: itself, or what the resource it refers to says.
    fn text_of(&self, value: &str) -> String {
        self.texts_of(value).into_iter().map(|(_, text)| text).next().unwrap_or_else(|| value.to_owned())
    }

    fn texts_of(&self, value: &str) -> Vec<(String, String)> {
        if value.is_empty() {
            return Vec::new();
        }
        match self.id_of(value) {
            Some(id) => self.resources.texts(id, self.meter),
            None => vec![(String::new(), value.to_owned())],
        }
    }
}

/// What has the label of an activity, or of a name for one, that the launcher shows: its filter's
/// own comes before the activity's.
fn launched(element: &Element) -> Option<&Element> {
    let says = |filter: &Element, name: &str, value: &str| {
        filter.childrens().any(|child| child.name() == name && child.attr("name") == Some(value))
    };
    if !matches!(element.name(), "activity" | "activity-alias") || element.attr("enabled") == Some("false") {
        return None;
    }
    let filter = element.childrens().filter(|child| child.name() == "intent-filter").find(|filter| {
        says(filter, "action", "android.intent.action.MAIN")
            && (says(filter, "category", "android.intent.category.LAUNCHER")
                || says(filter, "category", "android.intent.category.LEANBACK_LAUNCHER"))
    })?;
    [filter, element].into_iter().find(|element| element.attr("label").is_some_and(|label| !label.is_empty()))
}

fn bracket(config: &str) -> String {
    if config.is_empty() { String::new() } else { format!(" [{config}]") }
}

/// `.Main` and `Main` are short for names in the package.
fn full_name(name: &str, package: &str) -> String {
    if name.starts_with('.') {
        format!("{package}{name}")
    } else if !name.is_empty() && !name.contains('.') {
        format!("{package}.{name}")
    } else {
        name.to_owned()
    }
}

fn number(text: &str) -> u64 {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).unwrap_or(0),
        None => text.parse().unwrap_or(0),
    }
}

/// What manifests of every platform state: one block per kind.
pub(super) struct Blocks {
    all: Vec<Block>,
}

impl Blocks {
    pub(super) fn new(place: &str) -> Self {
        const KINDS: &[Kind] =
            &[Kind::Label, Kind::Component, Kind::Permission, Kind::DeepLink, Kind::Metadata, Kind::Setting];
        Self { all: KINDS.iter().map(|kind| Block::new(*kind, place, "")).collect() }
    }

    pub(super) fn add(&mut self, kind: Kind, name: &str, text: &str) {
        if let Some(block) = self.all.iter_mut().find(|b| b.kind == kind)
            && !text.is_empty()
        {
            block.push_named(name, text);
        }
    }

    /// Hands the facts over.
    pub(super) fn finish(self, out: &mut Extracted) {
        for block in self.all {
            out.read.strings += block.len() as u64;
            out.facts.push(block);
        }
    }
}
