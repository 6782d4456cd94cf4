//! Flutter: strings of Dart snapshots in the three forms they are stored in.

use crate::support::formats::*;
use proptest::prelude::*;
use xunjian::model::Kind;

const PATH: &str = "lib/arm64-v8a/libapp.so";
const FORMS: &[&str] = &["dart-objects32.so", "dart-objects64.so", "dart-cluster.so"];

#[test]
fn strings_of_every_form_are_whole_and_placed() {
    for form in FORMS {
        let bytes = fixture(form);
        let found = read(PATH, &bytes);
        for text in ["拍照搜题，一秒出答案", "名师", "1. 先审题 (read) 再列式", "错题本", "─── 小升初 ───"]
        {
            let start: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let at = bytes.windows(start.len()).position(|w| w == start).unwrap();
            assert_eq!(place_of(&found, text), format!("a.apk!/{PATH} offset {at}"), "{form}");
        }
        assert_eq!(facts(&found).iter().filter(|(_, _, t)| *t == "口算闯关".repeat(20)).count(), 1, "{form}");
        assert!(has(&found, "ask the tutor now"), "{form}");
        assert!(facts(&found).iter().all(|(kind, ..)| *kind == Kind::Native));
        // Nothing made up: ASCII read as UTF-16 looks like Han.
        let han = facts(&found).into_iter().filter(|(_, _, t)| !t.is_ascii()).count();
        assert_eq!(han, 6, "{form}: {:#?}", facts(&found));
    }
}

#[test]
fn a_file_of_nothing_but_han_takes_no_time() {
    let mut bytes = b"\x7fELF _kDart \xf5\xf5\xdc\xdc".to_vec();
    // Rare characters whose bytes are lengths as well: judged in vain everywhere.
    bytes.extend([0x85_u8, 0x9f].repeat(1 << 18));
    let found = read(PATH, &bytes);
    assert!(facts(&found).len() < 100);
}

proptest! {
    #[test]
    fn never_panics(bytes in behind(b"\x7fELF _kDart \xf5\xf5\xdc\xdc")) {
        let _ = read(PATH, &bytes);
    }

    #[test]
    fn never_panics_on_a_snapshot_that_lies(bytes in mutated(fixture("dart-cluster.so"))) {
        let _ = read(PATH, &bytes);
    }
}
