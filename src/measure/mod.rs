//! How good recognition is: labelled examples beside what was found.

mod contents;
mod corpus;
mod figures;
mod label;

pub use contents::Contents;
pub use corpus::{Corpus, CorpusError, Labelled, Package, read};
pub use figures::{Called, Figures, Judged, Reliability, figures};
pub use label::{Label, Labels, label_name, read_table};
