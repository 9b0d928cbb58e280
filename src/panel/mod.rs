//! What a slide shows live.

pub mod redact;
pub mod terminal;
