//! `cluster up`: a kind cluster made or adopted, and others looked at.

use std::time::Instant;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::args::{Making, Up};
use super::progress::Progress;
use super::{Place, limit, provider, reach, runtime, shown};
use crate::cli::console::{Code, Console, Failure};
use crate::cli::supervise;
use crate::cluster::error::Error;
use crate::cluster::kind::{self, Create, Kind};
use crate::cluster::provider::{Connected, Provider, connect};

pub(super) fn run(args: &Up, console: Console) -> Result<Code, Failure> {
    let provider = provider(&args.which)?;
    let place = Place::here(console)?;
    let stop = CancellationToken::new();
    let (connected, how) = runtime()?.block_on(async {
        match &provider {
            Provider::Kind { name } => supervise::work(&stop, start(name, &args.making, &place, &stop, console)).await,
            Provider::Embedded => match connect(&provider, &place.around).await {
                Ok(connected) => Ok((connected, "running")),
                // A file is left of one that ended.
                Err(Error::Down { .. } | Error::Connect { .. }) => Err(not_on_its_own()),
                Err(error) => Err(error.into()),
            },
            Provider::Context { .. } => Ok((connect(&provider, &place.around).await?, "running")),
        }
    })?;
    announce(&provider, &connected, how, &place, console)?;
    Ok(Code::Done)
}

/// The embedded cluster has no life of its own.
fn not_on_its_own() -> Failure {
    let message = "the embedded cluster runs inside `foredeck present` and `foredeck cluster serve`, not on its own";
    let failure = Failure::usage(message);
    failure.hint("run `foredeck cluster serve` in another terminal, or just `foredeck DECK`")
}

/// Makes a kind cluster, or adopts one that is there, and waits until it can be used.
pub(super) async fn start(
    name: &str,
    making: &Making,
    place: &Place,
    stop: &CancellationToken,
    console: Console,
) -> Result<(Connected, &'static str), Failure> {
    let limit = limit(&making.timeout)?;
    let started = Instant::now();
    let kind = Kind::find(&place.tools)?;
    kind.check_runtime(stop).await?;
    let folder = &place.around.folder;
    let progress = Progress::new(console);
    let adopted = kind.clusters(stop).await?.iter().any(|there| there == name);
    if !adopted {
        let create = Create { image: making.image.clone(), config: making.config.clone(), limit };
        let mut report = |step| progress.told(step);
        progress.begin(format!("Making the kind cluster `{name}`"));
        progress.during(kind.create(name, &create, folder, stop, &mut report)).await?;
    }
    let printed = kind.kubeconfig(name, stop).await?;
    let made = !adopted || kind::made_here(folder, name, &printed);
    kind::keep(folder, name, &printed, made, place.home.as_deref())?;
    if !making.load.is_empty() {
        progress.begin("Loading images");
        progress.during(kind.load(name, &making.load, limit, stop)).await?;
    }
    let connected = connect(&Provider::Kind { name: name.to_owned() }, &place.around).await?;
    progress.begin("Waiting for the nodes");
    let left = limit.saturating_sub(started.elapsed());
    progress.during(kind::wait_ready(&connected.client, left, stop)).await?;
    let how = match (adopted, made) {
        (false, _) => "made",
        (true, true) => "running",
        (true, false) => "adopted",
    };
    Ok((connected, how))
}

/// Says what there is now, and how to use it.
pub(super) fn announce(
    provider: &Provider,
    connected: &Connected,
    how: &str,
    place: &Place,
    console: Console,
) -> Result<(), Failure> {
    let reach = reach::of(provider, connected.chosen.context.clone(), place)?;
    let chosen = &connected.chosen;
    if console.json {
        return console.document(&json!({
            "schema": "foredeck.cluster/1",
            "cluster": provider.to_string(),
            "state": how,
            "context": chosen.context,
            "server": chosen.server,
            "kubeconfig": reach.files,
        }));
    }
    console.say(&format!("{how}: {} at {}", console.strong(&provider.to_string()), chosen.server));
    if let Some(file) = reach.files.first() {
        console.say(&format!("  kubeconfig  {}", shown(file)));
    }
    let flag = if *provider == Provider::Embedded { String::new() } else { format!(" --cluster {provider}") };
    console.say(&format!("  in a shell  eval \"$(foredeck cluster kubeconfig{flag})\""));
    Ok(())
}
