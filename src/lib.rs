//! foredeck: Marp-compatible slide decks with a live demo behind them.
//!
//! The modules form layers; a module may only use the ones below it
//! (`tests/architecture.rs` enforces the exact table):
//!
//! ```text
//! cli                                          wires everything
//! server                                       HTTP, SSE, WebSocket
//!                    │   recording             what was shown, in a file
//! project   export   │   workshop → runbook → panel      files around the pure core │ what is shown and done live
//!                    │   sandbox               one cluster, repository and reconciler to play in
//! deck  theme  render │  gitops → helm → cluster Markdown + CSS → HTML, pure │ Git → a Kubernetes API
//! diagnostic          │  registry → net        what is wrong, and where │ images, connections
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
pub mod helm;
pub mod net;
pub mod panel;
pub mod project;
pub mod recording;
pub mod registry;
pub mod render;
pub mod runbook;
pub mod sandbox;
pub mod server;
pub mod theme;
pub mod workshop;
