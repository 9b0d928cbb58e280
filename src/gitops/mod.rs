//! Make the cluster match Git, and say why.

pub mod containers;
pub mod edit;
pub mod helm_images;
pub mod id;
pub mod image;
pub mod mark;
pub mod policy;
pub mod release;
pub mod table;
