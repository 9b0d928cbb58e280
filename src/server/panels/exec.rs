//! `exec`: a command that the speaker agreed to, run again and again, and what it prints.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::cell::{Cell, max};
use crate::deck::PanelSpec;
use crate::deck::duration;
use crate::panel::output::label;
use crate::panel::printed;
use crate::panel::redact::Redactor;
use crate::panel::secrets::secrets_of;
use crate::runbook::journal::verdict;
use crate::runbook::shell::{self, Place};
use crate::runbook::tail::plain;
use crate::runbook::trust::Standing;
use crate::sandbox::Sandbox;
use crate::sandbox::keep::Demo;
use crate::server::desk::commands;
use crate::server::state::App;

const EVERY: Duration = Duration::from_secs(5);
const FASTEST: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of the output that are kept; the rest is read and thrown away.
const MOST: usize = 64 * 1024;

/// Runs the command as long as the deck is trusted and there is a system to run it against, until dropped.
pub(super) async fn show(app: &App, deck: usize, spec: &PanelSpec, cell: &Cell, ends: &CancellationToken) {
    let every = spec.get("interval").and_then(duration::parse).unwrap_or(EVERY).max(FASTEST);
    let mut touched = app.desk.touched();
    let mut demo = app.demo.clone();
    loop {
        touched.mark_unchanged();
        let now = demo.borrow_and_update().clone();
        let wait = match allowed(app, deck).and_then(|()| ready(now)) {
            Ok(sandbox) => {
                let asked = Instant::now();
                match once(&app.desk.secrets, &sandbox, spec, ends).await {
                    Ok(text) => cell.show_at(printed::body(&text, max(spec)), label(sandbox.clock().pace())),
                    Err(problem) => cell.fail(problem),
                }
                every.saturating_sub(asked.elapsed())
            }
            Err(problem) => {
                cell.fail(problem);
                Duration::MAX
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            changed = touched.changed() => if changed.is_err() { return },
            changed = demo.changed() => if changed.is_err() { return },
        }
    }
}

async fn sleep(wait: Duration) {
    match Instant::now().checked_add(wait) {
        Some(then) => tokio::time::sleep_until(then).await,
        None => std::future::pending().await,
    }
}

/// Whether the speaker agreed to the commands of the deck as it is now.
fn allowed(app: &App, deck: usize) -> Result<(), String> {
    let view = app.decks.get(deck).and_then(|deck| deck.now()).ok_or("the deck is being read")?;
    match app.desk.standing(&commands(&view)) {
        Standing::Trusted => Ok(()),
        Standing::Safe => Err("nothing is run: foredeck was started with --safe".to_owned()),
        Standing::Nothing | Standing::Untrusted => {
            Err("the deck is not trusted: press r on a slide with a step, or run `foredeck trust DECK`".to_owned())
        }
    }
}

fn ready(demo: Demo) -> Result<Arc<Sandbox>, String> {
    match demo {
        Demo::Ready(sandbox) => Ok(sandbox),
        Demo::Off => Err("there is no live system behind these slides".to_owned()),
        Demo::Starting => Err("the live system is starting".to_owned()),
        Demo::Failed(why) => Err(format!("the live system does not run: {why}")),
    }
}

/// What the command prints, without secrets and all that steers a terminal.
///
/// # Errors
/// When it fails or takes too long.
pub async fn once(
    secrets: &[String],
    sandbox: &Sandbox,
    spec: &PanelSpec,
    ends: &CancellationToken,
) -> Result<String, String> {
    let script = spec.get("command").map_or_else(|| spec.words.join(" "), str::to_owned);
    let limit = spec.get("timeout").and_then(duration::parse).unwrap_or(PATIENCE);
    let mut redactor = Redactor::new(&secrets_of(sandbox, secrets));
    let mut written: Vec<u8> = Vec::new();
    let mut wrote = |bytes: &[u8]| {
        let bytes = redactor.push(bytes);
        written.extend(bytes.iter().take(MOST.saturating_sub(written.len())));
    };
    let (folder, home) = (sandbox.work_folder(), sandbox.folder.path());
    let place = Place { folder, home, variables: &sandbox.tools.variables };
    let exit = shell::run(&script, place, Instant::now() + limit, ends, &mut wrote).await;
    written.extend(redactor.flush());
    let text = plain(&String::from_utf8_lossy(&written));
    match verdict(&exit, false, limit.as_secs()) {
        Ok(_) => Ok(text),
        Err(ended) => Err(match text.lines().rev().find(|line| !line.trim().is_empty()) {
            Some(line) => format!("{}: {}", ended.reason, line.trim()),
            None => ended.reason,
        }),
    }
}
