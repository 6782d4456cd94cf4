//! Unity: literals of IL2CPP metadata, and of an assembly that a real compiler made.

use crate::support::formats::*;
use proptest::prelude::*;
use xunjian::model::{Kind, LimitCode};

const METADATA: &str = "assets/bin/Data/Managed/Metadata/global-metadata.dat";
const ASSEMBLY: &str = "assets/bin/Data/Managed/Assembly-CSharp.dll";

#[test]
fn literals_of_every_layout_of_il2cpp_metadata() {
    for version in [24, 29, 35, 39] {
        let found = read(METADATA, &fixture(&format!("il2cpp-{version}.dat")));
        assert!(found.limits.is_empty(), "{version}: {:?}", found.limits);
        assert_eq!(place_of(&found, "拍照搜题，一秒出答案"), format!("a.apk!/{METADATA} literal 1"), "{version}");
        assert_eq!(place_of(&found, "小升初冲刺班"), format!("a.apk!/{METADATA} literal 5"), "{version}");
        assert!(facts(&found).iter().all(|(kind, ..)| *kind == Kind::Code));
    }
}

#[test]
fn a_broken_table_leaves_the_literals_readable_as_strings() {
    let mut bytes = fixture("il2cpp-29.dat");
    bytes[8..12].fill(0xff);
    let found = read(METADATA, &bytes);
    assert_eq!(limits(&found), [LimitCode::BadFormat]);
    assert!(has(&found, "小升初冲刺班"));
}

#[test]
fn metadata_without_its_magic_is_encrypted() {
    let bytes: Vec<u8> = fixture("il2cpp-29.dat").iter().map(|b| b ^ 0x5a).collect();
    assert_eq!(limits(&read(METADATA, &bytes)), [LimitCode::EncryptedEntry]);
}

#[test]
fn literals_of_an_assembly() {
    let found = read(ASSEMBLY, &fixture("Quiz.dll"));
    assert!(found.limits.is_empty());
    // `monodis --userstrings Quiz.dll` prints 0x01 for the first.
    assert_eq!(place_of(&found, "口算闯关：名师陪练"), format!("a.apk!/{ASSEMBLY} #US offset 1"));
    assert!(place_of(&found, "拍照搜题，一秒出答案").contains("#US offset 21"));
    assert!(facts(&found).iter().any(|(_, _, t)| t.starts_with("第一章　有理数") && t.ends_with("小升初冲刺班")));
    assert_eq!(facts(&found).len(), 4);
}

#[test]
fn an_assembly_cut_off_keeps_its_first_literals() {
    let bytes = fixture("Quiz.dll");
    let at = bytes
        .windows(6)
        .position(|w| w == "一秒出".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
        .unwrap();
    let found = read(ASSEMBLY, &bytes[..at]);
    assert!(has(&found, "名师陪练"));
    assert_eq!(limits(&found), [LimitCode::BadFormat]);
}

proptest! {
    #[test]
    fn never_panics_on_metadata(bytes in behind(b"\xaf\x1b\xb1\xfa\x1d\0\0\0")) {
        let _ = read(METADATA, &bytes);
    }

    #[test]
    fn never_panics_on_metadata_that_lies(bytes in mutated(fixture("il2cpp-29.dat"))) {
        let _ = read(METADATA, &bytes);
    }

    #[test]
    fn never_panics_on_executables(bytes in behind(b"MZ")) {
        let _ = read(ASSEMBLY, &bytes);
    }

    #[test]
    fn never_panics_on_an_assembly_that_lies(bytes in mutated(fixture("Quiz.dll"))) {
        let _ = read(ASSEMBLY, &bytes);
    }
}
