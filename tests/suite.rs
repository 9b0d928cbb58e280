//! All integration tests, in one binary.

mod architecture;
mod check;
mod cli;
mod cluster;
mod clusters;
mod deck;
mod export;
mod gitops;
mod harness;
mod kubectl;
mod load;
mod printing;
mod project;
mod redaction;
mod registry;
mod room;
mod server;
mod snapshot;
mod talk;
mod testing;
mod theme;
mod vectors;
mod workshop;
