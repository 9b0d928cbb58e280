//! Conversations with registries of images: foredeck's own, and ones that lie.

mod lies;
mod ours;
