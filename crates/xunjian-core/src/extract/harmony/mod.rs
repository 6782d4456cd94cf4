//! HarmonyOS: who a module says it is, its strings, its code.

mod abc;
mod index;
mod module;

pub(super) use abc::{MAGIC, read as code};
pub(super) use index::{index, is_index};
pub use module::{Pack, module, pack};
