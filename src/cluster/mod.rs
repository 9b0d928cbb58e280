//! A Kubernetes API to talk to: embedded in this process, in kind, or behind an allowed context.

pub mod api;
pub mod clock;
pub mod object;
pub mod sim;
