//! Values of an index, each taken for what it can be: one of another type costs that field, never the index.

use std::collections::BTreeMap;
use std::io::{self, Read};

use serde_json::{Map, Value};

use crate::model::loose;

/// Bytes read at once.
const PART: usize = 1 << 16;
/// Bytes of the longest escape: a pair of `\uXXXX`.
const ESCAPE: usize = 12;

/// An object of an index, and what of it was of no use.
pub(super) struct Soft<'v> {
    object: Option<&'v Map<String, Value>>,
    pub(super) lost: Vec<String>,
}

impl<'v> Soft<'v> {
    /// A value that is to be an object. What else it is counts as lost, but for `null` and the empty list that
    /// some languages write for an empty map.
    pub(super) fn new(value: Option<&'v Value>, name: &str) -> Self {
        let mut soft = Self { object: None, lost: Vec::new() };
        match value {
            Some(Value::Object(object)) => soft.object = Some(object),
            Some(value) if !is_empty(value) => soft.lost.push(name.to_owned()),
            _ => {}
        }
        soft
    }

    fn get(&self, key: &str) -> Option<&'v Value> {
        self.object?.get(key).filter(|value| !is_empty(value))
    }

    fn lose<T: Default>(&mut self, key: &str) -> T {
        self.lost.push(key.to_owned());
        T::default()
    }

    pub(super) fn text(&mut self, key: &str) -> String {
        match self.get(key) {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
            Some(_) => self.lose(key),
        }
    }

    /// A whole number, also one in a text; 0 where it is none.
    pub(super) fn number(&mut self, key: &str) -> u64 {
        let number = match self.get(key) {
            None => return 0,
            Some(Value::String(text)) => loose::whole_number(text),
            Some(value) => loose::whole_number(&value.to_string()),
        };
        number.unwrap_or_else(|| self.lose(key))
    }

    /// Texts of a list; objects in it by their `name`.
    pub(super) fn list(&mut self, key: &str) -> Vec<String> {
        let name = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Object(object) => object.get("name")?.as_str().map(str::to_owned),
            Value::Array(pair) => pair.first()?.as_str().map(str::to_owned),
            _ => None,
        };
        match self.get(key) {
            None => Vec::new(),
            Some(Value::Array(all)) => {
                let found: Vec<String> = all.iter().filter_map(name).collect();
                if found.len() < all.iter().filter(|value| !value.is_null()).count() {
                    self.lost.push(key.to_owned());
                }
                found
            }
            Some(Value::String(text)) => vec![text.clone()],
            Some(_) => self.lose(key),
        }
    }

    /// Texts by locale, those that say something; a text alone counts for every one.
    pub(super) fn texts(&mut self, key: &str) -> BTreeMap<String, String> {
        let map = match self.get(key) {
            None => return BTreeMap::new(),
            Some(Value::Object(map)) => map,
            Some(Value::String(text)) => return BTreeMap::from([(String::new(), text.clone())]),
            Some(_) => return self.lose(key),
        };
        let mut texts = BTreeMap::new();
        for (locale, value) in map {
            match value {
                Value::String(text) if text.trim().is_empty() => {}
                Value::String(text) => drop(texts.insert(locale.clone(), text.clone())),
                Value::Null => {}
                _ => self.lost.push(format!("{key}.{locale}")),
            }
        }
        texts
    }

    /// An object within; what it loses comes back with [`Soft::took`].
    pub(super) fn inner(&self, key: &str) -> Soft<'v> {
        Soft::new(self.get(key), key)
    }

    pub(super) fn took(&mut self, inner: Soft<'_>) {
        self.lost.extend(inner.lost);
    }

    /// The names in the object.
    pub(super) fn keys(&self) -> Vec<String> {
        self.object.map(|object| object.keys().cloned().collect()).unwrap_or_default()
    }

    /// The pairs of an object within.
    pub(super) fn entries(&mut self, key: &str) -> Vec<(&'v String, &'v Value)> {
        match self.get(key) {
            None => Vec::new(),
            Some(Value::Object(map)) => map.iter().collect(),
            Some(_) => self.lose(key),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// Half emojis and octets that are not UTF-8 become U+FFFD on the way, so that they cost a character and not
/// the index.
pub(super) struct Mended<R> {
    from: R,
    raw: Vec<u8>,
    out: Vec<u8>,
    at: usize,
    is_over: bool,
}

impl<R: Read> Mended<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, raw: Vec::new(), out: Vec::new(), at: 0, is_over: false }
    }

    fn fill(&mut self) -> io::Result<()> {
        while self.at == self.out.len() && !self.is_over {
            let mut part = vec![0; PART];
            let read = self.from.read(&mut part)?;
            self.is_over = read == 0;
            self.raw.extend_from_slice(&part[..read]);
            let end = if self.is_over { self.raw.len() } else { safe_end(&self.raw) };
            let text = String::from_utf8_lossy(&self.raw[..end]);
            self.out = loose::whole_emoji(&text).into_owned().into_bytes();
            self.at = 0;
            self.raw.drain(..end);
        }
        Ok(())
    }
}

impl<R: Read> Read for Mended<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.fill()?;
        let part = &self.out[self.at..];
        let length = part.len().min(into.len());
        into[..length].copy_from_slice(&part[..length]);
        self.at += length;
        Ok(length)
    }
}

/// Where bytes may be cut: within no escape and no character.
fn safe_end(raw: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = raw.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        let escape = at + found;
        if escape + ESCAPE > raw.len() {
            return escape;
        }
        let is_unit = |at: usize| raw[at..].starts_with(b"\\u");
        let is_high = is_unit(escape) && raw[escape + 2].eq_ignore_ascii_case(&b'd');
        at = escape
            + if is_high && is_unit(escape + 6) {
                ESCAPE
            } else if is_unit(escape) {
                6
            } else {
                2
            };
    }
    let tail = raw.len().saturating_sub(3).max(at.min(raw.len()));
    let lead = (tail..raw.len()).rev().find(|at| raw[*at] & 0xc0 != 0x80);
    match lead {
        Some(at) if raw[at] >= 0xc0 => at,
        _ => raw.len(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    /// Hands out a few bytes at a time.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(into.len());
            into[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    #[test]
    fn mending_does_not_depend_on_where_reads_end() {
        let text = "{\"a\":\"好\\ud83d\\ude00 \\ud83d x \\\\ud83d \\\\\\ud83d\",\"题\":\"\\ude00\\n😀\"}";
        let mut bytes = text.as_bytes().to_vec();
        let at = bytes.windows(3).position(|w| w == "题".as_bytes()).unwrap();
        bytes[at + 1] = b'x';
        let whole = loose::whole_emoji(&String::from_utf8_lossy(&bytes)).into_owned();
        for size in 1..40 {
            let mut out = String::new();
            Mended::new(Drops(&bytes, size)).read_to_string(&mut out).unwrap();
            assert_eq!(out, whole, "{size}");
        }
        assert!(serde_json::from_str::<Value>(&whole).is_ok());
    }

    #[test]
    fn values_are_taken_for_what_they_can_be() {
        let value = serde_json::json!({"a": 12.0, "b": "7", "c": null, "d": [], "e": {"x": 1}, "f": ["p", {"name": "q"}, 3],
            "g": {"zh-CN": "", "en-US": "t", "de": 3}, "h": 1e300, "i": true});
        let mut soft = Soft::new(Some(&value), "app");
        assert_eq!((soft.number("a"), soft.number("b"), soft.number("c"), soft.number("d")), (12, 7, 0, 0));
        assert_eq!((soft.text("e"), soft.text("i")), (String::new(), "true".to_owned()));
        assert_eq!(soft.list("f"), ["p", "q"]);
        assert_eq!(soft.texts("g").len(), 1);
        assert_eq!(soft.number("h"), 0);
        assert_eq!(soft.lost, ["e", "f", "g.de", "h"]);
        assert!(Soft::new(Some(&Value::from(1)), "app").lost == ["app"] && Soft::new(None, "app").lost.is_empty());
    }
}
