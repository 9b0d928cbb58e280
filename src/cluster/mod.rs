//! A Kubernetes API to talk to: embedded in this process, in kind, or behind an allowed context.

pub mod api;
pub mod clock;
pub mod condition;
pub mod embedded;
pub mod error;
pub mod folder;
pub mod goduration;
pub mod gojson;
pub mod guard;
pub mod jsonpath;
pub mod kind;
pub mod kubeconfig;
pub mod object;
pub mod process;
pub mod provider;
pub mod quantity;
pub mod registry;
pub mod short_names;
pub mod sim;
pub mod strays;
pub mod yaml;
