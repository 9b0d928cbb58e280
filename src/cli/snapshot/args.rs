//! What may stand behind `snapshot`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::args::{ConsoleArgs, RenderArgs};
use crate::cli::cluster::args::Which;

/// `snapshot`
#[derive(Debug, Args)]
pub struct Snapshot {
    /// Decks or a folder of decks
    #[arg(value_name = "DECK|DIR")]
    pub inputs: Vec<PathBuf>,
    /// Write the snapshots into the decks; else only what would change is shown
    #[arg(long)]
    pub write: bool,
    /// Run the steps and commands of the decks this once, whether they are trusted or not
    #[arg(long, conflicts_with = "safe")]
    pub trust: bool,
    /// Run none of them, whatever was trusted
    #[arg(long)]
    pub safe: bool,
    /// How long to wait for a panel that shows nothing
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub patience: String,
    /// Which cluster.
    #[command(flatten)]
    pub which: Which,
    /// How to render.
    #[command(flatten)]
    pub render: RenderArgs,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}
