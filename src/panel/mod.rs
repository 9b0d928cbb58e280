//! What slides show live: observations of a sandbox as states that every screen draws alike.

pub mod state;
