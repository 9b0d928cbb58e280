//! What slides show live: observations of a sandbox as states that every screen draws alike.

mod kinds;
pub mod output;
pub mod printed;
pub mod redact;
pub mod source;
pub mod state;
pub mod terminal;
