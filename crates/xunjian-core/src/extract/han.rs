//! What two bytes may mean in each of the encodings that Chinese is written in.
//!
//! People use the 3,755 characters of level 1 of GB 2312 most: nine of ten characters in
//! simplified text. Bytes of another kind, read as UTF-16 or GBK, seldom hit them: one pair
//! in seventeen. Two of them side by side are worth a closer look, and one table of
//! 65,536 bytes says for every pair of bytes what it would be.

use std::sync::LazyLock;

/// A character of level 1 as UTF-16LE.
pub(super) const LITTLE: u8 = 1;
/// The same as UTF-16BE.
pub(super) const BIG: u8 = 2;
/// The same as GB 2312.
pub(super) const GBK: u8 = 4;
/// A sign that may stand between characters, or half of a character beyond the basic plane,
/// as UTF-16LE.
pub(super) const LITTLE_SIGN: u8 = 8;
/// The same as UTF-16BE.
pub(super) const BIG_SIGN: u8 = 16;
/// Two bytes of zero.
pub(super) const ZERO: u8 = 32;
/// A character of level 2, or a sign, of GB 2312.
pub(super) const GBK_OTHER: u8 = 64;

static TABLE: LazyLock<Box<[u8]>> = LazyLock::new(table);

/// Meanings of every pair of bytes, by their little-endian number.
pub(super) fn meanings() -> &'static [u8] {
    &TABLE
}

/// A character that people use often.
pub(super) fn is_common(unit: u16) -> bool {
    TABLE[usize::from(unit)] & LITTLE != 0
}

fn table() -> Box<[u8]> {
    let mut table = vec![0_u8; 1 << 16].into_boxed_slice();
    for lead in 0xa1..=0xf7_u8 {
        for trail in 0xa1..=0xfe_u8 {
            let meaning = if (0xb0..=0xd7).contains(&lead) { GBK } else { GBK_OTHER };
            table[usize::from(u16::from_le_bytes([lead, trail]))] |= meaning;
            if meaning != GBK {
                continue;
            }
            let pair = [lead, trail];
            let (text, _) = encoding_rs::GBK.decode_without_bom_handling(&pair);
            let unit = text.chars().next().and_then(|c| u16::try_from(u32::from(c)).ok());
            if let Some(unit) = unit.filter(|unit| (0x4e00..0xa000).contains(unit)) {
                table[usize::from(unit)] |= LITTLE;
                table[usize::from(unit.swap_bytes())] |= BIG;
            }
        }
    }
    for unit in (0..=u16::MAX).filter(|&unit| is_sign(unit)) {
        table[usize::from(unit)] |= LITTLE_SIGN;
        table[usize::from(unit.swap_bytes())] |= BIG_SIGN;
    }
    table[0] |= ZERO;
    table
}

/// A unified ideograph, extension A included.
pub(super) const fn is_han(unit: u16) -> bool {
    unit.wrapping_sub(0x4e00) < 0x5200 || unit.wrapping_sub(0x3400) < 0x19c0
}

/// What stands between the characters of a text: ASCII, accents of pinyin, dots and dashes,
/// arrows, boxes and circled numbers, marks of the East, halves of emoji, ends of lines.
pub(super) const fn is_sign(unit: u16) -> bool {
    matches!(unit, 0x20..=0x7e | 0x09 | 0x0a | 0x0d)
        || matches!(unit, 0xa0..=0x1ff | 0x2000..=0x27bf | 0x3000..=0x33ff | 0xfe0f | 0xfe30..=0xfe4f | 0xff00..=0xffef)
        || matches!(unit, 0xd83c..=0xd83e | 0xd840..=0xd884 | 0xdc00..=0xdfff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_means_what_its_encoding_says() {
        let of = |pair: [u8; 2]| TABLE[usize::from(u16::from_le_bytes(pair))];
        assert!(of([0xcd, 0x62]) & LITTLE != 0 && of([0x62, 0xcd]) & BIG != 0 && of([0xc5, 0xc4]) & GBK != 0);
        assert!(of([0xb7, 0]) & LITTLE_SIGN != 0 && of([0, 0]) == ZERO);
        assert_eq!(TABLE.iter().filter(|meaning| **meaning & LITTLE != 0).count(), 3_755);
        assert_eq!(TABLE.iter().filter(|meaning| **meaning & GBK != 0).count(), 40 * 94);
    }
}
