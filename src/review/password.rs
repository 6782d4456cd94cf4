//! Passwords: argon2id with the parameters of its crate, which are those of OWASP's password
//! storage notes (19 MiB, two passes), kept as PHC strings.

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use ring::rand::{SecureRandom, SystemRandom};

/// Bytes of a salt, as RFC 9106 asks for.
const SALT: usize = 16;
/// Fewest characters of a password.
pub const PASSWORD_MIN: usize = 10;
/// Longest password looked at, in bytes: hashing a longer one would be free work for a stranger.
const PASSWORD_MAX: usize = 1_000;

/// Hash of a password, to be kept.
///
/// # Errors
/// When the machine has no random numbers.
pub fn hash(password: &str) -> Result<String, String> {
    let mut bytes = [0; SALT];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "no random numbers on this machine")?;
    let salt = SaltString::encode_b64(&bytes).map_err(|e| e.to_string())?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(|e| e.to_string())?;
    Ok(hash.to_string())
}

/// The password is the one that was hashed. What is kept may be empty: then none is.
pub(super) fn is_right(password: &str, kept: &str) -> bool {
    let Ok(kept) = PasswordHash::new(kept) else { return false };
    password.len() <= PASSWORD_MAX && Argon2::default().verify_password(password.as_bytes(), &kept).is_ok()
}

/// Long enough to be kept, and short enough to be checked again.
pub(super) fn is_strong(password: &str) -> bool {
    password.chars().count() >= PASSWORD_MIN && password.len() <= PASSWORD_MAX
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_is_right() {
        let kept = hash("correct horse").unwrap();
        assert!(kept.starts_with("$argon2id$"), "{kept}");
        assert_ne!(kept, hash("correct horse").unwrap(), "salted");
        assert!(is_right("correct horse", &kept));
        assert!(!is_right("correct horsf", &kept) && !is_right("", &kept));
        assert!(!is_right("", "") && !is_right("x", "x"), "nothing kept, nothing right");
    }
}
