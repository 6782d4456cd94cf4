//! Chinese strings of two bytes a character in binaries.

use super::native::LONGEST;
use crate::model::Block;

/// Shortest string: pairs of bytes that could be two or three Han characters are common in code.
const SHORTEST: usize = 4;
/// Units looked at together.
const BLOCK: usize = 32;
/// Units that tell whether a string starts in the block.
const VIEW: usize = BLOCK + SHORTEST - 1;

/// Takes strings on even offsets that end in NUL or with the binary.
pub(super) fn strings(bytes: &[u8], block: &mut Block) {
    let units = bytes.as_chunks::<2>().0;
    let unit = |at: usize| u16::from_le_bytes(units[at]);
    let mut at = 0;
    while let Some(start) = next_start(units, at) {
        at = start;
        while at < units.len() && at - start < LONGEST && (is_han(unit(at)) || is_mark(unit(at))) {
            at += 1;
        }
        // Characters of real words come from the common part of the block; noise does not.
        let common = (start..at).filter(|&i| (0x4e00..0x9000).contains(&unit(i))).count();
        let ends = at >= units.len() || unit(at) == 0;
        if common * 4 >= (at - start) * 3 && ends {
            let text: String =
                char::decode_utf16((start..at).map(unit)).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            block.push((start * 2) as u32, &text);
        }
    }
}

/// Where the next [`SHORTEST`] units of text stand, of which the first is a Han character.
/// Blocks without are passed over without a branch a unit.
fn next_start(units: &[[u8; 2]], mut at: usize) -> Option<usize> {
    while at < units.len() {
        let mut view = [0_u16; VIEW];
        for (to, from) in view.iter_mut().zip(&units[at..]) {
            *to = u16::from_le_bytes(*from);
        }
        let han = view.map(|unit| u8::from(is_han(unit)));
        let mark = view.map(|unit| u8::from(is_mark(unit)));
        let mut starts = [0; BLOCK];
        for i in 0..BLOCK {
            starts[i] = han[i] & (han[i + 1] | mark[i + 1]) & (han[i + 2] | mark[i + 2]) & (han[i + 3] | mark[i + 3]);
        }
        if starts.iter().fold(0, |any, &start| any | start) != 0 {
            return starts.iter().position(|&start| start != 0).map(|i| at + i);
        }
        at += BLOCK;
    }
    None
}

/// A unified ideograph.
const fn is_han(unit: u16) -> bool {
    unit.wrapping_sub(0x4e00) < 0x5200
}

/// CJK punctuation, full-width forms and ASCII as two bytes.
const fn is_mark(unit: u16) -> bool {
    (unit.wrapping_sub(0x20) < 0x5f) | (unit & 0xff00 == 0x3000) | (unit & 0xff00 == 0xff00)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    #[test]
    fn words_between_noise() {
        let words = "拍照搜题，名师讲解";
        let mut bytes = vec![7; 90];
        bytes.extend("拍照".encode_utf16().flat_map(u16::to_le_bytes));
        bytes.extend([0; 60]);
        bytes.extend(words.encode_utf16().flat_map(u16::to_le_bytes));
        bytes.extend([0; 200]);
        let mut block = Block::new(Kind::Native, "", "offset");
        strings(&bytes, &mut block);
        assert_eq!(block.iter().map(|f| f.text).collect::<Vec<_>>(), [words]);
        assert_eq!(block.place_of(0).trim(), "offset 154");
    }
}
