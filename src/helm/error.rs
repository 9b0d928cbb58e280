//! What is wrong with a chart or a template, and where.

use std::fmt;

/// A place in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, with the chart's name in front: `podinfo/templates/service.yaml`.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column as Go counts: bytes, from 0.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why a chart gives no manifests. The texts are Helm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A template cannot be read.
    #[error("parse error at ({}:{}): {message}", place.file, place.line)]
    Parse {
        /// Where.
        place: Place,
        /// What.
        message: String,
    },
    /// A template cannot be run.
    #[error("template: {place}: executing {template:?} at <{at}>: {message}")]
    Template {
        /// Where.
        place: Place,
        /// The template that was run.
        template: String,
        /// The words there.
        at: String,
        /// What.
        message: String,
    },
    /// A template says no itself, by `fail` or `required`.
    #[error("execution error at ({place}): {message}")]
    Refused {
        /// Where.
        place: Place,
        /// Its words.
        message: String,
    },
    /// The files are no chart.
    #[error("{0}")]
    Chart(String),
    /// The values are not what the chart wants.
    #[error("{0}")]
    Values(String),
}
