//! Helm charts: files → chart, chart and values → manifests. No cluster, no network, no clock.
//!
//! [`Chart::load`] or [`Chart::unpack`] read a chart; [`render()`] makes of it what `helm template` would, with hooks and
//! notes apart. The template engine is our own: charts change mappings in place (`set`), call methods
//! (`.Capabilities.APIVersions.Has`), and want errors with a line, and strangers' charts need bounds.

pub mod archive;
pub mod chart;
mod dependencies;
pub mod error;
mod files;
mod functions;
mod ignore;
pub mod manifest;
pub mod record;
pub mod render;
mod schema;
mod template;
pub mod values;
pub mod version;

pub use chart::Chart;
pub use error::Error;
pub use render::{Capabilities, Release, Rendered, definitions, render};
