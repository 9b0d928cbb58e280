//! `cluster down` and `cluster reset`: only what foredeck made is taken away.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::args::{Down, Reset};
use super::progress::Progress;
use super::{Place, provider, runtime, up};
use crate::cli::console::{Code, Console, Failure};
use crate::cli::supervise;
use crate::cluster::error::Error;
use crate::cluster::kind::{self, Kind};
use crate::cluster::provider::{Provider, connect};

/// What became of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Deleted,
    Left,
    Absent,
}

pub(super) fn run(args: &Down, console: Console) -> Result<Code, Failure> {
    let provider = provider(&args.which)?;
    let place = Place::here(console)?;
    let stop = CancellationToken::new();
    let runtime = runtime()?;
    let outcome = match &provider {
        Provider::Kind { name } => {
            let removed = remove(name, args.force, &place, &stop, console);
            runtime.block_on(supervise::work(&stop, removed))?
        }
        Provider::Embedded => match runtime.block_on(connect(&provider, &place.around)) {
            Ok(_) => return Err(lives_elsewhere()),
            Err(_) => forget(&place.around.folder.embedded()),
        },
        Provider::Context { name } => return Err(foreign(name)),
    };
    tell(&provider, outcome, console)?;
    Ok(Code::Done)
}

pub(super) fn reset(args: Reset, console: Console) -> Result<Code, Failure> {
    let provider = provider(&args.which)?;
    let place = Place::here(console)?;
    let stop = CancellationToken::new();
    let runtime = runtime()?;
    match &provider {
        Provider::Kind { name } => {
            let again = async {
                if remove(name, args.force, &place, &stop, console).await? == Outcome::Left {
                    return Err(Error::NotOurs { cluster: format!("kind cluster `{name}`") }.into());
                }
                up::start(name, &args.making, &place, &stop, console).await
            };
            let (connected, how) = runtime.block_on(supervise::work(&stop, again))?;
            up::announce(&provider, &connected, how, &place, console)?;
            Ok(Code::Done)
        }
        Provider::Embedded => {
            let connected = runtime.block_on(connect(&provider, &place.around))?;
            Err(super::serve::reset(&connected))
        }
        Provider::Context { name } => Err(foreign(name)),
    }
}

fn lives_elsewhere() -> Failure {
    let message = "the embedded cluster lives in the program that serves it, and ends with that";
    Failure::usage(message).hint("press Ctrl-C where `foredeck present` or `foredeck cluster serve` runs")
}

fn foreign(context: &str) -> Failure {
    let failure = Failure::from(Error::NotOurs { cluster: format!("cluster of context `{context}`") });
    Failure { hint: None, ..failure }
}

/// Deletes a kind cluster that foredeck made, and forgets one that it did not make.
async fn remove(
    name: &str,
    force: bool,
    place: &Place,
    stop: &CancellationToken,
    console: Console,
) -> Result<Outcome, Failure> {
    let folder = &place.around.folder;
    let kind = Kind::find(&place.tools)?;
    kind.check_runtime(stop).await?;
    let file = folder.kind(name);
    if !kind.clusters(stop).await?.iter().any(|there| there == name) {
        forget(&file);
        return Ok(Outcome::Absent);
    }
    // One that was begun and never came up has no kubeconfig; whose it is cannot be told then.
    let printed = kind.kubeconfig(name, stop).await.unwrap_or_default();
    if !force && !kind::made_here(folder, name, &printed) {
        forget(&file);
        return Ok(Outcome::Left);
    }
    let progress = Progress::new(console);
    progress.begin(format!("Deleting the kind cluster `{name}`"));
    progress.during(kind.delete(name, folder, stop)).await?;
    forget(&file);
    Ok(Outcome::Deleted)
}

/// Takes a kubeconfig of ours away.
fn forget(file: &std::path::Path) -> Outcome {
    if crate::cluster::kubeconfig::own::is_ours(file) {
        let _ = std::fs::remove_file(file);
    }
    Outcome::Absent
}

fn tell(provider: &Provider, outcome: Outcome, console: Console) -> Result<(), Failure> {
    let (state, message) = match outcome {
        Outcome::Deleted => ("deleted", format!("deleted {provider}")),
        Outcome::Absent => ("absent", format!("{provider} is not running")),
        Outcome::Left => {
            ("left", format!("left {provider} running: foredeck did not make it; `--force` deletes it all the same"))
        }
    };
    if console.json {
        let cluster = provider.to_string();
        return console.document(&json!({ "schema": "foredeck.cluster/1", "cluster": cluster, "state": state }));
    }
    console.say(&message);
    Ok(())
}
