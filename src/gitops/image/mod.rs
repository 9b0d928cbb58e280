//! Container images: how they are written, which tags are wanted, which one is chosen.

pub mod choose;
pub use crate::helm::version as constraint;
pub mod pattern;
pub mod reference;
pub mod repository;
mod search;
