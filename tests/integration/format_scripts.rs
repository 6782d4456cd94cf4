//! Lua bytecode of real compilers, and scripts that are encrypted.

use crate::support::formats::*;
use proptest::prelude::*;
use xunjian::model::{Kind, LimitCode};

#[test]
fn strings_of_lua_and_luajit() {
    for name in ["quiz-lua51.luac", "quiz-luajit.luac"] {
        let found = read("assets/src/quiz.luac", &fixture(name));
        assert!(found.limits.is_empty(), "{name}: {:?}", found.limits);
        for text in ["拍照搜题，一秒出答案", "名师一对一", "ask the tutor", "小升初真题"] {
            assert!(has(&found, text), "{name}: {text} in {:#?}", facts(&found));
        }
        assert!(facts(&found).iter().all(|(kind, ..)| *kind == Kind::Code));
    }
}

#[test]
fn encrypted_scripts_are_said_with_what_they_are() {
    for (path, name, word) in [
        ("assets/src/main.luac", "sealed.luac", "XXTEA behind the signature \"XXTEA"),
        ("assets/src/project.jsc", "sealed.jsc", "Cocos2d-x"),
        ("assets/apps/__UNI__0A1B2C3/www/app-service.js", "sealed.jsc", "DCloud"),
        ("assets/apps/__UNI__0A1B2C3/www/app-service.js", "app-service.js", "base64"),
        ("assets/widget/html/main.html", "sealed.jsc", "APICloud"),
        ("assets/index.android.bundle", "sealed.jsc", "an encrypted script"),
    ] {
        let found = read(path, &fixture(name));
        assert_eq!(limits(&found), [LimitCode::EncryptedScript], "{path}");
        assert!(found.limits[0].detail.contains(word), "{path}: {}", found.limits[0].detail);
    }
}

#[test]
fn plain_scripts_of_the_same_names_are_read() {
    for path in
        ["assets/src/main.luac", "assets/apps/__UNI__0A1B2C3/www/app-service.js", "assets/widget/html/main.html"]
    {
        let found = read(path, &fixture("quiz.lua"));
        assert!(found.limits.is_empty() && has(&found, "拍照搜题"), "{path}");
    }
    assert!(read("assets/pack.json", &fixture("bank.json.gz")).limits.is_empty());
}

proptest! {
    #[test]
    fn never_panics(bytes in behind(b"\x1bLJ\x02"), name in "[a-z]{1,8}\\.(luac|jsc|js)") {
        let _ = read(&name, &bytes);
        let _ = read(&name, &bytes[4..]);
    }

    #[test]
    fn never_panics_on_bytecode_that_lies(bytes in mutated(fixture("quiz-luajit.luac"))) {
        let _ = read("assets/quiz.luac", &bytes);
    }
}

/// XXTEA as the build tools of Cocos2d-x do it, behind a sign.
fn sealed(text: &[u8], key: &[u8], sign: &[u8]) -> Vec<u8> {
    const DELTA: u32 = 0x9e37_79b9;
    let mut bytes = [0; 16];
    bytes[..key.len()].copy_from_slice(key);
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
    [sign.to_vec(), words.iter().flat_map(|word| word.to_le_bytes()).collect()].concat()
}

/// The app opens its scripts at every start, so it carries the key.
#[test]
fn a_script_is_opened_with_the_key_that_the_app_carries() {
    use crate::support::package::{Member, Package};
    let file = std::fs::read(crate::support::project("tests/fixtures/apks/cleantool.apk")).unwrap();
    let script = "local t = {\"拍照搜题\", \"一键出答案\"}\nfunction show(n)\n  return t[n]\nend\n".repeat(20);
    let audit = |library: &[u8]| {
        let mut package = Package::read(&file);
        let library = [b"\x7fELF\x02\x01\x01\0".as_slice(), &[0; 120], library, &[0; 64]].concat();
        package.members.push(Member::new("lib/arm64-v8a/libcocos2dlua.so", &library, true));
        let bytes = sealed(script.as_bytes(), b"k-2024-secret", b"XSIGN");
        package.members.push(Member::new("assets/src/main.luac", &bytes, false));
        let bytes = package.write();
        let pack = xunjian::signature::Pack::load(&xunjian::signature::Source::embedded()).unwrap();
        let auditor = xunjian::audit::Auditor {
            policy: pack.policies["bj-2022-02-draft"].clone(),
            pack: pack.into(),
            budget: xunjian::model::Budget::default(),
            registers: Default::default(),
        };
        let reading = auditor.read("a.apk", "", &bytes).unwrap();
        auditor.conclude(None, vec![reading])
    };
    let is_sealed = |audit: &xunjian::model::Audit| {
        audit.coverage.limits.iter().any(|limit| limit.code == LimitCode::EncryptedScript)
    };
    let opened = audit(b"src/\0k-2024-secret\0XSIGN\0main\0");
    assert!(!is_sealed(&opened), "{:?}", opened.coverage.limits);
    let found = opened.findings.iter().chain(&opened.out_of_scope).find(|f| f.sign.id() == "photo-search").unwrap();
    assert!(found.evidence.iter().any(|e| e.place.contains("opened with the key in libcocos2dlua.so")), "{found:?}");
    assert!(is_sealed(&audit(b"src/\0k-2023-secret\0XSIGN\0main\0")), "another key opens nothing");
}
