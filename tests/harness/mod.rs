//! Builders and readers that tests share, one per surface.

pub(crate) mod canary;
pub(crate) mod capi;
pub(crate) mod cluster;
pub(crate) mod dom;
pub(crate) mod gitops;
pub(crate) mod registry;
pub(crate) mod server;
pub(crate) mod tool;
