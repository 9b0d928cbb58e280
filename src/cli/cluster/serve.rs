//! `cluster serve`: the embedded cluster on its own, until it is stopped.

use std::net::TcpListener;
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;

use super::args::Serve;
use super::{Place, shown};
use crate::cli::console::{Code, Console, Failure};
use crate::cli::supervise::Supervisor;
use crate::cluster::embedded::{Config, Embedded};
use crate::cluster::kubeconfig::own::{self, Entry};
use crate::cluster::provider::{Connected, Provider, connect};
use crate::cluster::sim::driver::{SharedImages, Simulation};
use crate::cluster::sim::image::Images;
use crate::diagnostic;
use tokio_util::sync::CancellationToken;

/// Embedded clusters that run.
struct Running {
    /// How to reach each.
    entries: Vec<Entry>,
    /// Ends when they have ended.
    ended: tokio::task::JoinHandle<anyhow::Result<()>>,
}

/// Starts the embedded clusters; they end when `stop` is cancelled.
async fn start(args: &Serve, stop: CancellationToken) -> anyhow::Result<Running> {
    let images = match &args.images {
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
            Images::from_yaml(&text)
                .map_err(anyhow::Error::msg)
                .with_context(|| format!("cannot use `{}`", file.display()))?
        }
        None => Images::builtin(),
    };
    let simulation = Simulation { images: SharedImages::new(images), ..Simulation::default() };
    let mut clusters = Vec::new();
    for number in 0..args.clusters {
        let one = args.clusters == 1;
        let config = Config {
            port: if args.port == 0 { 0 } else { args.port.saturating_add(number) },
            plain_http: args.plain_http,
            name: if one { "foredeck".to_owned() } else { format!("foredeck-{}", number + 1) },
            folder: args
                .persist
                .as_ref()
                .map(|folder| if one { folder.clone() } else { folder.join((number + 1).to_string()) }),
            simulation: simulation.clone(),
            ..Config::default()
        };
        clusters.push(Embedded::start(config).await?);
    }
    let entries = clusters.iter().map(Embedded::entry).collect();
    let ended = tokio::spawn(async move {
        stop.cancelled().await;
        for cluster in clusters {
            cluster.stop().await;
        }
        Ok(())
    });
    Ok(Running { entries, ended })
}

/// Empties the embedded cluster that another program serves.
pub(super) fn reset(connected: &Connected) -> Failure {
    let message = format!("the embedded cluster at {} begins empty each time it starts", connected.chosen.server);
    Failure::usage(message)
        .hint("start the program that serves it again; with `--persist DIR` take that folder away first")
}

pub(super) fn run(args: Serve, console: Console) -> Result<Code, Failure> {
    let place = Place::here(console)?;
    let file = args.kubeconfig.clone().unwrap_or_else(|| place.around.folder.embedded());
    // Before anything is started: a cluster that nobody can reach is of no use.
    own::check(&file, place.home.as_deref())?;
    if args.kubeconfig.is_none() {
        place.around.folder.make()?;
    }
    for number in 0..args.clusters {
        free(args.port, number)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Code::Environment, error))?;
    if args.kubeconfig.is_none()
        && let Ok(other) = runtime.block_on(connect(&Provider::Embedded, &place.around))
    {
        let message = format!("an embedded cluster runs here already, at {}", other.chosen.server);
        let failure = Failure::new(Code::Environment, anyhow::Error::msg(message));
        return Err(failure.hint("stop it, or give this one a file of its own with `--kubeconfig`"));
    }
    let outcome = runtime.block_on(serve(args, file, &place, console));
    runtime.shutdown_background();
    outcome
}

async fn serve(args: Serve, file: PathBuf, place: &Place, console: Console) -> Result<Code, Failure> {
    let mut supervisor = Supervisor::new()?;
    let running = start(&args, supervisor.stop()).await.map_err(|error| Failure::new(Code::Environment, error))?;
    own::write(&file, &own::text(&running.entries), place.home.as_deref())?;
    announce(&running.entries, &file, args.kubeconfig.is_none(), console)?;
    supervisor.spawn("the embedded cluster", async move { running.ended.await? });
    supervisor.run().await
}

/// Whether a port can be listened on, said before the work begins.
fn free(port: u16, number: u16) -> Result<(), Failure> {
    if port == 0 {
        return Ok(());
    }
    let Some(port) = port.checked_add(number) else {
        return Err(Failure::usage(format!("there are not {} ports from {port} on", number + 1)));
    };
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(()),
        Err(error) => {
            let error = anyhow::Error::new(error).context(format!("cannot listen on 127.0.0.1:{port}"));
            let failure = Failure::new(Code::Environment, error);
            let failure = failure.hint("name another one with `--port`, or leave it out for any free one");
            Err(Failure { rule: Some(diagnostic::Code("cluster/port-in-use")), ..failure })
        }
    }
}

fn announce(entries: &[Entry], file: &std::path::Path, standard: bool, console: Console) -> Result<(), Failure> {
    if console.json {
        let clusters: Vec<_> =
            entries.iter().map(|entry| json!({ "context": entry.name, "server": entry.server })).collect();
        return console.document(&json!({
            "schema": "foredeck.serve/1",
            "kubeconfig": file,
            "clusters": clusters,
        }));
    }
    for entry in entries {
        console.say(&format!("  {:<12} {}", entry.name, console.strong(&entry.server)));
    }
    console.say(&format!("  {:<12} {}", "kubeconfig", shown(file)));
    if standard {
        console.say("  In another terminal: eval \"$(foredeck cluster kubeconfig)\"");
    } else {
        console.say(&format!("  In another terminal: export KUBECONFIG={}", file.display()));
    }
    console.say("  Ctrl-C stops.");
    Ok(())
}
