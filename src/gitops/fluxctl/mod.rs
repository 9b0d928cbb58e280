//! fluxctl's command line: what is asked for, and the words of the answers.

pub mod args;
mod check;
pub mod connect;
pub mod output;
pub mod wire;

use crate::gitops::id::ResourceId;
use crate::gitops::release::Cause;
use crate::gitops::release::images::ImageRelease;
use crate::gitops::release::policies::PolicyChanges;

pub use check::parse;

/// What a command line asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// The command.
    pub request: Request,
    /// How to reach the daemon; none when the command does not need it.
    pub connection: Option<connect::Connection>,
    /// What to say on the error stream before anything else.
    pub warnings: Vec<String>,
}

/// A command with everything that was asked about it.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Say what there is to ask for.
    Help,
    /// Say which version this is.
    Version,
    /// Print completions of a shell.
    Completion(Shell),
    /// Print manifests that install Flux.
    Install(Box<args::InstallArgs>),
    /// List workloads.
    ListWorkloads {
        /// In this namespace; in all when there is none.
        namespace: Option<String>,
        /// Only with a container of this name.
        container: Option<String>,
        /// How.
        listing: Listing,
    },
    /// List images.
    ListImages {
        /// Whose.
        scope: ImageScope,
        /// How many of each; all when zero.
        limit: usize,
        /// How.
        listing: Listing,
    },
    /// Synchronise now.
    Sync,
    /// Show the key.
    Identity {
        /// A new one.
        regenerate: bool,
        /// Its fingerprint instead.
        fingerprint: bool,
        /// And a picture of it.
        visual: bool,
    },
    /// Change policies.
    Policy {
        /// How, for each workload.
        changes: PolicyChanges,
        /// Who and why.
        cause: Cause,
        /// How much of the results to show.
        verbosity: u8,
    },
    /// Release images.
    Release(Box<Release>),
    /// Write what runs in the cluster to files.
    Save {
        /// The folder, or `-`.
        out: String,
    },
}

/// How to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// With headings.
    pub headers: bool,
    /// As JSON.
    pub json: bool,
}

/// Whose images to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageScope {
    /// Those of a namespace.
    Namespace(String),
    /// Those of a workload.
    Workload(ResourceId),
}

/// A release and how to go about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// What to release.
    pub release: ImageRelease,
    /// Only say what would happen.
    pub dry_run: bool,
    /// Let the user choose.
    pub interactive: bool,
    /// Follow the roll-out.
    pub watch: bool,
    /// Who and why.
    pub cause: Cause,
    /// How much of the results to show.
    pub verbosity: u8,
}

/// A shell with completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// bash
    Bash,
    /// fish
    Fish,
    /// zsh
    Zsh,
}

/// What the world around a command line says.
pub struct Surroundings<'a> {
    /// Environment variables.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The namespace of a context of the kubeconfig; of the current one when none is named.
    pub namespace: &'a dyn Fn(Option<&str>) -> Option<String>,
    /// Who the user is according to Git, as `Name <email>`.
    pub author: &'a str,
}

/// A command line that asks for nothing that can be done.
#[derive(Debug)]
pub enum Refusal {
    /// The flags make no sense, or help was asked for.
    Flags(Box<clap::Error>),
    /// What they ask for makes none.
    Usage {
        /// The command.
        command: String,
        /// Why.
        text: String,
    },
}

/// What a program prints and how it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// To the output.
    pub stdout: String,
    /// To the error stream.
    pub stderr: String,
    /// The exit code: 0 or 1, never anything else.
    pub exit: u8,
}

impl Refusal {
    /// What to print, and how to end.
    pub fn report(&self) -> Report {
        match self {
            Self::Flags(error) if !error.use_stderr() => {
                Report { stdout: error.render().to_string(), stderr: String::new(), exit: 0 }
            }
            Self::Flags(error) => {
                let text = error.render().to_string();
                let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
                Report { stdout: String::new(), stderr: format!("Error: {text}\n"), exit: 1 }
            }
            Self::Usage { command, text } => {
                let stderr = format!("Error: {text}\nRun 'fluxctl {command} --help' for usage.\n");
                Report { stdout: String::new(), stderr, exit: 1 }
            }
        }
    }
}
