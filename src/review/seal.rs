//! What a browser keeps for us and cannot read or change: sealed with AES-256-GCM (NIST SP 800-38D)
//! by a key that lives as long as the process.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::oidc::PATIENCE;

/// States remembered that came back, so that none comes back twice.
const BACK_MAX: usize = 10_000;

/// Where somebody was when they left to sign in elsewhere.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Way {
    /// Comes back in the address.
    pub(super) state: String,
    /// Comes back in the token.
    pub(super) nonce: String,
    /// Proves to the other server who set out.
    pub(super) verifier: String,
    /// When, in seconds since 1970 UTC.
    pub(super) at: i64,
}

/// What the browser keeps.
pub(super) struct Sealed(pub(super) String);

/// The key, and what was opened with it.
pub(super) struct Seal {
    key: LessSafeKey,
    random: SystemRandom,
    back: Mutex<(HashSet<String>, VecDeque<String>)>,
}

impl Seal {
    /// # Errors
    /// When this machine has no random numbers.
    pub(super) fn new() -> Result<Self, &'static str> {
        let random = SystemRandom::new();
        let mut bytes = [0; 32];
        random.fill(&mut bytes).map_err(|_| "no random numbers on this machine")?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| "no key of 32 bytes")?;
        Ok(Self { key: LessSafeKey::new(key), random, back: Mutex::default() })
    }

    /// Seals a way; a nonce is drawn for each (96 bits: a key that seals some millions does not meet one twice).
    pub(super) fn close(&self, way: &Way) -> Result<String, Failure> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| Failure::ours("no random numbers on this machine"))?;
        let mut sealed = serde_json::to_vec(way).map_err(Failure::ours)?;
        let at = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(at, Aad::empty(), &mut sealed)
            .map_err(|_| Failure::ours("a way cannot be sealed"))?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what was sealed here for this state, not too long ago, and once.
    pub(super) fn open(&self, sealed: &Sealed, state: &str, now: i64) -> Option<Way> {
        let mut bytes = URL_SAFE_NO_PAD.decode(&sealed.0).ok()?;
        if bytes.len() < NONCE_LEN {
            return None;
        }
        let mut rest = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).ok()?;
        let plain = self.key.open_in_place(nonce, Aad::empty(), &mut rest).ok()?;
        let way: Way = serde_json::from_slice(plain).ok()?;
        let is_theirs = !state.is_empty() && way.state == state && (0..PATIENCE).contains(&(now - way.at));
        (is_theirs && self.is_first(state)).then_some(way)
    }

    fn is_first(&self, state: &str) -> bool {
        let mut back = self.back.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, order) = &mut *back;
        if !known.insert(state.to_owned()) {
            return false;
        }
        order.push_back(state.to_owned());
        if order.len() > BACK_MAX
            && let Some(oldest) = order.pop_front()
        {
            known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    fn way(state: &str) -> Way {
        Way { state: state.into(), nonce: "n".into(), verifier: "v".into(), at: 1_000 }
    }

    #[test]
    fn what_was_sealed_is_opened_once_in_time_and_for_its_state() {
        let seal = Seal::new().unwrap();
        let sealed = Sealed(seal.close(&way("a")).unwrap());
        assert!(seal.open(&sealed, "b", 1_001).is_none() && seal.open(&sealed, "", 1_001).is_none());
        assert!(seal.open(&sealed, "a", 1_000 + PATIENCE).is_none() && seal.open(&sealed, "a", 999).is_none());
        assert_eq!(seal.open(&sealed, "a", 1_001).unwrap().verifier, "v");
        assert!(seal.open(&sealed, "a", 1_001).is_none(), "once");
        assert!(
            Seal::new().unwrap().open(&Sealed(seal.close(&way("c")).unwrap()), "c", 1_001).is_none(),
            "another key"
        );
    }

    #[test]
    fn what_was_changed_is_not_opened() {
        let seal = Seal::new().unwrap();
        let sealed = seal.close(&way("a")).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(seal.open(&Sealed(URL_SAFE_NO_PAD.encode(changed)), "a", 1_001).is_none(), "{at}");
        }
        for hostile in ["", "A", "AAAA", "%", &"A".repeat(100_000)] {
            assert!(seal.open(&Sealed(hostile.to_owned()), "a", 1_001).is_none());
        }
    }
}
