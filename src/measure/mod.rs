//! How good recognition is: labelled examples beside what was found.

mod corpus;
mod figures;

pub use corpus::{CorpusError, Label, Labelled, labelled, read_folder};
pub use figures::{Figures, Judged, Reliability, figures};
