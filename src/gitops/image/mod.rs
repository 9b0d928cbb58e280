//! Container images: how they are written, which tags are wanted, which one is chosen.

pub mod choose;
pub mod constraint;
pub mod pattern;
pub mod reference;
pub mod repository;
mod search;
