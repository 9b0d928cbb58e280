//! `present`: decks in the browser.

pub mod args;
pub(super) mod demo;

use std::net::{IpAddr, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;

use crate::cluster::folder::Folder;
use crate::project::Project;
use crate::project::watch::{LiveDeck, Watcher};
use crate::recording::What;
use crate::sandbox::keep::Demo;
use crate::server::role::Token;
use crate::server::{Config, DeckFeed, Server, Urls, qr_text};
use crate::theme::Container;

use super::Inputs;
use super::args::Present;
use super::cluster;
use super::console::{Code, Console, Failure, is_set};
use super::rehearse::Rehearsal;
use super::running::{self, Running};
use super::runs;
use super::settings::{self, Asked, Settings};
use super::supervise::Supervisor;
use args::DemoArgs;
use demo::Prepared;

pub(super) fn run(args: Present, console: Console) -> Result<Code, Failure> {
    let inputs = Inputs::sort(args.inputs).or_default()?;
    if inputs.decks.iter().any(|path| path == Path::new("-")) {
        return Err(Failure::usage("a deck from standard input cannot be presented")
            .hint("save it to a file; exporting does work: `foredeck export - -o talk.html`"));
    }
    let asked = Asked { render: args.render, serve: args.serve, meta: args.meta, input: inputs.first() };
    let settings = settings::resolve(asked, inputs.themes.clone(), Container::Marpit)?;
    console.configuration(&settings.findings);
    let host = host(&settings.host)?;
    let project = inputs.open(settings.project.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Code::Environment, error))?;
    let outcome = runtime.block_on(serve(Arc::new(project), host, &settings, &args.demo, None, console));
    // Blocking tasks (a compile, a browser that is starting) must not hold the exit up.
    runtime.shutdown_background();
    outcome
}

/// Serves decks until stopped, or until a rehearsal without anybody is over.
pub(super) async fn serve(
    project: Arc<Project>,
    host: IpAddr,
    settings: &Settings,
    demo: &DemoArgs,
    rehearsal: Option<Arc<Rehearsal>>,
    console: Console,
) -> Result<Code, Failure> {
    let generated = Folder::of(&project.root);
    let replay = runs::replay(&demo.runs, settings.fallback, generated.path(), &project, console)?;
    let live = DemoArgs { no_demo: demo.no_demo || replay.always, ..demo.clone() };
    let demo = &live;
    let prepared = demo::prepare(demo, generated.clone(), console).await?;
    let (watcher, decks) = Watcher::new(project.clone())?;
    let mut config = Config::new(project.root.clone(), decks.iter().map(|deck| feed(&project, deck)).collect());
    config.host = host;
    config.port = settings.port;
    config.title =
        project.root.file_name().map_or_else(|| "foredeck".into(), |name| name.to_string_lossy().into_owned());
    config.state_file = prepared.as_ref().and_then(Prepared::state_file);
    config.resume = demo.resume;
    let (sender, receiver) = watch::channel(Demo::Off);
    config.demo = receiver.clone();
    config.safe = demo.safe;
    let seat = demo::seat(&project.root, prepared.is_some() && !demo.safe, console);
    config.workshop.clone_from(&seat);
    config.shell = std::env::var_os("SHELL");
    config.trusted = super::trust::store();
    config.replay = replay;
    let what = if rehearsal.is_some() { What::Rehearsal } else { What::Talk };
    let recorded = prepared.is_some() && generated.make().is_ok();
    if recorded {
        let provider = cluster::provider(&demo.which)?;
        config.record = runs::record(&demo.runs, generated.path(), what, settings.port, &provider);
    }
    let written = config.record.as_ref().map(|plan| plan.written.clone());
    let server = Server::bind(config).await.map_err(|error| Failure::new(Code::Environment, error))?;
    let mut supervisor = Supervisor::new()?;
    let stop = supervisor.stop();
    match &rehearsal {
        Some(rehearsal) if rehearsal.headless => {}
        _ => announce(server.urls(), seat.is_some(), settings, console)?,
    }
    let mut running_file = None;
    if let Some(prepared) = prepared {
        let token = Token::random().map_err(|error| Failure::new(Code::Environment, error))?;
        let always = demo.which.cluster.is_some() || demo.git_url.is_some();
        let known = if demo.git_url.is_none() { token.clone() } else { server.app().tokens.presenter.clone() };
        let running = Running {
            url: format!("http://127.0.0.1:{}", server.address().port()),
            token: known.reveal().to_owned(),
            pid: std::process::id(),
        };
        // Where nothing can be written, `fluxctl` wants the address.
        running_file = running::write(prepared.folder(), &running).ok();
        let plan = prepared.plan(demo, &project.root, server.address().port(), token.reveal().to_owned())?;
        supervisor.spawn("the demo side", demo::run(plan, always, decks.clone(), seat.clone(), sender, stop.clone()));
        if let Some(seat) = seat {
            let seat = seat.run(receiver, stop.clone());
            supervisor.spawn("the workshop", async move {
                seat.await;
                Ok::<(), std::io::Error>(())
            });
        }
    }
    if let Some(rehearsal) = rehearsal.clone().filter(|rehearsal| rehearsal.headless) {
        let (app, stop) = (server.app(), stop.clone());
        supervisor.spawn("rehearsing", async move {
            rehearsal.run(&app, console, &stop).await;
            stop.cancel();
            Ok::<(), std::io::Error>(())
        });
    }
    let serving = stop.clone();
    supervisor.spawn("serving", async move {
        server.serve(serving).await;
        Ok::<(), std::io::Error>(())
    });
    let watching = stop.clone();
    if settings.watch {
        supervisor.spawn("watching files", watcher.run(watching));
    } else {
        supervisor.spawn("compiling", async move {
            watcher.compile_all(&watching).await;
            // The cells stay open as long as somebody may look at them.
            watching.cancelled().await;
            Ok::<(), std::io::Error>(())
        });
    }
    for deck in decks {
        let stop = stop.clone();
        supervisor.spawn("telling of findings", async move {
            tokio::select! {
                () = tell(deck, console) => {}
                () = stop.cancelled() => {}
            }
            Ok::<(), std::io::Error>(())
        });
    }
    let ended = supervisor.run().await;
    drop(running_file);
    match rehearsal {
        Some(rehearsal) => rehearsal.report(&project, written.and_then(|path| path.get().cloned()), ended, console),
        None => ended,
    }
}

pub(super) fn feed(project: &Project, deck: &LiveDeck) -> DeckFeed {
    let folder = crate::project::find::parent_of(&deck.entry.path);
    let folder = project.files().resolve(&folder).unwrap_or(folder);
    let below = folder.strip_prefix(&project.root).unwrap_or(Path::new(""));
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    DeckFeed { slug: deck.entry.slug.clone(), folder: parts.join("/"), compiled: deck.cell.clone() }
}

/// Shows findings of a deck on the terminal, now and after every edit that changes them.
async fn tell(mut deck: LiveDeck, console: Console) {
    let mut told = Vec::new();
    loop {
        let compiled = deck.cell.borrow_and_update().clone();
        if let Some(compiled) = compiled
            && compiled.diagnostics != told
        {
            let fresh: Vec<_> = compiled.diagnostics.iter().filter(|found| !told.contains(found)).cloned().collect();
            console.first_findings(&fresh, &compiled.source);
            told.clone_from(&compiled.diagnostics);
        }
        if deck.cell.changed().await.is_err() {
            return;
        }
    }
}

/// The address to listen on.
pub(super) fn host(name: &str) -> Result<IpAddr, Failure> {
    if let Ok(address) = name.trim_matches(['[', ']']).parse() {
        return Ok(address);
    }
    let found = (name, 0).to_socket_addrs().ok().and_then(|mut found| found.next());
    found.map(|address| address.ip()).ok_or_else(|| {
        Failure::usage(format!("`{name}` is no address of this machine")).hint("use 127.0.0.1, or 0.0.0.0 for all")
    })
}

/// Prints the addresses and opens the browser.
fn announce(urls: &Urls, workshop: bool, settings: &Settings, console: Console) -> Result<(), Failure> {
    if console.json {
        console.document(&json!({
            "schema": "foredeck.present/1",
            "index": urls.index,
            "audience": urls.audience,
            "presenter": urls.presenter,
            "remote": urls.remote,
            "workshop": workshop.then(|| format!("{}w/", urls.index)),
        }))?;
    } else {
        console.say(&format!("  slides     {}", console.strong(&urls.index)));
        console.say(&format!("  audience   {}", urls.audience));
        console.say(&format!("  presenter  {}  (for you alone)", urls.presenter));
        console.say(&format!("  remote     {}  (for you alone)", urls.remote));
        if workshop {
            console.say(&format!("  workshop   {}w/", urls.index));
        }
        let reachable = !settings.host.starts_with("127.") && settings.host != "localhost" && settings.host != "::1";
        if console.is_terminal() && reachable {
            if let Some(code) = qr_text(&urls.remote) {
                console.say(&format!("\nThe remote, for your phone:\n{code}"));
            }
        } else if !reachable {
            console.say("  Only this machine can connect; `--host 0.0.0.0` lets phones and the audience in.");
        }
        console.say("  Ctrl-C stops.");
    }
    let open = settings.open.unwrap_or_else(|| console.is_terminal() && is_desktop());
    if open && !open_browser(&urls.presenter) {
        console.say("  The browser did not open; open the address yourself.");
    }
    Ok(())
}

/// Whether there is a screen to open a browser on.
fn is_desktop() -> bool {
    cfg!(any(target_os = "macos", windows))
        || ((is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")) && !is_set("SSH_CONNECTION"))
}

fn open_browser(url: &str) -> bool {
    use std::process::{Command, Stdio};

    let mut command = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        let mut command = Command::new("rundll32");
        command.arg("url.dll,FileProtocolHandler");
        command
    } else {
        Command::new("xdg-open")
    };
    let started = command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    match started {
        Ok(mut child) => {
            // Waited for, so that no dead process stays behind for the length of the talk.
            tokio::task::spawn_blocking(move || child.wait());
            true
        }
        Err(_) => false,
    }
}
