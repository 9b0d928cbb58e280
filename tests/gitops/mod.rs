//! The reconciler between a real git and the embedded cluster.

mod faults;
mod sync;
mod trust;
