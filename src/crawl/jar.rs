//! Signed JARs (JAR File Specification, "Signed JAR File"): the one file in them is read and its
//! signature checked.

use std::io::{Cursor, Read};

use base64::Engine;
use der::Encode;

use crate::model::hex;
use crate::model::signed::{Digest, Message};

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
    let digest = match name.to_ascii_uppercase().as_str() {
        "SHA-256" => Digest::Sha256,
        "SHA-384" => Digest::Sha384,
        "SHA-512" => Digest::Sha512,
        "SHA1" | "SHA-1" if old => Digest::Sha1,
        _ => return None,
    };
    Some(digest.of(bytes))
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
    let message = Message::read(block)?;
    let signature = message.verify(content, old)?;
    Ok(hex(&Digest::Sha256.of(&signature.certificate.to_der().map_err(|e| e.to_string())?)))
}
