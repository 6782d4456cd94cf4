//! Signatures over deliveries, after the Standard Webhooks specification 1.0: HMAC-SHA256 over
//! `id.timestamp.body`, in base64 behind `v1,`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// Shortest secret: the length of the hash, as RFC 2104 asks for.
const SECRET_MIN: usize = 32;

/// Seconds that clocks may differ.
pub const CLOCK_MAX: i64 = 300;

/// What sender and receiver share. Never shown, not even in `Debug`.
#[derive(Clone)]
pub struct Secret(hmac::Key);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a secret is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// `whsec_` and no base64 behind it.
    #[error("the secret begins with whsec_ but is no base64 behind it")]
    Base64,
    /// Too short.
    #[error("the secret is shorter than 32 bytes; make one with: openssl rand -hex 32")]
    Short,
}

impl Secret {
    /// A secret as people pass it on: `whsec_` and base64, or any text.
    ///
    /// # Errors
    /// When it is too short, or no base64 where it says so.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        let bytes = match text.strip_prefix("whsec_") {
            Some(base64) => STANDARD.decode(base64).map_err(|_| SecretError::Base64)?,
            None => text.as_bytes().to_vec(),
        };
        if bytes.len() < SECRET_MIN {
            return Err(SecretError::Short);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }
}

/// The header `webhook-signature` of a delivery; `timestamp` in seconds since 1970 UTC.
#[must_use]
pub fn signature(secret: &Secret, id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&secret.0);
    context.update(format!("{id}.{timestamp}.").as_bytes());
    context.update(body);
    format!("v1,{}", STANDARD.encode(context.sign()))
}

/// Whether a message was signed with the secret, at most five minutes off our clock. `now` in
/// seconds since 1970 UTC. How long it takes tells nothing of the signature.
#[must_use]
pub fn is_signed(secret: &Secret, (id, timestamp, body): (&str, i64, &[u8]), header: &str, now: i64) -> bool {
    if now.saturating_sub(timestamp).saturating_abs() > CLOCK_MAX || id.is_empty() {
        return false;
    }
    let mut signed = format!("{id}.{timestamp}.").into_bytes();
    signed.extend_from_slice(body);
    // Several signatures may stand there while a secret is changed for another.
    let mut all = header.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    all.any(|given| hmac::verify(&secret.0, &signed, &given).is_ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_the_specification_describes() {
        // Recomputed with Python's hmac module over `msg_1.1700000000.{"a":1}`.
        let secret = Secret::parse("0123456789abcdef0123456789abcdef").unwrap();
        let signed = signature(&secret, "msg_1", 1_700_000_000, b"{\"a\":1}");
        assert_eq!(signed, "v1,rkwp5YuvdrMkcu0ZhuMsXoTg44mHAr1Q0+FFgFpXsjY=");
        let other = Secret::parse("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").unwrap();
        assert_eq!(signature(&other, "msg_1", 1_700_000_000, b"{\"a\":1}"), signed, "both ways of writing it");
        let message = ("msg_1", 1_700_000_000, &b"{\"a\":1}"[..]);
        assert!(is_signed(&secret, message, &format!("v1,AAAA {signed}"), 1_700_000_299));
        assert!(!is_signed(&secret, message, &signed, 1_700_000_301), "too late");
        assert!(!is_signed(&secret, message, "v1,AAAA", 1_700_000_000));
        assert!(!is_signed(&secret, ("msg_2", message.1, message.2), &signed, 1_700_000_000));
        assert_eq!(Secret::parse("short").unwrap_err(), SecretError::Short);
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
