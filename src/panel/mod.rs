//! What slides show live: observations of a sandbox as states that every screen draws alike.

pub mod redact;
pub mod state;
