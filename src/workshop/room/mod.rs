//! Many participants of one workshop: who they are, how much they may ask for, how far they are. Pure.

pub mod board;
pub mod pace;
pub mod roster;
mod words;
