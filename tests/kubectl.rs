//! The kubectl that is built in, against a small API server.

mod embedded;
pub(crate) mod fake;
mod reading;
mod waiting;
mod writing;
