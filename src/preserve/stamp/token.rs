//! Whether a reply holds, as far as the reply alone can tell: RFC 3161, 2.4.2, and RFC 5816.

use cms::content_info::CmsVersion;
use der::asn1::{BitString, Int, ObjectIdentifier};
use der::{Decode, Encode};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage, KeyUsages};

use super::syntax::{Info, Response, SigningCertificate, StatusInfo, seconds};
use super::{Stamp, is_over};
use crate::model::signed::{Digest, Message, Signature};

/// Content of a token (RFC 3161, 2.4.2).
const OID_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
/// Attributes that name the signer's certificate (RFC 2634, 5.4; RFC 5035, 3).
const OID_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const OID_SIGNING_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
/// What the certificate of an authority is for (RFC 3161, 2.3).
const OID_TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
/// `PKIFailureInfo` (RFC 3161, 2.4.2) by bit.
const FAILURES: &[(usize, &str)] = &[
    (0, "the digest is not supported"),
    (2, "the request is not permitted"),
    (5, "the request has the wrong format"),
    (14, "its clock is not available"),
    (15, "the policy is not supported"),
    (16, "the extension is not supported"),
    (17, "the additional information is not available"),
    (25, "a failure of its system"),
];
/// Characters of an authority's own words that are told.
const WORDS_MAX: usize = 200;

/// Checks a reply over `imprint` that is to bear this nonce.
pub(super) fn check(nonce: &Int, imprint: &[u8], reply: &[u8]) -> Result<Stamp, String> {
    let response = Response::from_der(reply).map_err(|e| format!("is no timestamp reply: {e}"))?;
    if response.status.status != 0 {
        return Err(format!("the authority did not grant it: {}", refusal(&response.status)));
    }
    let token = response.token.ok_or("the reply holds no token")?;
    let message = Message::read(&token.to_der().map_err(|e| e.to_string())?).map_err(|e| format!("the token: {e}"))?;
    if message.content_type != OID_INFO || message.version != CmsVersion::V3 {
        return Err("the token is signed, but no timestamp".into());
    }
    let info = Info::from_der(&message.content).map_err(|e| format!("the token holds no timestamp: {e}"))?;
    let at = of_query(&info, nonce, imprint)?;
    let signature = message.verify(&message.content, false).map_err(|e| format!("the signature does not hold: {e}"))?;
    names_its_certificate(&signature)?;
    may_stamp(signature.certificate)?;
    was_valid(signature.certificate, at)?;
    let accuracy = info.accuracy.map(|accuracy| {
        let part = |value: Option<u16>| u64::from(value.unwrap_or(0));
        u64::from(accuracy.seconds.unwrap_or(0)) * 1_000_000 + part(accuracy.millis) * 1000 + part(accuracy.micros)
    });
    let signer = signature.certificate.clone();
    let others = message.certificates.iter().filter(|other| **other != signer).cloned().collect();
    Ok(Stamp { at, accuracy, signer, others })
}

/// The stamp answers the query; its time.
fn of_query(info: &Info, nonce: &Int, imprint: &[u8]) -> Result<u64, String> {
    if info.version != 1 {
        return Err(format!("a timestamp of version {}, not 1", info.version));
    }
    if !is_over(&info.imprint, imprint) {
        return Err("the stamp is on something else than this bag's tag manifest".into());
    }
    if info.nonce.as_ref() != Some(nonce) {
        return Err("the nonce is not that of the query: the reply answers another one".into());
    }
    if info.extensions.iter().flatten().any(|extension| extension.critical) {
        return Err("the stamp has a critical extension that is not known here".into());
    }
    seconds(&info.time).ok_or_else(|| "the stamp names no time".into())
}

/// The signature covers which certificate made it (RFC 3161, 2.4.1; RFC 5816, 2.2.1).
fn names_its_certificate(signature: &Signature<'_>) -> Result<(), String> {
    let certificate = signature.certificate.to_der().map_err(|e| e.to_string())?;
    let mut named = false;
    for (oid, default) in [(OID_SIGNING, Digest::Sha1), (OID_SIGNING_V2, Digest::Sha256)] {
        let Some(attribute) = signature.attribute::<SigningCertificate>(&oid)? else { continue };
        let first = attribute.certificates.first().ok_or("the signature names no certificate")?;
        let digest = match &first.hash_algorithm {
            Some(algorithm) => Digest::named(algorithm).ok_or("the certificate is named by a digest unknown here")?,
            None => default,
        };
        if first.hash.as_bytes() != digest.of(&certificate) {
            return Err("the signature names another certificate than the one in the token".into());
        }
        named = true;
    }
    if named { Ok(()) } else { Err("the signature does not say which certificate made it".into()) }
}

/// The certificate is for timestamps and nothing else, and says that it matters (RFC 3161, 2.3).
fn may_stamp(certificate: &Certificate) -> Result<(), String> {
    let usage = certificate.tbs_certificate.get::<ExtendedKeyUsage>().map_err(|e| e.to_string())?;
    match usage {
        Some((true, usage)) if usage.0 == [OID_TIME_STAMPING] => {}
        Some((false, usage)) if usage.0 == [OID_TIME_STAMPING] => {
            return Err("the signer's certificate does not mark timestamping as its critical purpose".into());
        }
        _ => return Err("the signer's certificate is not one for timestamps".into()),
    }
    let usage = certificate.tbs_certificate.get::<KeyUsage>().map_err(|e| e.to_string())?;
    let signs = KeyUsages::DigitalSignature | KeyUsages::NonRepudiation;
    match usage {
        Some((_, usage)) if !(usage.0 - signs).is_empty() => {
            Err("the signer's certificate is for other uses of its key than signatures".into())
        }
        _ => Ok(()),
    }
}

fn was_valid(certificate: &Certificate, at: u64) -> Result<(), String> {
    let validity = &certificate.tbs_certificate.validity;
    let (from, to) = (validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration());
    if (from.as_secs()..=to.as_secs()).contains(&at) {
        return Ok(());
    }
    let text = |seconds: u64| crate::preserve::timestamp(seconds.try_into().unwrap_or(i64::MAX));
    Err(format!(
        "the signer's certificate was valid from {} to {}, not at the time of the stamp, {}",
        text(from.as_secs()),
        text(to.as_secs()),
        text(at)
    ))
}

/// Why an authority gave no stamp, in its words and ours.
fn refusal(info: &StatusInfo) -> String {
    let mut words = match info.status {
        1 => "granted with modifications, which were not asked for".to_owned(),
        2 => "rejected".into(),
        3 => "waiting".into(),
        4 | 5 => "revoked, or about to be".into(),
        other => format!("status {other}"),
    };
    let is_set = |bits: &BitString, at: usize| bits.bits().nth(at) == Some(true);
    let failures = FAILURES.iter().filter(|(bit, _)| info.failure.as_ref().is_some_and(|bits| is_set(bits, *bit)));
    failures.for_each(|(_, why)| words = format!("{words}; {why}"));
    if let Some(text) = info.text.iter().flatten().next() {
        let said: String = text.chars().filter(|c| !c.is_control()).take(WORDS_MAX).collect();
        words = format!("{words}; it says: {said}");
    }
    words
}
