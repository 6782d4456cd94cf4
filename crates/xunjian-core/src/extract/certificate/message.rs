//! Signed messages as packages carry them.

use crate::model::signed::Message;

/// Reads a message; the error says what is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<Message, String> {
    Message::read(trim_der(bytes))
}

/// Cuts what follows the outermost DER value: some signers pad the file.
fn trim_der(bytes: &[u8]) -> &[u8] {
    let length = match bytes {
        [_, n @ 0..=0x7f, ..] => 2 + usize::from(*n),
        [_, 0x81, a, ..] => 3 + usize::from(*a),
        [_, 0x82, a, b, ..] => 4 + usize::from(u16::from_be_bytes([*a, *b])),
        [_, 0x83, a, b, c, ..] => 5 + u32::from_be_bytes([0, *a, *b, *c]) as usize,
        _ => bytes.len(),
    };
    bytes.get(..length).unwrap_or(bytes)
}
