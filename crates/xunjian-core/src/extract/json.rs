//! The JSON files that say who an app is.

use serde_json::Value;

/// No manifest is longer, and values take some ten times the bytes of their text.
const BYTES_MAX: usize = 4 << 20;

/// The object in a file; nesting is bounded by the parser.
pub(super) fn object(bytes: &[u8]) -> Option<Value> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value: Value = serde_json::from_slice(text.get(..BYTES_MAX.min(text.len()))?).ok()?;
    value.is_object().then_some(value)
}

/// The text at `pointer`; numbers count as text, for some tools write them so.
pub(super) fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(value)) => value.to_string(),
        _ => String::new(),
    }
}

/// The number at `pointer`, be it written as text.
pub(super) fn number(value: &Value, pointer: &str) -> u64 {
    text(value, pointer).trim().parse().unwrap_or(0)
}

/// The members of the array at `pointer`.
pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}
