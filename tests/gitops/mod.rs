//! The reconciler between a real git and the embedded cluster.

mod canary;
mod capi;
mod charts;
mod faults;
mod helm;
mod measure;
mod oracle;
mod releases;
mod sync;
mod trust;
mod workshop;
