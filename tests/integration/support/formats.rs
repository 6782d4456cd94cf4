//! Fixtures of the formats, and what `extract::entry` makes of them.
use proptest::prelude::*;
use xunjian::extract::{self, Extracted};
use xunjian::model::{Budget, Kind, LimitCode};

/// A fixture's bytes.
pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/formats/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Reads `bytes` as the entry `path` of `a.apk`.
pub fn read(path: &str, bytes: &[u8]) -> Extracted {
    extract::entry(path, &format!("a.apk!/{path}"), bytes, &Budget::default())
}

/// Every fact as (kind, place, text).
pub fn facts(found: &Extracted) -> Vec<(Kind, String, String)> {
    found
        .facts
        .blocks
        .iter()
        .flat_map(|b| b.iter().map(move |f| (b.kind, b.place_of(f.index), f.text.to_owned())))
        // What names the framework; `tests/integration/frameworks.rs` looks at it.
        .filter(|(kind, _, text)| *kind != Kind::File || !text.starts_with("content="))
        .collect()
}

/// Place of the fact with exactly this text.
#[track_caller]
pub fn place_of(found: &Extracted, text: &str) -> String {
    let all = facts(found);
    let hit = all.iter().find(|(_, _, t)| t == text);
    hit.unwrap_or_else(|| panic!("{text} is not in {all:#?}")).1.clone()
}

/// Some fact holds this text.
pub fn has(found: &Extracted, text: &str) -> bool {
    facts(found).iter().any(|(_, _, t)| t.contains(text))
}

/// Codes of the limits.
pub fn limits(found: &Extracted) -> Vec<LimitCode> {
    found.limits.iter().map(|l| l.code).collect()
}

/// A fixture with some bytes changed and its end cut off: headers, counts and offsets lie.
pub fn mutated(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = bytes.len();
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 0..24);
    (edits, 0..=length, any::<bool>()).prop_map(move |(edits, end, cut)| {
        let mut out = bytes.clone();
        for (index, byte, early) in edits {
            // Half of the edits hit the first bytes, where the counts stand.
            let at = if early { index.index(length.min(160)) } else { index.index(length) };
            out[at] = byte;
        }
        if cut {
            out.truncate(end);
        }
        out
    })
}

/// Arbitrary bytes behind a magic.
pub fn behind(magic: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..600).prop_map(move |tail| [magic, &tail].concat())
}
