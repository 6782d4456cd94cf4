//! Limits that no single file shows: they follow from what was seen of the whole app.
//!
//! Each rule asks for plain evidence, because a limit takes the word "not found" from
//! every sign that depends on it:
//!
//! - `packed`: the application class (or component factory) of the manifest is a packer's;
//!   or a packer left its library, asset or classes **and** more than half of the components
//!   that the manifest names have no class in any DEX; or, without a known packer, all of
//!   at least [`HOLLOW_COMPONENTS`] components are missing while the application class is
//!   there. A protected third-party library beside complete code is no shell.
//! - `missing-split`: half or more of as many components are missing and there is no shell
//!   (or components are named and there is no class at all): their classes lie in feature
//!   modules or slices that were not given.
//! - `dynamic-code`: a library of the category `late-code` is there with more than a trace;
//!   or the app itself names an address of a `.dex` or `.wgt` file; or its script installs
//!   `.wgt` packages. A reference to `DexClassLoader` proves nothing: advertising SDKs,
//!   Play services and AndroidX all carry one.
//! - `obfuscated-names`: of at least [`NAMES`] classes outside known libraries, two thirds
//!   are named with one or two characters.
//! - `remote-content`: start pages are told by `extract`; here only the app of hardly any
//!   code ([`SHELL_CLASSES`]) that loads the one address it knows.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use memchr::memmem;
use serde::{Deserialize, Serialize};

use crate::extract::Manifest;
use crate::model::{Block, Facts, Hits, Kind, LibrarySeen, Limit, LimitCode, Trace};
use crate::signature::{Library, Pack};

/// Components that must all be missing before an unknown shell is assumed.
const HOLLOW_COMPONENTS: usize = 3;
/// Classes below which a share of names means nothing.
const NAMES: usize = 60;
/// Own classes of an app that can hardly do more than show a page.
const SHELL_CLASSES: usize = 25;
/// Activities of such an app.
const SHELL_ACTIVITIES: usize = 2;
/// Addresses kept of an app; one that names more is no mere shell.
const ADDRESSES: usize = 8;
/// Longest address shown.
const ADDRESS_MAX: usize = 300;

/// What the rules rest on, gathered while facts pass by.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Seen {
    /// Hashes of the names of all classes.
    #[serde(skip)]
    defined: HashSet<u64>,
    /// Addresses of code: address to place.
    code_addresses: BTreeMap<String, String>,
    /// Places of scripts that install updates of themselves.
    updaters: Vec<String>,
    /// Addresses in the code: address to place.
    addresses: BTreeMap<String, String>,
    /// The code calls `loadUrl`.
    loads_pages: bool,
    /// Cordova's `config.xml` names a start page of the package: an address among its classes is its own
    /// business (accessibility scripts, tests of the network).
    starts_within: bool,
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

impl Seen {
    /// Takes notice of the facts of one entry.
    pub(super) fn note(&mut self, facts: &Facts) {
        for block in &facts.blocks {
            self.starts_within |=
                block.place.ends_with("/config.xml") && block.iter().any(|fact| is_page_within(fact.text));
            match block.kind {
                Kind::Class => self.defined.extend(block.iter().map(|fact| hash(fact.text))),
                Kind::Code => {
                    self.code_address(block);
                    self.addresses_of(block);
                }
                Kind::Asset => {
                    self.code_address(block);
                    self.updater(block);
                }
                _ => {}
            }
        }
    }

    /// Appends what was seen later. The first place of an address counts, so that it makes no
    /// difference which facts are noted together.
    pub(super) fn merge(&mut self, other: Self) {
        self.defined.extend(other.defined);
        for (address, place) in other.code_addresses {
            self.code_addresses.entry(address).or_insert(place);
        }
        self.updaters.extend(other.updaters);
        for (address, place) in other.addresses {
            self.addresses.entry(address).or_insert(place);
        }
        self.loads_pages |= other.loads_pages;
        self.starts_within |= other.starts_within;
    }

    /// Hashes of the names of all classes, in order.
    pub(super) fn classes(&self) -> impl Iterator<Item = u64> {
        let mut classes: Vec<u64> = self.defined.iter().copied().collect();
        classes.sort_unstable();
        classes.into_iter()
    }

    /// Takes notice of classes by the hashes of their names.
    pub(super) fn define(&mut self, classes: impl Iterator<Item = u64>) {
        self.defined.extend(classes);
    }

    fn defines(&self, class: &str) -> bool {
        self.defined.contains(&hash(class))
    }

    fn code_address(&mut self, block: &Block) {
        for ending in [".dex", ".wgt"] {
            for at in memmem::find_iter(block.text().as_bytes(), ending).take(ADDRESSES) {
                if let Some(fact) = block.at_offset(at)
                    && let Some(address) = address_ending(fact.text, at - fact.start + ending.len())
                {
                    self.code_addresses.entry(address.to_owned()).or_insert_with(|| block.place_of(fact.index));
                }
            }
        }
    }

    /// A script of the app (not of its framework) that installs `.wgt` packages.
    fn updater(&mut self, block: &Block) {
        let text = block.text().as_bytes();
        if block.place.contains("/www/")
            && memmem::find(text, b"plus.runtime.install").is_some()
            && memmem::find(text, b"wgt").is_some()
        {
            self.updaters.push(block.place.to_string());
        }
    }

    fn addresses_of(&mut self, block: &Block) {
        let text = block.text().as_bytes();
        self.loads_pages |= memmem::find(text, b"\0loadUrl\0").is_some();
        for at in memmem::find_iter(text, b"\0http") {
            if self.addresses.len() > ADDRESSES {
                return;
            }
            if let Some(fact) = block.at_offset(at + 1).filter(|fact| is_page(fact.text)) {
                self.addresses.entry(fact.text.to_owned()).or_insert_with(|| block.place_of(fact.index));
            }
        }
    }
}

/// The address that ends at `end` of `text`.
fn address_ending(text: &str, end: usize) -> Option<&str> {
    let head = text.get(..end)?;
    let address = &head[head.rfind("http")?..];
    let follows = text[end..].chars().next();
    let ends_there = follows.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
    (ends_there && address.len() <= ADDRESS_MAX && is_page(address)).then_some(address)
}

/// The name of a page that is no address.
fn is_page_within(text: &str) -> bool {
    let name = text.split(['?', '#']).next().unwrap_or(text).to_ascii_lowercase();
    (name.ends_with(".html") || name.ends_with(".htm")) && !name.starts_with("http") && !name.contains(' ')
}

/// A whole address of a page on a server; names of XML name spaces are written alike.
fn is_page(text: &str) -> bool {
    const NAME_SPACES: &[&str] = &["schemas.android.com", "www.w3.org", "xmlpull.org", "ns.adobe.com", "schemas."];
    let is_name_space =
        text.split_once("://").is_some_and(|(_, rest)| NAME_SPACES.iter().any(|name| rest.starts_with(name)));
    crate::extract::is_remote(text) && !is_name_space && !text.contains(char::is_whitespace)
}

/// The limits that follow.
///
/// `is_whole` says that all of the package was reached: what is missing from one that was given up on half way says
/// nothing of a shell or a split.
pub(super) fn infer(pack: &Pack, hits: &Hits, manifest: &Manifest, seen: &Seen, is_whole: bool) -> Vec<Limit> {
    let mut limits = late_code(pack, hits);
    if is_whole {
        limits.extend(packed(pack, hits, manifest, seen));
    }
    limits.extend(obfuscated(hits));
    limits.extend(shell(hits, manifest, seen));
    let addresses = seen.code_addresses.iter();
    limits.extend(addresses.map(|(address, place)| Limit::new(LimitCode::DynamicCode, place, address.clone())));
    let updaters = seen.updaters.iter();
    limits.extend(updaters.map(|place| Limit::new(LimitCode::DynamicCode, place, "plus.runtime.install(*.wgt)")));
    limits
}

fn of_category<'a>(
    pack: &'a Pack,
    hits: &'a Hits,
    category: &str,
) -> impl Iterator<Item = (&'a Library, &'a LibrarySeen)> {
    let all = hits.libraries.iter().map(|(id, seen)| (&pack.libraries.all[*id as usize], seen));
    all.filter(move |(library, seen)| library.category == category && seen.is_solid())
}

fn late_code(pack: &Pack, hits: &Hits) -> Vec<Limit> {
    of_category(pack, hits, "late-code")
        .map(|(library, seen)| Limit::new(LimitCode::DynamicCode, first_place(seen), library.name.as_str()))
        .collect()
}

fn first_place(seen: &LibrarySeen) -> &str {
    seen.traces.values().next().map_or("", String::as_str)
}

fn packed(pack: &Pack, hits: &Hits, manifest: &Manifest, seen: &Seen) -> Option<Limit> {
    let components = manifest.components.len();
    let missing = manifest.components.iter().filter(|name| !seen.defines(name)).count();
    let counted = format!("components without a class: {missing}/{components}");
    for entry_point in &manifest.entry_points {
        let library = pack.libraries.of_component(entry_point).map(|id| &pack.libraries.all[id as usize]);
        if let Some(library) = library.filter(|library| library.category == "packer") {
            let detail = format!("{}: {entry_point}; {counted}", library.name);
            return Some(Limit::new(LimitCode::Packed, &manifest.place, detail));
        }
    }
    let packer = packer(pack, hits).filter(|_| missing * 2 > components);
    if let Some((library, seen)) = packer {
        return Some(Limit::new(LimitCode::Packed, first_place(seen), format!("{}; {counted}", library.name)));
    }
    let is_hollow = components >= HOLLOW_COMPONENTS && missing * 2 >= components;
    let is_empty = components > 0 && seen.defined.is_empty();
    if !is_hollow && !is_empty {
        return None;
    }
    // Every shell starts from an application class of its own; a base without its splits has none.
    let entry_point = manifest.entry_points.iter().find(|name| seen.defines(name)).filter(|_| missing == components);
    let (code, detail) = match entry_point {
        Some(entry_point) => (LimitCode::Packed, format!("{entry_point}; {counted}")),
        None => (LimitCode::MissingSplit, counted),
    };
    Some(Limit::new(code, &manifest.place, detail))
}

/// The packer that left most behind.
fn packer<'a>(pack: &'a Pack, hits: &'a Hits) -> Option<(&'a Library, &'a LibrarySeen)> {
    of_category(pack, hits, "packer").max_by_key(|(_, seen)| {
        (seen.traces.contains_key(&Trace::Class), seen.traces.contains_key(&Trace::Native), seen.traces.len())
    })
}

fn obfuscated(hits: &Hits) -> Option<Limit> {
    let own = hits.own_classes;
    (own.all >= NAMES && own.short * 3 >= own.all * 2)
        .then(|| Limit::new(LimitCode::ObfuscatedNames, "", format!("{}/{}", own.short, own.all)))
}

/// Hardly any code, one or two activities, and one address to load.
fn shell(hits: &Hits, manifest: &Manifest, seen: &Seen) -> Option<Limit> {
    let own = hits.own_classes.all;
    let is_shell = (1..=SHELL_CLASSES).contains(&own)
        && (1..=SHELL_ACTIVITIES).contains(&manifest.activities)
        && seen.loads_pages
        && !seen.starts_within
        && seen.addresses.len() == 1;
    let (address, place) = seen.addresses.iter().next().filter(|_| is_shell)?;
    Some(Limit::new(LimitCode::RemoteContent, place, address.chars().take(ADDRESS_MAX).collect::<String>()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panic")]

    use std::sync::LazyLock;

    use super::*;
    use crate::detect;
    use crate::signature::Source;

    static PACK: LazyLock<Pack> = LazyLock::new(|| Pack::load(&Source::embedded()).unwrap());

    /// One entry with facts of a kind.
    fn block(kind: Kind, place: &str, texts: &[&str]) -> Facts {
        let mut block = Block::new(kind, place, "string");
        texts.iter().for_each(|text| block.push(0, text));
        Facts { blocks: vec![block] }
    }

    fn manifest(entry_points: &[&str], components: &[&str]) -> Manifest {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Manifest {
            entry_points: owned(entry_points),
            components: owned(components),
            activities: components.len(),
            ..Manifest::default()
        }
    }

    /// Codes and details that follow from these facts and this manifest.
    fn limits(manifest: &Manifest, facts: &[Facts]) -> Vec<(LimitCode, String)> {
        let (mut hits, mut seen) = (Hits::default(), Seen::default());
        for one in facts {
            seen.note(one);
            hits.merge(detect::scan(&PACK, one));
        }
        infer(&PACK, &hits, manifest, &seen, true).into_iter().map(|limit| (limit.code, limit.detail)).collect()
    }

    const SCREENS: &[&str] = &["cn.example.a.Main", "cn.example.a.Quiz", "cn.example.a.Pay"];

    #[test]
    fn shells_are_named_by_the_application_class() {
        for (class, name) in [
            ("com.stub.StubApp", "360 加固"),
            ("com.wrapper.proxyapplication.WrapperProxyApplication", "腾讯乐固"),
            ("com.SecShell.SecShell.ApplicationWrapper", "梆梆安全"),
            ("s.h.e.l.l.S", "爱加密"),
            ("com.edog.AppWrapper", "娜迦加固"),
            ("com.kiwisec.Shell", "几维安全"),
            ("com.netease.nis.wrapper.MyApplication", "网易易盾加固"),
            ("com.baidu.protect.StubApplication", "百度加固"),
            ("com.ali.mobisecenhance.StubApplication", "阿里聚安全加固"),
        ] {
            let found = limits(&manifest(&[class], SCREENS), &[block(Kind::Class, "a!/classes.dex", &[class])]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].0, LimitCode::Packed);
            assert!(found[0].1.starts_with(name) && found[0].1.contains("3/3"), "{found:?}");
        }
    }

    #[test]
    fn shells_are_named_by_what_they_leave_behind() {
        let hollow = block(Kind::Class, "a!/classes.dex", &["cn.example.shell.App"]);
        let screens = manifest(&[], SCREENS);
        for (path, name) in [
            ("assets/libjiagu.so", "360 加固"),
            ("lib/arm64-v8a/libjiagu_64.so", "360 加固"),
            ("lib/armeabi-v7a/libshella-4.1.0.so", "腾讯乐固"),
            ("assets/tencent_stub", "腾讯乐固"),
            ("lib/arm64-v8a/libDexHelper.so", "梆梆安全"),
            ("assets/secData0.jar", "梆梆安全"),
            ("lib/armeabi/libexecmain.so", "爱加密"),
            ("assets/ijiami.dat", "爱加密"),
            ("lib/armeabi/libddog.so", "娜迦加固"),
            ("assets/maindata/fake_classes.dex", "娜迦加固"),
            ("lib/armeabi-v7a/libkwscmm.so", "几维安全"),
            ("lib/arm64-v8a/libx3g.so", "顶象加固"),
            ("lib/arm64-v8a/libnesec.so", "网易易盾加固"),
            ("lib/armeabi/libbaiduprotect.so", "百度加固"),
            ("assets/baiduprotect1.jar", "百度加固"),
            ("lib/armeabi/libmobisec.so", "阿里聚安全加固"),
            ("assets/aliprotect.dat", "阿里聚安全加固"),
        ] {
            let found = limits(&screens, &[block(Kind::File, "a.apk", &[path]), hollow.clone()]);
            let said = format!("{name}; components without a class: 3/3");
            assert_eq!(found, [(LimitCode::Packed, said)], "{path}");
        }
    }

    #[test]
    fn a_shell_library_counts_only_where_the_code_is_missing() {
        let library = block(Kind::File, "a.apk", &["lib/arm64-v8a/libx3g.so"]);
        let hollow = block(Kind::Class, "a!/classes.dex", &["cn.example.shell.App"]);
        let whole = block(Kind::Class, "a!/classes.dex", SCREENS);
        let screens = manifest(&[], SCREENS);
        let found = limits(&screens, &[library.clone(), hollow]);
        assert_eq!(found, [(LimitCode::Packed, "顶象加固; components without a class: 3/3".into())]);
        assert_eq!(limits(&screens, &[library, whole]), []);
    }

    #[test]
    fn code_that_the_manifest_names_and_nobody_brings() {
        let shell = block(Kind::Class, "a!/classes.dex", &["q.w.App", "q.w.B"]);
        assert_eq!(limits(&manifest(&["q.w.App"], SCREENS), std::slice::from_ref(&shell))[0].0, LimitCode::Packed);
        assert_eq!(limits(&manifest(&[], SCREENS), &[shell])[0].0, LimitCode::MissingSplit);
        let most = block(Kind::Class, "a!/classes.dex", &SCREENS[..2]);
        assert_eq!(limits(&manifest(&[], SCREENS), &[most]), []);
        assert_eq!(limits(&manifest(&[], &SCREENS[..1]), &[])[0].0, LimitCode::MissingSplit);
    }

    #[test]
    fn code_that_arrives_later() {
        let plain = manifest(&[], &[]);
        let tinker = ["com.tencent.tinker.loader.A", "com.tencent.tinker.loader.B", "com.tencent.tinker.lib.C"];
        let found = limits(&plain, &[block(Kind::Class, "a!/classes.dex", &tinker)]);
        assert_eq!(found, [(LimitCode::DynamicCode, "Tinker".into())]);
        let url = "https://cdn.example.cn/p/plugin.dex";
        let found = limits(&plain, &[block(Kind::Code, "a!/classes.dex", &["x", &format!("{url}?v=2")])]);
        assert_eq!(found, [(LimitCode::DynamicCode, url.into())]);
        let script = ["plus.runtime.install(path, {force: true})", "wgtUrl"];
        let found = limits(&plain, &[block(Kind::Asset, "a!/assets/apps/H5/www/app-service.js", &script)]);
        assert_eq!(found[0].0, LimitCode::DynamicCode);
    }

    #[test]
    fn a_class_loader_alone_is_no_dynamic_code() {
        let names = ["dalvik.system.DexClassLoader", "classes.dex", "https://a.example.cn/x.dexter", "base.dex"];
        assert_eq!(limits(&manifest(&[], &[]), &[block(Kind::Code, "a!/classes.dex", &names)]), []);
    }

    #[test]
    fn names_are_obfuscated_from_two_thirds_on() {
        let named = |short: usize| {
            let names: Vec<String> = (0..90)
                .map(|n| if n < short { format!("a.b{n}.c") } else { format!("cn.example.a.Lesson{n}") })
                .collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            limits(&manifest(&[], &[]), &[block(Kind::Class, "a!/classes.dex", &names)])
        };
        assert_eq!(named(60), [(LimitCode::ObfuscatedNames, "60/90".into())]);
        assert_eq!(named(59), []);
    }

    #[test]
    fn one_screen_and_one_address_are_a_shell_around_a_server() {
        let class = block(Kind::Class, "a!/classes.dex", &SCREENS[..1]);
        let one = manifest(&[], &SCREENS[..1]);
        let code = |texts: &[&str]| block(Kind::Code, "a!/classes.dex", texts);
        let page = code(&["a", "http://schemas.android.com/apk", "https://m.example.cn/h5", "loadUrl", "z"]);
        let found = limits(&one, &[class.clone(), page]);
        assert_eq!(found, [(LimitCode::RemoteContent, "https://m.example.cn/h5".into())]);
        let no_view = code(&["a", "https://m.example.cn/h5", "z"]);
        assert_eq!(limits(&one, &[class.clone(), no_view]), []);
        let two = code(&["a", "https://m.example.cn/h5", "https://n.example.cn/", "loadUrl", "z"]);
        assert_eq!(limits(&one, &[class.clone(), two]), []);
        let cordova = block(Kind::Resource, "a!/res/xml/config.xml", &["index.html"]);
        let shell = code(&["a", "https://m.example.cn/h5", "loadUrl", "z"]);
        assert_eq!(limits(&one, &[class.clone(), shell.clone(), cordova]), [], "the start page is the package's own");
        let elsewhere = block(Kind::Resource, "a!/res/xml/config.xml", &["https://m.example.cn/index.html"]);
        assert_eq!(limits(&one, &[class, shell, elsewhere]).len(), 1);
    }
}
