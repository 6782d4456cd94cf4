//! PDF files of two writers: embedded glyphs with a map, and a predefined CMap.

use crate::support::formats::*;
use proptest::prelude::*;
use xunjian::model::LimitCode;

const PATH: &str = "assets/paper.pdf";

#[test]
fn glyph_numbers_are_read_by_their_map() {
    let found = read(PATH, &fixture("subset.pdf"));
    assert!(found.limits.is_empty(), "{:?}", found.limits);
    assert_eq!(place_of(&found, "第一页：拍照搜题，一秒出答案"), format!("a.apk!/{PATH} page 1 line 1"));
    assert_eq!(place_of(&found, "名师一对一ask the (old) tutor"), format!("a.apk!/{PATH} page 1 line 2"));
    assert_eq!(place_of(&found, "第二页：小升初真题"), format!("a.apk!/{PATH} page 2 line 1"));
}

#[test]
fn predefined_maps_and_ascii_filters() {
    let found = read(PATH, &fixture("song.pdf"));
    assert!(found.limits.is_empty(), "{:?}", found.limits);
    assert_eq!(place_of(&found, "奥数冲刺班报名"), format!("a.apk!/{PATH} page 1 line 1"));
    assert_eq!(place_of(&found, "Plain (Latin) words"), format!("a.apk!/{PATH} page 1 line 2"));
}

#[test]
fn a_file_without_its_table_reads_the_same() {
    let bytes = fixture("subset.pdf");
    let at = bytes.windows(4).rposition(|w| w == b"xref").unwrap();
    let cut = bytes[..at].windows(4).rposition(|w| w == b"xref").unwrap_or(at);
    assert!(has(&read(PATH, &bytes[..cut]), "小升初真题"));
}

#[test]
fn what_has_no_text_is_said() {
    assert_eq!(limits(&read(PATH, &fixture("locked.pdf"))), [LimitCode::EncryptedEntry]);
    assert_eq!(limits(&read(PATH, &fixture("scan.pdf"))), [LimitCode::BadFormat]);
    assert_eq!(limits(&read(PATH, b"%PDF-1.7 and nothing")), [LimitCode::BadFormat]);
    // The map of the glyphs is gone.
    let mut bytes = fixture("subset.pdf");
    while let Some(at) = bytes.windows(10).position(|w| w == b"/ToUnicode") {
        bytes[at + 1] = b'X';
    }
    assert_eq!(limits(&read(PATH, &bytes)), [LimitCode::BadFormat]);
}

#[test]
fn objects_in_object_streams() {
    use std::io::Write;
    let inner = [
        ("1", "<</Type/Catalog/Pages 2 0 R>>"),
        ("2", "<</Type/Pages/Kids[3 0 R]/Count 1>>"),
        ("3", "<</Type/Page/Parent 2 0 R/Contents 5 0 R/Resources<</Font<</F1 4 0 R>>>>>>"),
        ("4", "<</Type/Font/Subtype/Type0/Encoding/GBK-EUC-H>>"),
    ];
    let (mut header, mut body) = (String::new(), String::new());
    for (number, dict) in inner {
        header += &format!("{number} {} ", body.len());
        body += &format!("{dict} ");
    }
    let mut deflater = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    deflater.write_all(format!("{header}{body}").as_bytes()).unwrap();
    let packed = deflater.finish().unwrap();
    let mut bytes = format!(
        "%PDF-1.5\n6 0 obj\n<</Type/ObjStm/N 4/First {}/Filter/FlateDecode/Length {}>>stream\n",
        header.len(),
        packed.len()
    )
    .into_bytes();
    bytes.extend(&packed);
    // 拍照搜题 in GBK.
    bytes.extend(b"\nendstream endobj\n5 0 obj <</Length 60>>stream\nBT /F1 12 Tf 10 10 Td [<C5C4D5D5> -20 <CBD1CCE2>] TJ ET\nendstream endobj\n");
    assert_eq!(place_of(&read(PATH, &bytes), "拍照搜题"), format!("a.apk!/{PATH} page 1 line 1"));
}

#[test]
fn pages_that_share_a_stream_stop() {
    // 5,000 pages of one stream of a million bytes would be five thousand million.
    let mut bytes = b"%PDF-1.4\n".to_vec();
    (0..5_000)
        .for_each(|n| bytes.extend(format!("{} 0 obj <</Type/Page/Contents 1 0 R>>endobj\n", n + 2).into_bytes()));
    bytes.extend(b"1 0 obj <<>>stream\n");
    bytes.extend(b"% nothing is shown here\n".repeat(40_000));
    bytes.extend(b"endstream endobj");
    assert!(limits(&read(PATH, &bytes)).contains(&LimitCode::OverBudget));
}

proptest! {
    #[test]
    fn never_panics(bytes in behind(b"%PDF-1.4\n1 0 obj <</Type/Page/Contents 1 0 R>>stream\n")) {
        let _ = read(PATH, &bytes);
    }

    #[test]
    fn never_panics_on_operators(text in "[\\[\\]()<>/0-9a-f\\\\%TjfmdBE' \n]{0,200}") {
        let head = "%PDF-1.4\n1 0 obj <</Type/Page/Contents 1 0 R /Font<</F1 1 0 R>>>>stream\nBT /F1 1 Tf ";
        let _ = read(PATH, format!("{head}{text}\nendstream").as_bytes());
    }

    #[test]
    fn never_panics_on_maps(text in "(beginbfchar|beginbfrange)[<>0-9a-f\\[\\] \n]{0,120}(endbfrange)?") {
        let head = "%PDF-1.4\n1 0 obj <</Type/Page/ToUnicode 2 0 R/Contents 3 0 R/Font<</F1 1 0 R>>>>endobj\n2 0 obj <<>>stream\n";
        let tail = "\nendstream endobj\n3 0 obj <<>>stream\nBT /F1 1 Tf (abc) Tj ET\nendstream endobj";
        let _ = read(PATH, format!("{head}{text}{tail}").as_bytes());
    }

    #[test]
    fn never_panics_on_a_file_that_lies(bytes in mutated(fixture("subset.pdf"))) {
        let _ = read(PATH, &bytes);
    }
}
