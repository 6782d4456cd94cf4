//! `resources.index`: strings in every locale.
//!
//! Written against `resource_table.cpp` and `resource_data.h` of
//! <https://gitee.com/openharmony/developtools_global_resource_tool>, which write two
//! layouts. The first (`Restool 5.0…`): a header, a `KEYS` record a configuration that
//! points to its `IDSS` list of (id, offset), and records of value and name. The second
//! (`RestoolV2 6.0…`): `KEYS` by configuration number, one `IDSS` of names by type, and a
//! data block with (configuration, offset) a resource.

use std::collections::HashMap;

use crate::extract::Input;
use crate::extract::bytes::{slice, text_of};
use crate::extract::pool::{u16_at, u32_at};
use crate::extract::resources::{Builder, Value};

/// Length of the version at the beginning.
const VERSION: usize = 128;
/// `ResType` of what carries words or paths.
const WORDS: &[u32] = &[STRING, ARRAY, PLURAL, MEDIA];
const STRING: u32 = 9;
const ARRAY: u32 = 10;
const PLURAL: u32 = 17;
const MEDIA: u32 = 19;

/// Whether these are the first bytes of an index.
pub(in crate::extract) fn is_index(head: &[u8]) -> bool {
    head.starts_with(b"Restool")
}

/// Reads an index into `builder`.
///
/// # Errors
/// Where it stops making sense; what was read before is kept.
pub(in crate::extract) fn index(input: Input<'_>, builder: &mut Builder<'_>) -> Result<(), String> {
    let bytes = input.bytes();
    let read = if bytes.starts_with(b"RestoolV2") { second(bytes, builder) } else { first(bytes, builder) };
    read.ok_or_else(|| "an index whose records point outside it".into())
}

/// Reads fields one after the other.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn u32(&mut self) -> Option<u32> {
        let value = u32_at(self.bytes, self.at)?;
        self.at += 4;
        Some(value)
    }

    fn tag(&mut self, tag: &[u8; 4]) -> Option<()> {
        (slice(self.bytes, self.at, 4)? == tag).then(|| self.at += 4)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = slice(self.bytes, self.at, length)?;
        self.at += length;
        Some(taken)
    }

    /// A configuration: a number (offset or id), then pairs of key and value.
    fn keys(&mut self) -> Option<(u32, String)> {
        self.tag(b"KEYS")?;
        let (number, count) = (self.u32()?, self.u32()?);
        let mut locale = [String::new(), String::new(), String::new()];
        let mut rest = Vec::new();
        for _ in 0..count {
            let (key, value) = (self.u32()?, self.u32()?);
            match key {
                0 => locale[0] = letters(value),
                5 => locale[1] = letters(value),
                1 => locale[2] = letters(value),
                2 => rest.push(format!("{value}dpi")),
                6 if value == 0 => rest.push("night".into()),
                _ => {}
            }
            if rest.len() > 8 {
                return None;
            }
        }
        let words: Vec<String> = locale.into_iter().chain(rest).filter(|word| !word.is_empty()).collect();
        Some((number, words.join("-")))
    }
}

/// Letters of a language, script or region, the first in the highest byte that is used.
fn letters(value: u32) -> String {
    value.to_be_bytes().into_iter().filter(u8::is_ascii_alphanumeric).map(char::from).collect()
}

fn first(bytes: &[u8], builder: &mut Builder<'_>) -> Option<()> {
    let mut cursor = Cursor { bytes, at: VERSION + 4 };
    let count = cursor.u32()?;
    for _ in 0..count {
        let (offset, config) = cursor.keys()?;
        if builder.is_full() {
            return Some(());
        }
        let mut ids = Cursor { bytes, at: offset as usize };
        ids.tag(b"IDSS")?;
        for _ in 0..ids.u32()? {
            let (_, offset) = (ids.u32()?, ids.u32()?);
            if builder.is_full() {
                return Some(());
            }
            record(bytes, offset as usize, &config, builder)?;
        }
    }
    Some(())
}

/// A record of the first layout: size, type, id, value, name.
fn record(bytes: &[u8], at: usize, config: &str, builder: &mut Builder<'_>) -> Option<()> {
    let mut cursor = Cursor { bytes, at: at.checked_add(4)? };
    let (kind, id) = (cursor.u32()?, cursor.u32()?);
    let value = sized(bytes, &mut cursor.at)?;
    let name = words(sized(bytes, &mut cursor.at)?);
    add(builder, (id, kind), &name, config, value);
    Some(())
}

fn second(bytes: &[u8], builder: &mut Builder<'_>) -> Option<()> {
    let mut cursor = Cursor { bytes, at: VERSION + 4 };
    let (count, _) = (cursor.u32()?, cursor.u32()?);
    let mut configs = HashMap::new();
    for _ in 0..count {
        let (id, config) = cursor.keys()?;
        configs.insert(id, config);
    }
    cursor.tag(b"IDSS")?;
    let (_, kinds, _) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
    for _ in 0..kinds {
        let (kind, _, count) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
        for _ in 0..count {
            let (id, offset, length) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
            let name = words(cursor.take(length as usize)?);
            values(bytes, offset as usize, (id, kind), &name, &configs, builder)?;
        }
    }
    Some(())
}

/// The values of one resource of the second layout.
fn values(
    bytes: &[u8],
    at: usize,
    of: (u32, u32),
    name: &str,
    configs: &HashMap<u32, String>,
    builder: &mut Builder<'_>,
) -> Option<()> {
    let mut cursor = Cursor { bytes, at: at.checked_add(8)? };
    for _ in 0..cursor.u32()? {
        let (config, offset) = (cursor.u32()?, cursor.u32()?);
        if builder.is_full() {
            break;
        }
        let value = sized(bytes, &mut (offset as usize))?;
        add(builder, of, name, configs.get(&config).map_or("", String::as_str), value);
    }
    Some(())
}

fn add(builder: &mut Builder<'_>, (id, kind): (u32, u32), name: &str, config: &str, value: &[u8]) {
    if !WORDS.contains(&kind) {
        return builder.skip();
    }
    let word = match kind {
        STRING => "string",
        ARRAY => "strarray",
        PLURAL => "plural",
        _ => "media",
    };
    let name = format!("{word}/{name}");
    builder.name(id, &name);
    let parts = if kind == ARRAY || kind == PLURAL { parts(value) } else { None };
    for part in parts.unwrap_or_else(|| vec![value]) {
        builder.add(id, config, Value::Text(words(part)), || name.clone());
    }
}

/// The members of an array or plural: each with its length, to the last byte or to the
/// NUL that the first layout ends a value with.
fn parts(value: &[u8]) -> Option<Vec<&[u8]>> {
    let mut at = 0;
    let mut parts = Vec::new();
    while at < value.len() && value[at..] != [0] {
        parts.push(sized(value, &mut at)?);
    }
    Some(parts)
}

/// Bytes behind their length of two bytes.
fn sized<'a>(bytes: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let length = usize::from(u16_at(bytes, *at)?);
    let found = slice(bytes, at.checked_add(2)?, length)?;
    *at += 2 + length;
    Some(found)
}

/// Text up to the NULs at its end.
fn words(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|&b| b != 0).map_or(0, |n| n + 1);
    // A wide character may end in a zero byte, which is not padding.
    let whole = if bytes.len().is_multiple_of(2) { bytes } else { &bytes[..bytes.len() - 1] };
    let text = text_of(&bytes[..end]);
    if text.contains('\u{fffd}') { text_of(whole).into_owned() } else { text.into_owned() }
}
