//! Tape archives: files in a row, each behind a header of 512 bytes (POSIX.1-1988 `ustar`,
//! the older form without that word, GNU's and `pax`'s long names). Offline packages of mPaaS
//! (`.amr`) are such archives.

use super::bytes::slice;
use super::{Extracted, Input};
use crate::model::{Block, Kind, Limit, LimitCode};

/// Length of a header, and what contents are padded to.
const BLOCK: usize = 512;
/// Steps that a file costs beside its bytes.
const FILE_STEPS: u64 = 64;
/// Longest name kept.
const NAME_MAX: usize = 1_024;

/// Whether these bytes begin an archive: the sum of its first header is right.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    bytes.len() >= BLOCK && bytes[0] != 0 && bytes[0] >= b' ' && is_header(&bytes[..BLOCK])
}

fn is_header(header: &[u8]) -> bool {
    let stated = octal(&header[148..156]);
    let sum: u64 =
        header.iter().enumerate().map(|(at, &b)| if (148..156).contains(&at) { 32 } else { u64::from(b) }).sum();
    stated == Some(sum)
}

/// A number in octal digits; GNU writes large ones as bytes behind 0x80.
fn octal(field: &[u8]) -> Option<u64> {
    if field.first() == Some(&0x80) {
        return field[1..].iter().try_fold(0_u64, |all, &b| all.checked_mul(256)?.checked_add(u64::from(b)));
    }
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|b| !(b'0'..=b'7').contains(b)).unwrap_or(digits.len());
    if end == 0 {
        return None;
    }
    digits[..end].iter().try_fold(0_u64, |all, b| all.checked_mul(8)?.checked_add(u64::from(b - b'0')))
}

/// Reads each file of an archive as an entry of its own.
pub(super) fn read(input: Input<'_>, out: &mut Extracted) {
    if input.is_too_deep(out) {
        return;
    }
    let (bytes, place) = (input.bytes(), input.place);
    let mut names = Block::new(Kind::File, place, "entry");
    let (mut at, mut index) = (0, 0_u32);
    let mut long_name: Option<String> = None;
    while let Some(header) = slice(bytes, at, BLOCK).filter(|header| header[0] != 0) {
        let size = octal(&header[124..136]).and_then(|size| usize::try_from(size).ok());
        let Some(size) = size.filter(|_| is_header(header)) else {
            out.limits.push(Limit::new(LimitCode::BadFormat, place, "a tape archive breaks off at a bad header"));
            break;
        };
        let rest = &bytes[at + BLOCK..];
        let content = rest.get(..size).unwrap_or(rest);
        if content.len() < size {
            let detail = format!("breaks off after {} of {size} bytes", content.len());
            out.limits.push(Limit::new(LimitCode::UnreadableEntry, place, detail));
        }
        at = at.saturating_add(BLOCK).saturating_add(size.next_multiple_of(BLOCK));
        match header[156] {
            b'L' => long_name = Some(text(content)),
            b'x' | b'X' => long_name = path_of(content).or(long_name),
            b'0' | 0 | b'7' => {
                let name = long_name.take().unwrap_or_else(|| name(header));
                names.push(index, &name);
                index += 1;
                if !input.meter.steps(FILE_STEPS) {
                    break;
                }
                let inside = super::inner(&name, &format!("{place}!/{name}"), content, input);
                out.take_in(inside);
            }
            _ => long_name = None,
        }
    }
    out.facts.push(names);
}

fn name(header: &[u8]) -> String {
    let prefix = if &header[257..262] == b"ustar" { text(&header[345..500]) } else { String::new() };
    let name = text(&header[..100]);
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

/// The path of a `pax` header: `27 path=…` and a line end.
fn path_of(content: &[u8]) -> Option<String> {
    let at = memchr::memmem::find(content, b" path=")? + b" path=".len();
    let rest = &content[at..];
    Some(text(&rest[..memchr::memchr(b'\n', rest)?]))
}

/// Text up to its NUL, in UTF-8 or what it is in.
fn text(raw: &[u8]) -> String {
    let raw = &raw[..memchr::memchr(0, raw).unwrap_or(raw.len()).min(NAME_MAX)];
    let text = super::encoding::decode(raw).unwrap_or_else(|| String::from_utf8_lossy(raw));
    text.trim_start_matches("./").trim_end_matches('\n').to_owned()
}
