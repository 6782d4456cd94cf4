//! `XmlNode`: a manifest, layout or menu of an app bundle.

use apk_info_xml::Element;
use prost::Message;

use super::schema::{Item, ItemValue, PrimitiveValue, XmlAttribute, XmlElement, XmlNode};
use super::text_of;
use crate::extract::Input;

/// A document of more bytes is none: the largest manifests take a tenth of it. Two bytes
/// of input can become a hundred in memory, so this is what bounds it. Nesting is bounded
/// by the decoder: 100 messages, which is 50 elements.
const BYTES_MAX: usize = 2 << 20;

/// Whether these are the first bytes of such a document: field 1 (`element`), its length,
/// and a field that an element may begin with.
pub(in crate::extract) fn is_document(bytes: &[u8]) -> bool {
    let Some((&0x0a, rest)) = bytes.split_first() else { return false };
    let width = rest.iter().take(5).position(|b| b & 0x80 == 0).map(|n| n + 1);
    let first = width.and_then(|width| rest.get(width));
    matches!(first, Some(0x0a | 0x12 | 0x1a))
}

/// More attributes than any element has: names are compared with each other.
const ATTRIBUTES_MAX: usize = 512;

/// Decodes a document.
///
/// # Errors
/// When it is no such document, too long, or nested too deep.
pub(in crate::extract) fn document(input: Input<'_>) -> Result<Element, String> {
    element(root(input)?)
}

/// Every value and every text of a document, in its order.
///
/// # Errors
/// As of [`document`].
pub(in crate::extract) fn words(input: Input<'_>) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    collect(root(input)?, &mut words);
    Ok(words)
}

fn root(input: Input<'_>) -> Result<XmlElement, String> {
    let bytes = input.bytes();
    if bytes.len() > BYTES_MAX {
        return Err(format!("more than {BYTES_MAX} bytes"));
    }
    let node = XmlNode::decode(bytes).map_err(|e| e.to_string())?;
    node.element.map(|root| *root).ok_or_else(|| "no element".into())
}

fn element(from: XmlElement) -> Result<Element, String> {
    if from.attribute.len() > ATTRIBUTES_MAX {
        return Err(format!("an element with {} attributes", from.attribute.len()));
    }
    let mut to = Element::with_capacity(&from.name, from.attribute.len());
    for attribute in from.attribute {
        to.set_attribute(&attribute.name, &value_of(&attribute));
    }
    for child in from.child.into_iter().filter_map(|node| node.element) {
        to.append_child(element(*child)?);
    }
    Ok(to)
}

fn collect(from: XmlElement, words: &mut Vec<String>) {
    words.extend(from.attribute.iter().map(value_of));
    for child in from.child {
        words.push(child.text);
        if let Some(element) = child.element {
            collect(*element, words);
        }
    }
}

/// A value in the words of a binary document: references as `@7f010203`, else by name.
fn value_of(attribute: &XmlAttribute) -> String {
    let compiled = attribute.compiled_item.as_deref().and_then(plain);
    compiled.unwrap_or_else(|| attribute.value.clone())
}

fn plain(item: &Item) -> Option<String> {
    match item.value.as_ref()? {
        ItemValue::Ref(to) => match (to.kind, to.id, to.name.as_str()) {
            // An attribute of the theme says nothing here.
            (1, ..) | (_, 0, "") => None,
            (_, 0, name) => Some(format!("@{name}")),
            (_, id, _) => Some(format!("@{id:08x}")),
        },
        ItemValue::Prim(primitive) => match primitive.value? {
            PrimitiveValue::Decimal(number) => Some(number.to_string()),
            PrimitiveValue::Hexadecimal(number) => Some(format!("{number:#x}")),
            PrimitiveValue::Boolean(value) => Some(value.to_string()),
        },
        other => text_of(other).map(str::to_owned),
    }
}
