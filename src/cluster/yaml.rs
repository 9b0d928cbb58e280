//! The YAML of Kubernetes: read and written as kubectl does, which is YAML 1.1 in the ways that matter: `no` is false and
//! `012` is ten.

mod compose;
mod plain;
mod read;
mod write;

pub(in crate::cluster) use compose::Composer;
pub use read::{Error, documents, value};
pub use write::{natural, text};

#[cfg(test)]
mod tests;
