//! Binary XML: the words of layouts and menus.

use super::{Extracted, Input, pool, proto, text};
use crate::model::{Block, Kind, Limit, LimitCode};

/// Strings of a layout or menu that people may read.
pub(super) fn strings(input: Input<'_>, out: &mut Extracted) {
    let place = input.place;
    if !input.bytes().starts_with(&[3, 0]) {
        out.limits.push(Limit::new(LimitCode::TamperedResources, place, "binary XML with a wrong first byte"));
    }
    let mut block = Block::new(Kind::Resource, place, "string");
    for (index, text) in pool::strings(input, 8).iter().enumerate() {
        if !text.is_empty() {
            block.push(index as u32, text);
        }
    }
    // What only begins like it is text, or data.
    if block.is_empty() {
        return text::read(input, out);
    }
    out.read.strings += block.len() as u64;
    out.facts.push(block);
}

/// The same of an app bundle, whose documents have no magic; whether it is one.
pub(super) fn bundled(path: &str, input: Input<'_>, out: &mut Extracted) -> bool {
    let (bytes, place) = (input.bytes(), input.place);
    if !path.ends_with(".xml") || !proto::is_document(bytes) {
        return false;
    }
    let Ok(words) = proto::words(input) else { return false };
    let mut block = Block::new(Kind::Resource, place, "string");
    for (index, text) in words.iter().enumerate().filter(|(_, t)| !t.trim().is_empty()) {
        block.push(index as u32, text);
    }
    out.read.strings += block.len() as u64;
    out.facts.push(block);
    true
}
