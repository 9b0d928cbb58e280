//! Make the cluster match Git, and say why.

pub mod demo_repo;
pub mod files;
pub mod finding;
pub mod git;
pub mod http_backend;
pub mod id;
pub mod image;
pub mod kinds;
pub mod mark;
pub mod object;
pub mod process;
