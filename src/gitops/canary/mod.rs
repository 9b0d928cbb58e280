//! Canary releases as Flagger does them: `flagger.app/v1alpha3` and `v1beta1`.
//!
//! Decisions are functions: [`machine::tick`] takes what was seen and answered to what is to be done. [`Canaries`]
//! looks, asks and acts, once per `analysis.interval` of the cluster's clock. The status of the Canary and the weights
//! in its HTTPRoute are all that is kept, so a controller that starts anew goes on where the last one stopped.
//! [`Handle`] is for those who show canaries and press buttons.

pub mod alert;
mod ask;
pub mod checks;
pub mod configs;
pub mod controller;
pub mod effect;
mod events;
pub mod flaws;
pub mod followers;
pub mod go;
pub mod handle;
mod hands;
mod http;
mod install;
pub mod load_tester;
mod look;
pub mod machine;
pub mod metrics;
mod objects;
pub mod observe;
pub mod options;
mod pass;
pub mod query;
pub mod readiness;
pub mod route;
pub mod services;
mod shared;
pub mod spec;
pub mod status;
pub mod view;
pub mod webhook;
pub mod weights;
pub mod workload;

pub use controller::Canaries;
pub use followers::{Backend, Faults};
pub use handle::Handle;
pub use install::all as definitions;
pub use options::{Metrics, Options};
pub use view::{CanaryView, View};
