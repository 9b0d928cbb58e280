//! Make the cluster match Git, and say why.

pub mod id;
pub mod image;
pub mod mark;
