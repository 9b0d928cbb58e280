//! What is wrong with a chart or a template, and where.

use std::fmt;

/// A place in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, with the chart's name in front: `podinfo/templates/service.yaml`.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why a chart gives no manifests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A template is wrong, or says no itself.
    #[error("{place}: {message}")]
    Template {
        /// Where.
        place: Place,
        /// What.
        message: String,
    },
    /// The files are no chart.
    #[error("{0}")]
    Chart(String),
    /// The values are not what the chart wants.
    #[error("{0}")]
    Values(String),
}
