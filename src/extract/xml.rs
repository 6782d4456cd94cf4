//! Binary XML: the words of layouts and menus, and the guard before the manifest's parser.

use super::Extracted;
use super::pool::{self, u16_at, u32_at};
use crate::model::{Block, Kind};

/// Deeper nesting than any layout has; the parser's recursion must never meet more.
const DEPTH_MAX: usize = 512;
/// More elements than any manifest has.
const ELEMENTS_MAX: usize = 200_000;

/// Strings of a layout or menu that people may read.
pub(super) fn strings(bytes: &[u8], place: &str, out: &mut Extracted) {
    let mut block = Block::new(Kind::Resource, place, "string");
    for (index, text) in pool::strings(bytes, 8).iter().enumerate() {
        if !text.is_empty() {
            block.push(index as u32, text);
        }
    }
    out.read.strings += block.len() as u64;
    out.facts.push(block);
}

/// Whether a document can be given to the parser: why not, otherwise.
pub(super) fn guard(bytes: &[u8]) -> Result<(), String> {
    let (mut depth, mut elements) = (0_usize, 0_usize);
    let mut at = 8_usize;
    while let (Some(kind), Some(size)) = (u16_at(bytes, at), u32_at(bytes, at + 4)) {
        match kind {
            0x0102 => {
                depth += 1;
                elements += 1;
            }
            0x0103 => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(format!("elements nested more than {DEPTH_MAX} deep"));
        }
        if elements > ELEMENTS_MAX {
            return Err(format!("more than {ELEMENTS_MAX} elements"));
        }
        at = at.saturating_add((size as usize).max(8));
    }
    Ok(())
}
