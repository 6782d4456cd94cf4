//! What every engine behind `State`, `Work` and `Vault` must do. A suite takes the trait.

pub mod desk;
pub mod state;
pub mod vault;
pub mod work;
