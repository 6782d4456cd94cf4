//! Signatures: the signs as data, and the pack they compile into.
//!
//! A signature file describes one recognisable thing; [`Pack::load`] reads the
//! embedded ones and those of a folder, checks them and compiles all their terms
//! into one automaton.

mod compile;
mod date;
mod edit;
mod error;
mod grams;
mod han;
mod instrument;
mod latin;
mod law;
mod library;
pub mod lint;
mod loader;
mod model;
mod normal;
mod pack;
mod policy;
mod reference;
mod respell;
mod rule;
mod schema;
mod source;
mod syntax;
mod term;

pub use compile::{Clue, Condition, Expression, Near, Observed, Unless};
pub use edit::reweigh;
pub use error::PackError;
pub use grams::{Gram, Grams, Shape, pitch};
pub use han::{HAN_LEAD, facts_reaching, is_han, is_letter, is_stroke};
pub use instrument::{Article, Instrument};
pub use library::{Libraries, Library};
pub use model::{Panel, Shares, TextModel};
pub use normal::{Normal, normalise};
pub use pack::{Pack, Signature};
pub use policy::{Policy, SignPolicy};
pub use rule::{Rule, Scope};
pub use schema::schema;
pub use source::Source;
pub use syntax::{ClueFile, Example, SignatureFile};
pub use term::{Pattern, Role, Terms, Use};
