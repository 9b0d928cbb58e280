//! What answers at which address; the table is in [`super::router`].

pub mod admin;
pub mod asset;
pub mod body;
pub mod canary;
pub mod charts;
pub mod control;
pub mod deck;
pub mod events;
pub mod flux;
pub mod git;
pub mod index;
pub mod panels;
pub mod poll;
pub mod presenter;
pub mod qr;
pub mod remote;
pub mod replay;
pub mod steps;
pub mod terminal;
pub mod trust;
pub mod workshop;
