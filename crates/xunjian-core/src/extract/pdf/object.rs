//! Objects of a PDF file, found by their marks.
//!
//! The table of offsets is not looked at: it may lie or be missing, and what a reader
//! shows must be marked `N G obj` all the same, or stand in an object stream.

use std::borrow::Cow;
use std::collections::HashMap;

use flate2::{Decompress, FlushDecompress, Status};

use crate::model::Meter;

/// Objects taken from one file.
const OBJECTS_MAX: usize = 200_000;
/// Bytes inflated from one stream.
const STREAM_MAX: usize = 32 << 20;
/// Bytes read and inflated of all streams and dictionaries of a file, as often as they are
/// referred to.
const TOTAL_MAX: usize = 128 << 20;
/// A dictionary beyond this is cut.
const DICT_MAX: usize = 1 << 20;
/// A stream may inflate to this many times its length, as an entry of an archive may.
const RATIO_MAX: usize = 400;

/// One object: what stands before its stream, and its stream.
#[derive(Debug, Clone)]
pub(super) struct Object<'a> {
    pub(super) dict: Cow<'a, [u8]>,
    stream: Option<&'a [u8]>,
}

/// All objects by number.
pub(super) struct Objects<'a> {
    by_number: HashMap<u32, Object<'a>>,
    left: usize,
    /// Objects looked at and bytes gone over are steps on it.
    pub(super) meter: &'a Meter<'a>,
}

impl<'a> Objects<'a> {
    pub(super) fn find(bytes: &'a [u8], meter: &'a Meter<'a>) -> Self {
        let mut objects = Self { by_number: HashMap::new(), left: TOTAL_MAX, meter };
        let mut ends = Ends { bytes, next: 0 };
        // A search starts where the object before ended: the words of a stream are none.
        let mut at = 0;
        while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memmem::find(rest, b" obj")) {
            let mark = at + found;
            at = mark + 4;
            let Some(number) = number_before(bytes, mark) else { continue };
            let (object, end) = body(bytes, at, ends.after(at));
            at = end.max(at);
            // A later object of a number replaces the earlier one.
            objects.by_number.insert(number, object);
            if objects.by_number.len() >= OBJECTS_MAX || !meter.scan(at - mark) {
                break;
            }
        }
        objects.open_streams();
        objects
    }

    pub(super) fn get(&self, number: u32) -> Option<&Object<'a>> {
        self.by_number.get(&number)
    }

    /// Takes from what may still be read; `false` when that is used up.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        // Looking anything up costs something.
        self.left = self.left.saturating_sub(bytes.max(64));
        if !self.meter.scan(bytes) {
            self.left = 0;
        }
        self.left > 0
    }

    /// Numbers of the objects, in order.
    pub(super) fn numbers(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = self.by_number.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// A stream without its filters; empty where one is not known.
    pub(super) fn stream(&mut self, number: u32) -> Vec<u8> {
        let Some(object) = self.by_number.get(&number) else { return Vec::new() };
        let Some(raw) = object.stream else { return Vec::new() };
        let filters = names_after(&object.dict, b"/Filter");
        if !self.spend(raw.len()) {
            return Vec::new();
        }
        let mut data = raw.to_vec();
        for filter in filters {
            data = match filter.as_slice() {
                b"/FlateDecode" | b"/Fl" => inflate(&data, self.left),
                b"/ASCII85Decode" | b"/A85" => ascii85(&data),
                b"/ASCIIHexDecode" | b"/AHx" => super::content::hex(&data),
                // Pictures, and LZW of the last century.
                _ => return Vec::new(),
            };
            self.spend(data.len());
        }
        data
    }

    /// Adds what stands in object streams (`/Type /ObjStm`): objects without streams.
    fn open_streams(&mut self) {
        for number in self.numbers() {
            let Some(dict) = self.by_number.get(&number).map(|o| o.dict.clone()) else { continue };
            if memchr::memmem::find(&dict, b"/ObjStm").is_none() {
                continue;
            }
            let (count, first) = (int_after(&dict, b"/N"), int_after(&dict, b"/First"));
            let data = self.stream(number);
            let (Some(count), Some(first)) = (count, first) else { continue };
            let Some((header, body)) = data.split_at_checked(first) else { continue };
            let numbers: Vec<usize> =
                header.split(u8::is_ascii_whitespace).filter_map(digits).take(count.saturating_mul(2)).collect();
            for (index, [number, offset]) in numbers.as_chunks::<2>().0.iter().enumerate() {
                let end = numbers.get(index * 2 + 3).copied().unwrap_or(body.len());
                let Some(dict) = body.get(*offset..end) else { continue };
                let Ok(number) = u32::try_from(*number) else { continue };
                let dict = &dict[..dict.len().min(DICT_MAX)];
                if self.by_number.len() >= OBJECTS_MAX || !self.spend(dict.len()) {
                    return;
                }
                self.by_number.entry(number).or_insert(Object { dict: dict.to_vec().into(), stream: None });
            }
        }
    }
}

/// The object number before ` obj`: `12 0 obj`.
fn number_before(bytes: &[u8], mark: usize) -> Option<u32> {
    let head = &bytes[mark.saturating_sub(20)..mark];
    let mut words = head.rsplit(|b| !b.is_ascii_digit()).filter(|w| !w.is_empty());
    let _generation = words.next()?;
    digits(words.next()?).and_then(|n| u32::try_from(n).ok())
}

/// Where objects end: a mark that is far off is looked for once, not once an object.
struct Ends<'a> {
    bytes: &'a [u8],
    next: usize,
}

impl Ends<'_> {
    /// The first mark at or after `at`, or the end of the file; `at` never goes back.
    fn after(&mut self, at: usize) -> usize {
        if self.next < at {
            let found = self.bytes.get(at..).and_then(|rest| memchr::memmem::find(rest, b"endobj"));
            self.next = found.map_or(self.bytes.len(), |found| at + found);
        }
        self.next
    }
}

/// The object that begins at `at` and whose mark of its end is at `end`, and where it ends.
fn body(bytes: &[u8], at: usize, end: usize) -> (Object<'_>, usize) {
    let rest = &bytes[at..];
    let end = end.saturating_sub(at).min(rest.len());
    let Some(mark) = memchr::memmem::find(&rest[..end], b"stream") else {
        return (Object { dict: Cow::Borrowed(&rest[..end.min(DICT_MAX)]), stream: None }, at + end);
    };
    let dict = &rest[..mark.min(DICT_MAX)];
    let skip = match rest.get(mark + 6..) {
        Some([b'\r', b'\n', ..]) => 2,
        Some([b'\r' | b'\n', ..]) => 1,
        _ => 0,
    };
    let data = &rest[mark + 6 + skip..];
    // The stated length holds where `endstream` follows it; it may be an object of its own.
    let stated = int_after(dict, b"/Length").filter(|&n| {
        data.get(n..(n + 12).min(data.len())).is_some_and(|tail| memchr::memmem::find(tail, b"endstream").is_some())
    });
    let length = stated.or_else(|| memchr::memmem::find(data, b"endstream")).unwrap_or(data.len());
    (Object { dict: Cow::Borrowed(dict), stream: Some(&data[..length]) }, at + mark + 6 + skip + length)
}

/// Where a key's value begins.
pub(super) fn value_after<'d>(dict: &'d [u8], key: &[u8]) -> Option<&'d [u8]> {
    memchr::memmem::find_iter(dict, key).find_map(|at| {
        let rest = &dict[at + key.len()..];
        // `/N` must not be the start of `/Name`.
        let ends = rest.first().is_none_or(|b| !b.is_ascii_alphanumeric());
        ends.then(|| rest.trim_ascii_start())
    })
}

/// A number after a key; a reference to one is none.
pub(super) fn int_after(dict: &[u8], key: &[u8]) -> Option<usize> {
    let value = value_after(dict, key)?;
    if reference(value).is_some() {
        return None;
    }
    digits(&value[..value.iter().take_while(|b| b.is_ascii_digit()).count()])
}

/// The object that `12 0 R` at the start refers to.
pub(super) fn reference(value: &[u8]) -> Option<u32> {
    let mut words = value.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
    let number = digits(words.next()?)?;
    digits(words.next()?)?;
    words.next()?.first().filter(|&&b| b == b'R')?;
    u32::try_from(number).ok()
}

/// One name or an array of names after a key.
pub(super) fn names_after(dict: &[u8], key: &[u8]) -> Vec<Vec<u8>> {
    let Some(value) = value_after(dict, key) else { return Vec::new() };
    let part = match value.first() {
        Some(b'[') => &value[1..memchr::memchr(b']', value).unwrap_or(value.len())],
        Some(b'/') => &value[..1 + value[1..].iter().take_while(|b| b.is_ascii_alphanumeric()).count()],
        _ => return Vec::new(),
    };
    let names = part.split(|&b| b == b'/').skip(1).take(8);
    names.map(|name| [b"/", name.trim_ascii()].concat()).collect()
}

fn digits(word: &[u8]) -> Option<usize> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// Inflates as much as comes out.
fn inflate(data: &[u8], left: usize) -> Vec<u8> {
    let cap = data.len().saturating_mul(RATIO_MAX).min(STREAM_MAX).min(left);
    let mut inflater = Decompress::new(true);
    let mut out: Vec<u8> = Vec::new();
    while out.len() < cap {
        out.reserve((cap - out.len()).clamp(1, 64 << 10));
        let before = (inflater.total_in(), out.len());
        let input = data.get(before.0 as usize..).unwrap_or(&[]);
        let status = inflater.decompress_vec(input, &mut out, FlushDecompress::None);
        let is_stuck = inflater.total_in() == before.0 && out.len() == before.1;
        if is_stuck || !matches!(status, Ok(Status::Ok | Status::BufError)) {
            break;
        }
    }
    out
}

/// Five characters for four bytes, ended by `~>`.
fn ascii85(data: &[u8]) -> Vec<u8> {
    let (mut out, mut group) = (Vec::with_capacity(data.len() / 5 * 4), Vec::with_capacity(5));
    let flush = |group: &mut Vec<u32>, out: &mut Vec<u8>| {
        let length = group.len();
        group.resize(5, 84);
        let word = group.iter().fold(0_u32, |n, &d| n.wrapping_mul(85).wrapping_add(d));
        out.extend_from_slice(&word.to_be_bytes()[..length.saturating_sub(1)]);
        group.clear();
    };
    for &byte in data {
        match byte {
            b'~' => break,
            b'z' if group.is_empty() => out.extend_from_slice(&[0; 4]),
            b'!'..=b'u' => group.push(u32::from(byte - b'!')),
            _ => {}
        }
        if group.len() == 5 {
            flush(&mut group, &mut out);
        }
    }
    if !group.is_empty() {
        flush(&mut group, &mut out);
    }
    out
}
