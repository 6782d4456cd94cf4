//! Which program asks, and what it may.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};

use crate::model::hex;
use crate::review::failure::Failure;
use crate::review::{Shared, session};
use crate::store::People;

/// What clients may be allowed.
pub const RIGHTS: [&str; 2] = ["read", "audit"];
/// What tokens begin with, so that people and scanners of leaked secrets know one.
const PREFIX: &str = "xunjian_";

/// A new token, to be shown once.
///
/// # Errors
/// When this machine has no random numbers.
pub fn new_token() -> Result<String, &'static str> {
    Ok(format!("{PREFIX}{}", session::random()?))
}

/// What is kept of a token. It has 256 random bits, so a plain hash is enough.
#[must_use]
pub fn token_hash(token: &str) -> String {
    hex(&Sha256::digest(token))
}

/// A program with a token.
pub(super) struct Caller {
    pub(super) name: String,
    rights: String,
}

impl Caller {
    /// Fails unless the client has the right.
    pub(super) fn must(&self, right: &'static str) -> Result<(), Failure> {
        if self.may(right) { Ok(()) } else { Err(Failure::Lacks(right)) }
    }

    /// Whether the client has the right.
    pub(super) fn may(&self, right: &str) -> bool {
        self.rights.split(' ').any(|own| own == right)
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Shared) -> Result<Self, Failure> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, token) = header.and_then(|text| text.split_once(' ')).ok_or(Failure::Token)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Failure::Token);
        }
        let client = site.home.state.client(&token_hash(token.trim())).await?.ok_or(Failure::Token)?;
        Ok(Self { name: client.name, rights: client.rights })
    }
}
