//! All integration tests, in one binary.

mod deck;
mod harness;
mod vectors;
