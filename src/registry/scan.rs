//! Registries looked through again and again: what is known of each image, and what is new.

pub mod cache;
pub mod filter;
mod pace;
pub mod scanner;
pub mod schedule;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::{Error, Why};
use schedule::Refresh;

/// What is known of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Known {
    /// Digest of what it names.
    pub digest: String,
    /// The image's id.
    pub id: String,
    /// When the image was built.
    pub created: Option<Timestamp>,
    /// Why it is left alone, if it is.
    pub excluded: Option<String>,
    /// When to look again.
    pub refresh: Refresh,
}

/// What is known of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knowledge {
    /// All tags that the registry names.
    pub listed: Vec<String>,
    /// What is known of those that were looked at.
    pub tags: BTreeMap<String, Known>,
}

/// How far looking through a repository came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum State {
    /// Not looked at yet.
    #[default]
    NotScanned,
    /// Not to be looked at.
    Excluded,
    /// It is private, and nothing is known that opens it.
    NoCredentials,
    /// The registry wants to be left alone.
    RateLimited {
        /// Until then.
        until: Timestamp,
    },
    /// It cannot be looked at.
    Failed {
        /// Why.
        reason: String,
        /// When that was.
        at: Timestamp,
    },
    /// It was looked at.
    Scanned {
        /// How many tags there are.
        tags: usize,
        /// When that was.
        at: Timestamp,
        /// How many tags are not known yet.
        missing: usize,
        /// Why some are not, if there is a reason.
        problem: Option<String>,
    },
}

impl State {
    fn failed(error: &Error, at: Timestamp) -> Self {
        match &error.why {
            Why::NoCredentials => Self::NoCredentials,
            Why::RateLimited { until } => Self::RateLimited { until: *until },
            why => Self::Failed { reason: why.to_string(), at },
        }
    }
}

/// For people.
impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotScanned => out.write_str("not scanned yet"),
            Self::Excluded => out.write_str("excluded from scanning"),
            Self::NoCredentials => out.write_str("no credentials"),
            Self::RateLimited { until } => write!(out, "rate limited until {until:.0}"),
            Self::Failed { reason, at } => write!(out, "failed at {at:.0}: {reason}"),
            Self::Scanned { tags, at, missing, problem } => {
                write!(out, "{tags} tag{} at {at:.0}", if *tags == 1 { "" } else { "s" })?;
                if *missing > 0 {
                    write!(out, ", {missing} of them not known yet")?;
                }
                problem.iter().try_for_each(|problem| write!(out, " ({problem})"))
            }
        }
    }
}

/// A repository: how far looking through it came, and what is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// How far it came.
    pub state: State,
    /// What is known, also of earlier times.
    pub knowledge: Arc<Knowledge>,
}

/// All repositories that are looked at, by name.
pub type Scans = BTreeMap<String, Scan>;

/// Something new in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Its name.
    pub image: String,
    /// Tags that were not there before.
    pub added: Vec<String>,
    /// Tags that name something else than before.
    pub moved: Vec<String>,
    /// Whether this is the first look at it, and so nothing has really happened.
    pub first: bool,
}
