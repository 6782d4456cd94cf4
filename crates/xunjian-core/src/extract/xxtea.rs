//! Scripts of Cocos2d-x, opened with the key that the app itself carries.
//!
//! The engine decrypts them at every start, so sign and key lie in its library as constants, mostly side
//! by side: `setXXTEAKeyAndSign("key", …, "sign", …)`. The cipher is XXTEA (Wheeler and Needham, 1998) in the form
//! of the library that Cocos2d-x ships (`xxtea.cpp`): words of 32 bits, little-endian, the length of the
//! text in the last of them.

use std::collections::HashSet;

use memchr::memmem;

use crate::model::Budget;

/// The cipher's constant, 2³² over the golden ratio.
const DELTA: u32 = 0x9e37_79b9;
/// Bytes of a key; shorter ones are filled with zeros, of longer ones the first count.
const KEY: usize = 16;
/// How far from the sign a compiler leaves the key, in bytes.
const AROUND: usize = 1_024;
/// Signs looked at in one library, and constants tried beside each.
const SIGNS_MAX: usize = 4;
const KEYS_MAX: usize = 64;
/// Bytes of a constant that may be a key.
const LONGEST: usize = 64;
const SHORTEST: usize = 2;
/// The same where no sign says that a key is near.
const BARE_MIN: usize = 6;

/// Words that stand near the key where scripts have no sign (Cocos Creator): it is handed over
/// where the first script is named.
const HINTS: &[&[u8]] = &[b"jsb-adapter/", b"main.js", b"jsb-builtin.js", b".jsc", b"xxtea", b"XXTEA", b".luac"];
/// Hints looked at in one library, and how far from each a key may stand.
const HINTS_MAX: usize = 64;
const NEAR: usize = 2 << 10;
/// Keys without a hint beside them are as long as the tools of the engine make them: half of a
/// UUID, or a whole one.
const MADE: &[usize] = &[16, 36];
/// Words of the cipher worked on at most to find the key of one app: a second or so.
const WORK_MAX: u64 = 200_000_000;

/// Words of the cipher that are worth one step of the budget.
const WORDS_A_STEP: u64 = 16;

/// Shortest sign: two letters stand before any noise by chance.
const SIGN_MIN: usize = 3;

/// A key that opens such scripts, and the sign before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptKey {
    sign: Vec<u8>,
    key: [u32; 4],
}

impl ScriptKey {
    fn new(sign: &[u8], constant: &[u8]) -> Self {
        let mut bytes = [0; KEY];
        bytes.iter_mut().zip(constant).for_each(|(to, from)| *to = *from);
        let (words, _) = bytes.as_chunks::<4>();
        let key = std::array::from_fn(|at| words.get(at).map_or(0, |word| u32::from_le_bytes(*word)));
        Self { sign: sign.to_vec(), key }
    }

    /// What a script behind its sign says; `None` where sign or key are others.
    #[must_use]
    pub fn open(&self, script: &[u8]) -> Option<Vec<u8>> {
        self.decrypt(script.strip_prefix(self.sign.as_slice())?)
    }

    /// The cipher backwards; the last word says the length, and any other key makes that absurd.
    fn decrypt(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (words, rest) = sealed.as_chunks::<4>();
        if words.len() < 2 || !rest.is_empty() {
            return None;
        }
        let mut words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
        let last = words.len() - 1;
        let rounds = 6 + 52 / u32::try_from(words.len()).ok()?;
        let mut sum = rounds.wrapping_mul(DELTA);
        let mut y = words[0];
        for _ in 0..rounds {
            let e = sum >> 2 & 3;
            for at in (0..=last).rev() {
                let z = words[if at == 0 { last } else { at - 1 }];
                let key = self.key[(at as u32 & 3 ^ e) as usize];
                let mixed = (z >> 5 ^ y << 2).wrapping_add(y >> 3 ^ z << 4) ^ (sum ^ y).wrapping_add(key ^ z);
                words[at] = words[at].wrapping_sub(mixed);
                y = words[at];
            }
            sum = sum.wrapping_sub(DELTA);
        }
        let length = words[last] as usize;
        if length > last * 4 || length + 3 < last * 4 {
            return None;
        }
        let mut text: Vec<u8> = words[..last].iter().flat_map(|word| word.to_le_bytes()).collect();
        text.truncate(length);
        Some(text)
    }
}

/// The key among the constants of a library beside the sign, which opens this script. `word` are the
/// letters that the script begins with: the sign, and what of the noise behind looks like more of it.
#[must_use]
pub fn script_key(library: &[u8], script: &[u8], word: &str) -> Option<ScriptKey> {
    (SIGN_MIN..=word.len()).rev().find_map(|length| {
        let sign = word.as_bytes().get(..length)?;
        let is_whole = (script.len() - length).is_multiple_of(4);
        is_whole.then(|| beside(library, script, sign)).flatten()
    })
}

fn beside(library: &[u8], script: &[u8], sign: &[u8]) -> Option<ScriptKey> {
    let constant = [sign, b"\0"].concat();
    let mut keys = memmem::find_iter(library, &constant).take(SIGNS_MAX).flat_map(|at| {
        let window = &library[at.saturating_sub(AROUND)..library.len().min(at + AROUND)];
        let is_text = |constant: &&[u8]| {
            (SHORTEST..=LONGEST).contains(&constant.len()) && constant.iter().all(|b| (0x20..0x7f).contains(b))
        };
        window.split(|&byte| byte == 0).filter(is_text).take(KEYS_MAX).map(|key| ScriptKey::new(sign, key))
    });
    keys.find(|key| key.open(script).is_some())
}

/// The search for the key of scripts without a sign, among all constants of the libraries of an
/// app: it ends when its work is done.
#[derive(Debug)]
pub struct BareKeys {
    work_left: u64,
}

impl Default for BareKeys {
    fn default() -> Self {
        Self { work_left: WORK_MAX }
    }
}

impl BareKeys {
    /// The key that opens this script, which is best a short one: every try goes over all of it.
    #[must_use]
    pub fn find(&mut self, library: &[u8], script: &[u8], budget: &Budget) -> Option<ScriptKey> {
        let words = script.len() as u64 / 4;
        if words < 2 || !script.len().is_multiple_of(4) {
            return None;
        }
        let cost = words * (6 + 52 / words);
        let mut tried = HashSet::new();
        near_hints(library).chain(made(library)).filter(|constant| tried.insert(*constant)).find_map(|constant| {
            let left = self.work_left.checked_sub(cost).filter(|_| !budget.is_out_of_time());
            // Once something has run out, no constant is tried any more.
            self.work_left = left.filter(|_| budget.take_steps(cost / WORDS_A_STEP)).unwrap_or(0);
            left.filter(|_| self.work_left > 0)?;
            Some(ScriptKey::new(b"", constant)).filter(|key| key.open(script).is_some())
        })
    }
}

/// Constants beside the names of first scripts.
fn near_hints(library: &[u8]) -> impl Iterator<Item = &[u8]> {
    let hints = HINTS.iter().flat_map(|hint| memmem::find_iter(library, *hint).take(HINTS_MAX / HINTS.len()));
    hints.flat_map(|at| constants(&library[at.saturating_sub(NEAR)..library.len().min(at + NEAR)]))
}

/// Constants anywhere that are as long as made keys.
fn made(library: &[u8]) -> impl Iterator<Item = &[u8]> {
    constants(library).filter(|constant| MADE.contains(&constant.len()))
}

/// Texts between NULs that may be keys.
fn constants(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&byte| byte == 0).filter(|constant| {
        (BARE_MIN..=LONGEST).contains(&constant.len()) && constant.iter().all(|b| (0x20..0x7f).contains(b))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panic")]

    use super::*;

    /// The cipher forwards, as the build tools of the engine do it.
    fn seal(text: &[u8], key: &[u8]) -> Vec<u8> {
        let ScriptKey { key, .. } = ScriptKey::new(b"", key);
        let mut padded = text.to_vec();
        padded.resize(text.len().next_multiple_of(4), 0);
        padded.extend((text.len() as u32).to_le_bytes());
        let mut words: Vec<u32> = padded.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
        let last = words.len() - 1;
        let (mut sum, mut z) = (0_u32, words[last]);
        for _ in 0..6 + 52 / words.len() {
            sum = sum.wrapping_add(DELTA);
            let e = sum >> 2 & 3;
            for at in 0..=last {
                let y = words[(at + 1) % (last + 1)];
                let key = key[(at as u32 & 3 ^ e) as usize];
                let mixed = (z >> 5 ^ y << 2).wrapping_add(y >> 3 ^ z << 4) ^ (sum ^ y).wrapping_add(key ^ z);
                words[at] = words[at].wrapping_add(mixed);
                z = words[at];
            }
        }
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn what_is_sealed_opens_with_its_own_key() {
        let sealed = seal(b"abcdefgh", b"1234");
        assert_eq!(ScriptKey::new(b"", b"1234").decrypt(&sealed).unwrap(), b"abcdefgh");
        assert_eq!(ScriptKey::new(b"", b"1235").decrypt(&sealed), None);
    }

    #[test]
    fn the_key_is_found_beside_the_sign() {
        let text = "local title = \"拍照搜题\"\nreturn title\n".repeat(3);
        let script = [b"MYSIGN".as_slice(), &seal(text.as_bytes(), b"k-2024-secret")].concat();
        let library =
            [b"\x7fELF".as_slice(), &[0; 90], b"scripts/\0k-2024-secret\0MYSIGN\0main.lua\0", &[0; 9]].concat();
        let key = script_key(&library, &script, "MYSIGNx7").unwrap();
        assert_eq!(key.open(&script).unwrap(), text.as_bytes());
        let other = [b"\x7fELF".as_slice(), &[0; 90], b"k-2023-secret\0MYSIGN\0"].concat();
        assert_eq!(script_key(&other, &script, "MYSIGN"), None);
    }

    #[test]
    fn a_key_without_a_sign_is_found_by_its_neighbours_or_its_length() {
        let text = "cc.title = \"拍照搜题\";\n".repeat(9);
        let script = seal(text.as_bytes(), b"d3a7c1f0-5b2e-4c");
        let key = ScriptKey::new(b"", b"d3a7c1f0-5b2e-4c");
        let budget = Budget::default();
        for library in [b"\0d3a7c1f0-5b2e-4c\0".to_vec(), b"\0src/main.js\0d3a7c1f0-5b2e-4c\0".to_vec()] {
            assert_eq!(BareKeys::default().find(&library, &script, &budget), Some(key.clone()));
        }
        let short = seal(text.as_bytes(), b"secret7");
        assert!(BareKeys::default().find(b"\0jsb-adapter/jsb-builtin.js\0secret7\0", &short, &budget).is_some());
        assert_eq!(BareKeys::default().find(b"\0jsb-adapter/jsb-builtin.js\0secret8\0", &short, &budget), None);
        let mut poor = BareKeys { work_left: 5 };
        assert!(poor.find(b"\0jsb-adapter/jsb-builtin.js\0secret7\0", &short, &budget).is_none());
    }

    #[test]
    fn any_bytes_end() {
        for length in 0..40 {
            let _ = ScriptKey::new(b"", b"k").decrypt(&vec![0xa5; length]);
        }
    }
}
