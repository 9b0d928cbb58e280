//! What may stand behind `test`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::args::{ConsoleArgs, RenderArgs};
use crate::cli::workshop::args::TestWorkshop;

/// `test`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct TestArgs {
    /// Test something else than decks.
    #[command(subcommand)]
    pub command: Option<TestCommand>,
    /// Test decks.
    #[command(flatten)]
    pub decks: TestDecks,
}

/// What to test besides decks.
#[derive(Debug, Subcommand)]
pub enum TestCommand {
    /// Run every solution and every reset of a workshop in a sandbox of its own
    Workshop(TestWorkshop),
}

/// `test DECK`
#[derive(Debug, Args)]
pub struct TestDecks {
    /// Decks or a folder of decks
    #[arg(value_name = "DECK|DIR")]
    pub inputs: Vec<PathBuf>,
    /// Run the commands of these decks although nobody has agreed to them; nothing of that is remembered
    #[arg(long)]
    pub trust: bool,
    /// Stop at the first step that does not pass
    #[arg(long)]
    pub fail_fast: bool,
    /// Write the results as JUnit XML to this file; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// How to render.
    #[command(flatten)]
    pub render: RenderArgs,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

impl TestArgs {
    /// Where its messages go.
    pub fn console(&self) -> &ConsoleArgs {
        match &self.command {
            Some(TestCommand::Workshop(args)) => &args.console,
            None => &self.decks.console,
        }
    }
}
