//! Android App Bundles: manifests, layouts and resource tables as protocol buffers, and the
//! table of the packages made of one.

mod schema;
mod table;
mod toc;
mod xml;

pub(super) use table::{is_table, table};
pub use toc::toc;
pub(super) use xml::{document, is_document, words};

use schema::ItemValue;

/// The text of an item that is one.
fn text_of(item: &ItemValue) -> Option<&str> {
    match item {
        ItemValue::Str(text) | ItemValue::RawStr(text) | ItemValue::StyledStr(text) | ItemValue::File(text) => {
            Some(&text.value)
        }
        ItemValue::Ref(_) | ItemValue::Prim(_) => None,
    }
}
