//! `sync` and `reconcile status`: the reconciler's state with all its reasons.

use std::io::IsTerminal as _;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::Value;

use super::args::ConsoleArgs;
use super::cluster::runtime;
use super::console::{self, Code, Console, Failure};
use super::fluxctl;
use super::fluxctl::client::{Client, Error};
use crate::gitops::report::{Style, text};
use crate::gitops::words::Dialect;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(90);
/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// `reconcile`
#[derive(Debug, Args)]
pub struct ReconcileArgs {
    /// What.
    #[command(subcommand)]
    pub command: ReconcileCommand,
}

/// What of the reconciler.
#[derive(Debug, Subcommand)]
pub enum ReconcileCommand {
    /// Show what is as Git wants it and what is not, and why; when the next sync is, and what it would do
    Status(StatusArgs),
}

/// `reconcile status`
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Show it again and again
    #[arg(short, long)]
    pub watch: bool,
    /// In whose words states are told
    #[arg(long, value_enum, value_name = "WHOSE")]
    pub words: Option<Words>,
    /// Messages.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// Whose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Words {
    /// Flux 1
    V1,
    /// Flux 2
    V2,
    /// Argo CD
    Argo,
}

impl From<Words> for Dialect {
    fn from(words: Words) -> Self {
        match words {
            Words::V1 => Self::Flux1,
            Words::V2 => Self::Flux2,
            Words::Argo => Self::ArgoCd,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(Code::Cluster, anyhow::Error::msg(error.line()))
    }
}

/// `sync`: as `fluxctl sync`.
pub(super) fn sync() -> Code {
    fluxctl::run(vec!["sync".into()])
}

/// `reconcile …`
pub(super) fn run(args: &ReconcileArgs, console: Console) -> Result<Code, Failure> {
    let ReconcileCommand::Status(status) = &args.command;
    runtime()?.block_on(show(status, console))
}

async fn show(args: &StatusArgs, console: Console) -> Result<Code, Failure> {
    let client = client()?;
    loop {
        let status = client.get("foredeck/status", &[]).await?;
        if console.json {
            let line = if args.watch { format!("{status}\n") } else { format!("{status:#}\n") };
            console::data(&line)?;
        } else {
            // A preview asks the whole cluster; where somebody watches, the state says enough.
            let preview = match args.watch {
                false => client.get("foredeck/preview", &[]).await.ok(),
                true => None,
            };
            let style = Style { dialect: args.words.map(Dialect::from) };
            let clear = if args.watch && std::io::stdout().is_terminal() { "\u{1b}[H\u{1b}[2J" } else { "" };
            console::data(&format!("{clear}{}", harmless(&text(&status, preview.as_ref(), style, Timestamp::now()))))?;
        }
        if !args.watch {
            return Ok(if is_good(&status) { Code::Done } else { Code::Findings });
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = tokio::signal::ctrl_c() => return Ok(Code::Interrupted),
        }
    }
}

/// Texts come from files of others and cannot steer the terminal.
fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').collect()
}

/// Whether all is as Git wants it.
fn is_good(status: &Value) -> bool {
    let ready = status.pointer("/source/phase").and_then(Value::as_str) == Some("ready");
    let objects = status.get("objects").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let fine =
        |object: &Value| matches!(object.get("state").and_then(Value::as_str), Some("in-sync" | "ignored" | "pruned"));
    ready && objects.iter().all(fine)
}

/// The client of the foredeck that is meant.
fn client() -> Result<Client, Failure> {
    let set = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let (url, token) = match (set("FLUX_URL"), fluxctl::here()) {
        (Some(url), _) => (url, set("FLUX_TOKEN")),
        (None, Some(running)) => (format!("{}/flux", running.url), Some(running.token)),
        (None, None) => {
            let failure = Failure::new(Code::Cluster, anyhow::Error::msg("no foredeck runs for this folder"));
            return Err(failure.hint("start one with `foredeck DECK`, or set FLUX_URL and FLUX_TOKEN"));
        }
    };
    Client::new(&url, token, LIMIT).map_err(|error| Failure::new(Code::Environment, error))
}
