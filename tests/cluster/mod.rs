//! Conversations with a cluster: the embedded one, or a real one that `FOREDECK_TEST_CONTEXT` names.

mod api;
mod behaviour;
mod client;
mod kubectl;
mod many;
mod streams;
