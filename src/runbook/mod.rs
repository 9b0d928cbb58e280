//! What a deck runs: its steps, whether they may be run, what they wait for, how they went, and the way back.
//!
//! [`trust`] says which commands a deck has and whether somebody has agreed to them; [`runner::Runner`] runs one step at
//! a time against the sandbox; [`journal`] keeps how each went; [`view`] is that for the speaker and for the audience.

pub mod follow;
pub mod journal;
pub mod overview;
pub mod recent;
pub mod runner;
pub mod shell;
pub mod tail;
pub mod trust;
pub mod trusted;
pub mod view;
pub mod wait;
