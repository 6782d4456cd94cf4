//! SQLite databases as SQLite itself writes them, sound, damaged and encrypted.

use crate::support::formats::*;
use proptest::prelude::*;
use xunjian::model::{Kind, LimitCode};

const PATH: &str = "assets/quiz.db";

#[test]
fn rows_and_columns_are_named() {
    let found = read(PATH, &fixture("bank.db"));
    assert!(found.limits.is_empty(), "{:?}", found.limits);
    let expected = [
        ("拍照搜题，一秒出答案", "table question row 17 column stem"),
        // Through an interior page, and behind the commas of a comment.
        ("第60题：鸡兔同笼，共有60个头，问鸡兔各几只？", "table question row 60 column stem"),
        ("{\"hint\":\"小升初真题\"}", "table question row 23 column extra"),
        ("奥数冲刺班报名", "table question row 25 column 选项 base64"),
        ("名师一对一", "table question row 26 column 选项"),
        // A table without rowid is an index; its rows are counted.
        ("word007", "table word row "),
        ("释义59：单词打卡", "table word row "),
    ];
    for (text, place) in expected {
        let at = place_of(&found, text);
        assert!(at.starts_with(&format!("a.apk!/{PATH} {place}")), "{text}: {at}");
    }
    assert!(facts(&found).iter().all(|(kind, ..)| *kind == Kind::Asset));
    // Every row of both tables is there, and bytes that are no text are not.
    assert_eq!(facts(&found).iter().filter(|(_, place, _)| place.contains("column stem")).count(), 60);
    assert_eq!(facts(&found).iter().filter(|(_, _, t)| t.starts_with("释义")).count(), 60);
    assert!(!facts(&found).iter().any(|(_, place, _)| place.contains("row 24 column extra")));
}

#[test]
fn text_on_overflow_pages_is_whole() {
    for name in ["bank.db", "bank-utf16.db"] {
        let found = read(PATH, &fixture(name));
        let long = facts(&found).into_iter().find(|(_, place, _)| place.ends_with("row 20 column stem")).unwrap().2;
        assert_eq!(long.matches("相向而行").count(), 60, "{name}");
        assert!(long.ends_with("答案见名师讲堂。"), "{name}");
    }
}

#[test]
fn utf16_databases() {
    let found = read(PATH, &fixture("bank-utf16.db"));
    assert!(found.limits.is_empty(), "{:?}", found.limits);
    assert_eq!(place_of(&found, "拍照搜题，一秒出答案"), format!("a.apk!/{PATH} table question row 17 column stem"));
    assert!(has(&found, "小升初真题"));
}

#[test]
fn the_name_does_not_matter_and_the_content_does() {
    assert!(has(&read("assets/data.bin", &fixture("bank.db")), "拍照搜题"));
    let found = read(PATH, "拍照搜题 in a text that is called a database".as_bytes());
    assert!(found.limits.is_empty() && has(&found, "拍照搜题"));
}

#[test]
fn an_encrypted_database_is_said() {
    let found = read(PATH, &fixture("bank-sqlcipher.db"));
    assert_eq!(limits(&found), [LimitCode::EncryptedEntry]);
    assert!(found.limits[0].detail.contains("SQLCipher"));
}

#[test]
fn a_database_cut_off_keeps_what_it_has() {
    let bytes = fixture("bank.db");
    let found = read(PATH, &bytes[..bytes.len() / 2]);
    assert_eq!(limits(&found).first(), Some(&LimitCode::BadFormat));
    assert!(has(&found, "鸡兔同笼"));
}

#[test]
fn a_tree_that_loops_ends() {
    let mut bytes = fixture("bank.db");
    // Every interior page's right child becomes page 1.
    for page in (512..bytes.len()).step_by(512) {
        if bytes[page] == 5 {
            bytes[page + 8..page + 12].copy_from_slice(&1_u32.to_be_bytes());
        }
    }
    let found = read(PATH, &bytes);
    assert!(limits(&found).contains(&LimitCode::BadFormat));
    assert!(has(&found, "鸡兔同笼"));
}

#[test]
fn rows_that_share_their_bytes_stop() {
    // One table whose leaf has 10,000 cell pointers to one row of 50,000 bytes.
    let page = 65_536;
    let mut bytes = fixture("bank.db")[..100].to_vec();
    bytes[16..18].copy_from_slice(&[0, 1]);
    bytes[28..32].fill(0);
    let sql = b"create table t(a)";
    let mut record = vec![6, 23, 15, 15, 1, 47];
    record.extend(b"tablett\x02");
    record.extend(sql);
    let cell = [&[record.len() as u8, 1][..], &record].concat();
    bytes.extend([13, 0, 0, 0, 1, 0, 0, 0, 0x80, 0]);
    bytes.resize(0x8000, 0);
    bytes.extend(cell);
    bytes.resize(page, 0);
    let (cells, at) = (7_000_u16, 15_000_u16);
    bytes.extend([13, 0, 0]);
    bytes.extend(cells.to_be_bytes());
    bytes.extend([0; 3]);
    (0..cells).for_each(|_| bytes.extend(at.to_be_bytes()));
    bytes.resize(page + usize::from(at), 0);
    // A payload of 50,004 bytes, row 1, one blob column of 49,994 bytes.
    bytes.extend([0x83, 0x86, 0x54, 1, 4, 0x86, 0x8d, 0x20]);
    bytes.resize(page * 2, 0xee);
    let found = read(PATH, &bytes);
    assert_eq!(limits(&found), [LimitCode::OverBudget]);
}

proptest! {
    #[test]
    fn never_panics(bytes in behind(b"SQLite format 3\0\x02\0\x01\x01\0@  ")) {
        let _ = read(PATH, &bytes);
    }

    #[test]
    fn never_panics_on_a_database_that_lies(bytes in mutated(fixture("bank.db"))) {
        let _ = read(PATH, &bytes);
    }
}
