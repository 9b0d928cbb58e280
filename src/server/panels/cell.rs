//! The cell of a panel that the server itself fills, and the panels that have one.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{exec, steps};
use crate::deck::{PanelKind, PanelSpec};
use crate::panel::state::{Body, PanelState};
use crate::server::state::App;

/// Rows of panels that name no number.
const MAX: usize = 12;

/// What a panel shows.
pub(super) type Shown = watch::Receiver<Arc<PanelState>>;

/// Where a panel's state is put.
pub(super) struct Cell {
    title: String,
    sender: watch::Sender<Arc<PanelState>>,
}

impl Cell {
    /// Shows something good, unless it is shown already.
    pub(super) fn show(&self, body: Body) {
        self.sender.send_if_modified(|state| {
            let news = state.body != body || state.problem.is_some();
            if news {
                *state = Arc::new(PanelState::good(&self.title, body, Timestamp::now()));
            }
            news
        });
    }

    /// Says what is wrong; the last good frame stays.
    pub(super) fn fail(&self, problem: impl Into<String>) {
        let problem = problem.into();
        self.sender.send_if_modified(|state| {
            let news = state.problem.as_deref() != Some(&problem);
            if news {
                *state = Arc::new(state.failing(problem));
            }
            news
        });
    }
}

/// Whether a panel shows something of its own deck, so that the same panel of another deck is another one.
pub(super) fn is_of_its_deck(kind: PanelKind) -> bool {
    matches!(kind, PanelKind::Steps | PanelKind::Exec)
}

/// What a panel of a deck shows, until `ends`; what is spawned for it belongs to `tasks`.
pub(super) fn open(
    app: &Arc<App>,
    deck: usize,
    spec: &PanelSpec,
    ends: &CancellationToken,
    tasks: &TaskTracker,
) -> Shown {
    match spec.kind {
        PanelKind::Poll => app.panels.polls.open(spec, Timestamp::now()),
        kind if is_of_its_deck(kind) => {
            let (sender, shown) = watch::channel(Arc::new(PanelState::waiting(spec.title())));
            let cell = Cell { title: spec.title(), sender };
            let (app, spec, ends) = (app.clone(), spec.clone(), ends.clone());
            tasks.spawn(async move {
                let work = async {
                    match spec.kind {
                        PanelKind::Steps => steps::show(&app, deck, &spec, &cell).await,
                        _ => exec::show(&app, deck, &spec, &cell, &ends).await,
                    }
                };
                tokio::select! {
                    () = ends.cancelled() => {}
                    () = work => {}
                }
            });
            shown
        }
        _ => app.panels.sources.open(spec),
    }
}

/// How many rows a panel shows at most.
pub(super) fn max(spec: &PanelSpec) -> usize {
    spec.get("max").and_then(|text| text.parse().ok()).unwrap_or(MAX)
}
