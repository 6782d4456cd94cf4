//! Assemblies of Xamarin and .NET for Android, packed one by one or in a store.
//!
//! `XALZ` is LZ4 behind a number and the length of what comes out; a store (`XABA`, since
//! .NET 9 inside `libassemblies.*.blob.so`) holds many of them. Source:
//! <https://github.com/dotnet/android/blob/main/Documentation/project-docs/AssemblyStores.md>.
//! The blocks are found by their magic, which is the same in every version of the store.

use memchr::memmem;

use super::pool::u32_at;
use super::{Extracted, Input, lz4, unity};
use crate::model::{Limit, LimitCode, Meter};

const PACKED: &[u8] = b"XALZ";
const STORE: &[u8] = b"XABA";
/// Magic, number, length.
const HEADER: usize = 12;
/// How the metadata of an assembly begins (ECMA-335 II.24.2.1).
const METADATA: &[u8] = b"BSJB";
/// Assemblies of one store at most.
const ASSEMBLIES_MAX: usize = 20_000;

/// Whether these are the first bytes of a packed assembly or of a store.
pub(super) fn is_store(head: &[u8]) -> bool {
    head.starts_with(PACKED) || head.starts_with(STORE)
}

/// Whether a native library is a store by its name.
pub(super) fn names_store(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("libassemblies.") && name.ends_with(".so")
}

/// Takes the literals of every assembly in it.
pub(super) fn read(input: Input<'_>, out: &mut Extracted) {
    let (bytes, place, budget) = (input.bytes(), input.place, input.budget());
    let (mut packed, mut unread) = (0_usize, 0_usize);
    for at in memmem::find_iter(bytes, PACKED).take(ASSEMBLIES_MAX) {
        packed += 1;
        let length = u32_at(bytes, at + 8).unwrap_or(0) as usize;
        if length as u64 > budget.entry_bytes || !budget.take(length as u64) {
            let detail = format!("larger than {} bytes; the rest was not read", budget.entry_bytes);
            return out.limits.push(Limit::new(LimitCode::OverBudget, place, detail));
        }
        match bytes.get(at + HEADER..).and_then(|raw| lz4::block(raw, length)) {
            Some(assembly) => {
                let place = format!("{place} assembly {packed}");
                let meter = Meter::new(budget, assembly.len());
                unity::assembly(Input::new(&assembly, &place, &meter), out);
                out.limits.extend(meter.limit(&place));
            }
            None => unread += 1,
        }
    }
    if unread > 0 {
        let detail = format!("{unread} of {packed} packed assemblies do not unpack");
        out.limits.push(Limit::new(LimitCode::BadFormat, place, detail));
    }
    if packed == 0 {
        plain(input, out);
    }
}

/// A store whose assemblies are not packed.
fn plain(input: Input<'_>, out: &mut Extracted) {
    let (bytes, place) = (input.bytes(), input.place);
    let roots: Vec<usize> = memmem::find_iter(bytes, METADATA).take(ASSEMBLIES_MAX).collect();
    for (index, &at) in roots.iter().enumerate() {
        // Up to the next: what overlaps would cost the square of the file.
        let end = roots.get(index + 1).copied().unwrap_or(bytes.len());
        let place = format!("{place} assembly {}", index + 1);
        unity::literals(input.part(&bytes[at..end], &place), out);
    }
    if roots.is_empty() {
        let detail = "a store of assemblies in which none was found";
        out.limits.push(Limit::new(LimitCode::UnreadFormat, place, detail));
    }
}
