//! Defaults, validation and what else happens to an object on its way into the store.

mod amount;
pub mod limit_range;
mod names;
pub mod quota;
pub mod rest;
mod usage;
