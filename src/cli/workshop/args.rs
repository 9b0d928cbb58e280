//! What may stand behind `workshop`, and `test workshop`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

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
    /// Serve the workshop until it is stopped, at the beginning of a step
    Start(Start),
    /// Serve the workshop for many until it is stopped, each learner with a sandbox of their own
    Serve(Serve),
    /// Run the commands of a step, or one of them
    Run(RunCommand),
    /// Say how the checks of a step stand, and why
    Check(CheckStep),
    /// Give a hint; each time the next one
    Hint(OfStep),
    /// Do a step by its solution
    Solve(OfStep),
    /// Take back what was done from the beginning of a step on
    Reset(OfStep),
    /// Say how far you are
    Status(List),
    /// Write the workshop as one text to take home
    Export(ExportWorkshop),
    /// Turn a scenario of another tool into steps
    Import(ImportWorkshop),
}

/// `workshop list`, `workshop status`
#[derive(Debug, Args)]
pub struct List {
    /// Which workshop.
    #[command(flatten)]
    pub which: WhichWorkshop,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `workshop start`
#[derive(Debug, Args)]
pub struct Start {
    /// The step: its number, slug or file name; else the one you are at
    #[arg(value_name = "STEP")]
    pub step: Option<String>,
    /// Only say what would be done to get there
    #[arg(long)]
    pub dry_run: bool,
    /// Begin anew: what was kept is put aside
    #[arg(long)]
    pub fresh: bool,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: std::net::IpAddr,
    /// Port to listen on; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 3939)]
    pub port: u16,
    /// Do not record what happens
    #[arg(long)]
    pub no_record: bool,
    /// Which workshop.
    #[command(flatten)]
    pub which: WhichWorkshop,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `workshop serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// Learners at most
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub max_learners: u16,
    /// Put a sandbox away when its learner does nothing for so long; it comes back with them
    #[arg(long, value_name = "TIME", default_value = "15m")]
    pub idle: String,
    /// Keep what learners did when the workshop ends
    #[arg(long)]
    pub keep: bool,
    /// Give learners a shell on this machine also when they come over the network
    #[arg(long)]
    pub terminals: bool,
    /// Address to listen on; `0.0.0.0` for a room
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: std::net::IpAddr,
    /// Port to listen on; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 3939)]
    pub port: u16,
    /// Host name to answer to, besides the address
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// How learners reach this machine when not by its address
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Which workshop.
    #[command(flatten)]
    pub which: WhichWorkshop,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// A command on a step.
#[derive(Debug, Args)]
pub struct OfStep {
    /// The step: its number, slug or file name; else the one you are at
    #[arg(value_name = "STEP")]
    pub step: Option<String>,
    /// Which workshop.
    #[command(flatten)]
    pub which: WhichWorkshop,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `workshop run`
#[derive(Debug, Args)]
pub struct RunCommand {
    /// The step: its number, slug or file name; else the one you are at
    #[arg(value_name = "STEP")]
    pub step: Option<String>,
    /// The command's name; all commands of the step when not given
    #[arg(value_name = "NAME", requires = "step")]
    pub name: Option<String>,
    /// Which workshop.
    #[command(flatten)]
    pub which: WhichWorkshop,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `workshop check`
#[derive(Debug, Args)]
pub struct CheckStep {
    /// The step: its number, slug or file name; else the one you are at
    #[arg(value_name = "STEP")]
    pub step: Option<String>,
    /// Wait until the checks hold, are wrong, or their time is over
    #[arg(short, long)]
    pub wait: bool,
    /// Which workshop.
    #[command(flatten)]
    pub which: WhichWorkshop,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `workshop export`
#[derive(Debug, Args)]
pub struct ExportWorkshop {
    /// What to make: `md` or `html`; else the output's extension says
    #[arg(long, value_name = "FORMAT", value_parser = ["md", "html"])]
    pub to: Option<String>,
    /// Where to write; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
    /// Leave the solutions out
    #[arg(long)]
    pub no_solutions: bool,
    /// Which workshop.
    #[command(flatten)]
    pub which: WhichWorkshop,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `workshop import`
#[derive(Debug, Args)]
pub struct ImportWorkshop {
    /// What wrote it
    #[arg(value_enum)]
    pub from: Scenario,
    /// The scenario's folder, or its `index.json`
    #[arg(value_name = "DIR")]
    pub input: PathBuf,
    /// The folder to write the steps to; `workshop` when not given
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Write over steps that are there
    #[arg(long)]
    pub force: bool,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// Whose scenarios can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Killercoda, and Katacoda before it
    Killercoda,
}

/// `test workshop`
#[derive(Debug, Args)]
pub struct TestWorkshop {
    /// The folder of steps; else `workshop/` here, else the built-in workshop
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Write the results as JUnit XML to this file; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

impl WorkshopCommand {
    /// Where its messages go.
    pub fn console(&self) -> &ConsoleArgs {
        match self {
            Self::List(args) | Self::Status(args) => &args.console,
            Self::Start(args) => &args.console,
            Self::Serve(args) => &args.console,
            Self::Run(args) => &args.console,
            Self::Check(args) => &args.console,
            Self::Hint(args) | Self::Solve(args) | Self::Reset(args) => &args.console,
            Self::Export(args) => &args.console,
            Self::Import(args) => &args.console,
        }
    }
}
