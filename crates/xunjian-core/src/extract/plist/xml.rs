//! The form in XML (<https://www.apple.com/DTDs/PropertyList-1.0.dtd>).

use serde_json::{Map, Value};

use super::DEPTH_MAX;
use crate::extract::unescape::unescape;

/// A dictionary or array that is still open.
enum Open {
    Dictionary(Map<String, Value>, String),
    Array(Vec<Value>),
}

/// The tree of the first value, data in base64 as it stands; what follows a fault is left out.
pub(super) fn value(text: &str) -> Option<Value> {
    let mut stack: Vec<Open> = Vec::new();
    let mut rest = text;
    while let Some((tag, after)) = next_tag(rest) {
        rest = after;
        let (content, _) = rest.split_once('<').unwrap_or((rest, ""));
        let done = match tag.trim_end_matches('/').trim() {
            "dict" if !tag.ends_with('/') => {
                stack.push(Open::Dictionary(Map::new(), String::new()));
                None
            }
            "array" if !tag.ends_with('/') => {
                stack.push(Open::Array(Vec::new()));
                None
            }
            "/dict" | "/array" => stack.pop().map(close),
            "dict" => Some(Value::Object(Map::new())),
            "array" => Some(Value::Array(Vec::new())),
            "key" => {
                if let Some(Open::Dictionary(_, key)) = stack.last_mut() {
                    *key = unescape(content).into_owned();
                }
                None
            }
            "string" | "date" | "integer" | "real" | "data" if tag.ends_with('/') => Some(Value::String(String::new())),
            "string" | "date" | "integer" | "real" | "data" => Some(Value::String(unescape(content).into_owned())),
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        };
        if stack.len() > DEPTH_MAX {
            return None;
        }
        let Some(done) = done else { continue };
        match stack.last_mut() {
            None => return Some(done),
            Some(Open::Array(members)) => members.push(done),
            Some(Open::Dictionary(members, key)) => {
                members.insert(std::mem::take(key), done);
            }
        }
    }
    // Cut off: what is there still says something.
    let mut whole = close(stack.pop()?);
    while let Some(mut outer) = stack.pop() {
        match &mut outer {
            Open::Array(members) => members.push(whole),
            Open::Dictionary(members, key) => {
                members.insert(std::mem::take(key), whole);
            }
        }
        whole = close(outer);
    }
    Some(whole)
}

fn close(open: Open) -> Value {
    match open {
        Open::Dictionary(members, _) => Value::Object(members),
        Open::Array(members) => Value::Array(members),
    }
}

/// What stands in the next tag, and the text behind it; comments and declarations are
/// passed over.
fn next_tag(text: &str) -> Option<(&str, &str)> {
    let mut rest = text;
    loop {
        let at = rest.find('<')?;
        rest = &rest[at + 1..];
        let end = if rest.starts_with("!--") { "-->" } else { ">" };
        let close = rest.find(end)?;
        let (tag, after) = (&rest[..close], &rest[close + end.len()..]);
        if !tag.starts_with(['!', '?']) {
            return Some((tag, after));
        }
        rest = after;
    }
}
