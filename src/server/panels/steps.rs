//! `steps`: the runnable steps of a deck, or those of the workshop.

use super::cell::{Cell, max};
use crate::deck::PanelSpec;
use crate::panel::state::Body;
use crate::runbook::overview::{self, Slide};
use crate::server::state::App;
use crate::workshop::overview::table as of_participant;
use crate::workshop::seat::Seat;

/// Shows the steps until dropped.
pub(super) async fn show(app: &App, deck: usize, spec: &PanelSpec, cell: &Cell) {
    match (spec.get("workshop"), &app.workshop) {
        (None, _) => of_deck(app, deck, spec, cell).await,
        (Some(_), Some(seat)) => of_workshop(seat, spec, cell).await,
        (Some(_), None) => {
            cell.fail("there is no workshop here: `foredeck workshop start` serves one");
            std::future::pending::<()>().await;
        }
    }
}

async fn of_deck(app: &App, deck: usize, spec: &PanelSpec, cell: &Cell) {
    let mut journal = app.desk.runner.journal();
    let mut touched = app.desk.touched();
    loop {
        let now = journal.borrow_and_update().clone();
        touched.mark_unchanged();
        if let Some((shown, view)) = app.decks.get(deck).and_then(|deck| Some((deck, deck.now()?))) {
            let slides: Vec<Slide<'_>> = view
                .compiled
                .rendered
                .slides
                .iter()
                .map(|slide| Slide { title: slide.title.as_deref(), steps: &slide.steps })
                .collect();
            cell.show(Body::Table(overview::table(&shown.slug, &slides, &now, max(spec))));
        }
        tokio::select! {
            changed = journal.changed() => if changed.is_err() { return },
            changed = touched.changed() => if changed.is_err() { return },
        }
    }
}

async fn of_workshop(seat: &Seat, spec: &PanelSpec, cell: &Cell) {
    let mut sessions = seat.sessions();
    loop {
        let session = sessions.borrow_and_update().clone();
        let Some(session) = session else {
            cell.fail("the workshop's sandbox is starting");
            if sessions.changed().await.is_err() {
                return;
            }
            continue;
        };
        let mut progress = session.progress();
        loop {
            let now = progress.borrow_and_update().clone();
            cell.show(Body::Table(of_participant(seat.workshop(), &now, max(spec))));
            tokio::select! {
                changed = progress.changed() => if changed.is_err() { break },
                changed = sessions.changed() => if changed.is_err() { return } else { break },
            }
        }
    }
}
