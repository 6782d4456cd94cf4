//! iOS: binary property lists and Mach-O files of real tools.

use crate::support;

use crate::support::containers::{App, ipa};
use crate::support::formats::*;
use crate::support::shared;
use proptest::prelude::*;
use xunjian::extract::ios;
use xunjian::model::{Kind, LimitCode};

const LIST: &str = "Payload/Douya.app/Info.plist";
const CODE: &str = "Payload/Douya.app/Douya";

#[test]
fn strings_of_a_property_list_are_named_by_key() {
    let found = read(LIST, &fixture("Info.plist"));
    assert!(found.limits.is_empty(), "{:?}", found.limits);
    assert_eq!(
        place_of(&found, "拍照搜题需要使用您的相机，对准题目一秒出答案"),
        format!("a.apk!/{LIST} key NSCameraUsageDescription")
    );
    assert!(place_of(&found, "小升初真题").starts_with(&format!("a.apk!/{LIST} object ")));
    assert!(place_of(&found, "豆芽搜题").ends_with(" key CFBundleDisplayName"));
    let (who, found) = ios::info(&fixture("Info.plist"), "a", Vec::new());
    assert_eq!(who.labels[0].1, "豆芽搜题");
    assert_eq!(found.facts.of(Kind::Label).collect::<Vec<_>>(), ["豆芽搜题"]);
}

#[test]
fn a_list_of_either_form_says_who_and_what() {
    let tree = ipa::info(&App::subject());
    let names = vec![("zh-Hant".into(), "優課堂".into()), ("zh-Hans".into(), "优课堂同步学".into())];
    let (one, found) = ios::info(&ipa::binary(&tree), "a", names.clone());
    let (two, other) = ios::info(ipa::xml(&tree).as_bytes(), "a", names);
    assert_eq!(one, two);
    let sorted = |found: &xunjian::extract::Extracted| {
        let mut all = facts(found);
        all.sort();
        all
    };
    assert_eq!(sorted(&found), sorted(&other));
    assert_eq!(
        (one.package.as_str(), one.version_name.as_str(), one.version_code),
        ("cn.example.youketang", "5.1.2", 512)
    );
    let labels: Vec<&str> = one.labels.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(labels, ["优课堂同步学", "優課堂", "Lessons & more"]);
    let all = |kind| found.facts.of(kind).collect::<Vec<_>>();
    assert_eq!(all(Kind::Permission), ["NSCameraUsageDescription"]);
    assert_eq!(all(Kind::DeepLink), ["youketang://"]);
    assert_eq!(all(Kind::Setting), ["queries=weixin", "cleartextTrafficPermitted=true"]);
}

#[test]
fn names_are_found_in_every_form_of_strings() {
    assert_eq!(ios::label(&ipa::names("优课堂")).as_deref(), Some("优课堂"));
    assert_eq!(ios::label(b"\"CFBundleName\" = \"a \\\"b\\\"\";").as_deref(), Some("a \"b\""));
    assert_eq!(ios::label(b"CFBundleName = \"\\U4f18\\U8bfe\";").as_deref(), Some("优课"));
    for nothing in [b"".as_slice(), b"/* CFBundleName = \"x\"", b"CFBundleName", b"CFBundleName = \"x"] {
        assert_eq!(ios::label(nothing), None);
    }
}

#[test]
fn a_list_cut_off_or_nested_without_end() {
    let text = ipa::xml(&ipa::info(&App::subject()));
    let (who, _) = ios::info(&text.as_bytes()[..text.len() - 30], "a", Vec::new());
    assert_eq!(who.package, "cn.example.youketang");
    let deep = format!("<plist>{}", "<array>".repeat(100_000));
    assert_eq!(limits(&ios::info(deep.as_bytes(), "a", Vec::new()).1), [LimitCode::BadManifest]);
    // An array that holds itself, twice.
    let mut ring = b"bplist00".to_vec();
    ring.extend([0xa2, 0, 0, 8]);
    ring.extend([0, 0, 0, 0, 0, 0, 1, 1]);
    [1_u64, 0, 11].iter().for_each(|n| ring.extend(n.to_be_bytes()));
    assert_eq!(limits(&ios::info(&ring, "a", Vec::new()).1), [LimitCode::BadManifest]);
}

#[test]
#[ignore = "needs shared data beside the project"]
fn given_data_a_real_package_is_read() {
    let dir = shared("apks/containers");
    let path = dir.join("test_files__ios.ipa");
    let audit =
        support::report(&support::xunjian(&["audit", path.to_str().unwrap(), "--format", "json"]))["audits"][0].clone();
    assert_eq!(audit["app"]["package"], "com.kthcorp.helloworld");
    assert_eq!(audit["app"]["title"], "helloworld");
    assert_eq!(audit["app"]["version_name"], "1.0");
}

#[test]
fn localised_strings_in_utf16_are_text() {
    let text = "/* title */\n\"search\" = \"拍照搜题\";\n";
    let bytes: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let found = read("Payload/Douya.app/zh-Hans.lproj/Localizable.strings", &bytes);
    assert!(place_of(&found, "\"search\" = \"拍照搜题\";").ends_with(" line 2"));
}

#[test]
fn a_list_without_its_trailer_is_searched() {
    let bytes = fixture("Info.plist");
    let found = read(LIST, &bytes[..40]);
    assert_eq!(limits(&found), [LimitCode::BadFormat]);
}

#[test]
fn strings_of_a_library() {
    let found = read(CODE, &fixture("quiz-macho.o"));
    assert!(found.limits.is_empty(), "{:?}", found.limits);
    for text in ["拍照搜题，一秒出答案", "名师一对一直播课", "ask the tutor"] {
        assert!(has(&found, text), "{text} in {:#?}", facts(&found));
    }
    assert!(facts(&found).iter().all(|(kind, ..)| *kind == Kind::Native));
}

#[test]
fn encrypted_code_is_said() {
    // One load command: LC_ENCRYPTION_INFO_64 with cryptid 1.
    let mut bytes = vec![0xcf, 0xfa, 0xed, 0xfe];
    bytes.resize(16, 0);
    for word in [1_u32, 24, 0, 0, 0x2c, 24, 0x4000, 0x1000, 1, 0] {
        bytes.extend(word.to_le_bytes());
    }
    assert_eq!(limits(&read(CODE, &bytes)), [LimitCode::Packed]);
    bytes[48] = 0;
    assert!(limits(&read(CODE, &bytes)).is_empty());
    // The same in a fat file, and a Java class with its magic.
    bytes[48] = 1;
    let fat: Vec<u8> =
        [0xcafe_babe_u32, 1, 0, 0, 28, 56, 0].into_iter().flat_map(u32::to_be_bytes).chain(bytes).collect();
    assert_eq!(limits(&read(CODE, &fat)), [LimitCode::Packed]);
    assert!(limits(&read("a.class", b"\xca\xfe\xba\xbe\0\0\0\x34 and so on")).is_empty());
}

proptest! {
    #[test]
    fn never_panics_on_lists(bytes in behind(b"bplist00"), trailer in prop::collection::vec(0_u8..4, 32)) {
        let _ = read(LIST, &bytes);
        let _ = read(LIST, &[bytes, trailer].concat());
    }

    #[test]
    fn never_panics_on_a_list_that_lies(
        bytes in mutated(fixture("Info.plist")),
        xml in mutated(ipa::xml(&ipa::info(&App::subject())).into_bytes()),
        names in mutated(ipa::names("优课堂")),
    ) {
        let _ = read(LIST, &bytes);
        let _ = ios::info(&bytes, "a", Vec::new());
        let _ = ios::info(&xml, "a", Vec::new());
        let _ = ios::label(&names);
    }

    #[test]
    fn never_panics_on_code(bytes in behind(b"\xcf\xfa\xed\xfe"), fat in behind(b"\xca\xfe\xba\xbe\0\0\0\x02")) {
        let _ = read(CODE, &bytes);
        let _ = read(CODE, &fat);
    }

    #[test]
    fn never_panics_on_code_that_lies(bytes in mutated(fixture("quiz-macho.o"))) {
        let _ = read(CODE, &bytes);
    }
}
