//! What is there is read under any bytes: words in every carrier, in every encoding, found or
//! named in the coverage; and the inputs of public bug reports, rebuilt here.
//!
//! Every input is made of a few lines below: a carrier (the least that a format needs around
//! words) and an encoding of `WORDS`. Nothing is copied from anybody's package.

#![allow(unreachable_pub, clippy::expect_used, reason = "modules of one test, which fails by panic")]

mod audits;
mod carriers;
mod further;
mod sealed;

use carriers::{dex, pool, tar, wxapkg};
use encoding_rs::{BIG5, GBK};
use xunjian_core::extract::{self, Extracted};
use xunjian_core::model::{Budget, LimitCode};

const WORDS: &str = "拍照搜题";

type Encode = fn(&str) -> Vec<u8>;

fn utf16le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn utf16be(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn utf32le(text: &str) -> Vec<u8> {
    text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect()
}

fn gbk(text: &str) -> Vec<u8> {
    GBK.encode(text).0.into_owned()
}

/// Each character beyond ASCII as `write` writes it.
fn escaped(text: &str, write: impl Fn(char) -> String) -> Vec<u8> {
    text.chars().map(|c| if c.is_ascii() { c.to_string() } else { write(c) }).collect::<String>().into_bytes()
}

fn unicode(text: &str) -> Vec<u8> {
    escaped(text, |c| format!("\\u{:04x}", u32::from(c)))
}

fn percent(text: &str) -> Vec<u8> {
    escaped(text, |c| c.to_string().bytes().map(|b| format!("%{b:02X}")).collect())
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text).into_bytes()
}

/// Encodings of a whole file, or of the words in a binary.
const ENCODINGS: &[(&str, Encode)] = &[
    ("UTF-8", |text| text.as_bytes().to_vec()),
    ("GBK", gbk),
    ("UTF-16LE", utf16le),
    ("UTF-16BE", utf16be),
    ("UTF-32LE", utf32le),
    ("UTF-32BE", |text| text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect()),
    ("\\u", unicode),
    ("%", percent),
];

/// The words between other things, as a compiler or a writer of records leaves them.
fn around(magic: &[u8], words: &[u8]) -> Vec<u8> {
    [magic, &[0; 60], b"puts\0main\0", &[0; 6], words, &[0; 12], b"exit\0title\0", &[0; 30]].concat()
}

type Carry = fn(Encode) -> (&'static str, Vec<u8>);

/// Formats that words lie in.
const CARRIERS: &[(&str, Carry)] = &[
    ("JS", |encode| ("assets/a.js", encode(&format!("var title = \"{WORDS}\";\n// the end\n")))),
    ("JSON", |encode| ("assets/a.json", encode(&format!("{{\"title\":\"{WORDS}\",\"n\":1}}")))),
    ("Lua", |encode| ("assets/src/a.lua", encode(&format!("local t = \"{WORDS}\"\nprint(t)\n")))),
    ("data", |encode| ("assets/q.dat", around(b"\x01\0\0\0\x07\0\0\0", &encode(WORDS)))),
    ("ELF", |encode| ("lib/arm64-v8a/liba.so", around(b"\x7fELF\x02\x01\x01\0", &encode(WORDS)))),
    ("Mach-O", |encode| ("Unit", around(b"\xcf\xfa\xed\xfe\x0c\0\0\x01", &encode(WORDS)))),
    ("OLE2", |encode| ("assets/a.xls", around(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", &encode(WORDS)))),
    ("tar", |encode| ("assets/a.tar", tar("www/a.js", &encode(&format!("var t=\"{WORDS}\"; // the end"))))),
    ("wxapkg", |encode| ("assets/a.wxapkg", wxapkg("/app.js", &encode(&format!("var t=\"{WORDS}\"; // end"))))),
    ("binary XML", |encode| ("res/layout/a.xml", pool(&encode(WORDS)))),
    ("DEX", |encode| ("classes.dex", dex(b"035", 0, 0, &encode(WORDS), 4))),
    ("table", |encode| ("assets/a.arsc", carriers::table(&encode(WORDS)))),
    ("SQLite", |encode| ("assets/a.db", carriers::sqlite(&encode(WORDS)))),
    ("PDF", |encode| ("assets/a.pdf", carriers::pdf(&encode(WORDS)))),
    ("title of a PDF", |encode| ("assets/b.pdf", carriers::pdf_title(&encode(WORDS)))),
    ("workbook", |encode| ("assets/b.xls", carriers::compound("Workbook", &carriers::labels(&encode(WORDS))))),
    ("document", |encode| ("assets/a.doc", carriers::compound("WordDocument", &around(&[0xec, 0xa5], &encode(WORDS))))),
    ("index", |encode| ("resources.index", carriers::index(&[("", &encode(WORDS))]))),
    ("Ark bytecode", |encode| ("ets/modules.abc", carriers::ark(&encode(WORDS)))),
    ("Lua bytecode", |encode| ("assets/src/a.luac", around(b"\x1bLuaS\0", &encode(WORDS)))),
    ("property list", |encode| ("Info.plist", around(b"bplist00", &encode(WORDS)))),
];

fn read(path: &str, bytes: &[u8]) -> Extracted {
    extract::entry(path, &format!("a.apk!/{path}"), bytes, &Budget::default())
}

fn says(found: &Extracted, words: &str) -> bool {
    found.facts.blocks.iter().any(|block| block.iter().any(|fact| fact.text.contains(words)))
}

#[track_caller]
fn assert_says(what: &str, path: &str, bytes: &[u8]) {
    let found = read(path, bytes);
    assert!(says(&found, WORDS), "{what}: {:?} {:?}", found.limits, found.facts);
}

/// What makes a reader say that words may be missing.
fn is_named(found: &Extracted) -> bool {
    found.limits.iter().any(|limit| !limit.code.hides().is_empty())
}

/// Found, or named in the coverage; no third outcome. Those that are only named are listed, so
/// that none is without somebody's notice.
#[test]
fn words_in_every_carrier_and_encoding_are_found() {
    const NAMED: &[&str] = &[
        // Numbers of glyphs, which only the font explains.
        "PDF in UTF-8",
        "PDF in GBK",
        "PDF in UTF-16LE",
        "PDF in UTF-16BE",
        "PDF in UTF-32LE",
        "PDF in UTF-32BE",
        "PDF in \\u",
        "PDF in %",
    ];
    let (mut silent, mut named) = (Vec::new(), Vec::new());
    for (carrier, carry) in CARRIERS {
        for (encoding, encode) in ENCODINGS {
            let (path, bytes) = carry(*encode);
            let found = read(path, &bytes);
            let what = format!("{carrier} in {encoding}");
            if !says(&found, WORDS) {
                if is_named(&found) { named.push(what) } else { silent.push(what) }
            }
        }
    }
    assert!(silent.is_empty(), "silent: {silent:#?}");
    assert_eq!(named, NAMED);
}

#[test]
fn words_in_base64_are_found_in_every_carrier() {
    for (carrier, carry) in CARRIERS {
        // The words alone are encoded: base64 of a whole script is no script.
        let (path, bytes) = carry(|text| {
            let at = text.find(WORDS).unwrap_or(0);
            [&text.as_bytes()[..at], &base64(WORDS), &text.as_bytes()[at + WORDS.len()..]].concat()
        });
        let found = read(path, &bytes);
        let is_glyphs = *carrier == "PDF" && is_named(&found);
        assert!(says(&found, WORDS) || is_glyphs, "{carrier} in base64: {:?} {:?}", found.limits, found.facts);
    }
}

#[test]
fn constants_of_a_dex_are_decoded() {
    for (what, constant) in [
        ("UTF-8", WORDS.as_bytes().to_vec()),
        ("GBK", gbk(WORDS)),
        ("\\u", br#"{"title":"\u62cd\u7167\u641c\u9898"}"#.to_vec()),
        ("%", percent(WORDS)),
        ("base64", base64(WORDS)),
    ] {
        let found = read("classes.dex", &dex(b"035", 0, 0, &constant, 4));
        assert!(says(&found, WORDS) && found.limits.is_empty(), "{what}: {:?}", found.limits);
    }
}

#[test]
fn offsets_of_a_container_count_from_its_start() {
    let one = dex(b"041", 0, 0, b"first", 5);
    let two = dex(b"041", one.len(), 0, WORDS.as_bytes(), 4);
    let three = dex(b"041", one.len() + two.len(), 0, b"third", 5);
    let found = read("classes.dex", &[one, two, three].concat());
    assert!(found.limits.is_empty(), "{:?}", found.limits);
    let all: Vec<&str> = found.facts.blocks.iter().flat_map(|b| b.iter().map(|f| f.text)).collect();
    assert_eq!(all, ["first", WORDS, "third"]);
    // Files that somebody put together count from their own start.
    let apart = [dex(b"035", 0, 0, b"first", 5), dex(b"035", 0, 0, WORDS.as_bytes(), 4)].concat();
    assert!(says(&read("classes.dex", &apart), WORDS));
}

#[test]
fn media_is_proved() {
    for begins in ["BM=", "BMI", "ID3", "GIF8", "GIF89a", "OggS", "MThd", "OTTO", "ttcf", "RIFF", "wOFF", "fLaC"] {
        let text = format!("{begins}说明：{WORDS}，一键出答案。\n更多内容请看帮助。\n");
        assert_says(begins, "assets/readme.txt", text.as_bytes());
    }
    let script = format!("BM=function(){{alert(\"{WORDS}\")}};");
    assert_eq!(extract::misnamed("assets/a.png", script.as_bytes()), Some("text"));
    let data = [b"\0\0\x01\0\0\0\0\x18".as_slice(), WORDS.as_bytes(), &[0; 30]].concat();
    assert_says("data that begins as an icon", "assets/q.dat", &data);
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x10\0\0\0\x10\x08\x06\0\0\0";
    assert_eq!(extract::misnamed("assets/a.png", picture), None);
}

#[test]
fn texts_that_look_least_like_chinese_are_chinese() {
    for text in [
        format!("“{WORDS}？”他问——“一键出答案……”\r\n“好。”她说。"),
        format!("① 3×4÷2＝6　② 5×6＝30\n√ {WORDS}"),
        format!("ā á ǎ à ō ó ǒ ò　拼音练习：bā pā mā\n{WORDS}"),
        format!("{}\n{WORDS}\n", "─".repeat(80)),
        format!("{}{WORDS}，名师讲解", "<div class=\"row\">x</div>\n".repeat(4_000)),
    ] {
        assert_says(&text.chars().take(20).collect::<String>(), "assets/a.txt", &gbk(&text));
    }
    let traditional = "拍照搜題，一鍵出答案。名師講解，小學數學。\n".repeat(4);
    assert!(says(&read("assets/a.txt", &BIG5.encode(&traditional).0), "拍照搜題"));
}

#[test]
fn one_stray_byte_switches_nothing_off() {
    let script = String::from_utf8(unicode(&format!("var t=\"{WORDS}\";\n// end\n"))).unwrap_or_default();
    for stray in [b"\0".as_slice(), b"\xff", b"\xe6\x8b", b"\x07"] {
        assert_says("a stray byte", "assets/a.js", &[script.as_bytes(), stray, b"\n// more of it\n"].concat());
    }
}

#[test]
fn escapes_of_every_kind() {
    for text in [
        r#"t="\xe6\x8b\x8d\xe7\x85\xa7\xe6\x90\x9c\xe9\xa2\x98""#,
        r#"t="\230\139\141\231\133\167\230\144\156\233\162\152""#,
        r#"title: "\346\213\215\347\205\247\346\220\234\351\242\230""#,
        r#"unescape("%u62CD%u7167%u641C%u9898")"#,
        r"https://www.example.cn/s?wd=%C5%C4%D5%D5%CB%D1%CC%E2",
        r#".a:before{content:"\62cd\7167\641c\9898"}"#,
        "<p>&#25293&#29031&#25628&#39064</p>",
        "Content-Transfer-Encoding: quoted-printable\n\n<p>=E6=8B=8D=E7=85=\n=A7=E6=90=9C=E9=A2=98</p>",
        "document.title=String.fromCharCode(25293,29031,25628,39064)",
        r"{\rtf1\ansi\uc1 \u25293?\u29031?\u25628?\u-26472?}",
        r"{\rtf1\ansi\ansicpg936 \'c5\'c4\'d5\'d5\'cb\'d1\'cc\'e2}",
    ] {
        assert_says(text, "assets/a.txt", text.as_bytes());
    }
}

#[test]
fn packed_files_behind_any_header() {
    use std::io::Write;
    let text = format!("{{\"title\":\"{WORDS}\"}}\n").repeat(30);
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory");
    let zlib = encoder.finish().expect("memory");
    let length = (text.len() as u32 + 8).to_le_bytes();
    let flash = [b"CWS\x0f".as_slice(), &length, &zlib].concat();
    assert_says("CWS", "assets/a.swf", &flash);
    assert_says("a header of its own", "assets/a.bin", &[b"MYDATA\x01\0\0\0".as_slice(), &zlib].concat());
    assert_says("words behind", "assets/a.z", &[&zlib[..], b"\0\0", WORDS.as_bytes(), b"\0"].concat());
    let godot = [b"GDSC\x65\0\0\0".as_slice(), &(text.len() as u32).to_le_bytes()].concat();
    let zstd = zstd::encode_all(text.as_bytes(), 3).expect("memory");
    assert_says("GDSC", "assets/a.gdc", &[godot, zstd].concat());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&tar("www/a.js", &gbk(&format!("标题：{WORDS}，名师讲解")))).expect("memory");
    assert_says("tar.gz", "assets/a.tgz", &gzip.finish().expect("memory"));
}

#[test]
fn archives_within_archives_end() {
    let mut bytes = tar("a.txt", WORDS.as_bytes());
    for _ in 0..2 {
        bytes = tar("a.tar", &bytes);
    }
    assert_says("three of them", "assets/a.tar", &bytes);
    for _ in 0..40 {
        bytes = tar("a.tar", &bytes);
    }
    let limits: Vec<LimitCode> = read("assets/a.tar", &bytes).limits.iter().map(|limit| limit.code).collect();
    assert_eq!(limits, [LimitCode::OverBudget]);
}
