//! Streams to pods: exec, attach, port-forward, and HTTP through the API server.

pub mod exec;
pub mod forward;
pub mod spdy;
pub mod websocket;
