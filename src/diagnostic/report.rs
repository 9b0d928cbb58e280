//! Diagnostics → terminal text or JSON.
