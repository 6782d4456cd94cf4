//! Mini-program packages: each file is an entry of its own.

use crate::support::formats::*;
use proptest::prelude::*;
use xunjian::model::{Kind, LimitCode};

const PATH: &str = "assets/program.wxapkg";

#[test]
fn files_are_read_as_text_under_their_own_names() {
    let found = read(PATH, &fixture("program.wxapkg"));
    assert!(found.limits.is_empty(), "{:?}", found.limits);
    let inside = |text: &str| facts(&found).into_iter().find(|(_, _, t)| t.contains(text)).unwrap().1;
    assert_eq!(inside("拍照搜题"), format!("a.apk!/{PATH}!/app-config.json line 1"));
    assert_eq!(inside("名师一对一"), format!("a.apk!/{PATH}!/pages/index.js line 1"));
    assert_eq!(inside("小升初真题"), format!("a.apk!/{PATH}!/pages/index.js line 2"));
    assert_eq!(inside("奥数 & 作文"), format!("a.apk!/{PATH}!/pages/index.html line 2"));
    assert!(found.facts.of(Kind::File).any(|name| name == "pages/index.js"));
}

#[test]
fn a_package_cut_off_keeps_what_it_has() {
    let bytes = fixture("program.wxapkg");
    let found = read(PATH, &bytes[..bytes.len() - 10]);
    assert_eq!(limits(&found), [LimitCode::BadFormat]);
    assert!(has(&found, "拍照搜题"));
}

#[test]
fn files_that_overlap_stop() {
    // 100 entries that are each the whole package.
    let mut bytes = b"\xbe\0\0\0\0\0\0\0\0\0\0\0\0\xed\0\0\0\x64".to_vec();
    for _ in 0..100 {
        bytes.extend([&[0, 0, 0, 2], b"/a".as_slice(), &[0, 0, 0, 0], &[0, 0, 6, 0]].concat());
    }
    bytes.resize(0x600, b'x');
    let found = read(PATH, &bytes);
    // One is the package again, and the next would be over.
    assert_eq!(limits(&found), [LimitCode::OverBudget; 2]);
}

#[test]
fn an_encrypted_package_is_said() {
    assert_eq!(limits(&read(PATH, b"V1MMWX\x12\x80\xff\x03 and so on")), [LimitCode::EncryptedScript]);
}

proptest! {
    #[test]
    fn never_panics(bytes in behind(b"\xbe\0\0\0\0\0\0\0\x30\0\0\0\x30\xed\0\0\0\x03\0\0\0\x04")) {
        let _ = read(PATH, &bytes);
    }

    #[test]
    fn never_panics_on_a_package_that_lies(bytes in mutated(fixture("program.wxapkg"))) {
        let _ = read(PATH, &bytes);
    }
}
