//! The kubectl that is built in, against a small API server.

pub(crate) mod fake;
mod reading;
mod waiting;
mod writing;
