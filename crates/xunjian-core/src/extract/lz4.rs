//! Blocks of LZ4 (<https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>).
//!
//! Our own, and small, because stores of assemblies pad their blocks: the length of what
//! comes out is known, that of what goes in is not, and decoders at hand want the latter.

/// LZ4 makes at most this many bytes of one.
const RATIO: usize = 255;

/// Unpacks the block at the start of `bytes` until `length` bytes are there; `None` when
/// it is no such block.
pub(super) fn block(bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    if length > bytes.len().checked_mul(RATIO)?.checked_add(64)? {
        return None;
    }
    let mut out = Vec::with_capacity(length);
    let mut at = 0;
    while out.len() < length {
        let token = usize::from(*bytes.get(at)?);
        at += 1;
        let literals = number(token >> 4, bytes, &mut at)?;
        out.extend_from_slice(super::bytes::slice(bytes, at, literals)?);
        at += literals;
        // The last sequence is literals alone.
        if out.len() >= length {
            break;
        }
        let offset = usize::from(u16::from_le_bytes(*bytes.get(at..)?.first_chunk::<2>()?));
        at += 2;
        let copied = number(token & 15, bytes, &mut at)? + 4;
        let from = out.len().checked_sub(offset).filter(|_| offset > 0)?;
        if out.len() + copied > length {
            return None;
        }
        // A match may run into what it writes: then it repeats itself.
        (from..from + copied).for_each(|i| out.push(out[i]));
    }
    (out.len() == length).then_some(out)
}

/// A length: four bits, and while those or the byte before are full, one byte more.
fn number(start: usize, bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut sum = start;
    if start == 15 {
        loop {
            let byte = *bytes.get(*at)?;
            *at += 1;
            sum += usize::from(byte);
            if byte != 255 {
                break;
            }
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_lz4_packs_comes_out_whatever_follows(
            text in prop::collection::vec("[ab拍照搜题]{0,9}", 0..80), tail in prop::collection::vec(any::<u8>(), 0..20)
        ) {
            let text = text.concat().into_bytes();
            let packed = [lz4_flex::block::compress(&text), tail].concat();
            prop_assert_eq!(block(&packed, text.len()), Some(text));
        }

        #[test]
        fn noise_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), length in 0_usize..100_000) {
            prop_assert!(block(&bytes, length).is_none_or(|out| out.len() == length));
        }
    }
}
