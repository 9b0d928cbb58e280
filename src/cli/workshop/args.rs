//! What may stand behind `workshop`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::args::ConsoleArgs;

/// `workshop`
#[derive(Debug, Args)]
pub struct WorkshopArgs {
    /// What to do in the workshop.
    #[command(subcommand)]
    pub command: WorkshopCommand,
}

/// Which workshop.
#[derive(Debug, Clone, Default, Args)]
pub struct WhichWorkshop {
    /// The folder of steps; else `workshop/` here, else the built-in workshop
    #[arg(long, value_name = "DIR")]
    pub workshop: Option<PathBuf>,
}

/// What to do in the workshop.
#[derive(Debug, Subcommand)]
pub enum WorkshopCommand {
    /// List the steps, and say what is wrong with their files
    List(List),
}

/// `workshop list`
#[derive(Debug, Args)]
pub struct List {
    /// Which workshop.
    #[command(flatten)]
    pub which: WhichWorkshop,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

impl WorkshopCommand {
    /// Where its messages go.
    pub fn console(&self) -> &ConsoleArgs {
        match self {
            Self::List(args) => &args.console,
        }
    }
}
