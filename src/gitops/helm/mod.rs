//! Helm releases as Flux's Helm operator (`helm.fluxcd.io/v1`) and Flux 2 (`helm.toolkit.fluxcd.io/v2`) make them.
//!
//! What is wanted is read into one [`wish::Wish`] for both; the next step is decided in [`super::helm_release`];
//! [`controller::Releases`] looks and acts, each release in a pass of its own. What was made is kept in Secrets, as Helm
//! does, so that a controller that starts anew goes on where the last one stopped.

mod chart;
pub mod controller;
mod deploy;
mod hands;
mod install;
mod objects;
mod pass;
mod prepare;
pub mod program;
mod repository;
pub mod shelf;
pub mod status;
mod tell;
mod values;
pub mod wish;

pub use controller::{Handle, Releases, Sources, View};
pub use program::Program;
pub use shelf::Shelf;
