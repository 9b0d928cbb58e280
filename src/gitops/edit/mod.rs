//! Changes to a manifest's file that touch one scalar, or add or take away one line, and leave every other byte.

mod annotations;
mod entries;
mod find;
mod image;
mod marker;
mod read;
mod scalar;
mod tree;
mod write;

#[cfg(test)]
mod laws;

use std::ops::Range;

use crate::gitops::id::ResourceId;
use crate::gitops::policy::InvalidPolicy;

pub use annotations::{AnnotationChange, set_policies};
pub use image::set_image;
pub use marker::{Marked, Setter, set_marked};

/// Which object of a file is meant.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its id.
    pub id: &'a ResourceId,
    /// The namespace of objects that name none.
    pub default_namespace: &'a str,
}

impl<'a> From<&'a ResourceId> for Target<'a> {
    fn from(id: &'a ResourceId) -> Self {
        Self { id, default_namespace: "default" }
    }
}

/// Why a file was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct EditError {
    /// Line and column, from 1; none when the whole file is meant.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub problem: Problem,
}

/// What keeps an edit from being made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file is no YAML.
    #[error("{0}")]
    Yaml(String),
    /// Aliases make more of the file than can be looked at.
    #[error("its aliases are nested too deeply")]
    TooMuch,
    /// The object is not in the file.
    #[error("manifest not found: there is no {0} in this file")]
    NoObject(String),
    /// The object is in the file more than once.
    #[error("{id} stands here a second time; the first is in line {first}")]
    DuplicateObject {
        /// The object.
        id: String,
        /// The line of the first.
        first: usize,
    },
    /// The object has no such container.
    #[error("manifest not found: {id} has no container `{container}`{}", known_containers(.known))]
    NoContainer {
        /// The object.
        id: String,
        /// The container.
        container: String,
        /// The containers it has.
        known: Vec<String>,
    },
    /// Objects of the kind have no containers.
    #[error("updating resource kind \"{0}\" not supported")]
    Kind(String),
    /// A key that has to be there is not.
    #[error("`{0}` is missing")]
    Missing(String),
    /// Something is no mapping, list or text though it has to be one.
    #[error("`{name}` is not {wanted}")]
    Shape {
        /// What.
        name: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A mapping names a key twice.
    #[error("the key `{key}` stands here twice")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// The value is a repetition of one that stands elsewhere.
    #[error("this is an alias: the value stands elsewhere, and a change there would change other places too")]
    Alias,
    /// The value is repeated elsewhere.
    #[error("aliases repeat this value: a change here would change other places too")]
    Repeated,
    /// The value comes from another mapping.
    #[error("`{key}` comes from another mapping through `<<`, and a change there would change other places too")]
    Inherited {
        /// The key.
        key: String,
    },
    /// The image has no registry, but the file has a place for one.
    #[error("the image `{0}` names no registry, and this one has to")]
    NoRegistry(String),
    /// The text is written in a way that cannot be changed line by line.
    #[error("this is written in a way that cannot be changed safely; change it by hand")]
    Unsafe,
    /// The policy is not one that can be written.
    #[error(transparent)]
    Policy(#[from] InvalidPolicy),
}

fn known_containers(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!("; it has {}", known.join(", ")) }
}

impl std::fmt::Display for EditError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some((line, column)) = self.place {
            write!(out, "line {line}, column {column}: ")?;
        }
        self.problem.fmt(out)
    }
}

impl From<Problem> for EditError {
    fn from(problem: Problem) -> Self {
        Self { place: None, problem }
    }
}

impl EditError {
    fn at(place: (usize, usize), problem: Problem) -> Self {
        Self { place: Some(place), problem }
    }

    /// The error with the file it is in, as `deploy/web.yaml:3:7: …`.
    pub fn in_file(&self, path: &str) -> String {
        match self.place {
            Some((line, column)) => format!("{path}:{line}:{column}: {}", self.problem),
            None => format!("{path}: {}", self.problem),
        }
    }
}

/// Bytes of a text and what takes their place.
type Splice = (Range<usize>, String);

/// Puts new text in. The ranges do not overlap.
fn splice(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::with_capacity(text.len() + 64);
    let mut done = 0;
    for (range, new) in splices {
        out.push_str(text.get(done..range.start).unwrap_or_default());
        out.push_str(&new);
        done = done.max(range.end);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}
