//! The server as browsers and strangers see it: roles, guards, pages, files, events, stopping.

mod canary;
mod charts;
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
mod replay;
mod roles;
mod routes;
mod steps;
mod terminals;
