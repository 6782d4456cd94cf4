//! Signing certificates: read, not verified.

mod android;
mod harmony;
mod ios;
mod message;

use der::{Decode, Encode};
use sha2::{Digest, Sha256};
use x509_cert::Certificate;

use crate::model::{Block, Facts, Kind, Limit, LimitCode, Signer, hex};

/// Certificates taken from one package at most.
const CERTIFICATES_MAX: usize = 32;

/// What the signatures of a package tell.
#[derive(Debug, Default)]
pub struct Certificates {
    /// Subjects as facts.
    pub facts: Facts,
    /// What could not be read.
    pub limits: Vec<Limit>,
    /// SHA-256 of each distinct certificate, in the order they were read.
    pub sha256: Vec<String>,
    /// The same certificates as they describe themselves.
    pub signers: Vec<Signer>,
}

impl Certificates {
    /// Reads a block of the JAR signature (`META-INF/*.RSA`, `.DSA`, `.EC`), which every
    /// form of package may have.
    pub fn jar(&mut self, bytes: &[u8], place: &str) {
        match message::read(bytes) {
            Ok(message) => message.certificates.iter().for_each(|c| self.add_read("v1", c, place)),
            Err(reason) => self.bad(place, reason),
        }
    }

    /// Reads the pairs of Android's signing block.
    pub fn android(&mut self, pairs: &[(u32, Vec<u8>)], place: &str) {
        android::read(pairs, place, self);
    }

    /// Reads the values of HarmonyOS's signing block.
    pub fn harmony(&mut self, pairs: &[(u32, Vec<u8>)], place: &str) {
        harmony::read(pairs, place, self);
    }

    /// Reads the provisioning profile of an iOS app (`embedded.mobileprovision`).
    pub fn ios(&mut self, bytes: &[u8], place: &str) {
        ios::read(bytes, place, self);
    }

    fn bad(&mut self, place: &str, reason: impl Into<String>) {
        self.limits.push(Limit::new(LimitCode::BadCertificate, place, reason));
    }

    /// Data in a signing block that no signer puts there.
    fn odd(&mut self, id: u32, length: usize, place: &str) {
        let detail = format!("signing block holds {length} bytes under the unknown id {id:#010x}");
        self.limits.push(Limit::new(LimitCode::TamperedArchive, place, detail));
    }

    /// What a profile says beside its certificates, as `key=value`.
    fn say(&mut self, key: &str, value: &str, place: &str) {
        if !value.is_empty() {
            self.facts.push(Block::one(Kind::Setting, place, "profile", &format!("{key}={value}")));
        }
    }

    fn add_read(&mut self, scheme: &str, certificate: &Certificate, place: &str) {
        if let Ok(der) = certificate.to_der() {
            self.add(scheme, &der, place);
        }
    }

    fn add(&mut self, scheme: &str, der: &[u8], place: &str) {
        let sha256 = hex(&Sha256::digest(der));
        if let Some(known) = self.signers.iter_mut().find(|signer| signer.sha256 == sha256) {
            if known.schemes.iter().all(|known| known != scheme) {
                known.schemes.push(scheme.to_owned());
            }
            return;
        }
        if self.sha256.len() >= CERTIFICATES_MAX {
            return;
        }
        self.sha256.push(sha256.clone());
        let signer = described(der, scheme, &sha256);
        let subject = if signer.subject.is_empty() { "(subject not readable)".into() } else { signer.subject.clone() };
        self.signers.push(signer);
        self.facts.push(Block::one(Kind::Certificate, place, &format!("certificate {scheme} {sha256}"), &subject));
    }
}

/// Longest name kept of a subject or issuer.
const NAME_MAX: usize = 1_000;

/// A certificate as it describes itself.
fn described(der: &[u8], scheme: &str, sha256: &str) -> Signer {
    let blank = Signer { schemes: vec![scheme.to_owned()], sha256: sha256.to_owned(), ..Signer::default() };
    let Ok(certificate) = Certificate::from_der(der) else { return blank };
    let certificate = certificate.tbs_certificate;
    let day = |time: x509_cert::time::Time| {
        let day = time.to_date_time();
        format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day())
    };
    let name = |name: &x509_cert::name::Name| name.to_string().chars().take(NAME_MAX).collect();
    Signer {
        subject: name(&certificate.subject),
        issuer: name(&certificate.issuer),
        from: day(certificate.validity.not_before),
        until: day(certificate.validity.not_after),
        ..blank
    }
}
