//! Ark bytecode, `ets/modules.abc`: string literals and names of classes.
//!
//! Written against `docs/file_format.md` of
//! <https://gitee.com/openharmony/arkcompiler_runtime_core>: a header, an index of
//! classes, and items that only the code refers to. A string is its length in UTF-16
//! units, doubled and with a bit for "ASCII only", then modified UTF-8, then NUL. That is
//! enough to know one when it is seen, so strings are looked for in the whole file rather
//! than through an index whose form changes with each version.

use crate::extract::bytes::{Words, decode_mutf8};
use crate::extract::dex::{dotted, is_descriptor};
use crate::extract::pool::u32_at;
use crate::extract::{Extracted, Input, native};
use crate::model::{Kind, Limit, LimitCode};
use crate::signature::is_han;

/// How a file begins.
pub(in crate::extract) const MAGIC: &[u8] = b"PANDA\0\0\0";
const HEADER: usize = 60;

/// Takes string literals as code, and the names of the classes it defines.
pub(in crate::extract) fn read(input: Input<'_>, out: &mut Extracted) {
    let before = out.facts.blocks.len();
    strings(input, out);
    classes(input, out);
    if out.facts.blocks[before..].iter().all(|block| block.is_empty()) {
        out.limits.push(Limit::new(LimitCode::BadDex, input.place, "bytecode without a class or a string"));
        native::read(input, Kind::Code, out);
    }
}

fn classes(input: Input<'_>, out: &mut Extracted) {
    let (bytes, place) = (input.bytes(), input.place);
    let (Some(stated), Some(at)) = (u32_at(bytes, 28), u32_at(bytes, 32)) else {
        return out.limits.push(Limit::new(LimitCode::BadDex, place, "shorter than its header"));
    };
    let (stated, at) = (stated as usize, at as usize);
    let count = stated.min(bytes.len().saturating_sub(at) / 4);
    if count < stated {
        let detail = format!("states {stated} classes, holds at most {count}");
        out.limits.push(Limit::new(LimitCode::BadDex, place, detail));
    }
    let mut names = Words::new(Kind::Class, place, "class", bytes.len(), input.meter);
    let (mut read, mut lost) = (0_u64, 0_usize);
    for index in 0..count {
        let string = u32_at(bytes, at + index * 4).and_then(|offset| string_at(bytes, offset as usize));
        if !input.meter.decode(string.map_or(1, |(raw, _)| raw.len())) {
            break;
        }
        match string.and_then(|(raw, _)| dotted(&decoded(raw))) {
            Some(name) => {
                names.push(index, &name);
                read += 1;
            }
            None => lost += 1,
        }
        if names.is_full() {
            break;
        }
    }
    if lost > 0 {
        let detail = format!("{lost} classes lie outside the file or have no name");
        out.limits.push(Limit::new(LimitCode::BadDex, place, detail));
    }
    out.read.classes += read;
    names.finish(out);
}

/// Bytes of the string at an offset, and whether it says that it is ASCII.
fn string_at(bytes: &[u8], at: usize) -> Option<(&[u8], bool)> {
    let (value, width) = length(bytes.get(at..)?)?;
    let rest = &bytes[at + width..];
    Some((&rest[..memchr::memchr(0, rest)?], value & 1 == 1))
}

/// A number in LEB128, and how many bytes it takes.
fn length(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (index * 7);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

fn decoded(raw: &[u8]) -> String {
    let mut text = String::new();
    match std::str::from_utf8(raw) {
        Ok(plain) => text.push_str(plain),
        Err(_) => decode_mutf8(raw, &mut text),
    }
    text
}

/// Every run of bytes up to a NUL that holds a length which fits what follows it.
fn strings(input: Input<'_>, out: &mut Extracted) {
    let bytes = input.bytes();
    let mut words = Words::new(Kind::Code, input.place, "string at", bytes.len(), input.meter);
    let mut start = HEADER.min(bytes.len());
    for end in memchr::memchr_iter(0, bytes) {
        if end < start {
            continue;
        }
        if !input.meter.step() {
            break;
        }
        if let Some((at, text)) = string_in(&bytes[start..end])
            && !is_descriptor(&text)
        {
            words.push(start + at, &text);
        }
        start = end + 1;
        if words.is_full() {
            break;
        }
    }
    words.finish(out);
}

/// The longest end of `run` that is a string with its length before it. What is left is
/// counted down on the way, so that a run costs its length whatever it says.
fn string_in(run: &[u8]) -> Option<(usize, String)> {
    let mut left = Units::of(run);
    for at in 0..run.len() {
        if let Some((value, width)) = length(&run[at..]) {
            let (header, rest) = run[at..].split_at(width);
            let mut after = left;
            header.iter().for_each(|&byte| after.drop(byte));
            if after.fits(value) && (rest.len() > NOISE_MAX || is_text(&decoded(rest))) {
                return Some((at, decoded(rest)));
            }
        }
        left.drop(run[at]);
    }
    None
}

/// Longer bytes that fit a length before them are no accident.
const NOISE_MAX: usize = 32;

/// Noise that happens to fit its length is short and full of control characters.
fn is_text(text: &str) -> bool {
    let (mut count, mut odd, mut has_han) = (0_usize, 0_usize, false);
    for c in text.chars() {
        count += 1;
        odd += usize::from(c.is_control() && !c.is_whitespace() || c == char::REPLACEMENT_CHARACTER);
        has_han |= is_han(c);
    }
    (count > 1 || has_han) && odd * 4 <= count
}

/// Characters of what is left of a run.
#[derive(Clone, Copy)]
struct Units {
    /// Bytes that begin a character.
    leads: u64,
    /// Those that begin one of four bytes, which is two units of UTF-16.
    wide: u64,
    /// Bytes outside ASCII.
    high: u64,
}

impl Units {
    fn of(run: &[u8]) -> Self {
        let count = |is: fn(u8) -> bool| run.iter().filter(|&&b| is(b)).count() as u64;
        Self { leads: count(|b| b & 0xc0 != 0x80), wide: count(|b| b >= 0xf0), high: count(|b| b >= 0x80) }
    }

    fn drop(&mut self, byte: u8) {
        self.leads -= u64::from(byte & 0xc0 != 0x80);
        self.wide -= u64::from(byte >= 0xf0);
        self.high -= u64::from(byte >= 0x80);
    }

    fn fits(self, value: u64) -> bool {
        let units = value >> 1;
        (units == self.leads || units == self.leads + self.wide) && (value & 1 == 1) == (self.high == 0)
    }
}
