//! Timestamps of an authority (RFC 3161): proof that a bag was there at a time.
//!
//! What is stamped is the tag manifest, which covers the whole bag. [`query`] makes the question,
//! [`check`] reads the reply; both are kept in the bag as they went over the wire, so that
//! `openssl ts -verify` reads them too. Knows bytes, no network and no clock.

mod chain;
mod syntax;
mod token;

use der::asn1::{Int, ObjectIdentifier, OctetString};
use der::{Decode, Encode};
use x509_cert::Certificate;
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::model::signed::Digest;
use syntax::{MessageImprint, Request};

/// Bytes of a query or a reply that are read; a reply with a long chain has some 10 kB.
pub(super) const BYTES_MAX: u64 = 256 << 10;
/// Of HTTP (RFC 3161, 3.4).
pub const QUERY_TYPE: &str = "application/timestamp-query";
const OID_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");

/// A timestamp that holds.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// Seconds since 1970 UTC; fractions are cut off.
    pub at: u64,
    /// Microseconds that the authority's clock may be off, where it says so.
    pub accuracy: Option<u64>,
    /// Certificate of who signed.
    pub signer: Certificate,
    /// Certificates that came along: issuers, as far as the authority sent them.
    others: Vec<Certificate>,
}

impl Stamp {
    /// Subject of the signer's certificate.
    #[must_use]
    pub fn signer_name(&self) -> String {
        self.signer.tbs_certificate.subject.to_string()
    }

    /// Checks that the signer's certificate was issued, by way of those that came along, by one
    /// of the certificates of this PEM file, and that all were valid at the time of the stamp.
    ///
    /// # Errors
    /// What is wrong with the file or the chain.
    pub fn check_chain(&self, pem: &[u8]) -> Result<(), String> {
        chain::check(self, pem)
    }
}

/// The question for a timestamp over these bytes: SHA-256, this nonce, the certificate wanted.
///
/// # Errors
/// When it does not encode.
pub fn query(tag_manifest: &[u8], mut nonce: [u8; 16]) -> Result<Vec<u8>, String> {
    // A positive number of full length has no second form.
    nonce[0] = nonce[0] & 0x7f | 0x40;
    let encode = || -> der::Result<Vec<u8>> {
        Request {
            version: 1,
            imprint: MessageImprint {
                hash_algorithm: AlgorithmIdentifierOwned { oid: OID_SHA256, parameters: None },
                hashed_message: OctetString::new(Digest::Sha256.of(tag_manifest))?,
            },
            policy: None,
            nonce: Some(Int::new(&nonce)?),
            cert_req: Some(true),
            extensions: None,
        }
        .to_der()
    };
    encode().map_err(|e| e.to_string())
}

/// Why a timestamp does not hold, and which file says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The query is none, or none over this tag manifest.
    Query(String),
    /// The reply is none, or does not answer the query, or does not hold.
    Reply(String),
}

/// Checks a reply to a query over these bytes.
///
/// # Errors
/// The first thing that does not hold.
pub fn check(tag_manifest: &[u8], query: &[u8], reply: &[u8]) -> Result<Stamp, Fault> {
    let imprint = Digest::Sha256.of(tag_manifest);
    let asked = read_query(query, &imprint).map_err(Fault::Query)?;
    token::check(&asked, &imprint, reply).map_err(Fault::Reply)
}

fn read_query(query: &[u8], imprint: &[u8]) -> Result<Int, String> {
    let asked = Request::from_der(query).map_err(|e| format!("is no timestamp query: {e}"))?;
    if !is_over(&asked.imprint, imprint) {
        return Err("asks for a stamp on something else than this bag's tag manifest".into());
    }
    if asked.version != 1 || asked.policy.is_some() || asked.cert_req != Some(true) || asked.extensions.is_some() {
        return Err("asks for something else than the stamp of a bag".into());
    }
    asked.nonce.ok_or_else(|| "has no nonce".into())
}

fn is_over(imprint: &MessageImprint, sha256: &[u8]) -> bool {
    Digest::named(&imprint.hash_algorithm) == Some(Digest::Sha256) && imprint.hashed_message.as_bytes() == sha256
}
