//! `ResourceTable`: the strings of an app bundle, in every locale.
//!
//! The outer messages are walked in place and only one `Entry` at a time is decoded, so
//! that a table made of a million empty messages costs no more memory than an honest one.

use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::schema::{Entry, Id, ItemValue};
use super::text_of;
use crate::extract::Input;
use crate::extract::resources::{Builder, Value};
use crate::model::Meter;

/// An entry of more bytes is none; most have some hundred, long texts in many languages
/// some ten thousand.
const ENTRY_MAX: usize = 1 << 20;

/// Whether these are the first bytes of such a table: its source pool, a package, an
/// overlayable or the fingerprint of a tool, each with its length.
pub(in crate::extract) fn is_table(bytes: &[u8]) -> bool {
    // The second of a binary table's header is in no such table: a length of nothing.
    matches!(bytes.first(), Some(0x0a | 0x12 | 0x1a | 0x22)) && bytes.get(1..4) != Some(&[0, 12, 0])
}

/// Reads a table into `builder`.
///
/// # Errors
/// What part of it does not decode; the rest was read.
pub(in crate::extract) fn table(input: Input<'_>, builder: &mut Builder<'_>) -> Result<(), String> {
    let mut walk = Walk { builder, meter: input.meter, fault: None };
    walk.each(input.bytes(), 2, Walk::package);
    walk.fault.map_or(Ok(()), Err)
}

struct Walk<'a, 'b> {
    builder: &'a mut Builder<'b>,
    meter: &'a Meter<'a>,
    /// The first thing that did not decode.
    fault: Option<String>,
}

impl Walk<'_, '_> {
    /// Hands every submessage of `field` to `visit`.
    fn each<'c>(&mut self, bytes: &'c [u8], field: u32, mut visit: impl FnMut(&mut Self, &'c [u8])) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.builder.is_full() && self.meter.step() {
            match next(&mut rest) {
                Ok(Some((found, message))) if found == field => visit(self, message),
                Ok(_) => {}
                Err(reason) => return self.fail(reason),
            }
        }
    }

    fn fail(&mut self, reason: String) {
        self.fault.get_or_insert(reason);
    }

    /// The number that a message states as its first field.
    fn id(&mut self, bytes: &[u8]) -> u32 {
        let mut id = 0;
        self.each(bytes, 1, |_, message| id = Id::decode(message).map_or(0, |m| m.id));
        id
    }

    /// `Package`: id 1, types 3.
    fn package(&mut self, bytes: &[u8]) {
        let package = self.id(bytes);
        self.each(bytes, 3, |walk, message| walk.kind(message, package));
    }

    /// `Type`: id 1, name 2, entries 3.
    fn kind(&mut self, bytes: &[u8], package: u32) {
        let id = self.id(bytes);
        let mut name = String::new();
        self.each(bytes, 2, |_, message| name = String::from_utf8_lossy(message).into_owned());
        self.each(bytes, 3, |walk, message| walk.entry(message, (package & 0xff) << 24 | (id & 0xff) << 16, &name));
    }

    fn entry(&mut self, bytes: &[u8], upper: u32, kind: &str) {
        if bytes.len() > ENTRY_MAX {
            return self.fail(format!("an entry of {} bytes", bytes.len()));
        }
        if !self.meter.decode(bytes.len()) {
            return;
        }
        let entry = match Entry::decode(bytes) {
            Ok(entry) => entry,
            Err(error) => return self.fail(error.to_string()),
        };
        let id = upper | entry.entry_id.map_or(0, |id| id.id & 0xffff);
        let name = format!("{kind}/{}", entry.name);
        self.builder.name(id, &name);
        for stated in entry.config_value {
            let config = stated.config.map(|c| c.words()).unwrap_or_default();
            for item in stated.value.map(super::schema::Value::items).unwrap_or_default() {
                if let Some(value) = value_of(&item) {
                    self.builder.add(id, &config, value, || name.clone());
                }
            }
        }
    }
}

fn value_of(item: &ItemValue) -> Option<Value> {
    match item {
        ItemValue::Ref(to) if to.id != 0 => Some(Value::Reference(to.id)),
        ItemValue::Ref(_) => None,
        other => text_of(other).map(|text| Value::Text(text.to_owned())),
    }
}

/// The next field: its number and its bytes where it is a message or text.
fn next<'a>(rest: &mut &'a [u8]) -> Result<Option<(u32, &'a [u8])>, String> {
    let (field, wire) = decode_key(rest).map_err(|e| e.to_string())?;
    if wire != WireType::LengthDelimited {
        skip_field(wire, field, rest, DecodeContext::default()).map_err(|e| e.to_string())?;
        return Ok(None);
    }
    let length = decode_varint(rest).map_err(|e| e.to_string())?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let (message, after) = rest.split_at_checked(length).ok_or("a field ends past its message")?;
    *rest = after;
    Ok(Some((field, message)))
}
