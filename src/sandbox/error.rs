//! Why there is no sandbox.

use std::io;
use std::path::PathBuf;

use crate::cluster;
use crate::gitops::files::PathError;
use crate::gitops::git;

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The embedded cluster does not start.
    #[error("the embedded cluster does not start")]
    Embedded(#[source] Box<cluster::embedded::Error>),
    /// A file for the cluster cannot be written.
    #[error("the cluster's files cannot be written")]
    Cluster(#[source] Box<cluster::error::Error>),
    /// Git does not do what it should.
    #[error("the demo repository cannot be set up")]
    Git(#[source] git::Error),
    /// A folder of the repository cannot be one.
    #[error("the repository's path cannot be used")]
    Path(#[source] PathError),
    /// A file cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Registries cannot be asked.
    #[error("registries cannot be asked")]
    Registries(#[source] io::Error),
    /// There is nothing to go back to.
    #[error("there is no checkpoint `{0}`")]
    NoCheckpoint(String),
    /// Going back is not possible.
    #[error("{0}")]
    Restore(String),
}

impl Error {
    /// It and what caused it, in one line.
    pub fn chain(&self) -> String {
        chain(self)
    }
}

/// An error and what caused it, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
