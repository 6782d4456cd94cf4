//! Lua bytecode of real compilers, and scripts that are encrypted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

#[path = "support/formats.rs"]
mod formats;

use formats::*;
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
