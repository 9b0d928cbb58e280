//! foredeck: Marp-compatible slide decks with a live demo behind them.
//!
//! The modules form layers; a module may only use the ones below it
//! (`tests/architecture.rs` enforces the exact table):
//!
//! ```text
//! cli                                          wires everything
//! server                                       HTTP, SSE
//! project   export                             files around the pure core
//! deck   theme   render      gitops → cluster  Markdown + CSS → HTML, pure │ a Kubernetes API
//! diagnostic                 net               what is wrong, and where │ connections
//! ```
//!
//! One deck walks through them as one value: Markdown text →
//! [`deck::Deck`] → (with a [`theme::ThemeSet`]) → [`render::Rendered`] →
//! [`project::Compiled`], which the server shows and `export` writes.

pub mod cli;
pub mod cluster;
pub mod deck;
pub mod diagnostic;
pub mod export;
pub mod gitops;
pub mod net;
pub mod project;
pub mod registry;
pub mod render;
pub mod server;
pub mod theme;
