//! Apps in JSON-LD, as pages write them: by schema.org's types, under any name of its vocabulary.

use serde_json::Value;

/// Objects looked at.
const OBJECTS_MAX: usize = 10_000;

/// Apps in a value, however deep, those of a graph included.
pub(super) fn apps_in(value: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let mut queue = vec![value];
    let mut seen = 0;
    while let Some(value) = queue.pop() {
        seen += 1;
        if seen > OBJECTS_MAX {
            break;
        }
        match value {
            Value::Array(all) => queue.extend(all.iter().rev()),
            Value::Object(object) if object.get("@type").is_some_and(is_app) => found.push(value.clone()),
            Value::Object(object) => queue.extend(object.values().rev().filter(|v| v.is_object() || v.is_array())),
            _ => {}
        }
    }
    found
}

/// A type that is an app: `SoftwareApplication` and what is named after it, and `VideoGame`; with or without
/// its vocabulary before it.
fn is_app(kind: &Value) -> bool {
    match kind {
        Value::String(kind) => {
            let name = kind.rsplit(['/', '#', ':']).next().unwrap_or(kind).trim();
            name.ends_with("Application") || name == "VideoGame"
        }
        Value::Array(kinds) => kinds.iter().any(|kind| kind.is_string() && is_app(kind)),
        _ => false,
    }
}

/// Character references of HTML turned into what they stand for, once.
pub(super) fn entities(text: &str) -> String {
    const NAMED: &[(&str, &str)] = &[
        ("amp", "&"),
        ("lt", "<"),
        ("gt", ">"),
        ("quot", "\""),
        ("apos", "'"),
        ("nbsp", "\u{a0}"),
        ("middot", "·"),
        ("hellip", "…"),
        ("mdash", "—"),
        ("ldquo", "“"),
        ("rdquo", "”"),
    ];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        // The longest reference that is looked for.
        let end = rest.bytes().take(12).position(|b| b == b';');
        let name = end.map(|end| &rest[1..end]);
        let named = name.and_then(|name| NAMED.iter().find(|(of, _)| *of == name)).map(|(_, is)| (*is).to_owned());
        match (named.or_else(|| name.and_then(numbered)), end) {
            (Some(text), Some(end)) => {
                out.push_str(&text);
                rest = &rest[end + 1..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// `#38` or `#x26`.
fn numbered(name: &str) -> Option<String> {
    let number = name.strip_prefix('#')?;
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_undone_once() {
        for (text, wanted) in [
            ("拍照&#25628;题 &#x62CD;", "拍照搜题 拍"),
            ("a&amp;amp;b", "a&amp;b"),
            ("AT&T; R&D &", "AT&T; R&D &"),
            ("it&apos;s &lt;b&gt;", "it's <b>"),
            ("&#0;&#x110000;&题;", "\0&#x110000;&题;"),
        ] {
            assert_eq!(entities(text), wanted);
        }
    }

    #[test]
    fn types_are_known_by_any_name() {
        for kind in ["MobileApplication", "http://schema.org/SoftwareApplication", "schema:WebApplication", "VideoGame"]
        {
            assert!(is_app(&Value::from(kind)), "{kind}");
        }
        for kind in ["Product", "ApplicationForm", "Organization"] {
            assert!(!is_app(&Value::from(kind)), "{kind}");
        }
    }
}
