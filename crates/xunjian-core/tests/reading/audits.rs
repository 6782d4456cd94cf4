//! Whole packages, judged: words in archives within them, and what is beside them.

use std::io::{Cursor, Write};
use std::sync::{Arc, LazyLock};

use xunjian_core::audit::Auditor;
use xunjian_core::model::{Audit, Budget, LimitCode, Outcome, Sign};
use xunjian_core::signature::{Pack, Source};
use zip::write::SimpleFileOptions;

use crate::carriers::{index, tar, wxapkg};
use crate::{ENCODINGS, Encode, WORDS, base64};

static AUDITOR: LazyLock<Auditor> = LazyLock::new(|| {
    let pack = Pack::load(&Source::embedded()).expect("the pack loads");
    let policy = pack.policies.values().next().expect("a policy").clone();
    Auditor { pack: Arc::new(pack), policy, budget: Budget::default(), registers: Arc::default() }
});

/// A ZIP archive.
pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).expect("memory");
        writer.write_all(bytes).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

pub fn judge(name: &str, bytes: &[u8]) -> Audit {
    let reading = AUDITOR.read(name, "", &bytes).expect("a package");
    AUDITOR.conclude(None, vec![reading])
}

/// A small real app with these entries besides.
pub fn audit(entries: &[(&str, &[u8])]) -> Audit {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/apks/cleantool.apk");
    let file = std::fs::read(path).expect("the fixture");
    let mut archive = zip::ZipArchive::new(Cursor::new(file)).expect("an archive");
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..archive.len() {
        writer.raw_copy_file(archive.by_index_raw(number).expect("an entry")).expect("memory");
    }
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).expect("memory");
        writer.write_all(bytes).expect("memory");
    }
    judge("a.apk", &writer.finish().expect("memory").into_inner())
}

fn outcome(audit: &Audit) -> Outcome {
    audit.checks.iter().find(|check| check.sign == Sign::PhotoSearch).expect("the sign").outcome
}

pub fn is_found(audit: &Audit) -> bool {
    outcome(audit) == Outcome::Found
}

pub fn is_open_question(audit: &Audit) -> bool {
    outcome(audit) == Outcome::NotAssessable
}

pub fn limits(audit: &Audit) -> Vec<LimitCode> {
    audit.coverage.limits.iter().map(|limit| limit.code).collect()
}

#[test]
fn the_plain_app_says_nothing_of_it() {
    assert_eq!(outcome(&audit(&[])), Outcome::NotFound);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory")
}

type Nest = fn(&[u8]) -> Vec<u8>;

/// What a script may lie in within the assets of an app.
const NESTS: &[(&str, &str, Nest)] = &[
    ("ZIP", "assets/a.zip", |script| zip(&[("www/a.js", script)])),
    ("ZIP of another name", "assets/a.bin", |script| zip(&[("www/a.js", script)])),
    ("ZIP behind data", "assets/a.dat", |script| [b"DATA\x01\0\0\0".as_slice(), &zip(&[("a.js", script)])].concat()),
    ("ZIP in a tar", "assets/a.tar", |script| tar("www.zip", &zip(&[("a.js", script)]))),
    ("ZIP in a mini-program", "assets/a.wxapkg", |script| wxapkg("/a.zip", &zip(&[("a.js", script)]))),
    ("ZIP in gzip", "assets/a.gz", |script| gzip(&zip(&[("a.js", script)]))),
    ("tar in a ZIP", "assets/a.zip", |script| zip(&[("a.tar", &tar("a.js", script))])),
    ("mini-program in a ZIP", "assets/a.zip", |script| zip(&[("a.wxapkg", &wxapkg("/a.js", script))])),
    ("ZIP in a ZIP", "assets/a.zip", |script| zip(&[("b.zip", &zip(&[("a.js", script)]))])),
    ("ZIP behind data in a tar", "assets/a.tar", |script| {
        tar("a.dat", &[b"DATA\x01\0\0\0".as_slice(), &zip(&[("a.js", script)])].concat())
    }),
];

#[test]
fn a_script_in_archives_within_archives_is_found_or_named() {
    let plain = |encode: &Encode| encode(&format!("var title = \"{WORDS}\";\n// the end\n"));
    let in_base64: Encode = |_| [b"var title = \"".as_slice(), &base64(WORDS), b"\";\n"].concat();
    let all = ENCODINGS.iter().map(|(name, encode)| (*name, plain(encode)));
    let mut silent = Vec::new();
    for (encoding, script) in all.chain([("base64", in_base64(""))]) {
        for (nest, path, write) in NESTS {
            let audit = audit(&[(path, &write(&script))]);
            if !is_found(&audit) {
                silent.push(format!("{nest} in {encoding}: {:?}", limits(&audit)));
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

/// A HarmonyOS package with these strings of its label, by locale.
fn hap(values: &[(&str, &[u8])], module: &str) -> Vec<u8> {
    zip(&[("module.json", module.as_bytes()), ("resources.index", &index(values))])
}

const MODULE: &str = r#"{"app":{"bundleName":"cn.example.a","versionName":"1.0","versionCode":1,"label":"$string:app_name",
    "labelId":16777216},"module":{"name":"entry","type":"entry","mainElement":"EntryAbility","abilities":[
    {"name":"EntryAbility","skills":[{"uris":[{"scheme":"https","host":"m.example.cn","port":"8443",
    "pathRegex":"gamecenter/.*"}]}]}]}}"#;

#[test]
fn a_label_of_harmony_is_that_of_a_phone_in_simplified_chinese() {
    for values in [
        &[("", "Snap"), ("zh_CN", "王")][..],
        &[("", "Snap"), ("zh_TW", "王臺"), ("zh", "王")],
        &[("", "王"), ("zh_TW", "王臺"), ("en_US", "Snap")],
        &[("en_US", "Snap"), ("zh_Hans_CN", "王"), ("zh_Hant_TW", "王臺")],
        &[("", "王"), ("zh_Hant", "王臺"), ("bo_CN", "ཀ")],
        &[("", "Snap"), ("zh_Hant_HK", "王臺"), ("zh_Hans", "王")],
    ] {
        let bytes: Vec<(&str, &[u8])> = values.iter().map(|(locale, text)| (*locale, text.as_bytes())).collect();
        assert_eq!(judge("a.hap", &hap(&bytes, MODULE)).app.title, "王", "{values:?}");
        // By number alone, and where only the ability has it.
        let numbered = MODULE.replace("\"label\":\"$string:app_name\",", "");
        assert_eq!(judge("a.hap", &hap(&bytes, &numbered)).app.title, "王", "{values:?}");
        let of_ability = numbered.replace("\"labelId\":16777216", "\"debug\":false");
        let of_ability = of_ability.replace(
            "\"name\":\"EntryAbility\",\"skills\"",
            "\"name\":\"EntryAbility\",\"label\":\"$string:app_name\",\"skills\"",
        );
        assert_eq!(judge("a.hap", &hap(&bytes, &of_ability)).app.title, "王", "{values:?}");
    }
}

#[test]
fn the_words_of_a_harmony_package_in_every_encoding() {
    let mut silent = Vec::new();
    for (encoding, encode) in ENCODINGS {
        for (carrier, bytes) in [
            ("index", hap(&[("zh_CN", &encode(WORDS))], MODULE)),
            ("raw file", zip(&[("module.json", MODULE.as_bytes()), ("resources/rawfile/a.txt", &encode(WORDS))])),
        ] {
            let audit = judge("a.hap", &bytes);
            if outcome(&audit) == Outcome::NotFound {
                silent.push(format!("{carrier} in {encoding}: {:?}", limits(&audit)));
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}
