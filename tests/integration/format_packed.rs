//! What is packed once more within a package: Unity's bundles, stores of assemblies, gzip.

use crate::support::formats::*;
use proptest::prelude::*;
use xunjian::model::{Kind, LimitCode};

const BUNDLE: &str = "assets/bin/Data/data.unity3d";
const STORE: &str = "assemblies/assemblies.blob";

#[test]
fn texts_of_unity_bundles_in_every_layout() {
    for name in ["quiz-6", "quiz-7-at-end", "quiz-8-padded"] {
        let found = read(BUNDLE, &fixture(&format!("{name}.unity3d")));
        assert!(found.limits.is_empty(), "{name}: {:?}", found.limits);
        let all = facts(&found);
        let words: usize = all.iter().map(|(_, _, text)| text.matches("拍照搜题，一秒出答案").count()).sum();
        assert_eq!(words, 40, "{name}");
        assert!(all.iter().all(|(kind, place, _)| {
            *kind == Kind::Asset && place.starts_with(&format!("a.apk!/{BUNDLE}!/CAB-quiz offset"))
        }));
        assert!(!has(&found, "声音"), "streams of sounds are media: {name}");
    }
}

#[test]
fn bundles_that_are_not_read_are_said() {
    let lzma = read(BUNDLE, &fixture("quiz-lzma.unity3d"));
    assert_eq!(limits(&lzma), []);
    assert!(has(&lzma, "拍照搜题"));
    assert_eq!(limits(&read(BUNDLE, b"UnityWeb\0\0\0\0\x03and so on")), [LimitCode::UnreadFormat]);
}

#[test]
fn a_bundle_whose_files_overlap_is_read_once() {
    let mut bytes = fixture("quiz-8-padded.unity3d");
    // The second file becomes a text that begins where the first does and is as long.
    let second = bytes.windows(14).position(|w| w == b"CAB-quiz.resS\0").unwrap();
    bytes[second + 8..second + 13].copy_from_slice(b".txtt");
    let first = bytes.windows(9).position(|w| w == b"CAB-quiz\0").unwrap();
    let row = bytes[first - 20..first - 4].to_vec();
    bytes[second - 20..second - 4].copy_from_slice(&row);
    let found = read(BUNDLE, &bytes);
    assert_eq!(limits(&found), [LimitCode::OverBudget]);
    assert!(has(&found, "拍照搜题"));
}

#[test]
fn literals_of_assemblies_in_a_store() {
    let found = read(STORE, &fixture("assemblies.blob"));
    assert!(found.limits.is_empty(), "{:?}", found.limits);
    let plain: Vec<String> = facts(&read("a.dll", &fixture("Quiz.dll"))).into_iter().map(|(_, _, t)| t).collect();
    let packed: Vec<String> = facts(&found).into_iter().map(|(_, _, t)| t).collect();
    assert!(!plain.is_empty());
    assert_eq!(packed, [plain.clone(), plain].concat(), "it holds the assembly twice");
    assert!(facts(&found)[0].1.starts_with(&format!("a.apk!/{STORE} assembly 1 #US offset")));
}

#[test]
fn a_store_inside_a_native_library() {
    let library = [b"\x7fELF\x02\x01\x01\0".as_slice(), &fixture("assemblies.blob")].concat();
    let found = read("lib/arm64-v8a/libassemblies.arm64-v8a.blob.so", &library);
    let literal = facts(&read("a.dll", &fixture("Quiz.dll")))[0].2.clone();
    assert!(facts(&found).iter().any(|(kind, _, text)| *kind == Kind::Code && *text == literal));
}

#[test]
fn assemblies_that_are_not_packed() {
    let store = [b"XABA\x01\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0".as_slice(), &fixture("Quiz.dll")].concat();
    let found = read(STORE, &store);
    let literal = facts(&read("a.dll", &fixture("Quiz.dll")))[0].2.clone();
    assert!(has(&found, &literal) && found.limits.is_empty());
}

#[test]
fn assemblies_that_do_not_unpack_are_said() {
    let mut bytes = fixture("assemblies.blob");
    let at = bytes.windows(4).position(|w| w == b"XALZ").unwrap();
    bytes[at + 8..at + 12].copy_from_slice(&7_000_u32.to_le_bytes());
    assert_eq!(limits(&read(STORE, &bytes)), [LimitCode::BadFormat]);
    assert_eq!(limits(&read(STORE, b"XABA\x01\0\0\0")), [LimitCode::UnreadFormat]);
}

#[test]
fn gzip_is_unpacked_once() {
    let bytes = fixture("bank.json.gz");
    let found = read("assets/bank.json.gz", &bytes);
    assert!(found.limits.is_empty());
    assert!(has(&found, "拍照搜题"));
    assert_eq!(limits(&read("assets/bank.json.gz", &bytes[..bytes.len() - 12])), [LimitCode::UnreadableEntry]);
    let twice = gzipped(&bytes);
    assert_eq!(limits(&read("assets/bank.json.gz.gz", &twice)), [LimitCode::UnreadFormat]);
}

#[test]
fn a_gzip_bomb_costs_what_the_budget_allows() {
    let found = read("assets/a.json", &gzipped(&vec![b' '; 40 << 20]));
    assert_eq!(limits(&found), [LimitCode::OverBudget]);
    assert!(found.read.bytes < 20 << 20, "{}", found.read.bytes);
}

#[test]
fn zlib_and_zstandard_are_unpacked() {
    let text = br#"{"question":"\u62cd\u7167\u641c\u9898"}"#.repeat(9);
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, &text).unwrap();
    let zlib = encoder.finish().unwrap();
    for (name, bytes) in [("a.zlib", zlib.clone()), ("bank.json.zst", fixture("bank.json.zst"))] {
        let found = read(&format!("assets/{name}"), &bytes);
        assert_eq!(limits(&found), [], "{name}");
        assert!(facts(&found).iter().any(|(_, _, text)| text.contains("拍照搜题")), "{name}");
    }
    assert_eq!(limits(&read("assets/a.zst", &fixture("bank.json.zst")[..30])), [LimitCode::UnreadableEntry]);
    // A text that begins as zlib does is a text.
    let text = read("assets/a.txt", "x^2 名师讲解".as_bytes());
    assert!(has(&text, "x^2 名师讲解") && text.limits.is_empty());
}

#[test]
fn what_is_packed_otherwise_or_is_noise_is_said() {
    assert_eq!(limits(&read("assets/bank.json.lz4", &fixture("bank.json.lz4"))), [LimitCode::UnreadFormat]);
    for name in ["bank.json.xz", "bank.json.bz2"] {
        let found = read(&format!("assets/{name}"), &fixture(name));
        assert!(has(&found, "拍照搜题") && found.limits.is_empty(), "{name}: {:?}", found.limits);
    }
    for magic in [b"7z\xbc\xaf\x27\x1c\0\x04".as_slice(), b"Rar!\x1a\x07\x01\0"] {
        assert_eq!(limits(&read("assets/bank", &[magic, &[0x8f; 90]].concat())), [LimitCode::UnreadFormat]);
    }
    // Noise of a size that could hold questions, wherever no one knows why it is noise.
    let mut state = 7_u64;
    let noise: Vec<u8> = (0..8 << 10)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect();
    assert_eq!(limits(&read("assets/bank.dat", &noise)), [LimitCode::UnreadFormat]);
    assert_eq!(limits(&read("assets/bank.dat", &noise[..1 << 10])), []);
    assert_eq!(limits(&read("META-INF/CERT.RSA", &noise)), []);
    assert_eq!(limits(&read("assets/bank.txt", "BZh 是一个词".as_bytes())), []);
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

proptest! {
    #[test]
    fn broken_bundles_are_survived(bytes in mutated(fixture("quiz-7-at-end.unity3d"))) {
        let _ = read(BUNDLE, &bytes);
    }

    #[test]
    fn broken_stores_are_survived(bytes in mutated(fixture("assemblies.blob"))) {
        let _ = read(STORE, &bytes);
    }

    #[test]
    fn noise_behind_a_magic_is_survived(bytes in behind(b"UnityFS\0\0\0\0\x07")) {
        let _ = read(BUNDLE, &bytes);
    }
}
