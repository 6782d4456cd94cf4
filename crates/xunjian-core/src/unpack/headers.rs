//! The records of a ZIP file (PKWARE APPNOTE 6.3.10), little-endian.

/// A little-endian number, or 0 past the end: every caller has checked a length or
/// wants the harmless answer.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// `PK\1\2`: a header of the central directory (4.3.12), 46 bytes and more.
pub(super) const CENTRAL: &[u8] = b"PK\x01\x02";
pub(super) const CENTRAL_LEN: usize = 46;
/// `PK\3\4`: a header before the data (4.3.7), 30 bytes and more.
pub(super) const LOCAL: &[u8] = b"PK\x03\x04";
pub(super) const LOCAL_LEN: usize = 30;
/// `PK\5\6`: the end record (4.3.16), 22 bytes and a comment of up to 65,535.
pub(super) const END: &[u8] = b"PK\x05\x06";
pub(super) const END_LEN: usize = 22;
/// `PK\6\7`: where the ZIP64 end record is (4.3.15), 20 bytes before the end record.
pub(super) const END64_LOCATOR: &[u8] = b"PK\x06\x07";
pub(super) const END64_LOCATOR_LEN: usize = 20;
/// `PK\6\6`: the ZIP64 end record (4.3.14).
pub(super) const END64: &[u8] = b"PK\x06\x06";

/// Stored.
pub(super) const STORED: u16 = 0;
/// Deflated.
pub(super) const DEFLATED: u16 = 8;

/// Sizes and offset of an entry after its ZIP64 extra field (4.5.3) has been applied.
/// Only values that are all ones are replaced, as in `libziparchive`; `true` when the
/// field is there, nothing asks for it, and it states other sizes.
pub(super) fn apply_zip64(extra: &[u8], size: &mut u64, compressed: &mut u64, offset: &mut u64) -> bool {
    let mut at = 0;
    while at + 4 <= extra.len() {
        let (id, len) = (u16_at(extra, at), usize::from(u16_at(extra, at + 2)));
        let field = extra.get(at + 4..at + 4 + len).unwrap_or(&[]);
        if id == 1 {
            let stated = [*size, *compressed];
            let mut next = 0;
            for value in [size, compressed, offset] {
                if *value == u64::from(u32::MAX) && next + 8 <= field.len() {
                    *value = u64_at(field, next);
                    next += 8;
                }
            }
            return next == 0 && field.len() >= 16 && [u64_at(field, 0), u64_at(field, 8)] != stated;
        }
        at += 4 + len;
    }
    false
}
