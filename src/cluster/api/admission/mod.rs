//! Defaults, validation and what else happens to an object on its way into the store.

pub mod metadata;
pub mod path;
pub mod text;
pub mod workloads;
