//! Further inputs of the kinds that bug reports told of, which none of them named.

use encoding_rs::GB18030;
use xunjian_core::extract;
use xunjian_core::model::{Kind, LimitCode};

use crate::{WORDS, assert_says, gbk, read, says, utf16be, utf16le};

/// First bytes of media, and of every other format that is told by them, before a text.
#[test]
fn no_first_bytes_switch_a_text_off() {
    let begins: &[&[u8]] = &[
        b"PK",
        b"PK\x03\x04",
        b"dex\n",
        b"%PDF-",
        b"MZ",
        b"\x7fELF",
        b"SQLite format 3",
        b"bplist00",
        b"UnityFS",
        b"Rar!",
        b"BZh9",
        b"7z",
        b"FWS",
        b"CWS",
        b"ZWS",
        b"GDSC",
        b"CAFEBABE",
        b"\x1bLua",
        b"\x1bLJ",
        b"PANDA",
        b"Restool",
        b"Restool ",
        b"XABA",
        b"FLV",
        b"8BPS",
        b"II*",
        b"MM",
        b"qoif",
        b"icns",
        b"AMR",
        b"#!AMR",
        b"#!SILK",
        b"caff",
        b"FORM",
        b"MThd",
        b"true",
        b"typ1",
        b"ttcf",
        b"wOF2",
        b"IDA",
        b"V1MMWX",
        b"{\\rtf1",
        b"<?xml",
        b"\xef\xbb\xbf",
        b"RIFF",
        b"ftyp",
        b"\x1f\x8b\x08",
        b"x\x9c",
        b"\x28\xb5\x2f\xfd",
        b"\xfd7zXZ",
        b"]\0\0\x80\0",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\xbe\0\0\0\0\0\0\0\0\0\0\0\0\xed",
        b"\x03\0\x08\0",
        b"\x02\0\x0c\0",
        b"\xaf\x1b\xb1\xfa",
        b"\xc6\x1f\xbc\x03\xc1\x03\x19\x1f",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"\0\0\x01\0\x01\0",
        b"\0\x01\0\0\0",
        b"\xfe\xed\xfa\xcf",
        b"\xca\xfe\xba\xbe",
    ];
    let mut silent = Vec::new();
    for begin in begins {
        let text = format!("说明：{WORDS}，一键出答案。\n更多内容请看帮助。\nvar t = \"{WORDS}\";\n");
        for path in ["assets/a.txt", "assets/a.js", "assets/a.png", "assets/a"] {
            let bytes = [begin, text.as_bytes()].concat();
            let found = read(path, &bytes);
            let is_archive = begin.starts_with(b"PK\x03\x04");
            if !says(&found, WORDS) && found.limits.iter().all(|limit| limit.code.hides().is_empty()) && !is_archive {
                silent.push(format!("{path} {:?} {:?}", String::from_utf8_lossy(begin), extract::Format::of(&bytes)));
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn texts_in_encodings_that_nobody_named() {
    let mut silent = Vec::new();
    let text = format!("第一章：{WORDS}，名师讲解，一键出答案。\r\n请输入你的问题，老师马上回答。\r\n");
    let together =
        |text: &str| [b"~{".as_slice(), &gbk(text).iter().map(|b| b & 0x7f).collect::<Vec<_>>(), b"~}"].concat();
    let kinds: Vec<(&str, Vec<u8>)> = vec![
        ("HZ", together("第一章拍照搜题名师讲解一键出答案")),
        ("GBK in a line of UTF-8", [text.as_bytes(), b"\n", &gbk(&text)].concat()),
        ("two marks", [b"\xef\xbb\xbf\xef\xbb\xbf".as_slice(), text.as_bytes()].concat()),
        ("UTF-16LE at an odd place", [b"\n".as_slice(), &utf16le(&text)].concat()),
        ("UTF-16BE, then UTF-8", [utf16be(&text), b"\n plain letters".repeat(3)].concat()),
        ("GB18030 with rare ones", GB18030.encode(&format!("{text}㐀㐁𠀀")).0.into_owned()),
        ("a mark of UTF-16 before UTF-8", [b"\xff\xfe".as_slice(), text.as_bytes()].concat()),
        ("a mark of UTF-8 before GBK", [b"\xef\xbb\xbf".as_slice(), &gbk(&text)].concat()),
        ("GBK after 4 MiB", [b"var a = 1;\n".repeat(400_000), gbk(&text)].concat()),
        (
            "GBK between 2 MiB of code",
            [b"var a = 1;\n".repeat(200_000), gbk(&text), b"var a = 1;\n".repeat(200_000)].concat(),
        ),
        ("traditional in UTF-16BE", utf16be(&text)),
        ("five letters in GBK", gbk("拍照搜题")),
        (
            "GBK with half a character at each line's end",
            [gbk(&text), b"\xc5\r\n".to_vec(), gbk(&text), b"\xc5".to_vec()].concat(),
        ),
        ("NUL between lines of GBK", [gbk(&text), vec![0], gbk(&text)].concat()),
    ];
    for (what, bytes) in kinds {
        if !says(&read("assets/a.txt", &bytes), WORDS) {
            silent.push(what);
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn escapes_that_nobody_named() {
    use base64::Engine;
    let engine = base64::engine::general_purpose::STANDARD;
    let url = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let in_gbk = engine.encode(gbk(&format!("{WORDS}，名师讲解")));
    let wide = engine.encode(utf16le(&format!("{WORDS}，名师讲解")));
    let page = format!("data:text/html;base64,{}", engine.encode(format!("<p>{WORDS}</p>")));
    let broken: String = engine
        .encode(format!("{}{WORDS}", "名师讲解".repeat(20)))
        .as_bytes()
        .chunks(60)
        .map(|c| format!("{}\n", String::from_utf8_lossy(c)))
        .collect();
    let twice = engine.encode(engine.encode(WORDS));
    let in_url = format!("t={}", url.encode(format!("{WORDS}：名师讲解？")));
    let texts: &[&str] = &[
        r#"t="\u{62cd}\u{7167}\u{641C}\u{9898}""#,
        r#"t="\U000062cd\U00007167\U0000641c\U00009898""#,
        r#"t="\\u62cd\\u7167\\u641c\\u9898""#,
        r#"t="\\\\u62cd\\\\u7167\\\\u641c\\\\u9898""#,
        r#"t="\x{62cd}\x{7167}\x{641c}\x{9898}""#,
        r#"t="\uuuu62cd\u7167\u641c\u9898""#,
        "&#x62CD;&#x7167;&#x641c;&#x9898;",
        "&#0025293;&#0029031;&#0025628;&#0039064;",
        "&amp;#25293;&amp;#29031;&amp;#25628;&amp;#39064;",
        "%e6%8b%8d%e7%85%a7%e6%90%9c%e9%a2%98",
        "%25E6%258B%258D%25E7%2585%25A7%25E6%2590%259C%25E9%25A2%2598",
        "%25u62CD%25u7167%25u641C%25u9898",
        "=?UTF-8?B?5ouN54Wn5pCc6aKY?=",
        "=?GB2312?Q?=C5=C4=D5=D5=CB=D1=CC=E2?=",
        "var b=[230,139,141,231,133,167,230,144,156,233,162,152];",
        "var b=[0xe6,0x8b,0x8d,0xe7,0x85,0xa7,0xe6,0x90,0x9c,0xe9,0xa2,0x98];",
        "byte[] b = {-26, -117, -115, -25, -123, -89, -26, -112, -100, -23, -94, -104};",
        "var c=[25293,29031,25628,39064];",
        "String.fromCodePoint(0x62cd,0x7167,0x641c,0x9898)",
        "String.fromCharCode(25293)+String.fromCharCode(29031)+String.fromCharCode(25628)+String.fromCharCode(39064)",
        "String.fromCharCode.apply(null,[25293,29031,25628,39064])",
        &in_gbk,
        &wide,
        &page,
        &broken,
        &twice,
        &in_url,
        "拍\u{200b}照\u{200b}搜\u{200b}题",
        "\"拍\" + \"照\" + '搜' + `题`",
    ];
    let mut silent = Vec::new();
    for text in texts {
        let found = read("assets/a.txt", text.as_bytes());
        let plain: Vec<String> =
            found.facts.blocks.iter().flat_map(|b| b.iter().map(|f| f.text.replace('\u{200b}', ""))).collect();
        if !plain.iter().any(|text| text.contains(WORDS)) {
            silent.push(*text);
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

/// Words as compilers and writers of records leave them, at every odd offset.
#[test]
fn binaries_that_nobody_named() {
    let utf32be = |text: &str| -> Vec<u8> { text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect() };
    let utf32le = |text: &str| -> Vec<u8> { text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect() };
    let mut silent = Vec::new();
    for words in [WORDS, "拍照", "搜题", "拍照搜题、答疑", "AI拍照搜题", "拍照《搜题》"] {
        for (encoding, raw) in [
            ("UTF-8", words.as_bytes().to_vec()),
            ("GBK", gbk(words)),
            ("UTF-16LE", utf16le(words)),
            ("UTF-16BE", utf16be(words)),
            ("UTF-32LE", utf32le(words)),
            ("UTF-32BE", utf32be(words)),
        ] {
            let n = raw.len();
            for (frame, before, after) in [
                ("NULs", vec![0; 4], vec![0; 4]),
                ("a byte of length", vec![0, n as u8], vec![3, b'a', b'b', b'c', 0]),
                ("32 bits of length", (n as u32).to_le_bytes().to_vec(), vec![9, 0, 0, 0]),
                ("32 bits of length, big-endian", (n as u32).to_be_bytes().to_vec(), vec![0, 0, 0, 9]),
                ("16 bits of length", (n as u16).to_le_bytes().to_vec(), vec![4, 0]),
                ("protobuf", vec![0x0a, n as u8], vec![0x10, 1]),
            ] {
                for lead in 0..4 {
                    let bytes = [
                        &[1, 2, 3, 4, 7, 0, 0, 0][..],
                        &vec![b'q'; 40 + lead],
                        &before,
                        &raw,
                        &after,
                        b"title\0",
                        &[0; 40],
                    ]
                    .concat();
                    if !says(&read("assets/a.dat", &bytes), words) {
                        silent.push(format!("{words} in {encoding} behind {frame}, {lead}"));
                    }
                }
            }
        }
    }
    assert!(silent.is_empty(), "{} of 864: {silent:#?}", silent.len());
}

#[test]
fn formats_that_nobody_named() {
    let mut silent = Vec::new();
    let text = format!("{{\"title\":\"{WORDS}\"}}\n").repeat(300);
    let raw_deflate = {
        use std::io::Write;
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    };
    let zstd = zstd::encode_all(text.as_bytes(), 3).expect("memory");
    let cpio = format!("070701{}{:08X}{}{:08X}{:08X}a.js\0{text}", "0".repeat(48), text.len(), "0".repeat(32), 5, 0);
    let ar = format!("!<arch>\na.js/           0           0     0     100644  {:<10}`\n{text}", text.len());
    let cases: Vec<(&str, &str, Vec<u8>)> = vec![
        ("raw deflate", "assets/a.bin", raw_deflate.clone()),
        ("raw deflate behind a header", "assets/b.bin", [b"MYHD\x01\0\0\0".as_slice(), &raw_deflate].concat()),
        ("Zstandard behind a header of 100 bytes", "assets/c.bin", [vec![b'h'; 100], zstd.clone()].concat()),
        (
            "Zstandard behind a frame that is skipped",
            "assets/d.bin",
            [b"\x50\x2a\x4d\x18\x04\0\0\0abcd".as_slice(), &zstd].concat(),
        ),
        ("cpio", "assets/a.cpio", cpio.into_bytes()),
        ("ar", "assets/a.a", ar.into_bytes()),
        ("a document under a password", "assets/a.docx", crate::carriers::compound("EncryptedPackage", &[0x5a; 5_000])),
        (
            "a workbook under a password",
            "assets/a.xls",
            crate::carriers::compound(
                "Workbook",
                &[crate::carriers::record(0x0809, &[0; 16]), crate::carriers::record(0x2f, &[7; 54])].concat(),
            ),
        ),
        ("noise of 1 KiB named as a bank", "assets/bank.dat", zstd[20..].to_vec()),
    ];
    for (what, path, bytes) in cases {
        let found = read(path, &bytes);
        if !says(&found, WORDS) && found.limits.iter().all(|limit| limit.code.hides().is_empty()) {
            silent.push(what);
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

/// A string that lies across two sectors, in old documents of all sorts.
#[test]
fn old_documents_are_read_along_their_chains() {
    use crate::carriers::{compound, labels, le16, record};
    assert_says("a cell across sectors", "assets/a.xls", &compound("Workbook", &labels(&utf16le(WORDS))));
    assert_says("a cell of Excel 5 across sectors", "assets/a.xls", &compound("Book", &labels(&gbk(WORDS))));
    // A table of strings cut into records within a word, behind the cut in narrow letters first.
    let first = [&[0; 8][..], &le16(6), &[1], &utf16le("拍照")].concat();
    let rest = [&[1][..], &utf16le("搜题OK")].concat();
    let book = [record(0x0809, &[0; 16]), record(0x00fc, &first), record(0x003c, &rest), record(0x000a, &[])].concat();
    assert_says("a string across records", "assets/a.xls", &compound("Workbook", &book));
    // The text of slides behind the header of its record.
    let mut slides = vec![0; 508];
    slides.extend([&[0, 0, 0xa0, 0x0f][..], &[8, 0, 0, 0], &utf16le(WORDS)].concat());
    assert_says("slides", "assets/a.ppt", &compound("PowerPoint Document", &slides));
    // What no chain holds.
    let mut bytes = compound("Workbook", &labels(b"a"));
    bytes.extend([&[0; 40][..], &utf16le(WORDS), &[0; 432]].concat());
    assert_says("behind all chains", "assets/a.xls", &bytes);
    // Chains that loop, tables that share sectors.
    for at in [48, 512 + 8, 512 + 12, 512 + 16, 1_024 + 116, 1_024 + 244] {
        for value in [0_u32, 1, 2, 3, 9, 0xffff_fff0] {
            let mut bytes = compound("Workbook", &labels(&utf16le(WORDS)));
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            assert!(read("assets/a.xls", &bytes).limits.iter().all(|limit| limit.code != LimitCode::OverBudget));
        }
    }
}

/// Links of HarmonyOS: port and expression.
#[test]
fn links_of_harmony_in_every_form() {
    use xunjian_core::extract::{Resources, harmony};
    use xunjian_core::model::Budget;
    let module = r#"{"app":{"bundleName":"cn.example.a"},"module":{"abilities":[{"name":"A","skills":[{"uris":[
        {"scheme":"https","host":"m.example.cn","port":"8443","pathRegex":"game/.*"},
        {"scheme":"https","host":"m.example.cn","path":"a","pathStartWith":"b"},{"scheme":"lexue"},{"type":"image/*"}]}]}],
        "requestPermissions":[{"name":"ohos.permission.CAMERA","reason":"拍照搜题要用相机"}]}}"#;
    let (_, found) = harmony::module(module.as_bytes(), "module.json", &Resources::default(), &Budget::default());
    let links: Vec<&str> = found.facts.of(Kind::DeepLink).collect();
    assert_eq!(
        links,
        ["https://m.example.cn:8443/game/.*", "https://m.example.cn/a", "https://m.example.cn/b", "lexue://"]
    );
    assert!(says(&found, WORDS));
}
