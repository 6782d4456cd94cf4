//! What goes on while somebody waits: a bar on a terminal, else a line now and then.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::report::clean;

/// Nothing is silent for longer.
const EVERY: Duration = Duration::from_secs(4);
/// Time between looks, so that the end is not waited for.
const LOOK: Duration = Duration::from_millis(100);
/// Longest name shown.
const NAME_MAX: usize = 60;

/// What is done, and what is being done.
pub(super) struct Doing {
    lang: String,
    total: AtomicUsize,
    done: AtomicUsize,
    next: AtomicU64,
    at_hand: Mutex<BTreeMap<u64, (String, Instant)>>,
    bar: Option<ProgressBar>,
}

/// Something under way until it is let go.
pub(super) struct Piece<'a> {
    doing: &'a Doing,
    key: u64,
}

impl Doing {
    pub(super) fn new(lang: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
            let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self {
            lang: lang.to_owned(),
            total: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            next: AtomicU64::new(0),
            at_hand: Mutex::default(),
            bar,
        }
    }

    /// How much there is to do.
    pub(super) fn expect(&self, total: usize) {
        self.total.store(total, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.set_length(total as u64);
        }
    }

    /// Something begins.
    pub(super) fn begin(&self, name: &str) -> Piece<'_> {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut at_hand) = self.at_hand.lock() {
            at_hand.insert(key, (clean(name, NAME_MAX), Instant::now()));
        }
        Piece { doing: self, key }
    }

    /// One more is done.
    pub(super) fn advance(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
            bar.set_message(self.oldest());
        }
    }

    /// Writes to a terminal without the bar in between.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Speaks until told that it is over. Where there is a bar, that speaks.
    pub(super) fn speak(&self, is_over: &dyn Fn() -> bool) {
        let mut last = Instant::now();
        while !is_over() {
            std::thread::sleep(LOOK);
            if last.elapsed() < EVERY || is_over() {
                continue;
            }
            last = Instant::now();
            match &self.bar {
                Some(bar) => bar.set_message(self.oldest()),
                None => eprintln!("xunjian: {}", self.line()),
            }
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// What has been under way the longest, and for how long.
    fn oldest(&self) -> String {
        let Ok(at_hand) = self.at_hand.lock() else { return String::new() };
        let oldest = at_hand.values().min_by_key(|(_, since)| *since);
        oldest.map_or_else(String::new, |(name, since)| {
            rust_i18n::t!("doing.at", locale = &self.lang, name = name, seconds = since.elapsed().as_secs())
                .into_owned()
        })
    }

    fn line(&self) -> String {
        let (done, total) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        let counted = match total {
            0 => rust_i18n::t!("doing.looking", locale = &self.lang),
            _ => rust_i18n::t!("doing.done", locale = &self.lang, done = done, total = total),
        };
        format!("{counted} {}", self.oldest()).trim_end().to_owned()
    }
}

impl Drop for Piece<'_> {
    fn drop(&mut self) {
        if let Ok(mut at_hand) = self.doing.at_hand.lock() {
            at_hand.remove(&self.key);
        }
    }
}
