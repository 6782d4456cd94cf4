//! Unity's asset bundles (`UnityFS`), `data.unity3d` among them: texts, prefabs and scenes.
//!
//! Unity publishes no description. The layout is that which the readers of the field
//! agree on (AssetStudio, UnityPy): a header in big-endian numbers, a directory of blocks
//! and of files, blocks packed with LZ4, LZMA or not at all. The ciphers of the Chinese
//! edition are not read, and said so.

use super::bytes::{slice, u16_be, u32_be};
use super::{Extracted, Input, lz4, native, packed};
use crate::model::{Kind, Limit, LimitCode, Meter};

/// How bundles begin: the present form, and three older ones that are not read.
const MAGICS: &[&[u8]] = &[MAGIC, b"UnityWeb\0", b"UnityRaw\0", b"UnityArchive\0"];
const MAGIC: &[u8] = b"UnityFS\0";
/// The directory stands at the end of the file.
const AT_END: u32 = 0x80;
/// The first block begins on 16 bytes.
const PADDED: u32 = 0x200;
/// Blocks and files of one bundle at most.
const PARTS_MAX: usize = 100_000;
/// Steps that a file costs beside its bytes.
const FILE_STEPS: u64 = 64;

/// Whether these are the first bytes of a bundle.
pub(super) fn is_bundle(head: &[u8]) -> bool {
    MAGICS.iter().any(|magic| head.starts_with(magic))
}

/// Takes the strings of a bundle's files; textures and sounds (`.resS`, `.resource`) hold none.
pub(super) fn read(input: Input<'_>, out: &mut Extracted) {
    let (place, budget) = (input.place, input.budget());
    let Some(bundle) = Bundle::parse(input.bytes()) else {
        let detail = "a Unity bundle of a form that is not read";
        return out.limits.push(Limit::new(LimitCode::UnreadFormat, place, detail));
    };
    let stated: u64 = bundle.blocks.iter().map(|block| block.length as u64).sum();
    if stated > budget.entry_bytes || !budget.take(stated) {
        let detail = format!("larger than {} bytes; the rest was not read", budget.entry_bytes);
        return out.limits.push(Limit::new(LimitCode::OverBudget, place, detail));
    }
    let (content, unread) = bundle.unpack();
    if unread > 0 {
        let detail = format!(
            "{unread} of {} blocks of a Unity bundle are packed in a way that is not read",
            bundle.blocks.len()
        );
        out.limits.push(Limit::new(LimitCode::UnreadFormat, place, detail));
    }
    let mut left = content.len();
    for file in &bundle.files {
        let is_media = file.path.ends_with(".resS") || file.path.ends_with(".resource");
        let Some(inside) = slice(&content, file.at, file.length).filter(|_| !is_media) else { continue };
        let Some(rest) = left.checked_sub(inside.len()) else {
            let detail = "the files of a Unity bundle overlap; the rest was not read";
            return out.limits.push(Limit::new(LimitCode::OverBudget, place, detail));
        };
        left = rest;
        let place = format!("{place}!/{}", file.path);
        let meter = Meter::new(budget, inside.len());
        if !input.meter.steps(FILE_STEPS) {
            return;
        }
        native::read(Input::new(inside, &place, &meter), Kind::Asset, out);
        out.limits.extend(meter.limit(&place));
    }
}

struct Block {
    length: usize,
    packed: usize,
    how: u16,
}

struct File {
    path: String,
    at: usize,
    length: usize,
}

struct Bundle<'a> {
    blocks: Vec<Block>,
    files: Vec<File>,
    data: &'a [u8],
}

impl<'a> Bundle<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let version = u32_be(rest, 0)?;
        let mut at = MAGIC.len() + 4;
        for _name in ["player", "engine"] {
            at += memchr::memchr(0, bytes.get(at..)?.get(..64.min(bytes.len() - at))?)? + 1;
        }
        // The size of the file stands before them, in eight bytes.
        let number = |index: usize| u32_be(bytes, at + 8 + index * 4);
        let (packed, length, flags) = (number(0)? as usize, number(1)? as usize, number(2)?);
        at += 20;
        if version >= 7 {
            at = at.next_multiple_of(16);
        }
        let (directory, mut start) = if flags & AT_END != 0 {
            (bytes.get(bytes.len().checked_sub(packed)?..)?, at)
        } else {
            (slice(bytes, at, packed)?, at + packed)
        };
        if flags & PADDED != 0 {
            start = start.next_multiple_of(16);
        }
        let (blocks, files) = parts(&unpacked(directory, length, flags as u16)?)?;
        Some(Self { blocks, files, data: bytes.get(start..)? })
    }

    /// All blocks behind each other, and how many of them could not be unpacked.
    fn unpack(&self) -> (Vec<u8>, usize) {
        let (mut content, mut at, mut unread) = (Vec::new(), 0_usize, 0);
        for block in &self.blocks {
            let plain = slice(self.data, at, block.packed).and_then(|raw| unpacked(raw, block.length, block.how));
            at = at.saturating_add(block.packed);
            match plain {
                Some(plain) => content.extend_from_slice(&plain),
                // What follows keeps its offset; what is past the file has none.
                None if at <= self.data.len() => {
                    unread += 1;
                    content.resize(content.len() + block.length, 0);
                }
                None => unread += 1,
            }
        }
        (content, unread)
    }
}

/// Bytes of a block, packed as the lower six bits of its flags say.
fn unpacked(raw: &[u8], length: usize, flags: u16) -> Option<Vec<u8>> {
    match flags & 0x3f {
        0 => (raw.len() == length).then(|| raw.to_vec()),
        1 => packed::lzma_block(raw, length),
        2 | 3 => lz4::block(raw, length),
        _ => None,
    }
}

/// The directory: a hash, the blocks, the files.
fn parts(directory: &[u8]) -> Option<(Vec<Block>, Vec<File>)> {
    let count = u32_be(directory, 16)? as usize;
    let mut at = 20;
    let mut blocks = Vec::new();
    for _ in 0..count.min(PARTS_MAX) {
        let (length, packed) = (u32_be(directory, at)? as usize, u32_be(directory, at + 4)? as usize);
        blocks.push(Block { length, packed, how: u16_be(directory, at + 8)? });
        at += 10;
    }
    let count = u32_be(directory, at)? as usize;
    at += 4;
    let mut files = Vec::new();
    for _ in 0..count.min(PARTS_MAX) {
        let wide = |at: usize| Some(u64::from(u32_be(directory, at)?) << 32 | u64::from(u32_be(directory, at + 4)?));
        let (from, length) = (usize::try_from(wide(at)?).ok()?, usize::try_from(wide(at + 8)?).ok()?);
        let path = directory.get(at + 20..)?;
        let path = &path[..memchr::memchr(0, &path[..path.len().min(512)])?];
        files.push(File { path: String::from_utf8_lossy(path).into_owned(), at: from, length });
        at += 21 + path.len();
    }
    Some((blocks, files))
}
