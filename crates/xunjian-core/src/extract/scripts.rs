//! Scripts of engines that are no text: Lua bytecode, and what is encrypted.
//!
//! Bytecode keeps its strings readable: Lua behind lengths (`lundump.c` of
//! <https://www.lua.org/source/>), LuaJIT likewise
//! (<https://github.com/LuaJIT/LuaJIT/blob/v2.1/src/lj_bcdump.h>); the ordinary search
//! takes both. Encrypted are those of Cocos2d-x (XXTEA behind a signature that the
//! developer chose, or behind none; see [`super::xxtea`] for those whose key the app carries) and of the makers of web apps (DCloud, APICloud).

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::bytes::is_random;
use super::{Extracted, Input, native};
use crate::model::{Kind, Limit, LimitCode};

/// Endings of names that promise a script, a page or a style.
const ENDINGS: &[&str] = &[
    "lua", "luac", "jsc", "js", "cjs", "mjs", "jsbundle", "bundle", "html", "htm", "css", "json", "nvue", "vue",
    "wxml", "wxss",
];
/// A signature before XXTEA ciphertext is a short word.
const SIGNATURE_MAX: usize = 32;

/// Takes the strings of Lua or LuaJIT bytecode.
pub(super) fn bytecode(input: Input<'_>, out: &mut Extracted) {
    native::read(input, Kind::Code, out);
}

/// Whether these are the first bytes of Lua (`ESC Lua`) or LuaJIT (`ESC LJ`) bytecode.
pub(super) fn is_bytecode(head: &[u8]) -> bool {
    head.starts_with(b"\x1bLua") || head.starts_with(b"\x1bLJ")
}

/// A script by its name that is noise by its content.
pub(super) fn sealed(path: &str, place: &str, bytes: &[u8]) -> Option<Limit> {
    let ending = path.rsplit_once('.')?.1.to_ascii_lowercase();
    if !ENDINGS.contains(&ending.as_str()) {
        return None;
    }
    let how = if is_random(bytes) && known_packing(bytes).is_none() {
        match signature(bytes) {
            Some(word) => format!("XXTEA behind the signature {word:?}"),
            None if matches!(ending.as_str(), "luac" | "jsc" | "lua") => "XXTEA, or a cipher like it".into(),
            None => "a cipher that leaves no mark".into(),
        }
    } else if is_written_cipher(bytes) {
        "ciphertext written as base64 or hexadecimal".into()
    } else {
        return None;
    };
    let detail = format!("{}: {how}; what it says and does was not read", maker(path, &ending));
    Some(Limit::new(LimitCode::EncryptedScript, place, detail))
}

/// Who encrypts scripts at such a place.
fn maker(path: &str, ending: &str) -> &'static str {
    if path.contains("assets/apps/") && path.contains("/www/") {
        "an encrypted script of a DCloud (uni-app) app"
    } else if path.starts_with("assets/widget/") {
        "an encrypted file of an APICloud widget"
    } else if matches!(ending, "luac" | "jsc" | "lua") {
        "an encrypted script of a Cocos2d-x game"
    } else {
        "an encrypted script"
    }
}

/// The sign before an encrypted script, where its maker left one.
#[must_use]
pub fn script_sign(bytes: &[u8]) -> Option<String> {
    is_random(bytes).then(|| signature(bytes)).flatten()
}

/// The readable word that stands before ciphertext.
fn signature(bytes: &[u8]) -> Option<String> {
    let word: String = bytes
        .iter()
        .take(SIGNATURE_MAX)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'@' | b'#'))
        .map(|&b| char::from(b))
        .collect();
    // Three letters in a row come about by chance.
    (word.len() >= 4).then_some(word)
}

/// Noise that says itself to be compressed: gzip, zlib, Zstandard, xz, bzip2, LZ4, 7z.
fn known_packing(bytes: &[u8]) -> Option<()> {
    const MAGICS: &[&[u8]] = &[
        b"\x1f\x8b",
        b"\x78\x01",
        b"\x78\x9c",
        b"\x78\xda",
        b"\x28\xb5\x2f\xfd",
        b"\xfd7zXZ",
        b"BZh",
        b"\x04\x22\x4d\x18",
        b"7z\xbc\xaf",
        b"Unity",
    ];
    MAGICS.iter().any(|magic| bytes.starts_with(magic)).then_some(())
}

/// A whole file of base64 or hexadecimal digits that hides noise.
fn is_written_cipher(bytes: &[u8]) -> bool {
    let head = bytes[..bytes.len().min(16 << 10)].trim_ascii();
    let digits: Vec<u8> = head.iter().copied().filter(|b| !b.is_ascii_whitespace() && *b != b'=').collect();
    let hidden = if digits.iter().all(u8::is_ascii_hexdigit) {
        let nibble = |b: u8| char::from(b).to_digit(16).unwrap_or(0) as u8;
        digits.as_chunks::<2>().0.iter().map(|[a, b]| nibble(*a) << 4 | nibble(*b)).collect()
    } else {
        STANDARD_NO_PAD.decode(&digits[..digits.len() / 4 * 4]).unwrap_or_default()
    };
    is_random(&hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_scripts_are_not_called_encrypted() {
        for (path, text) in [
            ("assets/a.js", "var a = 1; function b() { return a + 1; }\n".repeat(30)),
            ("assets/a.json", format!("{{\"k\":\"{}\"}}", "QUJD".repeat(90))),
            ("assets/hash.json", "0123456789abcdef".repeat(40)),
        ] {
            assert_eq!(sealed(path, "", text.as_bytes()), None, "{path}");
        }
    }
}
