//! Mini-program packages: files in a row behind an index.
//!
//! The format is WeChat's own and undocumented; the layout here is the one that the
//! public unpackers agree on: `be`, two numbers, length of the index, `ed`, then name,
//! offset and length of each file, all big-endian. Packages taken from a phone may be
//! encrypted and begin with `V1MMWX`.

use super::Extracted;
use super::bytes::{slice, u32_be};
use crate::model::{Block, Budget, Kind, Limit, LimitCode};

/// How an encrypted package begins.
const SEALED: &[u8] = b"V1MMWX";
/// Length of the header and the count behind it.
const HEADER: usize = 18;
/// Bytes that an entry of the index takes beside its name.
const ENTRY: usize = 12;
/// Names longer than this are no paths.
const NAME_MAX: usize = 1_024;

/// Whether these are the first bytes of a package: the index stays under 16 MiB, so that
/// a text in GB 18030 is not taken for one.
pub(super) const fn is_package(head: &[u8]) -> bool {
    matches!(head, [0xbe, _, _, _, _, 0, _, _, _, _, _, _, _, 0xed, ..])
}

/// Reads each file of a package as an entry of its own, one package deep.
pub(super) fn read(bytes: &[u8], place: &str, budget: &Budget, out: &mut Extracted) {
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
        names.push(index as u32, &name);
        let Some(content) = slice(bytes, offset, length) else {
            outside += 1;
            continue;
        };
        // Entries that share bytes could make the whole far larger than the package.
        if length > left || budget.is_out_of_time() {
            let detail = format!("its files overlap: they were read up to number {index}");
            out.limits.push(Limit::new(LimitCode::OverBudget, place, detail));
            break;
        }
        left -= length;
        inner(&name, place, content, budget, out);
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

fn inner(name: &str, place: &str, content: &[u8], budget: &Budget, out: &mut Extracted) {
    let place = format!("{place}!/{name}");
    if is_package(content) {
        let detail = "a mini-program within a mini-program was not opened";
        return out.limits.push(Limit::new(LimitCode::OverBudget, &place, detail));
    }
    let found = super::entry(name, &place, content, budget);
    out.facts.append(found.facts);
    out.limits.extend(found.limits);
    out.read.strings += found.read.strings;
    out.read.classes += found.read.classes;
}

/// A package that is encrypted.
pub(super) fn sealed(place: &str, bytes: &[u8]) -> Option<Limit> {
    bytes.starts_with(SEALED).then(|| {
        let detail = "an encrypted mini-program package (V1MMWX): its pages and scripts were not read";
        Limit::new(LimitCode::EncryptedScript, place, detail)
    })
}
