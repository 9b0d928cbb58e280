//! `workshop serve`: the workshop for many, each with a sandbox of their own, until it is stopped.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::args::Serve;
use super::host::seed;
use super::{folder, sound};
use crate::cli::cluster::Place;
use crate::cli::console::{Code, Console, Failure};
use crate::cli::supervise::Supervisor;
use crate::cluster::folder::Folder;
use crate::cluster::goduration;
use crate::server::room::{RoomConfig, RoomServer, Rules};
use crate::server::{Config, qr_text};
use crate::workshop::Workshop;

/// The shortest time after which a sandbox is put away.
const SHORTEST: Duration = Duration::from_secs(5);

pub(super) fn run(args: &Serve, console: Console) -> Result<Code, Failure> {
    let loaded = sound(&args.which, console)?;
    let workshop = Arc::new(loaded.workshop);
    let rules = rules(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Code::Environment, error))?;
    let done = runtime.block_on(serve(args, workshop, rules, console));
    runtime.shutdown_background();
    done
}

fn rules(args: &Serve) -> Result<Rules, Failure> {
    let idle = goduration::length(&args.idle).ok();
    let idle = idle.filter(|idle| *idle >= SHORTEST).ok_or_else(|| {
        Failure::usage(format!("`--idle {}` is no time of 5 seconds or more", args.idle)).hint("write it like `15m`")
    })?;
    // A shell is everything this machine's user may do: on a network only when it is asked for.
    let terminals = args.terminals || args.host.is_loopback();
    Ok(Rules { max: usize::from(args.max_learners), idle, terminals })
}

async fn serve(args: &Serve, workshop: Arc<Workshop>, rules: Rules, console: Console) -> Result<Code, Failure> {
    let home = Place::here(console)?.around.folder.below("room");
    home.make()?;
    let failed = |what: &'static str| {
        move |error: std::io::Error| Failure::new(Code::Environment, anyhow::Error::new(error).context(what))
    };
    let program = std::env::current_exe().map_err(failed("this program's file is not known"))?;
    let seed = seed(folder(&args.which).as_deref(), &home).map_err(failed("the first files cannot be written"))?;
    let mut server = Config::new(home.path(), Vec::new());
    (server.host, server.port) = (args.host, args.port);
    server.title.clone_from(&workshop.name);
    server.allow_hosts.clone_from(&args.allow_host);
    server.public_url.clone_from(&args.public_url);
    server.shell = std::env::var_os("SHELL");
    let config = RoomConfig {
        server,
        workshop,
        folder: home.clone(),
        seed,
        program,
        path: std::env::var_os("PATH"),
        home: std::env::home_dir().filter(|home| home.is_absolute()),
        rules,
    };
    // Signals are held back from before the room is open.
    let mut supervisor = Supervisor::new()?;
    let stop = CancellationToken::new();
    let room = RoomServer::bind(config, stop.clone()).await;
    let room = room.map_err(|error| Failure::new(Code::Environment, error))?;
    say(args, &room, rules, console)?;
    let served = tokio::spawn(room.serve());
    let (asked, mine) = (supervisor.stop(), stop.clone());
    supervisor.spawn("the workshop", async move {
        tokio::select! {
            () = asked.cancelled() => {}
            () = mine.cancelled() => {}
        }
        Ok::<(), std::io::Error>(())
    });
    let code = supervisor.run().await;
    stop.cancel();
    let _ = served.await;
    if !args.keep {
        forget(&home).map_err(failed("what learners did cannot be deleted"))?;
        console.say("What learners did was deleted; `--keep` keeps it.");
    }
    code
}

/// Deletes who took part and what they did.
fn forget(home: &Folder) -> std::io::Result<()> {
    match std::fs::remove_dir_all(home.path()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn say(args: &Serve, room: &RoomServer, rules: Rules, console: Console) -> Result<(), Failure> {
    let (join, trainer) = (room.join_link(), room.trainer_link());
    if console.json {
        return console.document(&json!({
            "schema": "foredeck.workshop.serve/1",
            "join": join,
            "trainer": trainer,
            "max": rules.max,
            "terminals": rules.terminals,
            "shells": room.shells(),
            "learners": room.learners(),
        }));
    }
    if let Some(note) = room.note() {
        console.say(&format!("Note: {note}."));
    }
    if !args.host.is_loopback()
        && let Some(code) = qr_text(&join)
    {
        console.say(&code);
    }
    console.say(&format!("  learners    {}", console.strong(&join)));
    console.say(&format!("  trainer     {trainer}  (for you alone)"));
    console.say(&format!("  places      {}, {} taken", rules.max, room.learners()));
    if args.host.is_loopback() {
        console.say("  Only this machine can join: `--host 0.0.0.0` opens it to the network.");
    }
    console.say(&format!("  {}", room.shells()));
    match (rules.terminals, args.host.is_loopback()) {
        (true, false) => console.say("  They run as you: use a machine that holds nothing else, or a container."),
        (true, true) => {}
        (false, _) => console.say("  `--terminals` gives each of them a shell on this machine."),
    }
    console.say(match args.keep {
        true => "  Ctrl-C stops; the next `foredeck workshop serve` goes on.",
        false => "  Ctrl-C ends the workshop and deletes what learners did; `--keep` keeps it.",
    });
    Ok(())
}
