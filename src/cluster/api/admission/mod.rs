//! Defaults, validation and what else happens to an object on its way into the store.

mod amount;
mod names;
pub mod rest;
