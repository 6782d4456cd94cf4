//! What a sweep has done so far, to be looked at while it runs.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! tally {
    ($($name:ident = $doc:literal;)*) => {
        /// Counters of one process; a resumed sweep counts anew.
        #[derive(Debug, Default)]
        pub struct Tally { $(#[doc = $doc] pub $name: AtomicU64,)* }

        /// The counters at one moment.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Counts { $(#[doc = $doc] pub $name: u64,)* }

        impl Tally {
            /// The counters now.
            #[must_use]
            pub fn counts(&self) -> Counts {
                Counts { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

tally! {
    pages = "Catalogue pages read.";
    unmodified = "Answers that were not modified since the last sweep.";
    listings = "Listings read.";
    unchanged = "Apps with nothing new.";
    packages = "Packages fetched.";
    bytes = "Bytes of packages fetched.";
    audits = "Apps audited.";
    skips = "Things left out.";
    waits = "Jobs put off because a store asked for patience or the network failed.";
}

pub(super) fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
