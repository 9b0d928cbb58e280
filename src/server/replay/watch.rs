//! Watches the talk for what the runs have to know: where the speaker is, which step begins, which one is late.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::head::patience;
use crate::runbook::journal::State as Stands;
use crate::server::state::App;

/// Watches until stopped.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let replay = &app.replay;
    let (mut position, mut journal) = (app.hub.saved(), app.desk.runner.journal());
    let mut views: Vec<_> = app.decks.iter().map(|deck| deck.changes()).collect();
    position.mark_changed();
    // The step that runs: its deck, name and beginning, and when it is late.
    let mut running: Option<(String, String, u64)> = None;
    let mut late: Option<Instant> = None;
    loop {
        let compiled = async {
            let changes = views.iter_mut().map(|view| Box::pin(view.changed()));
            match views_changed(changes).await {
                Some(()) => {}
                None => std::future::pending().await,
            }
        };
        let deadline = async {
            match late {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            changed = position.changed() => {
                if changed.is_err() { return }
                let (deck, slide) = { let live = position.borrow_and_update(); (live.deck.clone(), live.slide) };
                replay.moved(&app, &deck, slide as usize);
            }
            () = compiled => {
                let (deck, slide) = { let live = position.borrow(); (live.deck.clone(), live.slide) };
                replay.moved(&app, &deck, slide as usize);
            }
            changed = journal.changed() => {
                if changed.is_err() { return }
                let now = {
                    let journal = journal.borrow_and_update();
                    journal.active.clone().and_then(|(deck, step)| {
                        let started = journal.run(&deck, &step)?.started_ms;
                        Some((deck, step, started))
                    })
                };
                if now == running {
                    continue;
                }
                if let Some((deck, step, _)) = running.take() {
                    let stands = journal.borrow().state(&deck, &step);
                    if matches!(stands, Stands::Failed | Stands::TimedOut) {
                        let why = if stands == Stands::Failed { "has failed" } else { "has taken too long" };
                        replay.late(&app, &deck, &step, why);
                    }
                }
                late = None;
                if let Some((deck, step, _)) = &now {
                    replay.began(&app, deck, step);
                    let rehearsed = replay.plan.runs.get(deck).and_then(|run| run.step(deck, step)?.took());
                    let rehearsed = rehearsed.map(|took| Duration::from_millis(took.into()));
                    late = rehearsed.map(|rehearsed| Instant::now() + patience(rehearsed));
                }
                running = now;
            }
            () = deadline => {
                late = None;
                if let Some((deck, step, _)) = &running {
                    replay.late(&app, deck, step, "takes longer than rehearsed");
                }
            }
        }
    }
}

async fn views_changed<F, E>(changes: impl Iterator<Item = F>) -> Option<()>
where
    F: Future<Output = Result<(), E>> + Unpin,
{
    let changes: Vec<F> = changes.collect();
    if changes.is_empty() {
        return None;
    }
    futures::future::select_all(changes).await.0.ok()
}
