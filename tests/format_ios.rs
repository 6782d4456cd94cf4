//! iOS: binary property lists and Mach-O files of real tools.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

#[path = "support/formats.rs"]
mod formats;

use formats::*;
use proptest::prelude::*;
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
    assert_eq!(found.facts.of(Kind::Label).collect::<Vec<_>>(), ["豆芽搜题"]);
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
    fn never_panics_on_a_list_that_lies(bytes in mutated(fixture("Info.plist"))) {
        let _ = read(LIST, &bytes);
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
