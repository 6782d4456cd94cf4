//! Signing certificates: read, not verified.

use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use der::{Decode, Encode};
use sha2::{Digest, Sha256};
use x509_cert::Certificate;

use crate::model::{Block, Facts, Kind, Limit, LimitCode, hex};

/// Schemes of the signing block that carry certificates
/// (<https://source.android.com/docs/security/features/apksigning>).
const SCHEMES: &[(u32, &str)] =
    &[(0x7109_871a, "v2"), (0xf053_68c0, "v3"), (0x1b93_ad61, "v3.1"), (0x70e1_c89f, "v3.2")];
/// Pairs of the block that are ordinary: padding, source stamps, dependencies, Play's metadata.
const ORDINARY: &[u32] = &[0x4272_6577, 0x2146_444e, 0x6dff_800d, 0x504b_4453, 0x2b09_189e, 0xff3b_5998, 0x7177_7775];
/// Pairs that markets add: channel marks.
const CHANNELS: &[(u32, &str)] = &[
    (0x7177_7777, "channel mark (Walle)"),
    (0x8811_55ff, "channel mark (VasDolly)"),
    (0x7a78_6b21, "channel mark (PackerNg)"),
    (0x7177_7776, "build configuration (ByteDance)"),
];
/// Certificates taken from one package at most.
const CERTIFICATES_MAX: usize = 32;

/// What the signatures of a package tell.
#[derive(Debug, Default)]
pub struct Certificates {
    /// Subjects as facts.
    pub facts: Facts,
    /// What could not be read.
    pub limits: Vec<Limit>,
    /// SHA-256 of each distinct certificate, in order of the schemes.
    pub sha256: Vec<String>,
}

/// Reads the v1 blocks (`META-INF/*.RSA`, `.DSA`, `.EC`: path and bytes) and the pairs of
/// the signing block.
#[must_use]
pub fn read(v1: &[(String, Vec<u8>)], pairs: &[(u32, Vec<u8>)], place: &str) -> Certificates {
    let mut out = Certificates::default();
    for (path, bytes) in v1 {
        match pkcs7(bytes) {
            Ok(found) => found.iter().for_each(|der| out.add("v1", der, place)),
            Err(reason) => out.limits.push(Limit::new(LimitCode::BadCertificate, &format!("{place}!/{path}"), reason)),
        }
    }
    for (id, value) in pairs {
        if let Some((_, scheme)) = SCHEMES.iter().find(|(known, _)| known == id) {
            match signers(value) {
                Some(found) if !found.is_empty() => found.iter().for_each(|der| out.add(scheme, der, place)),
                _ => out.limits.push(Limit::new(
                    LimitCode::BadCertificate,
                    place,
                    format!("{scheme} holds no readable certificate"),
                )),
            }
        } else if let Some((_, name)) = CHANNELS.iter().find(|(known, _)| known == id) {
            let shown: String = String::from_utf8_lossy(value).chars().filter(|c| !c.is_control()).take(120).collect();
            out.facts.push(Block::one(Kind::Setting, place, name, &shown));
        } else if !ORDINARY.contains(id) {
            let detail = format!("signing block holds {} bytes under the unknown id {id:#010x}", value.len());
            out.limits.push(Limit::new(LimitCode::TamperedArchive, place, detail));
        }
    }
    out
}

impl Certificates {
    fn add(&mut self, scheme: &str, der: &[u8], place: &str) {
        let sha256 = hex(&Sha256::digest(der));
        if self.sha256.contains(&sha256) || self.sha256.len() >= CERTIFICATES_MAX {
            return;
        }
        self.sha256.push(sha256.clone());
        let subject = Certificate::from_der(der)
            .map_or_else(|_| "(subject not readable)".to_owned(), |c| c.tbs_certificate.subject.to_string());
        self.facts.push(Block::one(Kind::Certificate, place, &format!("certificate {scheme} {sha256}"), &subject));
    }
}

fn pkcs7(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let info = ContentInfo::from_der(trim_der(bytes)).map_err(|e| format!("no PKCS #7: {e}"))?;
    let signed: SignedData = info.content.decode_as().map_err(|e| format!("no signed data: {e}"))?;
    let set = signed.certificates.ok_or("no certificate in it")?;
    Ok(set
        .0
        .iter()
        .take(CERTIFICATES_MAX)
        .filter_map(|choice| match choice {
            cms::cert::CertificateChoices::Certificate(c) => c.to_der().ok(),
            cms::cert::CertificateChoices::Other(_) => None,
        })
        .collect())
}

/// Cuts what follows the outermost DER value: some signers pad the file.
fn trim_der(bytes: &[u8]) -> &[u8] {
    let length = match bytes {
        [_, n @ 0..=0x7f, ..] => 2 + usize::from(*n),
        [_, 0x81, a, ..] => 3 + usize::from(*a),
        [_, 0x82, a, b, ..] => 4 + usize::from(u16::from_be_bytes([*a, *b])),
        [_, 0x83, a, b, c, ..] => 5 + u32::from_be_bytes([0, *a, *b, *c]) as usize,
        _ => bytes.len(),
    };
    bytes.get(..length).unwrap_or(bytes)
}

/// Signers of a v2 or v3 block, each with signed data whose second field is the certificates.
fn signers(value: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    let (mut signers, _) = prefixed(value)?;
    while let Some((signer, rest)) = prefixed(signers) {
        signers = rest;
        let (signed, _) = prefixed(signer)?;
        let (_digests, after) = prefixed(signed)?;
        let (mut certificates, _) = prefixed(after)?;
        while let Some((der, rest)) = prefixed(certificates) {
            certificates = rest;
            if found.len() < CERTIFICATES_MAX {
                found.push(der.to_vec());
            }
        }
    }
    Some(found)
}

/// A value behind its 32-bit length, and what follows.
fn prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}
