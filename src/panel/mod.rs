//! What a slide shows live.

pub mod redact;
