//! The signing block of Android packages.

use super::{CERTIFICATES_MAX, Certificates};
use crate::model::{Block, Kind};

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

pub(super) fn read(pairs: &[(u32, Vec<u8>)], place: &str, out: &mut Certificates) {
    for (id, value) in pairs {
        if let Some((_, scheme)) = SCHEMES.iter().find(|(known, _)| known == id) {
            match signers(value) {
                Some(found) if !found.is_empty() => found.iter().for_each(|der| out.add(scheme, der, place)),
                _ => out.bad(place, format!("{scheme} holds no readable certificate")),
            }
        } else if let Some((_, name)) = CHANNELS.iter().find(|(known, _)| known == id) {
            let shown: String = String::from_utf8_lossy(value).chars().filter(|c| !c.is_control()).take(120).collect();
            out.facts.push(Block::one(Kind::Setting, place, name, &shown));
        } else if !ORDINARY.contains(id) {
            out.odd(*id, value.len(), place);
        }
    }
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
