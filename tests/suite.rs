//! All integration tests, in one binary.

mod architecture;
mod cli;
mod cluster;
mod deck;
mod export;
mod harness;
mod load;
mod project;
mod server;
mod theme;
mod vectors;
