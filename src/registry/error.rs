//! Why a registry does not tell what it is asked, said for people.

use jiff::Timestamp;

/// A registry that does not tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{of}: {why}")]
pub struct Error {
    /// What was asked for, as `index.docker.io/library/nginx`.
    pub of: String,
    /// Why not.
    #[source]
    pub why: Why,
}

/// Why a registry does not tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It does not let us in, and nothing is known that would open it.
    #[error("unauthorized: it is private or does not exist, and there are no credentials for it")]
    NoCredentials,
    /// It does not let us in with what we have.
    #[error("unauthorized: the credentials for it are refused, or it does not exist")]
    Unauthorized,
    /// It wants to be left alone for a while.
    #[error("rate limited until {until:.0}")]
    RateLimited {
        /// When it may be asked again.
        until: Timestamp,
    },
    /// There is no such repository.
    #[error("no such repository")]
    NoRepository,
    /// There is no such tag.
    #[error("no such tag or image")]
    NoImage,
    /// Its image is for other machines.
    #[error("no image for linux/amd64")]
    NoPlatform,
    /// Nobody answers.
    #[error("registry unreachable: {0}")]
    Unreachable(String),
    /// It does not answer in time.
    #[error("the registry took too long to answer")]
    TimedOut,
    /// What answers is something else.
    #[error("not a registry: {0}")]
    NotRegistry(&'static str),
    /// More came than is taken.
    #[error("the registry sent too much: {0}")]
    TooMuch(&'static str),
    /// What came cannot be true.
    #[error("the registry's answer is wrong: {0}")]
    Wrong(String),
    /// It would have to be asked in a way that is not allowed.
    #[error("not allowed: {0}")]
    NotAllowed(&'static str),
    /// It failed.
    #[error("the registry failed: {0}")]
    Failed(String),
    /// No credentials can be had from a program that has them.
    #[error("the credential helper `{program}` {what}")]
    Helper {
        /// The program.
        program: String,
        /// What became of it.
        what: String,
    },
}

impl Why {
    /// Whether the same question may be answered a moment later.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::TimedOut | Self::Failed(_))
    }

    /// With what was asked for.
    pub(super) fn of(self, of: impl std::fmt::Display) -> Error {
        Error { of: of.to_string(), why: self }
    }
}
