//! The APK Signing Block before the central directory
//! (<https://source.android.com/docs/security/features/apksigning/v2>).

use std::io;

use super::headers::{u32_at, u64_at};
use super::{Archive, ReadAt};

/// The ID-value pairs of a signing block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SigningBlock {
    /// Pairs in order.
    pub pairs: Vec<(u32, Vec<u8>)>,
}

const MAGIC: &[u8] = b"APK Sig Block 42";
/// Blocks of real apps are some kilobytes; padding and channel data may add more.
const BLOCK_MAX: u64 = 16 << 20;
const PAIRS_MAX: usize = 64;

/// Reads the block that ends where the directory begins, if there is one.
///
/// # Errors
/// When the medium fails.
pub fn signing_block(archive: &Archive<'_>) -> io::Result<Option<SigningBlock>> {
    let end = archive.directory;
    let Some(footer_at) = end.checked_sub(24) else { return Ok(None) };
    let footer = ReadAt::range(archive.source, footer_at, 24)?;
    if footer.get(8..) != Some(MAGIC) {
        return Ok(None);
    }
    let size = u64_at(&footer, 0);
    let Some(start) = end.checked_sub(size.saturating_add(8)).filter(|_| (24..=BLOCK_MAX).contains(&size)) else {
        return Ok(None);
    };
    let bytes = ReadAt::range(archive.source, start + 8, size - 24)?;
    let mut block = SigningBlock::default();
    let mut at = 0;
    while at + 12 <= bytes.len() && block.pairs.len() < PAIRS_MAX {
        let length = u64_at(&bytes, at) as usize;
        let Some(value) = length.checked_add(at + 8).and_then(|to| bytes.get(at + 12..to)) else { break };
        block.pairs.push((u32_at(&bytes, at + 8), value.to_vec()));
        at += 8 + length;
    }
    Ok(Some(block))
}
