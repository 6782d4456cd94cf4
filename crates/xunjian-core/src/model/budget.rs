//! How much one app may cost to read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Caps on everything a hostile package could make large.
///
/// Counters are shared by the clones given to parallel readers. What a cap stops
/// is reported as a coverage limit by whoever asked.
#[derive(Clone)]
pub struct Budget {
    /// Bytes inflated from one entry, at most.
    pub entry_bytes: u64,
    /// Entries of one app, archives inside it included, at most.
    pub entries: usize,
    /// Packages inside packages, at most this deep.
    pub depth: usize,
    /// Strings taken from one entry, at most.
    pub strings: usize,
    /// Output bytes per input byte of one entry, at most (for entries over 1 MiB).
    pub ratio: u64,
    /// Pictures of one package that are read for words, at most; 0 reads none.
    pub pictures: usize,
    /// Pictures that a store shows of the app that are read for words, at most; 0 reads none.
    pub screenshots: usize,
    /// Steps that reading one app may cost, at most (see [`Meter`](super::Meter)).
    pub steps: u64,
    inflated: Arc<AtomicU64>,
    claimed: Arc<AtomicU64>,
    stepped: Arc<AtomicU64>,
    total_bytes: u64,
    out_of_time: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// What any file may inflate to, however small it is.
const SMALL_FILE: u64 = 256 << 20;

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget")
            .field("entry_bytes", &self.entry_bytes)
            .field("total_bytes", &self.total_bytes)
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            entry_bytes: 96 << 20,
            entries: 100_000,
            depth: 3,
            strings: 4_000_000,
            // Deflate cannot pass 1032:1; repetitive text of real apps stays under 200:1.
            ratio: 400,
            // What people see large: start screens, guides, banners.
            pictures: Self::SOME_PICTURES,
            screenshots: Self::SCREENSHOTS,
            // Some minutes of one core, which no app of a store comes near.
            steps: 1 << 36,
            inflated: Arc::default(),
            claimed: Arc::default(),
            stepped: Arc::default(),
            total_bytes: 6 << 30,
            out_of_time: Arc::new(|| false),
        }
    }
}

impl Budget {
    /// Pictures read of a package where nothing else is asked for.
    pub const SOME_PICTURES: usize = 40;
    /// Pictures read of what a store shows of an app: stores show five or so.
    pub const SCREENSHOTS: usize = 10;
    /// Pictures read of a package where all are asked for: caps hold there as well.
    pub const ALL_PICTURES: usize = 1_000;

    /// A budget that also stops when `out_of_time` says so. The clock is the
    /// caller's: the audit itself never looks at one.
    #[must_use]
    pub fn until(mut self, out_of_time: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.out_of_time = Arc::new(out_of_time);
        self
    }

    /// A budget with another cap on the pictures that are read.
    #[must_use]
    pub fn with_pictures(mut self, pictures: usize) -> Self {
        self.pictures = pictures;
        self
    }

    /// A budget with another cap on the inflated bytes of the whole app.
    #[must_use]
    pub fn with_total(mut self, total_bytes: u64) -> Self {
        self.total_bytes = total_bytes;
        self
    }

    /// Takes `bytes` from what is left; `false` when that is not there.
    #[must_use]
    pub fn take(&self, bytes: u64) -> bool {
        let before = self.inflated.fetch_add(bytes, Ordering::Relaxed);
        before.saturating_add(bytes) <= self.total_bytes
    }

    /// Bytes that may still be inflated.
    #[must_use]
    pub fn bytes_left(&self) -> u64 {
        self.total_bytes.saturating_sub(self.inflated.load(Ordering::Relaxed))
    }

    /// Takes `steps` from what is left; `false` when that is not there.
    #[must_use]
    pub fn take_steps(&self, steps: u64) -> bool {
        let before = self.stepped.fetch_add(steps, Ordering::Relaxed);
        before.saturating_add(steps) <= self.steps
    }

    /// Puts back steps that were taken and not done.
    pub(super) fn give_back_steps(&self, steps: u64) {
        self.stepped.fetch_sub(steps, Ordering::Relaxed);
    }

    /// Steps taken so far, by all readers of this app.
    #[must_use]
    pub fn steps_taken(&self) -> u64 {
        self.stepped.load(Ordering::Relaxed)
    }

    /// Takes up to `wanted` entries from what is left; how many there were.
    #[must_use]
    pub fn take_entries(&self, wanted: usize) -> usize {
        let before = self.claimed.fetch_add(wanted as u64, Ordering::Relaxed);
        let left = (self.entries as u64).saturating_sub(before);
        usize::try_from(left).unwrap_or(usize::MAX).min(wanted)
    }

    /// The wall time given to this app is over.
    #[must_use]
    pub fn is_out_of_time(&self) -> bool {
        (self.out_of_time)()
    }

    /// A fresh budget of the same size, for the next app.
    #[must_use]
    pub fn renewed(&self) -> Self {
        Self { inflated: Arc::default(), claimed: Arc::default(), stepped: Arc::default(), ..self.clone() }
    }

    /// A fresh budget for a file of `bytes`: small files may not become endless, however
    /// their entries overlap or nest.
    #[must_use]
    pub fn for_file(&self, bytes: u64) -> Self {
        let most = bytes.saturating_mul(self.ratio).max(SMALL_FILE);
        self.renewed().with_total(self.total_bytes.min(most))
    }
}
