//! Canary releases on the embedded cluster, tick by tick.

mod alerts;
mod faults;
mod gates;
mod many;
mod releases;
mod strategies;
