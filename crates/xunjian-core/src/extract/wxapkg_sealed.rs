//! Mini-program packages as the client for desktops keeps them: encrypted with a key that
//! follows from the id of the program.
//!
//! The form is WeChat's own and undocumented; the public tools agree on it: `V1MMWX`, then
//! the first 1,023 bytes in AES-256-CBC (which pads them to 1,024), then the rest, each
//! byte XORed with the last letter but one of the id. The key is PBKDF2 with HMAC-SHA1 of
//! the id, with salt, rounds and first block that are the same for all.

use std::num::NonZeroU32;

use aes::Aes256;
use aes::cipher::{Array, BlockCipherDecrypt, KeyInit};
use ring::pbkdf2;

use super::wxapkg::is_package;

/// How such a package begins.
const MAGIC: &[u8] = b"V1MMWX";
const SALT: &[u8] = b"saltiest";
const FIRST: &[u8; BLOCK] = b"the iv: 16 bytes";
const ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);
const BLOCK: usize = 16;
/// Bytes under AES.
const HEAD: usize = 1_024;
/// How ids begin, and how many hexadecimal digits follow.
const PREFIX: &[u8] = b"wx";
const DIGITS: usize = 16;
/// Ids tried on one package.
const IDS_MAX: usize = 32;
/// Steps that trying an id is worth.
pub const ID_STEPS: u64 = 1 << 15;

/// Whether a file says that it is such a package.
#[must_use]
pub fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Ids of mini-programs in names or texts, each once.
#[must_use]
pub fn program_ids(text: &[u8]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for at in memchr::memmem::find_iter(text, PREFIX) {
        let digits = text.get(at + PREFIX.len()..at + PREFIX.len() + DIGITS);
        let after = text.get(at + PREFIX.len() + DIGITS);
        let is_id = digits.is_some_and(|digits| digits.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
            && after.is_none_or(|b| !b.is_ascii_alphanumeric());
        if is_id && let Ok(id) = std::str::from_utf8(&text[at..at + PREFIX.len() + DIGITS]) {
            if !found.iter().any(|known| known == id) {
                found.push(id.to_owned());
            }
            if found.len() >= IDS_MAX {
                break;
            }
        }
    }
    found
}

/// The package behind the encryption, and the first of these ids that opens it.
#[must_use]
pub fn open<'i>(sealed: &[u8], ids: &'i [String]) -> Option<(Vec<u8>, &'i str)> {
    let rest = sealed.strip_prefix(MAGIC)?;
    let (head, tail) = rest.split_at(rest.len().min(HEAD));
    let (blocks, []) = head.as_chunks::<BLOCK>() else { return None };
    ids.iter().take(IDS_MAX).find_map(|id| {
        let mut plain = decrypt(blocks, id)?;
        let padding = usize::from(*plain.last()?);
        if (1..=BLOCK).contains(&padding) && plain.ends_with(&vec![padding as u8; padding]) {
            plain.truncate(plain.len() - padding);
        }
        let letter = id.len().checked_sub(2).and_then(|at| id.as_bytes().get(at)).copied().unwrap_or(0x66);
        plain.extend(tail.iter().map(|byte| byte ^ letter));
        Some((plain, id.as_str()))
    })
}

/// The blocks under AES; `None` where they are no package's first bytes by the key of this id.
fn decrypt(blocks: &[[u8; BLOCK]], id: &str) -> Option<Vec<u8>> {
    let mut key = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA1, ROUNDS, SALT, id.as_bytes(), &mut key);
    let cipher = Aes256::new(&Array::from(key));
    let mut plain = Vec::with_capacity(blocks.len() * BLOCK);
    let mut before = FIRST;
    for sealed in blocks {
        let mut block = Array::from(*sealed);
        cipher.decrypt_block(&mut block);
        plain.extend(block.iter().zip(before).map(|(byte, mask)| byte ^ mask));
        if !is_package(&plain) {
            return None;
        }
        before = sealed;
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_in_names_and_texts() {
        let text =
            b"Applet/wx0123456789abcdef/12/__APP__.wxapkg wx0123456789abcdef wxpay0123456789 wx0123456789abcdef0";
        assert_eq!(program_ids(text), ["wx0123456789abcdef"]);
    }

    #[test]
    fn any_bytes_end() {
        let ids = ["wx0123456789abcdef".to_owned()];
        for length in [0, 15, 16, 1_023, 1_024, 1_025, 3_000] {
            assert!(open(&[MAGIC, &vec![0xa5; length]].concat(), &ids).is_none());
        }
    }
}
