//! What signers put before the central directory: Android's APK Signing Block
//! (<https://source.android.com/docs/security/features/apksigning/v2>) and HarmonyOS's
//! (`hapsigntool` of <https://gitee.com/openharmony/developtools_hapsigner>).

use std::io;

use super::headers::{u32_at, u64_at};
use super::{Archive, ReadAt};

/// Whose layout a block has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Signing {
    /// Pairs behind their lengths.
    #[default]
    Android,
    /// A table of types, lengths and offsets, then the values.
    Harmony,
}

/// The values of a signing block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SigningBlock {
    /// Whose layout it has: the ids of one mean nothing to the other.
    pub signing: Signing,
    /// Ids and values in order.
    pub pairs: Vec<(u32, Vec<u8>)>,
}

const ANDROID_MAGIC: &[u8] = b"APK Sig Block 42";
/// Of apps for API 8 and later, and of those before.
const HARMONY_MAGICS: &[&[u8]] = &[b"<hap sign block>", b"HAP Sig Block 42"];
/// Size and magic.
const ANDROID_FOOTER: u64 = 24;
/// Count, size, magic, version.
const HARMONY_FOOTER: u64 = 32;
/// Type, length, offset.
const HARMONY_HEAD: usize = 12;
/// Blocks of real apps are some kilobytes; padding and channel data may add more.
const BLOCK_MAX: u64 = 16 << 20;
const PAIRS_MAX: usize = 64;

/// Reads the block that ends where the directory begins, if there is one.
///
/// # Errors
/// When the medium fails.
pub fn signing_block(archive: &Archive<'_>) -> io::Result<Option<SigningBlock>> {
    let end = archive.directory;
    let Some(at) = end.checked_sub(HARMONY_FOOTER) else { return Ok(None) };
    let footer = ReadAt::range(archive.source, at, HARMONY_FOOTER)?;
    let (signing, pairs) = if footer.get(16..) == Some(ANDROID_MAGIC) {
        (Signing::Android, android(archive.source, end, u64_at(&footer, 8))?)
    } else if footer.get(12..28).is_some_and(|magic| HARMONY_MAGICS.contains(&magic)) {
        (Signing::Harmony, harmony(archive.source, end, u64_at(&footer, 4), u32_at(&footer, 0) as usize)?)
    } else {
        return Ok(None);
    };
    Ok(Some(SigningBlock { signing, pairs }))
}

/// The size leaves out the eight bytes before the block that state it as well.
fn android(source: &dyn ReadAt, end: u64, size: u64) -> io::Result<Vec<(u32, Vec<u8>)>> {
    let mut pairs = Vec::new();
    let fits = (ANDROID_FOOTER..=BLOCK_MAX).contains(&size);
    let Some(start) = end.checked_sub(size.saturating_add(8)).filter(|_| fits) else { return Ok(pairs) };
    let bytes = source.range(start + 8, size - ANDROID_FOOTER)?;
    let mut at = 0;
    while at + 12 <= bytes.len() && pairs.len() < PAIRS_MAX {
        let length = u64_at(&bytes, at) as usize;
        let Some(value) = length.checked_add(at + 8).and_then(|to| bytes.get(at + 12..to)) else { break };
        pairs.push((u32_at(&bytes, at + 8), value.to_vec()));
        at += 8 + length;
    }
    Ok(pairs)
}

/// The size counts the whole block; offsets count from its start. Values that share bytes
/// cost no more than one of the largest size: what goes beyond is cut.
fn harmony(source: &dyn ReadAt, end: u64, size: u64, count: usize) -> io::Result<Vec<(u32, Vec<u8>)>> {
    let mut pairs = Vec::new();
    let Some(start) = end.checked_sub(size).filter(|_| size >= HARMONY_FOOTER) else { return Ok(pairs) };
    let heads = source.range(start, (count.min(PAIRS_MAX) * HARMONY_HEAD) as u64)?;
    let mut left = BLOCK_MAX;
    for head in heads.chunks_exact(HARMONY_HEAD) {
        let (length, offset) = (u64::from(u32_at(head, 4)), u64::from(u32_at(head, 8)));
        let there = (size - HARMONY_FOOTER).saturating_sub(offset).min(length).min(left);
        left -= there;
        pairs.push((u32_at(head, 0), source.range(start + offset, there)?.into_owned()));
    }
    Ok(pairs)
}
