//! What goes on around the pure audit: sweeps, audits on demand, re-audits, comparisons, evidence, pruning.

pub mod asked;
pub mod backup;
pub mod change;
pub mod check;
pub mod compare;
pub mod dead;
pub mod evidence;
pub mod fit;
pub mod inner;
mod judge;
pub mod prune;
pub mod rescore;
mod shown;
pub mod single;
pub mod status;
pub mod sweep;
pub mod trying;
mod visit;

pub use judge::unread_code;
pub use visit::{Visit, visit, visit_keeping, visit_one};
