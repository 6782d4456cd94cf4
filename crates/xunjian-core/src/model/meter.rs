//! What reading one entry may cost, counted where the work is done.

use std::cell::Cell;

use super::{Budget, Limit, LimitCode};

/// Steps that any entry may cost, however small it is.
const STEPS_LEAST: u64 = 1 << 20;
/// Steps that an entry may cost a byte: readers go over their bytes a few times, and no
/// honest table makes them visit one place more often.
const STEPS_PER_BYTE: u64 = 32;
/// Bytes that any entry may be decoded to.
const BYTES_LEAST: u64 = 1 << 20;
/// Bytes that an entry may be decoded to, a byte: wide text grows by half, names repeat.
const BYTES_PER_BYTE: u64 = 8;
/// Bytes that are looked at in one step.
const STRIDE: u64 = 64;
/// Steps drawn from the app's budget at once. The clock is looked at as often: some
/// microseconds to a millisecond apart.
const DRAWN: u64 = 1 << 12;

/// What ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// The steps: references followed, rows visited, comparisons made, bytes gone over.
    Steps,
    /// The bytes decoded: text, names, records.
    Bytes,
    /// The wall time of the app.
    Time,
}

/// The account of one entry, drawn on at the place of work.
///
/// A reader asks before it does a step ([`Meter::step`]) or decodes bytes
/// ([`Meter::decode`]) and stops when it is told `false`; after the first `false` every
/// answer is `false`, so that loops within loops end as well. How much an entry may cost
/// follows from its length alone: the same bytes are read to the same place whatever else
/// is in the app. The steps are drawn from the app's [`Budget`] too, which has the clock.
pub struct Meter<'b> {
    budget: &'b Budget,
    /// Steps drawn and not yet done.
    near: Cell<u64>,
    /// Steps of the entry's own allowance not yet drawn.
    steps: Cell<u64>,
    bytes: Cell<u64>,
    spent: Cell<Option<Spent>>,
}

impl<'b> Meter<'b> {
    /// The account of an entry of `length` bytes within an app's budget.
    #[must_use]
    pub fn new(budget: &'b Budget, length: usize) -> Self {
        let length = length as u64;
        Self {
            budget,
            near: Cell::new(0),
            steps: Cell::new(STEPS_LEAST.saturating_add(length.saturating_mul(STEPS_PER_BYTE))),
            bytes: Cell::new(BYTES_LEAST.saturating_add(length.saturating_mul(BYTES_PER_BYTE))),
            spent: Cell::new(None),
        }
    }

    /// The budget it draws on.
    #[must_use]
    pub const fn budget(&self) -> &'b Budget {
        self.budget
    }

    /// One step more; `false` when it is not to be done.
    #[must_use]
    pub fn step(&self) -> bool {
        self.steps(1)
    }

    /// Some steps more; `false` when they are not to be done.
    #[must_use]
    pub fn steps(&self, steps: u64) -> bool {
        let near = self.near.get();
        if steps <= near {
            self.near.set(near - steps);
            return true;
        }
        self.draw(steps)
    }

    /// A look at `bytes` bytes, one after the other.
    #[must_use]
    pub fn scan(&self, bytes: usize) -> bool {
        self.steps(1 + bytes as u64 / STRIDE)
    }

    /// Decodes `bytes` bytes, or keeps as many; `false` when it is not to be done.
    #[must_use]
    pub fn decode(&self, bytes: usize) -> bool {
        match self.bytes.get().checked_sub(bytes as u64) {
            Some(left) => {
                self.bytes.set(left);
                self.scan(bytes)
            }
            None => self.stop(Spent::Bytes),
        }
    }

    /// What ran out, if anything did.
    #[must_use]
    pub const fn spent(&self) -> Option<Spent> {
        self.spent.get()
    }

    /// Nothing more is to be done.
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        self.spent.get().is_some()
    }

    /// The limit to report where the reading was stopped.
    #[must_use]
    pub fn limit(&self, place: &str) -> Option<Limit> {
        let detail = match self.spent.get()? {
            Spent::Steps => "takes more steps than a file of its size is worth; the rest was not read",
            Spent::Bytes => {
                "says the same bytes again and again: more than a file of its size holds; the rest was not read"
            }
            Spent::Time => "the time for this app is over",
        };
        Some(Limit::new(LimitCode::OverBudget, place, detail))
    }

    fn draw(&self, steps: u64) -> bool {
        if self.is_spent() {
            return false;
        }
        let left = self.steps.get();
        let drawn = steps.max(DRAWN).min(left);
        if drawn < steps || !self.budget.take_steps(drawn) {
            return self.stop(Spent::Steps);
        }
        if self.budget.is_out_of_time() {
            return self.stop(Spent::Time);
        }
        self.steps.set(left - drawn);
        self.near.set(self.near.get() + drawn - steps);
        true
    }

    fn stop(&self, why: Spent) -> bool {
        if !self.is_spent() {
            self.spent.set(Some(why));
        }
        self.near.set(0);
        self.bytes.set(0);
        false
    }
}

impl Drop for Meter<'_> {
    /// What was drawn and not used is there for the next entry.
    fn drop(&mut self) {
        self.budget.give_back_steps(self.near.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_costs_what_its_length_is_worth_and_no_more() {
        let budget = Budget::default();
        let meter = Meter::new(&budget, 1000);
        let mut done = 0_u64;
        while meter.step() {
            done += 1;
        }
        assert_eq!(done, STEPS_LEAST + 1000 * STEPS_PER_BYTE);
        assert_eq!(meter.spent(), Some(Spent::Steps));
        assert!(!meter.decode(1) && !meter.scan(0), "what stopped stays stopped");
        assert!(Meter::new(&budget, 1000).step(), "the next entry has its own");
    }

    #[test]
    fn bytes_are_counted_apart_from_steps() {
        let budget = Budget::default();
        let meter = Meter::new(&budget, 0);
        assert!(meter.decode(BYTES_LEAST as usize) && meter.step());
        assert!(!meter.decode(1) && !meter.step());
        assert_eq!(meter.limit("a").map(|limit| limit.code), Some(LimitCode::OverBudget));
    }

    #[test]
    fn the_clock_and_the_app_stop_every_entry() {
        let late = Budget::default().until(|| true);
        let meter = Meter::new(&late, 10);
        assert!(!meter.step());
        assert_eq!(meter.spent(), Some(Spent::Time));
        let mut poor = Budget::default();
        poor.steps = 10_000;
        let (first, second) = (Meter::new(&poor, 1 << 20), Meter::new(&poor, 1 << 20));
        assert!(first.steps(9_000) && !second.steps(9_000));
        assert_eq!(second.spent(), Some(Spent::Steps));
    }
}
