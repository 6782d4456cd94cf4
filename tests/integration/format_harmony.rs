//! HarmonyOS: modules, resource indexes of both layouts, Ark bytecode.

use crate::support;

use crate::support::containers::App;
use crate::support::containers::hap::{self, Resource};
use crate::support::formats::*;
use crate::support::shared;
use proptest::prelude::*;
use xunjian::extract::{Extracted, Manifest, Resources, harmony};
use xunjian::model::{Budget, Kind, LimitCode, Meter};

const CODE: &str = "ets/modules.abc";

fn index(bytes: &[u8]) -> (Resources, Extracted) {
    Resources::read(bytes, "a.hap!/resources.index", &Budget::default())
}

fn module(text: &str, resources: &Resources) -> (Manifest, Extracted) {
    harmony::module(text.as_bytes(), "a.hap!/module.json", resources, &Budget::default())
}

fn all(found: &Extracted, kind: Kind) -> Vec<&str> {
    found.facts.of(kind).collect()
}

#[test]
fn both_layouts_of_an_index_say_the_same() {
    let resources = hap::resources(&App::subject());
    let (table, one) = index(&hap::first(&resources));
    let (_, two) = index(&hap::second(&resources));
    assert!(one.limits.is_empty() && two.limits.is_empty(), "{:?} {:?}", one.limits, two.limits);
    let sorted = |found: &Extracted| {
        let mut all = facts(found);
        all.sort();
        all
    };
    assert_eq!(sorted(&one), sorted(&two));
    assert!(place_of(&one, "期末模拟卷").ends_with("string/exam [zh-CN]"));
    assert!(place_of(&one, "Lessons").ends_with("string/app_name"));
    assert!(place_of(&one, "初三（中考）").ends_with("strarray/grades"));
    assert!(place_of(&one, "还有 %d 道题").ends_with("plural/left [zh-CN]"));
    assert_eq!(one.facts.blocks[0].get(0).unwrap().text, "优课堂同步学", "Chinese first");
    assert!(!has(&one, "app_icon.png"), "a path is no word");
    let icon = table.id_of("media/app_icon").unwrap();
    assert_eq!(table.texts(icon, &Meter::new(&Budget::default(), 0))[0].1, "entry/resources/base/media/app_icon.png");
}

#[test]
fn a_module_says_who_and_what() {
    let app = App::subject();
    let (table, _) = index(&hap::first(&hap::resources(&app)));
    let (who, found) = module(&hap::module(&app, "entry", "entry"), &table);
    assert_eq!(
        (who.package.as_str(), who.version_name.as_str(), who.version_code),
        ("cn.example.youketang", "5.1.2", 512)
    );
    assert_eq!(who.labels, [("zh-CN".into(), "优课堂同步学".into()), (String::new(), "Lessons".into())]);
    assert_eq!(who.icons, ["resources/base/media/app_icon.png"]);
    assert_eq!(who.split, "");
    assert_eq!(all(&found, Kind::Permission), ["ohos.permission.CAMERA"]);
    assert_eq!(all(&found, Kind::Component), ["cn.example.youketang.EntryAbility"]);
    assert_eq!(all(&found, Kind::Label), ["优课堂同步学", "Lessons", "同步课程"]);
    assert_eq!(all(&found, Kind::DeepLink), ["youketang://course/list"]);
    assert_eq!(all(&found, Kind::Metadata), ["client_id=42"]);
    assert_eq!(all(&found, Kind::Setting), ["ohos.want.action.viewData", "debuggable=true", "vendor=example"]);
    assert_eq!(module(&hap::module(&app, "quiz", "feature"), &table).0.split, "quiz");
}

#[test]
fn a_module_of_the_older_model() {
    let app = App::subject();
    let (table, _) = index(&hap::first(&hap::resources(&app)));
    let (who, found) = module(&hap::config(&app), &table);
    assert_eq!(
        (who.package.as_str(), who.version_name.as_str(), who.version_code),
        ("cn.example.youketang", "5.1.2", 512)
    );
    assert_eq!(who.labels[0].1, "优课堂同步学");
    assert_eq!(all(&found, Kind::Permission), ["ohos.permission.INTERNET"]);
    assert_eq!(all(&found, Kind::Component), ["cn.example.youketang.MainAbility"]);
    assert_eq!(all(&found, Kind::Setting), ["cleartextTrafficPermitted=true"]);
}

#[test]
fn no_module_at_all_is_said() {
    for text in ["", "[]", "{}", "{\"app\":{\"bundleName\":7", "{\"app\":[[[[", &"[".repeat(100_000)] {
        let (who, found) = module(text, &Resources::default());
        assert!(!who.is_readable);
        assert_eq!(limits(&found), [LimitCode::BadManifest]);
    }
}

#[test]
fn an_index_cut_off_keeps_what_it_has() {
    let bytes = hap::first(&hap::resources(&App::subject()));
    let (_, found) = index(&bytes[..bytes.len() - 30]);
    assert_eq!(limits(&found), [LimitCode::BadResources]);
    assert!(has(&found, "优课堂同步学"));
}

#[test]
fn an_index_that_points_at_itself_ends() {
    // A list of half a million times the same record, which is long.
    let name = "n".repeat(60_000);
    let record =
        Resource { id: 1, kind: hap::ARRAY, name: name.leak(), values: vec![("", [1, 0, b'a'].repeat(20_000))] };
    let mut bytes = hap::first(&[record]);
    let list = 136 + 12;
    let at = bytes.len();
    let (id, offset) = (bytes[list + 8..list + 12].to_vec(), bytes[list + 12..list + 16].to_vec());
    bytes.extend([b"IDSS".as_slice(), &500_000_u32.to_le_bytes()].concat());
    bytes.extend([id, offset].concat().repeat(500_000));
    let heads = [b"KEYS".as_slice(), &(at as u32).to_le_bytes(), &[0; 4]].concat();
    bytes.splice(136..148, heads);
    let (_, found) = index(&bytes);
    assert_eq!(limits(&found), [LimitCode::OverBudget]);
    let text: usize = found.facts.blocks.iter().map(|b| b.text().len()).sum();
    assert!(text < bytes.len() * 40, "{text} of {}", bytes.len());
}

#[test]
fn strings_and_classes_of_code() {
    let found = read(CODE, &hap::abc(&["Lcn.example/entry/ets/Index;"], &["名师带你提分", "[公告]😀", "ok", "题"]));
    assert!(found.limits.is_empty(), "{:?}", found.limits);
    assert_eq!(all(&found, Kind::Class), ["cn.example.entry.ets.Index"]);
    for text in ["名师带你提分", "[公告]😀", "ok", "题"] {
        assert!(place_of(&found, text).contains(&format!("{CODE} string at ")));
    }
    assert_eq!(all(&found, Kind::Code).len(), 4, "code is no text: {:?}", all(&found, Kind::Code));
    assert_eq!(found.read.classes, 1);
}

#[test]
fn long_runs_of_code_cost_their_length() {
    // Every byte is a length that could fit what follows; none does.
    let mut bytes = hap::abc(&[], &[]);
    bytes.extend(vec![0xff; 4 << 20]);
    bytes.extend(vec![0x02; 4 << 20]);
    bytes.push(0);
    let found = read(CODE, &bytes);
    assert!(all(&found, Kind::Code).is_empty());
    let mut lies = hap::abc(&[], &["名师带你提分"]);
    lies[28..32].copy_from_slice(&u32::MAX.to_le_bytes());
    let found = read(CODE, &lies);
    assert_eq!(limits(&found), [LimitCode::BadDex; 2]);
    assert!(has(&found, "名师带你提分"));
}

#[test]
#[ignore = "needs shared data beside the project"]
fn given_data_a_real_module_is_read() {
    let dir = shared("apks/containers");
    let path = dir.join("ArkAnalyzer-HapRay__test.hap");
    let audit =
        support::report(&support::xunjian(&["audit", path.to_str().unwrap(), "--format", "json"]))["audits"][0].clone();
    assert_eq!(audit["app"]["package"], "com.example.downloadnotification");
    assert_eq!(audit["app"]["title"], "DownloadNotification");
    assert_eq!(audit["app"]["version_code"], 1_000_000);
    assert_eq!(audit["coverage"]["read"]["classes"], 15);
    assert!(audit["profile"]["languages"]["zh"].as_u64().unwrap() > 0, "{}", audit["profile"]);
    assert_eq!(audit["coverage"]["limits"].as_array().unwrap().len(), 1, "{}", audit["coverage"]);
}

proptest! {
    #[test]
    fn never_panics(
        one in behind(b"Restool 5"),
        two in behind(b"RestoolV2"),
        code in behind(b"PANDA\0\0\0"),
        text in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = index(&one);
        let _ = index(&two);
        let _ = read(CODE, &code);
        let _ = harmony::module(&text, "a", &Resources::default(), &Budget::default());
        let _ = harmony::pack(&text);
    }

    #[test]
    fn never_panics_on_indexes_that_lie(
        one in mutated(hap::first(&hap::resources(&App::subject()))),
        two in mutated(hap::second(&hap::resources(&App::subject()))),
    ) {
        let _ = index(&one);
        let _ = index(&two);
    }

    #[test]
    fn never_panics_on_code_that_lies(bytes in mutated(hap::abc(&["La;", "Lb;"], &["名师带你提分", "plain"]))) {
        let _ = read(CODE, &bytes);
    }
}
