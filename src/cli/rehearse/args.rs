//! The flags of `rehearse`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::args::{ConsoleArgs, RenderArgs, ServeArgs};
use crate::cli::present::args::DemoArgs;

/// `rehearse`
#[derive(Debug, Args)]
pub struct Rehearse {
    /// The deck
    #[arg(value_name = "DECK")]
    pub inputs: Vec<PathBuf>,
    /// Run every step one after the other without anybody, and end
    #[arg(long)]
    pub headless: bool,
    /// How to serve.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// How to render.
    #[command(flatten)]
    pub render: RenderArgs,
    /// The live system behind the slides.
    #[command(flatten)]
    pub demo: DemoArgs,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}
