//! Archives in, entries out, inside a [`Budget`](crate::model::Budget).
//!
//! Reads ZIP as Android does (`libziparchive`), not as the specification wants it:
//! what Android opens is opened, and what ordinary readers trip over is flagged.

mod content;
mod directory;
mod ends;
mod headers;
mod methods;
mod names;
mod read_at;
mod salvage;
mod signing_block;

pub use content::Content;
pub use directory::{Archive, Entry, UnpackError};
pub use read_at::{ReadAt, Window, read_range};
pub use signing_block::{Signing, SigningBlock, signing_block};
