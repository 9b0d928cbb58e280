//! All integration tests, in one binary.

mod harness;
mod load;
mod server;
