//! The argument by which a reader gets its bytes.

use super::Extracted;
use crate::model::{Budget, Limit, LimitCode, Meter};

/// The bytes of one entry, where they stand, and the account that reading them draws on.
///
/// A reader is handed nothing else: it cannot see a byte without the meter at hand.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    /// How reports name the place.
    pub(super) place: &'a str,
    /// What may still be spent.
    pub(super) meter: &'a Meter<'a>,
    /// How many files were opened on the way to it.
    depth: usize,
}

/// Archives and packed files within one another that readers open by themselves, at most.
const DEPTH_MAX: usize = 3;

impl<'a> Input<'a> {
    pub(super) const fn new(bytes: &'a [u8], place: &'a str, meter: &'a Meter<'a>) -> Self {
        Self { bytes, place, meter, depth: 0 }
    }

    /// The bytes, to be gone over once; none where that cannot be paid for.
    pub(super) fn bytes(&self) -> &'a [u8] {
        if self.meter.scan(self.bytes.len()) { self.bytes } else { &[] }
    }

    /// Bytes that were found inside, at a place of their own, on the same account.
    pub(super) const fn part<'b>(&self, bytes: &'b [u8], place: &'b str) -> Input<'b>
    where
        'a: 'b,
    {
        Input { bytes, place, meter: self.meter, depth: self.depth }
    }

    /// A file within this one, on an account of its own.
    pub(super) const fn within<'b>(&self, bytes: &'b [u8], place: &'b str, meter: &'b Meter<'b>) -> Input<'b> {
        Input { bytes, place, meter, depth: self.depth + 1 }
    }

    /// Whether it lies within another file, which a reader of that file opened.
    pub(super) const fn is_within(&self) -> bool {
        self.depth > 0
    }

    /// Whether what is inside lies too deep to be opened; then that is said.
    pub(super) fn is_too_deep(&self, out: &mut Extracted) -> bool {
        let is_too_deep = self.depth >= DEPTH_MAX;
        if is_too_deep {
            let detail = format!("packages nested more than {DEPTH_MAX} deep");
            out.limits.push(Limit::new(LimitCode::OverBudget, self.place, detail));
        }
        is_too_deep
    }

    /// The caps of the app.
    pub(super) const fn budget(&self) -> &'a Budget {
        self.meter.budget()
    }
}
