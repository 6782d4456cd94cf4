//! React Native bundles as `hermesc` of seven releases makes them.

use crate::support::formats::*;
use proptest::prelude::*;
use xunjian::model::{Kind, LimitCode};

const PATH: &str = "assets/index.android.bundle";
const VERSIONS: &[u32] = &[74, 76, 84, 89, 94, 96, 99];

#[test]
fn every_string_of_every_version_is_read() {
    for version in VERSIONS {
        let found = read(PATH, &fixture(&format!("hermes-{version}.hbc")));
        assert!(found.limits.is_empty(), "{version}: {:?}", found.limits);
        for text in ["拍照搜题助手", "名师一对一直播课", "小升初", "😀 奥数 plan", "ask the teacher", "作业帮手"]
        {
            assert!(facts(&found).iter().any(|(kind, _, t)| *kind == Kind::Code && t == text), "{version}: {text}");
        }
        // Over 254 units: stands in the overflow table.
        assert!(facts(&found).iter().any(|(_, _, t)| t.chars().count() == 300 && t.ends_with("应用题")), "{version}");
        assert!(place_of(&found, "拍照搜题助手").starts_with("a.apk!/assets/index.android.bundle string "));
        assert_eq!(found.read.strings as usize, facts(&found).len());
    }
}

#[test]
fn the_place_is_the_number_that_the_disassembler_prints() {
    // tests/fixtures/formats/build.sh prints it: `hermesc -dump-bytecode`, "Global String Table".
    let found = read(PATH, &fixture("hermes-96.hbc"));
    let all = facts(&found);
    let number = |text: &str| {
        all.iter().find(|(_, _, t)| t == text).unwrap().1.rsplit_once(' ').unwrap().1.parse::<u32>().unwrap()
    };
    let stated = String::from_utf8(fixture("hermes-96.strings.txt")).unwrap();
    for text in ["ask the teacher", "globalThis", "log"] {
        let line = stated.lines().find(|l| l.contains(&format!(": {text}"))).unwrap();
        let index: String = line.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        assert_eq!(number(text), index.parse::<u32>().unwrap(), "{line}");
    }
}

#[test]
fn a_patched_version_changes_nothing() {
    let mut bytes = fixture("hermes-96.hbc");
    bytes[8] = 200;
    assert!(has(&read(PATH, &bytes), "拍照搜题助手"));
}

#[test]
fn counts_that_lie_are_said_and_what_is_there_is_kept() {
    let bytes = fixture("hermes-96.hbc");
    let mut many = bytes.clone();
    many[52..56].copy_from_slice(&u32::MAX.to_le_bytes());
    let found = read(PATH, &many);
    assert!(limits(&found).contains(&LimitCode::BadFormat));
    assert!(has(&found, "ask the teacher"));
    // A cut file still has its table and the first part of the storage.
    let found = read(PATH, &bytes[..480]);
    assert!(limits(&found).contains(&LimitCode::BadFormat));
    assert!(has(&found, "ask the teacher"));
}

#[test]
fn entries_that_all_point_at_one_string_stop_at_the_budget() {
    // 50,000 overflow entries of the same 50,000 bytes would be 2.5 GB of text.
    let mut bytes = vec![0_u8; 128];
    bytes[..8].copy_from_slice(b"\xc6\x1f\xbc\x03\xc1\x03\x19\x1f");
    bytes[8] = 96;
    for (at, n) in [(52, 50_000_u32), (56, 1), (60, 50_000)] {
        bytes[at..at + 4].copy_from_slice(&n.to_le_bytes());
    }
    (0..50_000).for_each(|_| bytes.extend(0xff00_0000_u32.to_le_bytes()));
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend(50_000_u32.to_le_bytes());
    bytes.extend(std::iter::repeat_n(b'a', 50_000));
    let found = read(PATH, &bytes);
    assert_eq!(limits(&found), [LimitCode::OverBudget]);
    assert!(found.read.strings < 100);
}

proptest! {
    #[test]
    fn never_panics(bytes in behind(b"\xc6\x1f\xbc\x03\xc1\x03\x19\x1f")) {
        let _ = read(PATH, &bytes);
    }

    #[test]
    fn never_panics_on_a_bundle_that_lies(bytes in mutated(fixture("hermes-96.hbc"))) {
        let _ = read(PATH, &bytes);
    }
}
