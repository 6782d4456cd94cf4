//! Resource tables put in order.

use super::{Chunk, Tidy, padded};
use crate::extract::Input;
use crate::extract::pool::{u16_at, u32_at};

/// Length of a package's header (`ResTable_package`).
const PACKAGE_HEADER: usize = 288;
/// `ResTable_type::FLAG_SPARSE` and `FLAG_OFFSET16`.
const SPARSE: u8 = 1;
const OFFSET16: u8 = 2;
/// The shortest `ResTable_config` that is read.
const CONFIG_LEAST: usize = 16;
/// Length of a value of a complex entry (`ResTable_map`).
const VALUE: usize = 12;
/// Bytes that an entry and a value of one are kept in, about.
const ENTRY_KEPT: usize = 16;
const VALUE_KEPT: usize = 8;

/// Puts a resource table in order: the first string pool, and of each package its two
/// pools, type specifications and types. Library, overlay and alias chunks say nothing
/// that an audit asks for and are left out.
///
/// # Errors
/// When it holds no strings.
pub(in crate::extract) fn table<'m>(input: Input<'m>) -> Result<Tidy<'m>, String> {
    let bytes = input.bytes();
    let mut tidy = Tidy::new(input.meter);
    let (mut at, limit) = tidy.outermost(bytes, 2, 12)?;
    let mut pool = None;
    let mut packages = Vec::new();
    while let Some(chunk) = tidy.chunk(bytes, at, limit) {
        match chunk.kind {
            0x0001 if pool.is_none() => pool = Some(chunk),
            0x0200 => packages.push(chunk),
            kind => {
                tidy.odd(|| format!("a chunk of type {kind:#06x} lies where it means nothing"));
            }
        }
        at = chunk.end;
    }
    let start = tidy.begin(2, 12);
    tidy.u32(packages.len() as u32);
    tidy.pool(bytes, pool.ok_or("no string pool")?);
    for package in packages {
        tidy.package(bytes, package);
    }
    tidy.end(start);
    Ok(tidy)
}

impl Tidy<'_> {
    fn package(&mut self, bytes: &[u8], package: Chunk) {
        let header = package.body - package.at;
        // Tables before Android 5 lack the last field.
        if header != PACKAGE_HEADER && header != PACKAGE_HEADER - 4 {
            self.odd(|| format!("a package has a header of {header} bytes"));
        }
        let named = |field: usize| u32_at(bytes, package.at + field).map(|n| package.at.saturating_add(n as usize));
        let (types_at, keys_at) = (named(268), named(276));
        let (mut types, mut keys) = (None, None);
        let mut rest = Vec::new();
        let mut at = package.body;
        while let Some(chunk) = self.chunk(bytes, at, package.end) {
            match chunk.kind {
                0x0001 if Some(chunk.at) == types_at || types.is_none() && Some(chunk.at) != keys_at => {
                    types = Some(chunk)
                }
                0x0001 if Some(chunk.at) == keys_at || keys.is_none() => keys = Some(chunk),
                0x0201 | 0x0202 => rest.push(chunk),
                0x0203..=0x0206 => {}
                kind => {
                    self.odd(|| format!("a chunk of type {kind:#06x} lies where it means nothing"));
                }
            }
            at = chunk.end;
        }
        // Without both pools there are no names; what the pool of the table holds is read all the same.
        let (Some(types), Some(keys)) = (types, keys) else { return self.empty_package(bytes, package) };
        let start = self.package_header(bytes, package);
        let body = self.bytes.len();
        self.pool(bytes, types);
        let keys_start = self.bytes.len();
        self.pool(bytes, keys);
        self.bytes[start + 268..start + 272].copy_from_slice(&((body - start) as u32).to_le_bytes());
        self.bytes[start + 276..start + 280].copy_from_slice(&((keys_start - start) as u32).to_le_bytes());
        for chunk in rest {
            if chunk.kind == 0x0201 && !self.pays_for(bytes, chunk) {
                break;
            }
            let at = self.bytes.len();
            self.bytes.extend_from_slice(&bytes[chunk.at..chunk.end]);
            self.end(at);
        }
        self.end(start);
    }

    /// Pays for the entries that the parser makes of a type, where it looks for them: behind
    /// the configuration. Entries may share bytes, and one may hold many values.
    fn pays_for(&self, bytes: &[u8], chunk: Chunk) -> bool {
        let field = |at: usize| u32_at(bytes, chunk.at + at).map_or(0, |n| n as usize);
        let (flags, count) = (bytes.get(chunk.at + 9).copied().unwrap_or(0), field(12));
        let width = if flags & (SPARSE | OFFSET16) == OFFSET16 { 2 } else { 4 };
        let index = chunk.at.saturating_add(20).saturating_add(field(20).max(CONFIG_LEAST));
        let entries = index.saturating_add(count.saturating_mul(width)).next_multiple_of(4);
        for number in 0..count.min(chunk.end.saturating_sub(index) / width) {
            let at = index + number * width;
            let offset = match (flags & SPARSE != 0, flags & OFFSET16 != 0) {
                (true, _) => u16_at(bytes, at + 2).map_or(0, |n| usize::from(n) * 4),
                (_, true) => u16_at(bytes, at).map_or(0, |n| usize::from(n) * 4),
                _ => u32_at(bytes, at).map_or(0, |n| n as usize),
            };
            let entry = entries.saturating_add(offset);
            let is_complex = u16_at(bytes, entry.saturating_add(2)).is_some_and(|flags| flags & 1 != 0);
            let values = u32_at(bytes, entry.saturating_add(12)).filter(|_| is_complex).map_or(0, |n| n as usize);
            // The parser keeps as many as there are, whatever is stated.
            let values = values.min(bytes.len().saturating_sub(entry) / VALUE);
            if !self.meter.decode(ENTRY_KEPT + values * VALUE_KEPT) {
                return false;
            }
        }
        true
    }

    fn package_header(&mut self, bytes: &[u8], package: Chunk) -> usize {
        let start = self.begin(0x0200, PACKAGE_HEADER as u16);
        self.bytes.extend_from_slice(&padded::<{ PACKAGE_HEADER - 8 }>(bytes, package.at + 8, package.body));
        start
    }

    /// A package of which only the header is usable, with two empty pools.
    fn empty_package(&mut self, bytes: &[u8], package: Chunk) {
        let start = self.package_header(bytes, package);
        for _ in 0..2 {
            let pool = self.begin(1, 28);
            for value in [0, 0, 0, 28, 0] {
                self.u32(value);
            }
            self.end(pool);
        }
        self.end(start);
    }
}
