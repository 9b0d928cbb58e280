//! Canary releases as Flagger does them: `flagger.app/v1alpha3` and `v1beta1`.

pub mod checks;
pub mod configs;
pub mod effect;
pub mod go;
pub mod machine;
pub mod observe;
pub mod readiness;
pub mod route;
pub mod services;
pub mod spec;
pub mod status;
pub mod webhook;
pub mod weights;
pub mod workload;
