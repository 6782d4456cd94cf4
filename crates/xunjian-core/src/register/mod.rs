//! Registers and lists: licences, filings, white, grey and black lists.
//!
//! Three answers: listed, not listed, not checked. A near miss is offered to the person
//! and never taken.

mod credit_code;
mod folder;
mod lookup;
mod name;
mod table;

pub use credit_code::{credit_codes, is_credit_code};
pub use folder::{FolderError, keep, path_of, read_all, undo};
pub use lookup::Registers;
pub use name::legal_name;
pub use table::{BadRow, Imported, Register, RegisterError, checked, import};
