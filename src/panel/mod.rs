//! What slides show live: observations of a sandbox as states that every screen draws alike.

pub mod redact;
pub mod terminal;
pub mod state;
