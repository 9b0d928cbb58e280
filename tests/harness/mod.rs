//! Builders for tests, one per surface.

pub(crate) mod server;
