//! The in-process, Kubernetes-compatible API server.

pub mod access;
pub mod admission;
pub mod ownership;
pub mod patch;
pub mod schema;
pub mod status;
pub mod store;
