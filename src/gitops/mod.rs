//! Make the cluster match Git, and say why.

pub mod api;
pub mod apply;
pub mod build;
pub mod demo_repo;
pub mod diff;
pub mod event;
pub mod files;
pub mod finding;
pub mod generate;
pub mod git;
pub mod health;
pub mod http_backend;
pub mod id;
pub mod image;
pub mod kinds;
pub mod kustomize;
pub mod mark;
pub mod object;
pub mod observe;
pub mod plan;
pub mod process;
pub mod record;
pub mod schedule;
pub mod source;
pub mod writer;
