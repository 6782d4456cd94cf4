//! How many items a list gives at once.

use crate::review::failure::Failure;

/// Items of a page where nothing else is asked for.
pub(super) const USUAL: u32 = 50;
/// Items of a page, at most; the document says so as well.
const MOST: u32 = 200;

/// The number asked for, if it lies within bounds.
pub(super) fn within(asked: u32) -> Result<u32, Failure> {
    if (1..=MOST).contains(&asked) { Ok(asked) } else { Err(Failure::Bad("limit")) }
}
