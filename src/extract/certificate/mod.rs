//! Signing certificates: read, not verified.

mod android;
mod harmony;
mod ios;
mod message;

use der::{Decode, Encode};
use sha2::{Digest, Sha256};
use x509_cert::Certificate;

use crate::model::{Block, Facts, Kind, Limit, LimitCode, hex};

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
        if self.sha256.contains(&sha256) || self.sha256.len() >= CERTIFICATES_MAX {
            return;
        }
        self.sha256.push(sha256.clone());
        let subject = Certificate::from_der(der)
            .map_or_else(|_| "(subject not readable)".to_owned(), |c| c.tbs_certificate.subject.to_string());
        self.facts.push(Block::one(Kind::Certificate, place, &format!("certificate {scheme} {sha256}"), &subject));
    }
}
