//! Signed JARs (JAR File Specification, "Signed JAR File"; PKCS #7 of RFC 5652): the one file in
//! them is read and its signature checked.

use std::io::{Cursor, Read};

use base64::Engine;
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{ObjectIdentifier, OctetString, SetOfVec};
use der::{Decode, Encode};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_cert::Certificate;

use crate::model::hex;

/// Why a JAR is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JarError {
    /// No archive, or larger than a cap.
    #[error("no JAR: {0}")]
    Archive(String),
    /// It carries no signature.
    #[error("the JAR is not signed")]
    Unsigned,
    /// The signature does not hold.
    #[error("the JAR's signature does not hold: {0}")]
    Signature(String),
}

/// A file that a certificate vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// SHA-256 of the certificate, in lower-case hex: F-Droid's fingerprint.
    pub signer: String,
}

/// Entries of a signed index: its manifest, signature, block and the index.
const ENTRIES_MAX: usize = 64;
const META_MAX: u64 = 1 << 20;

/// Reads `name` from a JAR and checks that its one signature covers it. SHA-1, which indexes of
/// version 1 still use for old Androids, is taken only with `old`.
///
/// # Errors
/// When the archive, the signature or the chain of digests between them does not hold.
pub fn open_jar(jar: &[u8], name: &str, cap: u64, old: bool) -> Result<Signed, JarError> {
    let archive_error = |e: zip::result::ZipError| JarError::Archive(e.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(jar)).map_err(archive_error)?;
    if archive.len() > ENTRIES_MAX {
        return Err(JarError::Archive(format!("{} entries", archive.len())));
    }
    let names: Vec<String> = archive.file_names().filter_map(Result::ok).map(|name| name.into_owned()).collect();
    let mut read = |name: &str, cap: u64| -> Result<Vec<u8>, JarError> {
        let entry = archive.by_name(name).map_err(archive_error)?;
        let mut bytes = Vec::new();
        entry.take(cap + 1).read_to_end(&mut bytes).map_err(|e| JarError::Archive(format!("{name}: {e}")))?;
        if bytes.len() as u64 > cap {
            return Err(JarError::Archive(format!("{name} is over {cap} bytes")));
        }
        Ok(bytes)
    };
    let bytes = read(name, cap)?;
    let signature_files: Vec<&String> =
        names.iter().filter(|n| n.starts_with("META-INF/") && n.to_ascii_uppercase().ends_with(".SF")).collect();
    let [file] = signature_files[..] else {
        return Err(if signature_files.is_empty() {
            JarError::Unsigned
        } else {
            JarError::Signature("several signatures".into())
        });
    };
    let stem = &file[..file.len() - 3];
    let block = names.iter().find(|n| {
        let upper = n.to_ascii_uppercase();
        n.starts_with(stem) && n.len() - stem.len() <= 4 && [".RSA", ".EC", ".DSA"].iter().any(|e| upper.ends_with(e))
    });
    let block = read(block.ok_or(JarError::Unsigned)?, META_MAX)?;
    let (signature_file, manifest) = (read(file, META_MAX)?, read("META-INF/MANIFEST.MF", META_MAX)?);
    let signer = verify_block(&block, &signature_file, old).map_err(JarError::Signature)?;
    covers_manifest(&signature_file, &manifest, name, old).map_err(JarError::Signature)?;
    covers_entry(&manifest, name, &bytes, old).map_err(JarError::Signature)?;
    Ok(Signed { bytes, signer })
}

/// A digest by the name that manifests give it.
fn digest(name: &str, bytes: &[u8], old: bool) -> Option<Vec<u8>> {
    match name.to_ascii_uppercase().as_str() {
        "SHA-256" => Some(Sha256::digest(bytes).to_vec()),
        "SHA-384" => Some(Sha384::digest(bytes).to_vec()),
        "SHA-512" => Some(Sha512::digest(bytes).to_vec()),
        "SHA1" | "SHA-1" if old => Some(sha1(bytes)),
        _ => None,
    }
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
}

/// Attributes of a section, continued lines joined.
fn attributes(section: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(section).replace("\r\n", "\n").replace("\n ", "");
    text.lines().filter_map(|line| line.split_once(": ").map(|(k, v)| (k.to_owned(), v.to_owned()))).collect()
}

/// Sections of a manifest with the blank line that ends each: digests cover it.
fn sections(bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut line_start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'\n' {
            let line = &bytes[line_start..at];
            if line.is_empty() || line == b"\r" {
                if line_start > start {
                    found.push(&bytes[start..=at]);
                }
                start = at + 1;
            }
            line_start = at + 1;
        }
    }
    if start < bytes.len() {
        found.push(&bytes[start..]);
    }
    found
}

/// Whether one of the digests named `*{suffix}` fits; an error when one that we can check does not.
fn fits(attributes: &[(String, String)], suffix: &str, bytes: &[u8], old: bool) -> Result<bool, String> {
    let mut held = false;
    for (key, value) in attributes {
        let Some(name) = key.strip_suffix(suffix) else { continue };
        let Some(ours) = digest(name, bytes, old) else { continue };
        let theirs = base64::engine::general_purpose::STANDARD.decode(value.trim()).unwrap_or_default();
        if ours != theirs {
            return Err(format!("{key} differs"));
        }
        held = true;
    }
    Ok(held)
}

fn named<'a>(all: &[&'a [u8]], name: &str) -> Option<&'a [u8]> {
    all.iter().copied().find(|s| attributes(s).iter().any(|(k, v)| k == "Name" && v == name))
}

/// The signature file covers the manifest whole, or its section on the entry.
fn covers_manifest(signature_file: &[u8], manifest: &[u8], name: &str, old: bool) -> Result<(), String> {
    let parts = sections(signature_file);
    let head = attributes(parts.first().ok_or("an empty signature file")?);
    // A manifest that was added to after signing would still hold section by section; an index
    // has no reason to be.
    if fits(&head, "-Digest-Manifest", manifest, old)? {
        return Ok(());
    }
    let about = named(&parts, name).ok_or("it says nothing of the index")?;
    let section = sections(manifest);
    let section = named(&section, name).ok_or("the manifest says nothing of the index")?;
    match fits(&attributes(about), "-Digest", section, old)? {
        true => Ok(()),
        false => Err("no digest of the manifest that is trusted".into()),
    }
}

fn covers_entry(manifest: &[u8], name: &str, bytes: &[u8], old: bool) -> Result<(), String> {
    let all = sections(manifest);
    let section = named(&all, name).ok_or("the manifest says nothing of the index")?;
    match fits(&attributes(section), "-Digest", bytes, old)? {
        true => Ok(()),
        false => Err("no digest of the index that is trusted".into()),
    }
}

/// Checks the block's one signature over `content`; the fingerprint of its certificate.
fn verify_block(block: &[u8], content: &[u8], old: bool) -> Result<String, String> {
    let info = ContentInfo::from_der(block).map_err(|e| format!("no PKCS #7: {e}"))?;
    let signed: SignedData = info.content.decode_as().map_err(|e| format!("no signed data: {e}"))?;
    let [signer] = signed.signer_infos.0.as_slice() else { return Err("not exactly one signer".into()) };
    let certificates = signed.certificates.as_ref().ok_or("no certificate")?;
    let certificate = certificates
        .0
        .iter()
        .filter_map(|choice| if let CertificateChoices::Certificate(c) = choice { Some(c) } else { None })
        .find(|certificate| is_of(certificate, signer))
        .ok_or("the signer's certificate is not in it")?;
    let hash = hash_of(&signer.digest_alg.oid, old).ok_or("a digest that is not trusted")?;
    let message = match &signer.signed_attrs {
        Some(attributes) => {
            check_attributes(attributes, &digest(hash, content, old).ok_or("a digest that is not trusted")?)?;
            attributes.to_der().map_err(|e| e.to_string())?
        }
        None => content.to_vec(),
    };
    let key = &certificate.tbs_certificate.subject_public_key_info;
    let algorithm = algorithm(&key.algorithm.oid, curve(key), hash)?;
    let bits = key.subject_public_key.as_bytes().ok_or("an odd key")?;
    UnparsedPublicKey::new(algorithm, bits)
        .verify(&message, signer.signature.as_bytes())
        .map_err(|_| "the key does not fit the signature".to_owned())?;
    Ok(hex(&Sha256::digest(certificate.to_der().map_err(|e| e.to_string())?)))
}

fn is_of(certificate: &Certificate, signer: &SignerInfo) -> bool {
    let tbs = &certificate.tbs_certificate;
    match &signer.sid {
        SignerIdentifier::IssuerAndSerialNumber(id) => id.issuer == tbs.issuer && id.serial_number == tbs.serial_number,
        SignerIdentifier::SubjectKeyIdentifier(_) => false,
    }
}

const OID_MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");

/// The signed attributes name the digest of what is signed (RFC 5652, 11.2).
fn check_attributes(attributes: &SetOfVec<x509_cert::attr::Attribute>, ours: &[u8]) -> Result<(), String> {
    let theirs = attributes.iter().find(|a| a.oid == OID_MESSAGE_DIGEST).and_then(|a| a.values.get(0));
    let theirs: OctetString = theirs.ok_or("no message digest")?.decode_as().map_err(|e| e.to_string())?;
    if theirs.as_bytes() == ours { Ok(()) } else { Err("the message digest differs".into()) }
}

fn hash_of(oid: &ObjectIdentifier, old: bool) -> Option<&'static str> {
    match oid.to_string().as_str() {
        "2.16.840.1.101.3.4.2.1" => Some("SHA-256"),
        "2.16.840.1.101.3.4.2.2" => Some("SHA-384"),
        "2.16.840.1.101.3.4.2.3" => Some("SHA-512"),
        "1.3.14.3.2.26" if old => Some("SHA-1"),
        _ => None,
    }
}

fn curve(key: &x509_cert::spki::SubjectPublicKeyInfoOwned) -> Option<String> {
    Some(key.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok()?.to_string())
}

fn algorithm(
    key: &ObjectIdentifier,
    curve: Option<String>,
    hash: &str,
) -> Result<&'static dyn VerificationAlgorithm, String> {
    Ok(match (key.to_string().as_str(), curve.as_deref(), hash) {
        ("1.2.840.113549.1.1.1", _, "SHA-256") => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        ("1.2.840.113549.1.1.1", _, "SHA-384") => &signature::RSA_PKCS1_2048_8192_SHA384,
        ("1.2.840.113549.1.1.1", _, "SHA-512") => &signature::RSA_PKCS1_2048_8192_SHA512,
        ("1.2.840.113549.1.1.1", _, "SHA-1") => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        ("1.2.840.10045.2.1", Some("1.2.840.10045.3.1.7"), "SHA-256") => &signature::ECDSA_P256_SHA256_ASN1,
        ("1.2.840.10045.2.1", Some("1.3.132.0.34"), "SHA-384") => &signature::ECDSA_P384_SHA384_ASN1,
        ("1.2.840.10045.2.1", Some("1.3.132.0.34"), "SHA-256") => &signature::ECDSA_P384_SHA256_ASN1,
        (key, curve, hash) => return Err(format!("key {key} {curve:?} with {hash} is not supported")),
    })
}
