//! Make the cluster match Git, and say why.

pub mod containers;
pub mod edit;
pub mod fluxctl;
pub mod helm_images;
pub mod helm_release;
pub mod id;
pub mod image;
pub mod mark;
pub mod policy;
pub mod release;
pub mod table;
pub mod words;
