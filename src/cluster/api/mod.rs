//! The in-process, Kubernetes-compatible API server.

pub mod admission;
pub mod crd;
pub mod jsonpath;
pub mod ownership;
pub mod patch;
pub mod schema;
pub mod status;
pub mod store;
pub mod table;
