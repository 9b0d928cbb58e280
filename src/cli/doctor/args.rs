//! The flags of `doctor`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::args::ConsoleArgs;

/// `doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// What to look at; everything when not given
    #[arg(value_name = "AREA", value_enum)]
    pub areas: Vec<Area>,
    /// The decks to look at; those that would be presented when not given
    #[arg(long, value_name = "DECK|DIR")]
    pub decks: Option<PathBuf>,
    /// The port that must be free
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// The browser's program
    #[arg(long, value_name = "FILE")]
    pub browser_path: Option<PathBuf>,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// Something that foredeck needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Area {
    /// A browser that prints
    Browser,
    /// Git
    Git,
    /// kubectl
    Kubectl,
    /// The port that slides are served on
    Port,
    /// The decks
    Decks,
    /// What is different from the last rehearsal that passed
    Rehearsal,
}

impl Area {
    /// Its word.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Git => "git",
            Self::Kubectl => "kubectl",
            Self::Port => "port",
            Self::Decks => "decks",
            Self::Rehearsal => "rehearsal",
        }
    }
}
