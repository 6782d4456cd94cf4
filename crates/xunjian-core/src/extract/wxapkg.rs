//! Mini-program packages: files in a row behind an index.
//!
//! The format is WeChat's own and undocumented; the layout here is the one that the
//! public unpackers agree on: `be`, two numbers, length of the index, `ed`, then name,
//! offset and length of each file, all big-endian. Encrypted ones are opened by
//! [`super::wxapkg_sealed`].

use super::bytes::{slice, u32_be};
use super::{Extracted, Input, wxapkg_sealed};
use crate::model::{Block, Kind, Limit, LimitCode};

/// Length of the header and the count behind it.
const HEADER: usize = 18;
/// Bytes that an entry of the index takes beside its name.
const ENTRY: usize = 12;
/// Names longer than this are no paths.
const NAME_MAX: usize = 1_024;
/// Steps that a file costs beside its bytes.
const FILE_STEPS: u64 = 64;

/// Whether these are the first bytes of a package: the index stays under 16 MiB, so that
/// a text in GB 18030 is not taken for one.
pub(super) const fn is_package(head: &[u8]) -> bool {
    matches!(head, [0xbe, _, _, _, _, 0, _, _, _, _, _, _, _, 0xed, ..])
}

/// Reads each file of a package as an entry of its own, one package deep.
pub(super) fn read(input: Input<'_>, out: &mut Extracted) {
    if input.is_too_deep(out) {
        return;
    }
    let (bytes, place) = (input.bytes(), input.place);
    let count = u32_be(bytes, 14).unwrap_or(0) as usize;
    let mut names = Block::new(Kind::File, place, "entry");
    let mut at = HEADER;
    let mut left = bytes.len();
    let mut outside = 0_usize;
    for index in 0..count.min(bytes.len() / ENTRY) {
        let Some(((name, offset, length), next)) = entry(bytes, at) else {
            outside += count - index;
            break;
        };
        at = next;
        if !input.meter.steps(FILE_STEPS) {
            break;
        }
        names.push(index as u32, &name);
        let Some(content) = slice(bytes, offset, length) else {
            outside += 1;
            continue;
        };
        // Entries that share bytes could make the whole far larger than the package.
        if length > left {
            let detail = format!("its files overlap: they were read up to number {index}");
            out.limits.push(Limit::new(LimitCode::OverBudget, place, detail));
            break;
        }
        left -= length;
        inner(&name, input, content, out);
    }
    if outside > 0 {
        let detail = format!("{outside} of {count} files of the mini-program are not in it");
        out.limits.push(Limit::new(LimitCode::BadFormat, place, detail));
    }
    out.facts.push(names);
}

/// Name, offset and length of the file at `at` of the index, and where the next begins.
fn entry(bytes: &[u8], at: usize) -> Option<((String, usize, usize), usize)> {
    let length = u32_be(bytes, at)? as usize;
    let name = slice(bytes, at + 4, length).filter(|_| length <= NAME_MAX)?;
    let numbers = at + 4 + length;
    let (offset, size) = (u32_be(bytes, numbers)? as usize, u32_be(bytes, numbers + 4)? as usize);
    let name = String::from_utf8_lossy(name).trim_start_matches('/').to_owned();
    Some(((name, offset, size), numbers + 8))
}

fn inner(name: &str, input: Input<'_>, content: &[u8], out: &mut Extracted) {
    let place = format!("{}!/{name}", input.place);
    if is_package(content) {
        let detail = "a mini-program within a mini-program was not opened";
        return out.limits.push(Limit::new(LimitCode::OverBudget, &place, detail));
    }
    out.take_in(super::inner(name, &place, content, input));
}

/// A package that is encrypted, read with the id of the program where its own name or a
/// folder's on the way to it says it; whether it was opened.
pub(super) fn sealed(input: Input<'_>, out: &mut Extracted) -> bool {
    let (bytes, place) = (input.bytes(), input.place);
    if !wxapkg_sealed::is_sealed(bytes) || !input.meter.decode(bytes.len()) {
        return false;
    }
    let ids = wxapkg_sealed::program_ids(place.as_bytes());
    let is_paid = input.meter.steps(wxapkg_sealed::ID_STEPS.saturating_mul(ids.len() as u64));
    if is_paid && let Some((plain, id)) = wxapkg_sealed::open(bytes, &ids) {
        let place = format!("{place} (opened with the id {id})");
        out.made_by("content=wxapkg", &place);
        read(input.part(&plain, &place), out);
        return true;
    }
    let detail = "an encrypted mini-program package (V1MMWX), the id of whose program is not known: \
                  its pages and scripts were not read";
    out.limits.push(Limit::new(LimitCode::EncryptedScript, place, detail));
    false
}
