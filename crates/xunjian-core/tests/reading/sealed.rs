//! What is encrypted with a key that is at hand is opened; the rest is named.

use std::num::NonZeroU32;

use aes::Aes256;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use xunjian_core::model::{Kind, LimitCode};

use crate::audits::{self, audit, limits};
use crate::carriers::wxapkg;
use crate::{WORDS, read, says};

const ID: &str = "wx0123456789abcdef";

/// A package as the client for desktops keeps it: padded and encrypted up to byte 1,023, the rest
/// XORed.
fn sealed(package: &[u8], id: &str) -> Vec<u8> {
    let (head, rest) = package.split_at(package.len().min(1_023));
    let padding = 16 - head.len() % 16;
    let head = [head, &vec![padding as u8; padding]].concat();
    let mut key = [0; 32];
    let rounds = NonZeroU32::new(1_000).expect("not zero");
    ring::pbkdf2::derive(ring::pbkdf2::PBKDF2_HMAC_SHA1, rounds, b"saltiest", id.as_bytes(), &mut key);
    let cipher = Aes256::new(&Array::from(key));
    let mut before = *b"the iv: 16 bytes";
    let mut out = b"V1MMWX".to_vec();
    for block in head.as_chunks::<16>().0 {
        let mut mixed = Array::from(*block);
        mixed.iter_mut().zip(before).for_each(|(byte, mask)| *byte ^= mask);
        cipher.encrypt_block(&mut mixed);
        before = mixed.into();
        out.extend(before);
    }
    let letter = id.as_bytes()[id.len() - 2];
    out.extend(rest.iter().map(|byte| byte ^ letter));
    out
}

fn program(length: usize) -> Vec<u8> {
    let script = format!("{}var title = \"{WORDS}\";\n// the end\n", "var a = 1;\n".repeat(length / 11));
    wxapkg("/app.js", script.as_bytes())
}

/// Short and long, so that the words stand under either cipher.
#[test]
fn a_program_whose_id_stands_in_its_name_is_opened() {
    for length in [0, 900, 1_000, 5_000] {
        let bytes = sealed(&program(length), ID);
        for path in [format!("assets/{ID}.wxapkg"), format!("assets/Applet/{ID}/12/__APP__.wxapkg")] {
            let found = read(&path, &bytes);
            assert!(says(&found, WORDS) && found.limits.is_empty(), "{path} {length}: {:?}", found.limits);
            let place = found.facts.blocks.iter().find(|block| block.kind == Kind::Asset).expect("text").place.clone();
            assert!(place.contains("opened with the id wx0123456789abcdef"), "{place}");
        }
        let other = read("assets/wx0123456789abcdee.wxapkg", &bytes);
        assert_eq!(other.limits.iter().map(|limit| limit.code).collect::<Vec<_>>(), [LimitCode::EncryptedScript]);
        assert!(other.limits[0].detail.contains("V1MMWX"));
    }
}

#[test]
fn a_text_that_begins_so_is_a_text() {
    assert!(says(&read("assets/a.txt", format!("V1MMWX：{WORDS}").as_bytes()), WORDS));
}

/// The id stands in another file of the package: who shares to a program knows its id.
#[test]
fn a_program_whose_id_the_package_says_is_opened() {
    let bytes = sealed(&program(3_000), ID);
    let script = format!("var program = '{ID}';");
    let opened = audit(&[("assets/p/app.wxapkg", &bytes), ("assets/a.js", script.as_bytes())]);
    assert!(
        audits::is_found(&opened) && !limits(&opened).contains(&LimitCode::EncryptedScript),
        "{:?}",
        limits(&opened)
    );
    let shut = audit(&[("assets/p/app.wxapkg", &bytes)]);
    assert!(audits::is_open_question(&shut) && limits(&shut).contains(&LimitCode::EncryptedScript));
}

/// XXTEA as the build tools of the engines do it.
fn xxtea(text: &[u8], key: &[u8]) -> Vec<u8> {
    const DELTA: u32 = 0x9e37_79b9;
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let key: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let mut padded = text.to_vec();
    padded.resize(text.len().next_multiple_of(4), 0);
    padded.extend((text.len() as u32).to_le_bytes());
    let mut words: Vec<u32> = padded.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let count = words.len();
    let (mut sum, mut z) = (0_u32, words[count - 1]);
    for _ in 0..6 + 52 / count {
        sum = sum.wrapping_add(DELTA);
        for at in 0..count {
            let y = words[(at + 1) % count];
            let part = key[(at as u32 & 3 ^ (sum >> 2 & 3)) as usize];
            let mixed = (z >> 5 ^ y << 2).wrapping_add(y >> 3 ^ z << 4) ^ (sum ^ y).wrapping_add(part ^ z);
            words[at] = words[at].wrapping_add(mixed);
            z = words[at];
        }
    }
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory")
}

/// Newer engines write no sign, and pack before they encrypt; the key stands in the library.
#[test]
fn scripts_without_a_sign_are_opened_with_the_key_that_the_app_carries() {
    let script = format!("window.__require=function(t){{return t}};\nvar title=\"{WORDS}\";\n").repeat(30);
    let library = |words: &[u8]| [b"\x7fELF\x02\x01\x01\0".as_slice(), &[0; 120], words, &[0; 64]].concat();
    for (plain, constants) in [
        (script.clone().into_bytes(), b"jsb-adapter/jsb-builtin.js\0my-own-key\0main.js\0".as_slice()),
        (gzip(script.repeat(20).as_bytes()), b"src/settings\0\0my-own-key\0jsb-adapter/\0"),
    ] {
        let bytes = xxtea(&plain, b"my-own-key");
        let path = "assets/assets/main/index.jsc";
        let library_path = "lib/arm64-v8a/libcocos2djs.so";
        let opened = audit(&[(path, &bytes), (library_path, &library(constants))]);
        assert!(audits::is_found(&opened), "{:?}", limits(&opened));
        assert!(!limits(&opened).contains(&LimitCode::EncryptedScript));
        let shut = audit(&[(path, &bytes), (library_path, &library(b"jsb-adapter/\0my-other-key\0"))]);
        assert!(audits::is_open_question(&shut) && limits(&shut).contains(&LimitCode::EncryptedScript));
    }
}

/// No public fact gives the key of these: they are named with their maker.
#[test]
fn encrypted_scripts_of_web_apps_are_named() {
    let noise = xxtea(&[7; 900], b"nobody knows");
    for name in ["app-service.js", "app-confusion.js", "app-view.js", "app-config-service.js"] {
        let found = read(&format!("assets/apps/__UNI__0A1B2C3/www/{name}"), &noise);
        let said: Vec<_> = found.limits.iter().map(|limit| (limit.code, limit.detail.contains("DCloud"))).collect();
        assert_eq!(said, [(LimitCode::EncryptedScript, true)], "{name}");
    }
}
