//! Whatever a file makes of a reader, it costs what its length is worth, and says so.

use std::time::{Duration, Instant};

use crate::support::bombs::{self, Bomb};
use xunjian::extract;
use xunjian::model::{Budget, LimitCode};

/// Steps that a file may cost: as many a byte as the meter gives, and what any file may.
fn worth(bytes: &[u8]) -> u64 {
    (2 << 20) + 33 * bytes.len() as u64
}

#[test]
fn no_file_costs_more_than_its_length_is_worth() {
    for Bomb { what, path, bytes } in bombs::all() {
        let budget = Budget::default();
        let begun = Instant::now();
        let found = extract::entry(path, path, &bytes, &budget);
        let took = begun.elapsed();
        let text: usize = found.facts.blocks.iter().map(|block| block.text().len()).sum();
        eprintln!("{what}: {} bytes, {} steps, {text} bytes of facts, {took:?}", bytes.len(), budget.steps_taken());
        assert!(budget.steps_taken() <= worth(&bytes), "{what}: {} steps", budget.steps_taken());
        // Each byte of text may be kept with a name.
        assert!(text <= 17 * bytes.len() + (4 << 20), "{what}: {text} bytes of {}", bytes.len());
        assert!(took < Duration::from_secs(20), "{what}: {took:?}");
    }
}

#[test]
fn what_shares_its_bytes_is_told_of() {
    for Bomb { what, path, bytes } in bombs::all() {
        let shares = ["at one place", "share many values", "ids of one", "of one name"];
        if !shares.iter().any(|word| what.contains(word)) {
            continue;
        }
        let found = extract::entry(path, path, &bytes, &Budget::default());
        assert!(found.limits.iter().any(|limit| limit.code == LimitCode::OverBudget), "{what}: {:?}", found.limits);
    }
}

#[test]
fn time_that_is_over_stops_every_reader_at_once() {
    for Bomb { what, path, bytes } in bombs::all() {
        let begun = Instant::now();
        let until = begun + Duration::from_millis(50);
        let budget = Budget::default().until(move || Instant::now() > until);
        let _ = extract::entry(path, path, &bytes, &budget);
        // Without optimisation, what goes on between two looks at the clock takes some times as long.
        let most = Duration::from_millis(if cfg!(debug_assertions) { 4_000 } else { 1_050 });
        assert!(begun.elapsed() < most, "{what}: {:?}", begun.elapsed());
    }
}

#[test]
fn the_same_bytes_are_read_to_the_same_place() {
    for Bomb { what, path, bytes } in bombs::all().into_iter().filter(|bomb| bomb.bytes.len() < 1 << 20) {
        let read = || {
            let found = extract::entry(path, path, &bytes, &Budget::default());
            (serde_json::to_string(&found.facts).unwrap(), found.limits)
        };
        assert!(read() == read(), "{what}");
    }
}
