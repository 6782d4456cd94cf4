//! Binary XML: the words of layouts and menus.

use super::{Extracted, pool};
use crate::model::{Block, Kind, Limit, LimitCode};

/// Strings of a layout or menu that people may read.
pub(super) fn strings(bytes: &[u8], place: &str, out: &mut Extracted) {
    if !bytes.starts_with(&[3, 0]) {
        out.limits.push(Limit::new(LimitCode::TamperedResources, place, "binary XML with a wrong first byte"));
    }
    let mut block = Block::new(Kind::Resource, place, "string");
    for (index, text) in pool::strings(bytes, 8).iter().enumerate() {
        if !text.is_empty() {
            block.push(index as u32, text);
        }
    }
    out.read.strings += block.len() as u64;
    out.facts.push(block);
}
