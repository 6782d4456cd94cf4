//! `sheet` and `docx`: one A4 page a finding, to be signed and taken to a hearing.
//!
//! A page says who, when and what was audited and by what, the ground in full, the strongest evidence and how to
//! see it by hand, what speaks for the provider, what was not checked and how the number came about.

mod docx;
mod html;
mod page;

pub(super) use docx::Docx;
pub(super) use html::Sheet;

/// What a run's pages share.
struct Run {
    lang: super::words::Lang,
    /// When, with the zone.
    at: String,
    made_by: crate::model::MadeBy,
}
