//! The server as browsers and strangers see it: roles, guards, pages, files, events, stopping.

mod demo;
mod events;
mod files;
mod floods;
mod pages;
mod roles;
