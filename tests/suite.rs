//! All integration tests, in one binary.

mod architecture;
mod deck;
mod harness;
mod load;
mod server;
mod vectors;
