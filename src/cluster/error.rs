//! Why a cluster cannot be had, with the stable code of each reason and what to do about it.

use std::path::PathBuf;
use std::time::Duration;

use crate::diagnostic::Code;

use super::guard::{self, Judgement};

/// Why a cluster cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `--cluster` names no cluster that there is.
    #[error("`{asked}` is no cluster: {why}")]
    Provider {
        /// What was asked for.
        asked: String,
        /// What is wrong with it.
        why: String,
        /// What was probably meant.
        like: Option<String>,
    },
    /// A context may not be touched.
    #[error("the context `{context}` is not touched: it {}", judgement.because)]
    Foreign {
        /// Its name.
        context: String,
        /// Its server.
        server: String,
        /// What the guard thinks of it.
        judgement: Judgement,
        /// Why the user's configuration does not allow it.
        refusal: String,
    },
    /// A cluster that foredeck did not make is not deleted.
    #[error("the {cluster} was not made by foredeck")]
    NotOurs {
        /// Which, as `kind cluster \`demo\``.
        cluster: String,
    },
    /// A kubeconfig file cannot be read.
    #[error("cannot read the kubeconfig `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Unreadable,
    },
    /// There is no kubeconfig at all.
    #[error("there is no kubeconfig: {why}")]
    NoKubeconfig {
        /// Where it was looked for.
        why: String,
    },
    /// There is no context of that name.
    #[error("there is no context `{name}` in {places}")]
    NoContext {
        /// The name.
        name: String,
        /// The files that were read.
        places: String,
        /// The names there are.
        known: Vec<String>,
        /// What was probably meant.
        like: Option<String>,
    },
    /// Several contexts, and none was named.
    #[error("{places} holds several contexts")]
    Ambiguous {
        /// The files that were read.
        places: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A context names something that is not there.
    #[error("the context `{context}` is not complete: {why}")]
    Incomplete {
        /// Its name.
        context: String,
        /// What is missing.
        why: String,
    },
    /// A kubeconfig in `.foredeck/` that foredeck cannot have written.
    #[error("`{}` was not written by foredeck: {why}", path.display())]
    Forged {
        /// The file.
        path: PathBuf,
        /// What gives it away.
        why: String,
    },
    /// A kubeconfig may not be written there.
    #[error("`{}` is not written: {why}", path.display())]
    Protected {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A program is missing.
    #[error("{program} is not installed, or not on the PATH")]
    Missing {
        /// The program.
        program: &'static str,
    },
    /// No container runtime answers.
    #[error("{program} does not answer: {why}")]
    Runtime {
        /// The program.
        program: String,
        /// Its last words.
        why: String,
    },
    /// A program failed.
    #[error("`{program}` failed: {why}")]
    Program {
        /// The program and what it was to do.
        program: String,
        /// Its last words.
        why: String,
        /// Whether a port was taken.
        port: bool,
    },
    /// It took too long.
    #[error("{what} took longer than {} s", limit.as_secs())]
    Timeout {
        /// What.
        what: String,
        /// The limit.
        limit: Duration,
    },
    /// It was stopped.
    #[error("stopped")]
    Interrupted,
    /// The cluster is not up.
    #[error("{cluster} is not up")]
    Down {
        /// Which.
        cluster: String,
        /// How to start it.
        start: String,
    },
    /// The API server cannot be talked to.
    #[error("the cluster of context `{context}` at {server} cannot be reached")]
    Connect {
        /// The context.
        context: String,
        /// The server.
        server: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why a kubeconfig file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file itself.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is no text.
    #[error("it is no text")]
    Binary,
    /// It is longer than any kubeconfig.
    #[error("it is larger than {0} MiB")]
    TooLarge(u64),
    /// It is no kubeconfig.
    #[error("{0}")]
    Syntax(String),
    /// A name is there twice.
    #[error("there are two {what} called `{name}`")]
    Twice {
        /// What.
        what: &'static str,
        /// The name.
        name: String,
    },
}

/// What kind of failure it is, which decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The command line makes no sense.
    Usage,
    /// Something that was named is not there or cannot be read.
    Input,
    /// The machine does not allow it.
    Environment,
    /// It took too long, or the cluster does not answer.
    Cluster,
    /// It is not allowed.
    Refused,
    /// It was stopped by Ctrl-C.
    Interrupted,
}

impl Error {
    /// What kind of failure it is.
    pub fn class(&self) -> Class {
        match self {
            Self::Provider { .. } => Class::Usage,
            Self::Read { .. } | Self::NoKubeconfig { .. } | Self::NoContext { .. } | Self::Incomplete { .. } => {
                Class::Input
            }
            Self::Ambiguous { .. } => Class::Usage,
            Self::Foreign { .. } | Self::NotOurs { .. } | Self::Forged { .. } | Self::Protected { .. } => {
                Class::Refused
            }
            Self::Write { .. }
            | Self::Missing { .. }
            | Self::Runtime { .. }
            | Self::Program { .. }
            | Self::Down { .. } => Class::Environment,
            Self::Timeout { .. } | Self::Connect { .. } => Class::Cluster,
            Self::Interrupted => Class::Interrupted,
        }
    }

    /// The rule's stable name, for `foredeck docs CODE`.
    pub fn code(&self) -> Option<Code> {
        Some(match self {
            Self::Provider { .. } => Code("cluster/unknown"),
            Self::Foreign { .. } => guard::FOREIGN_CONTEXT,
            Self::NotOurs { .. } => Code("cluster/not-ours"),
            Self::Read { .. } | Self::NoKubeconfig { .. } => Code("cluster/kubeconfig"),
            Self::NoContext { .. } | Self::Ambiguous { .. } | Self::Incomplete { .. } => {
                Code("cluster/unknown-context")
            }
            Self::Forged { .. } => Code("cluster/forged-kubeconfig"),
            Self::Protected { .. } => Code("cluster/protected-kubeconfig"),
            Self::Missing { program: "kind" } => Code("cluster/kind-missing"),
            Self::Missing { .. } | Self::Runtime { .. } => Code("cluster/no-container-runtime"),
            Self::Program { port: true, .. } => Code("cluster/port-in-use"),
            Self::Program { .. } => Code("cluster/kind-failed"),
            Self::Timeout { .. } => Code("cluster/timeout"),
            Self::Down { .. } => Code("cluster/not-running"),
            Self::Connect { .. } => Code("cluster/unreachable"),
            Self::Write { .. } | Self::Interrupted => return None,
        })
    }

    /// How to go on.
    pub fn hint(&self) -> Option<String> {
        const EMBEDDED: &str = "`--cluster embedded` needs nothing installed";
        match self {
            Self::Provider { like: Some(like), .. } => Some(format!("did you mean `{like}`?")),
            Self::Provider { .. } => Some("clusters are `embedded`, `kind`, `kind:NAME` and `context:NAME`".to_owned()),
            Self::Foreign { refusal, .. } => Some(refusal.clone()),
            Self::NotOurs { .. } => Some("delete it with the tool that made it, or give `--force`".to_owned()),
            Self::NoContext { like: Some(like), .. } => Some(format!("did you mean `{like}`?")),
            Self::NoContext { known, .. } if known.is_empty() => None,
            Self::NoContext { known, .. } => Some(format!("there are {}", listed(known))),
            Self::Ambiguous { known, .. } => Some(format!("name one with `--context`: {}", listed(known))),
            Self::Forged { path, .. } => Some(format!("look at `{}` and delete it", path.display())),
            Self::Protected { .. } => Some("name another file; foredeck keeps its own in `.foredeck/`".to_owned()),
            Self::Missing { program: "kind" } => {
                Some(format!("install kind (https://kind.sigs.k8s.io), or go on without: {EMBEDDED}"))
            }
            Self::Missing { .. } => Some(format!("kind needs docker or podman; {EMBEDDED}")),
            Self::Runtime { program, .. } => Some(format!("start {program}, or go on without: {EMBEDDED}")),
            Self::Program { .. } => Some(format!("go on without: {EMBEDDED}")),
            Self::Timeout { .. } => Some(format!("give it more time with `--timeout`, or go on without: {EMBEDDED}")),
            Self::Connect { .. } => Some("`foredeck cluster status` says what runs".to_owned()),
            Self::Down { start, .. } => Some(format!("start it with `{start}`")),
            _ => None,
        }
    }
}

/// The first names of a list.
fn listed(names: &[String]) -> String {
    const MOST: usize = 8;
    let first: Vec<_> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MOST);
    if more > 0 { format!("{} and {more} more", first.join(", ")) } else { first.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_says_how_to_go_on_without() {
        for program in ["kind", "docker"] {
            let error = Error::Missing { program };
            assert_eq!(error.class(), Class::Environment);
            assert!(error.hint().is_some_and(|hint| hint.contains("--cluster embedded")), "{program}");
        }
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..10).map(|n| format!("c{n}")).collect();
        assert_eq!(listed(&names), "`c0`, `c1`, `c2`, `c3`, `c4`, `c5`, `c6`, `c7` and 2 more");
        assert_eq!(listed(&names[..2]), "`c0`, `c1`");
    }
}
