//! App bundles: manifests and tables as protocol buffers.

use crate::support;

use crate::support::containers::App;
use crate::support::containers::aab::{self, proto};
use crate::support::formats::*;
use crate::support::shared;
use proptest::prelude::*;
use xunjian::extract::{Extracted, Manifest, Resources, manifest, network_config};
use xunjian::model::{Budget, Kind, LimitCode};

const PLACE: &str = "a.aab!/base/manifest/AndroidManifest.xml";

fn resources(bytes: &[u8]) -> (Resources, Extracted) {
    Resources::read(bytes, "a.aab!/base/resources.pb", &Budget::default())
}

fn manifest_of(bytes: &[u8], resources: &Resources) -> (Manifest, Extracted) {
    manifest(bytes, PLACE, resources, &Budget::default())
}

fn all(found: &Extracted, kind: Kind) -> Vec<&str> {
    found.facts.of(kind).collect()
}

#[test]
fn a_manifest_says_who_and_what() {
    let app = App::subject();
    let (table, _) = resources(&aab::base_table(&app));
    let (who, found) = manifest_of(&aab::base_manifest(&app), &table);
    assert_eq!(
        (who.package.as_str(), who.version_name.as_str(), who.version_code),
        ("cn.example.youketang", "5.1.2", 512)
    );
    assert_eq!(who.labels, [("zh-CN".into(), "优课堂同步学".into()), (String::new(), "Lessons".into())]);
    assert_eq!(who.network_config.as_deref(), Some("res/xml/network.xml"));
    assert!(found.limits.is_empty(), "{:?}", found.limits);
    assert_eq!(all(&found, Kind::Permission), ["android.permission.READ_PHONE_STATE"]);
    assert_eq!(all(&found, Kind::Component), ["cn.example.youketang.CourseActivity"]);
    assert_eq!(all(&found, Kind::DeepLink), ["youketang://course"]);
    assert_eq!(all(&found, Kind::Metadata), ["UMENG_APPKEY=0123456789abcdef"]);
    assert_eq!(all(&found, Kind::Setting), ["debuggable=true", "android.intent.action.VIEW"]);
    assert!(place_of(&found, "优课堂同步学").ends_with("application label [zh-CN]"));
}

#[test]
fn a_feature_refers_by_name_and_is_a_split() {
    let (table, _) = resources(&aab::feature_table());
    let (who, found) = manifest_of(&aab::feature_manifest(&App::subject()), &table);
    assert_eq!(who.split, "quiz");
    assert_eq!(all(&found, Kind::Label), ["名校题库"]);
}

#[test]
fn a_table_gives_its_strings_in_every_locale() {
    let (table, found) = resources(&aab::base_table(&App::subject()));
    assert!(found.limits.is_empty(), "{:?}", found.limits);
    assert!(place_of(&found, "期末模拟卷").ends_with("string/exam [zh-CN]"));
    assert!(place_of(&found, "Lessons").ends_with("string/app_name"));
    assert!(place_of(&found, "初三（中考）").ends_with("array/grades"));
    assert!(place_of(&found, "还有 %d 道题").ends_with("plurals/left [zh-TW]"));
    assert!(!has(&found, "res/xml"), "a path is no word");
    assert_eq!(table.id_of("array/grades"), Some(0x7f02_0000));
    assert_eq!(found.facts.blocks[0].get(0).unwrap().text, "优课堂同步学", "Chinese first");
}

#[test]
fn layouts_and_network_configurations() {
    let found = read("res/layout/main.xml", &aab::layout());
    assert_eq!(facts(&found).len(), 1);
    assert!(place_of(&found, "提交答案").contains("string"));
    let found = network_config(&aab::network(), "a", &Budget::default());
    assert_eq!(all(&found, Kind::Setting), ["cleartextTrafficPermitted=true"]);
}

#[test]
fn what_does_not_decode_is_said_and_searched() {
    let app = App::subject();
    let whole = aab::base_table(&app);
    let (_, found) = resources(&whole[..whole.len() / 2]);
    assert_eq!(limits(&found), [LimitCode::BadResources]);
    assert!(has(&found, "优课堂同步学"));
    let whole = aab::base_manifest(&app);
    let (who, found) = manifest_of(&whole[..whole.len() - 40], &Resources::default());
    assert!(!who.is_readable);
    assert_eq!(limits(&found), [LimitCode::BadManifest]);
    assert!(has(&found, "CourseActivity"));
}

#[test]
fn nesting_ends() {
    let mut node = proto::child("deepest", &[]);
    for _ in 0..20_000 {
        node = proto::child("a", &[node]);
        if node.len() > 1 << 18 {
            break;
        }
    }
    let bytes = proto::element("manifest", &[node]);
    let (_, found) = manifest_of(&bytes, &Resources::default());
    assert_eq!(limits(&found), [LimitCode::BadManifest]);
}

#[test]
fn size_ends() {
    // Two bytes a message: elements without anything, attributes of one name each, entries.
    let children = proto::element("manifest", &[[0x2a, 0].repeat(2 << 20)]);
    assert_eq!(limits(&manifest_of(&children, &Resources::default()).1), [LimitCode::BadManifest]);
    let names: Vec<Vec<u8>> = (0..60_000).map(|n| proto::attribute(&n.to_string(), "", Vec::new())).collect();
    assert_eq!(
        limits(&manifest_of(&proto::element("manifest", &names), &Resources::default()).1),
        [LimitCode::BadManifest]
    );
    let entry = proto::message(3, &[[0x32, 0].repeat(1 << 20)]);
    let table = proto::table(0x7f, "a", &[proto::kind(1, "string", &[entry])]);
    assert_eq!(limits(&resources(&table).1), [LimitCode::BadResources]);
}

#[test]
#[ignore = "needs shared data beside the project"]
fn given_data_real_bundles_are_read() {
    let dir = shared("apks/containers");
    for name in ["bundletool__install-time-permanent-modules.aab", "bundletool__watch-face-from-tool.aab"] {
        let path = dir.join(name);
        let output = support::xunjian(&["audit", path.to_str().unwrap(), "--format", "json"]);
        let audit = support::report(&output)["audits"][0].clone();
        assert_ne!(audit["app"]["package"], "", "{name}");
        assert_ne!(audit["app"]["version_code"], 0, "{name}");
        let codes = audit["coverage"]["limits"].to_string();
        assert!(!codes.contains("bad-manifest") && !codes.contains("bad-resources"), "{name}: {codes}");
        assert!(!codes.contains("hidden-code"), "{name}: {codes}");
    }
}

proptest! {
    #[test]
    fn never_panics(bytes in behind(b"\x0a\x40\x1a\x08manifest"), table in behind(b"\x12\x7f\x1a\x70")) {
        let (found, _) = resources(&table);
        let _ = manifest_of(&bytes, &found);
        let _ = read("res/layout/a.xml", &bytes);
    }

    #[test]
    fn never_panics_on_a_bundle_that_lies(
        bytes in mutated(aab::base_manifest(&App::subject())),
        table in mutated(aab::base_table(&App::subject())),
    ) {
        let (found, _) = resources(&table);
        let _ = manifest_of(&bytes, &found);
        let _ = network_config(&bytes, "a", &Budget::default());
    }

    #[test]
    fn never_panics_on_a_table_of_packages_that_lies(bytes in mutated(toc())) {
        let _ = xunjian::extract::toc(&bytes, "a.apks!/toc.pb");
    }
}

/// The table of the fixture set.
fn toc() -> Vec<u8> {
    let bytes = std::fs::read(support::project("tests/fixtures/apks/splits.apks")).unwrap();
    support::package::Package::read(&bytes).member("toc.pb").unwrap().data()
}
