//! Entries packed once more with gzip: scripts, question banks, asset bundles.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::{Extracted, Format};
use crate::model::{Budget, Limit, LimitCode};

/// How gzip begins, with its only method (RFC 1952).
pub(super) const MAGIC: &[u8] = &[0x1f, 0x8b, 8];
/// What any file may unpack to, however small it is.
const SMALL: u64 = 1 << 20;

/// Unpacks and reads what is inside, as the entry without `.gz`.
pub(super) fn read(path: &str, place: &str, bytes: &[u8], budget: &Budget) -> Extracted {
    let cap = budget.entry_bytes.min((bytes.len() as u64).saturating_mul(budget.ratio).max(SMALL));
    let mut inside = Vec::new();
    let outcome = MultiGzDecoder::new(bytes).take(cap).read_to_end(&mut inside);
    let mut limits = Vec::new();
    if !budget.take(inside.len() as u64) {
        limits.push(Limit::new(LimitCode::OverBudget, place, "the bytes for this app are used up"));
        inside.clear();
    } else if inside.len() as u64 >= cap {
        limits.push(Limit::new(
            LimitCode::OverBudget,
            place,
            format!("larger than {cap} bytes; the rest was not read"),
        ));
    } else if let Err(error) = outcome {
        limits.push(Limit::new(LimitCode::UnreadableEntry, place, error.to_string()));
    }
    // One layer is a habit of tools; more of them are somebody's joke.
    let mut found = match Format::of(&inside) {
        Format::Gzip | Format::Archive => {
            limits.push(Limit::new(LimitCode::UnreadFormat, place, "an archive inside gzip"));
            Extracted::default()
        }
        _ => super::entry(path.trim_end_matches(".gz"), place, &inside, budget),
    };
    found.limits.extend(limits);
    found
}
