//! `workshop start`: serves the workshop, and brings its sandbox to the beginning of a step.

use std::sync::Arc;

use serde_json::json;

use super::args::Start;
use super::client::{self, Address, unknown};
use super::host::{Host, Hosting};
use super::step::tell_moves;
use super::{folder, sound};
use crate::cli::console::{Code, Console, Failure};
use crate::cli::supervise::Supervisor;
use crate::net::ask::{Ask, ask};
use crate::workshop::Workshop;
use crate::workshop::session::{Error, Session};

pub(super) fn run(args: &Start, console: Console) -> Result<Code, Failure> {
    let loaded = sound(&args.which, console)?;
    let workshop = Arc::new(loaded.workshop);
    if let Some(name) = args.step.as_deref().filter(|name| workshop.step(name).is_none()) {
        return Err(unknown(&workshop, name));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Code::Environment, error))?;
    let done = runtime.block_on(start(args, workshop, console));
    runtime.shutdown_background();
    done
}

async fn start(args: &Start, workshop: Arc<Workshop>, console: Console) -> Result<Code, Failure> {
    if let Some(address) = client::given() {
        return elsewhere(args, &workshop, &address, None, console).await;
    }
    let home = client::home(console)?;
    if let Some(address) = client::running(&home).await {
        let pages = format!("{}/w/", address.url);
        return elsewhere(args, &workshop, &address, Some(&pages), console).await;
    }
    let supervisor = Supervisor::new()?;
    let stop = supervisor.stop();
    let hosting = Hosting {
        workshop: workshop.clone(),
        steps: folder(&args.which),
        folder: home.clone(),
        host: args.host,
        port: args.port,
        fresh: args.fresh,
        passing: false,
        recorded: !args.no_record && !args.dry_run,
    };
    let host = Host::start(hosting, stop.clone()).await?;
    let served = serve(args, &host, &home, &workshop, supervisor, console).await;
    host.end().await;
    served
}

/// Another process serves it already: that one does it. Whose terminal is a room's has its pages open.
async fn elsewhere(
    args: &Start,
    workshop: &Workshop,
    address: &Address,
    pages: Option<&str>,
    console: Console,
) -> Result<Code, Failure> {
    if args.fresh {
        let failure = Failure::usage("the workshop is being served, so it cannot begin anew");
        return Err(failure.hint("stop the other `foredeck workshop start` first"));
    }
    let Some(step) = args.step.as_deref().and_then(|name| workshop.step(name)) else {
        console.say(&match pages {
            Some(pages) => format!("The workshop is served already: {pages}?t={}", address.token),
            None => "The workshop is served already: it is in your browser.".to_owned(),
        });
        return Ok(Code::Done);
    };
    let url = format!("{}/api/v1/workshop/{}/start", address.url, step.id);
    let body = Some(json!({"dry": args.dry_run}).to_string());
    let limit = std::time::Duration::from_secs(3600);
    let asked = ask(Ask { method: "POST", url: &url, token: Some(&address.token), body, limit }).await;
    let answer = asked.map_err(|why| Failure::new(Code::Cluster, anyhow::Error::msg(why)))?;
    let value: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
    if answer.status != 200 {
        let why = value.get("error").and_then(|why| why.as_str()).unwrap_or("the step is not reached").to_owned();
        return Err(Failure::new(Code::Findings, anyhow::Error::msg(why)));
    }
    if args.dry_run {
        return planned(&step.id, &value, console);
    }
    tell_moves(&value, console);
    console.say(&match pages {
        Some(pages) => format!("{} begins: {pages}{}", step.id, step.slug),
        None => format!("{} begins.", step.id),
    });
    Ok(Code::Done)
}

async fn serve(
    args: &Start,
    host: &Host,
    home: &crate::cluster::folder::Folder,
    workshop: &Workshop,
    mut supervisor: Supervisor,
    console: Console,
) -> Result<Code, Failure> {
    let session = host.session().await?;
    let progress = session.progress().borrow().clone();
    let named = args.step.as_deref().or_else(|| progress.next(workshop));
    let step = named.and_then(|name| workshop.step(name)).or(workshop.steps.last()).cloned();
    let Some(step) = step else { return Err(Failure::input("the workshop has no steps")) };
    if args.dry_run {
        let moves = session.plan(&step.id).await.map_err(failed)?;
        let moves: Vec<_> = moves.iter().map(|moved| json!({"text": moved.to_string(), "move": moved})).collect();
        return planned(&step.id, &json!({"moves": moves}), console);
    }
    if let Some(problem) = session.problem() {
        console.say(&format!("Note: {problem}."));
    }
    let in_the_middle =
        args.step.is_none() && progress.step(&step.id).state == crate::workshop::progress::State::InProgress;
    if !in_the_middle {
        session.start(&step.id, &mut |moved| console.say(&format!("  {moved}"))).await.map_err(failed)?;
    }
    let address = Address { url: host.address.clone(), token: host.token.clone() };
    let announced = client::announce(home, &address);
    let _announced = announced.map_err(|error| Failure::new(Code::Environment, error))?;
    say(&address, &session, &step, console)?;
    let stop = supervisor.stop();
    supervisor.spawn("the workshop", async move {
        stop.cancelled().await;
        Ok::<(), std::io::Error>(())
    });
    supervisor.run().await
}

/// Says what would be done.
fn planned(step: &str, answer: &serde_json::Value, console: Console) -> Result<Code, Failure> {
    if console.json {
        let moves = answer.get("moves");
        console.document(&json!({"schema": "foredeck.workshop.plan/1", "step": step, "moves": moves}))?;
    } else {
        tell_moves(answer, console);
    }
    Ok(Code::Done)
}

fn say(address: &Address, session: &Session, step: &crate::workshop::Step, console: Console) -> Result<(), Failure> {
    let link = format!("{}/w/?t={}", address.url, address.token);
    let work = session.sandbox().work_folder().display().to_string();
    if console.json {
        return console.document(&json!({
            "schema": "foredeck.workshop.start/1",
            "step": step.id,
            "url": link,
            "folder": work,
            "kubeconfig": session.sandbox().kubeconfig.display().to_string(),
        }));
    }
    console.say(&format!("  step        {} · {}", console.strong(&step.id), step.title));
    console.say(&format!("  page        {link}  (for you alone)"));
    console.say(&format!("  repository  {work}"));
    console.say(&format!("  cluster     export KUBECONFIG={}", session.sandbox().kubeconfig.display()));
    console.say("  In another terminal: `foredeck workshop check`, `hint`, `solve`, `reset`, `status`.");
    console.say("  Ctrl-C stops; `foredeck workshop start` goes on where you were.");
    Ok(())
}

fn failed(error: Error) -> Failure {
    let output = match &error {
        Error::Action { output, .. } => Some(output.clone()),
        _ => None,
    };
    let failure = Failure::new(Code::Findings, error);
    match output.filter(|output| !output.trim().is_empty()) {
        Some(output) => failure.hint(format!("the command wrote:\n{}", output.trim_end())),
        None => failure,
    }
}
