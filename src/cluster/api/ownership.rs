//! Server-side apply: managed fields, conflicts, merging.
