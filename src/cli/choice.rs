//! Arguments that take one of the core's names: the core knows no command line.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::model::RegisterKind;
use crate::model::config::WhichPictures;
use crate::report::Format;

/// Takes the name of a form of report.
pub(super) fn format() -> impl TypedValueParser<Value = Format> {
    one_of(Format::ALL, Format::id)
}

/// Takes the name of a register.
pub(super) fn register() -> impl TypedValueParser<Value = RegisterKind> {
    one_of(RegisterKind::ALL, RegisterKind::id)
}

/// Takes the word for the pictures that are read.
pub(super) fn pictures() -> impl TypedValueParser<Value = WhichPictures> {
    one_of(&WhichPictures::ALL, WhichPictures::id)
}

/// Takes a day of the calendar, `2026-01-31`.
///
/// # Errors
/// Anything else.
pub(super) fn day(text: &str) -> Result<String, String> {
    crate::time::day(text).map(|_| text.to_owned()).ok_or_else(|| "give a day as 2026-01-31".to_owned())
}

fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    id: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|&value| id(value)))
        .try_map(move |name| all.iter().copied().find(|&value| id(value) == name).ok_or("no such value"))
}
