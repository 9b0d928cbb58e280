//! Canary releases on the embedded cluster, tick by tick.

mod faults;
mod gates;
mod many;
mod releases;
