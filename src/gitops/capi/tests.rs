//! Whole lives of clusters, decided step by step on objects in memory.

mod lives;
mod rig;
mod trouble;
