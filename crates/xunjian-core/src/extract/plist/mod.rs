//! Property lists: `Info.plist` and localised `.strings` of iOS packages.
//!
//! Three forms: binary, XML, and the older one of keys and values in quotes that
//! `.strings` are written in. The strings of the first are facts; the other two are text
//! and are read as such. All three become one tree where the list says who an app is.

mod binary;
mod strings;
mod xml;

use serde_json::Value;

pub(super) use binary::read;

/// How a binary property list begins; two digits of a version follow.
pub(super) const MAGIC: &[u8] = b"bplist";
/// Nesting followed; lists that say who an app is have five levels.
const DEPTH_MAX: usize = 32;
/// Bytes of a list in text that is made a tree.
const BYTES_MAX: usize = 4 << 20;

/// The tree of a list of any form: dictionaries, arrays, strings, numbers, truth.
pub(super) fn value(bytes: &[u8]) -> Option<Value> {
    if bytes.starts_with(MAGIC) {
        return binary::value(bytes);
    }
    let text = super::encoding::decode(&bytes[..bytes.len().min(BYTES_MAX)])?;
    if text.trim_start().starts_with('<') { xml::value(&text) } else { strings::value(&text) }
}
