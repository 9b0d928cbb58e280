//! The server as browsers and strangers see it: roles, guards, pages, files, events, stopping.

mod canary;
mod demo;
mod elsewhere;
mod events;
mod exec;
mod files;
mod floods;
#[cfg(unix)]
mod flux;
mod pages;
mod panels;
mod roles;
mod steps;
mod terminals;
