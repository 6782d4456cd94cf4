//! Methods of compression that Android does not know and ZIP archives of data use.

use std::io::{self, Read};

use bzip2::read::BzDecoder;
use lzma_rust2::{LzmaReader, XzReader};

use super::headers::{u16_at, u32_at};

/// Numbers of PKWARE APPNOTE 4.4.5.
const BZIP2: u16 = 12;
const LZMA: u16 = 14;
const ZSTD: u16 = 93;
const XZ: u16 = 95;
/// Memory given to LZMA, in KiB: its strongest preset asks for 64 MiB.
const LZMA_MEMORY: u32 = 80 << 10;
/// Window given to Zstandard, as a power of two.
const ZSTD_WINDOW: u32 = 23;

/// Whether [`unpack`] knows the method.
pub(super) const fn is_known(method: u16) -> bool {
    matches!(method, BZIP2 | LZMA | ZSTD | XZ)
}

/// Unpacks up to `cap` bytes; `None` where that fails. `size` is how many are said to come.
pub(super) fn unpack(method: u16, raw: &[u8], size: u64, cap: u64) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match method {
        BZIP2 => BzDecoder::new(raw).take(cap).read_to_end(&mut out),
        LZMA => lzma(raw, size, cap, &mut out),
        ZSTD => zstd(raw, cap, &mut out),
        XZ => XzReader::new_mem_limit(raw, true, LZMA_MEMORY).take(cap).read_to_end(&mut out),
        _ => return None,
    }
    .ok()
    .map(|_| out)
}

/// A version, the length of the properties, the properties, the stream (APPNOTE 5.8.8).
fn lzma(raw: &[u8], size: u64, cap: u64, out: &mut Vec<u8>) -> io::Result<usize> {
    let (length, dictionary) = (usize::from(u16_at(raw, 2)), u32_at(raw, 5));
    let stream = raw.get(4 + length..).filter(|_| length >= 5 && dictionary >> 10 <= LZMA_MEMORY);
    let stream = stream.ok_or_else(|| io::Error::other("no properties, or too large a dictionary"))?;
    LzmaReader::new_with_props(stream, size, raw[4], dictionary, None)?.take(cap).read_to_end(out)
}

fn zstd(raw: &[u8], cap: u64, out: &mut Vec<u8>) -> io::Result<usize> {
    let mut decoder = ::zstd::stream::read::Decoder::new(raw)?;
    decoder.window_log_max(ZSTD_WINDOW)?;
    decoder.take(cap).read_to_end(out)
}
