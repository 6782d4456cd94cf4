//! Entries by their own headers, for archives whose directory is gone.

use std::io;

use super::headers::{LOCAL, LOCAL_LEN, apply_zip64, u16_at, u32_at};
use super::{Entry, ReadAt, names};
use crate::model::Budget;

const WINDOW: usize = 1 << 20;

/// Walks the file for local headers. Data is not skipped by stated sizes, which lie:
/// the search goes on right behind each header, past what it could hold at least.
pub(super) fn walk(source: &dyn ReadAt, budget: &Budget) -> io::Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut at = 0;
    while at < source.size() && entries.len() <= budget.entries {
        let window = source.range(at, (WINDOW + LOCAL_LEN + 2 * 65_535) as u64)?;
        let mut next = WINDOW.min(window.len());
        for found in memchr::memmem::find_iter(&window, LOCAL) {
            if found >= WINDOW {
                break;
            }
            if let Some(entry) = local(&window[found..], at + found as u64) {
                // Sizes that fit the file are believed as far as skipping goes.
                let end = entry.offset + LOCAL_LEN as u64 + entry.compressed;
                entries.push(entry);
                if end <= source.size() && end > at + WINDOW as u64 {
                    next = next.max(usize::try_from(end - at).unwrap_or(next));
                }
            }
        }
        at += next.max(1) as u64;
    }
    bound_by_next(&mut entries, source.size());
    Ok(entries)
}

fn local(header: &[u8], offset: u64) -> Option<Entry> {
    if header.len() < LOCAL_LEN {
        return None;
    }
    let name_len = usize::from(u16_at(header, 26));
    let extra_len = usize::from(u16_at(header, 28));
    let name = header.get(LOCAL_LEN..LOCAL_LEN + name_len)?;
    // A chance `PK\3\4` inside data seldom has a sane name behind it.
    if name.is_empty() || name_len > 1024 || name.iter().any(|&b| b < 0x20) {
        return None;
    }
    let extra = header.get(LOCAL_LEN + name_len..LOCAL_LEN + name_len + extra_len).unwrap_or(&[]);
    let mut entry = Entry {
        name: names::decode(name, extra),
        copy: 0,
        flags: u16_at(header, 6),
        method: u16_at(header, 8),
        crc: u32_at(header, 14),
        compressed: u64::from(u32_at(header, 18)),
        size: u64::from(u32_at(header, 22)),
        offset,
    };
    apply_zip64(extra, &mut entry.size, &mut entry.compressed, &mut 0);
    Some(entry)
}

/// Entries written as a stream state no sizes: their data ends at the next header.
fn bound_by_next(entries: &mut [Entry], size: u64) {
    let starts: Vec<u64> = entries.iter().skip(1).map(|e| e.offset).chain([size]).collect();
    for (entry, next) in entries.iter_mut().zip(starts) {
        if entry.flags & 8 != 0 && entry.compressed == 0 {
            entry.compressed = next.saturating_sub(entry.offset + LOCAL_LEN as u64);
        }
    }
}
