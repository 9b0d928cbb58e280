//! The YAML of Kubernetes: read and written as kubectl does, which is YAML 1.1 in the ways that matter.

mod read;
mod scalar;
mod write;

pub use read::{Error, documents, value};
pub use write::{natural, text};

#[cfg(test)]
mod tests;
