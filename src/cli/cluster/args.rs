//! What may stand behind `cluster`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::args::ConsoleArgs;

/// `cluster`
#[derive(Debug, Args)]
pub struct ClusterArgs {
    /// What to do with clusters.
    #[command(subcommand)]
    pub command: ClusterCommand,
}

/// Which cluster is meant.
#[derive(Debug, Clone, Default, Args)]
pub struct Which {
    /// Which cluster: `embedded`, `kind[:NAME]` or `context:NAME`; else `FOREDECK_CLUSTER` says
    #[arg(long, value_name = "CLUSTER")]
    pub cluster: Option<String>,
}

/// What to do with clusters.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Start a cluster, or adopt a kind cluster that runs
    Up(Up),
    /// Stop a cluster that foredeck started
    Down(Down),
    /// Say which clusters there are, and what runs where
    Status(Status),
    /// Start a cluster afresh
    Reset(Reset),
    /// Say how to reach a cluster: `eval "$(foredeck cluster kubeconfig)"`
    Kubeconfig(Kubeconfig),
    /// Run the embedded cluster on its own until it is stopped
    Serve(Serve),
}

/// How a kind cluster is made.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "kind")]
pub struct Making {
    /// The node image; kind's own choice when not given
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// A file of kind's with nodes, ports and more
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Put images of the local docker, or `.tar` archives, into the nodes
    #[arg(long, value_name = "IMAGE|FILE")]
    pub load: Vec<String>,
    /// How long it may take
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub timeout: String,
}

/// `cluster up`
#[derive(Debug, Args)]
pub struct Up {
    /// Which cluster.
    #[command(flatten)]
    pub which: Which,
    /// How it is made.
    #[command(flatten)]
    pub making: Making,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `cluster down`
#[derive(Debug, Args)]
pub struct Down {
    /// Which cluster.
    #[command(flatten)]
    pub which: Which,
    /// Also delete a kind cluster that foredeck did not make
    #[arg(long)]
    pub force: bool,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `cluster status`
#[derive(Debug, Args)]
pub struct Status {
    /// Which cluster; all that are known when not given
    #[command(flatten)]
    pub which: Which,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `cluster reset`
#[derive(Debug, Args)]
pub struct Reset {
    /// Which cluster.
    #[command(flatten)]
    pub which: Which,
    /// Also a kind cluster that foredeck did not make
    #[arg(long)]
    pub force: bool,
    /// How it is made again.
    #[command(flatten)]
    pub making: Making,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `cluster kubeconfig`
#[derive(Debug, Args)]
pub struct Kubeconfig {
    /// Which cluster.
    #[command(flatten)]
    pub which: Which,
    /// Write the kubeconfig itself to a file; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// `cluster serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// Port to listen on; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
    /// Where to write how to reach it; in `.foredeck/` when not given
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Keep what is in the cluster in this folder, and take it up again next time
    #[arg(long, value_name = "DIR")]
    pub persist: Option<PathBuf>,
    /// How many clusters to run, each at a port of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub clusters: u16,
    /// The simulated images: what a container of each says and does
    #[arg(long, value_name = "FILE")]
    pub images: Option<PathBuf>,
    /// Speak HTTP without TLS; on this machine alone
    #[arg(long)]
    pub plain_http: bool,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

impl ClusterCommand {
    /// Where its messages go.
    pub fn console(&self) -> &ConsoleArgs {
        match self {
            Self::Up(args) => &args.console,
            Self::Down(args) => &args.console,
            Self::Status(args) => &args.console,
            Self::Reset(args) => &args.console,
            Self::Kubeconfig(args) => &args.console,
            Self::Serve(args) => &args.console,
        }
    }
}
