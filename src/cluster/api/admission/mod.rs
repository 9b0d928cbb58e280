//! Defaults, validation and what else happens to an object on its way into the store.

mod amount;
mod names;
pub mod metadata;
pub mod path;
pub mod rest;
pub mod text;
pub mod workloads;
