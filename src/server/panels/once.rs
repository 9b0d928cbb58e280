//! Panels looked at once, without a window: what each shows when it has come to rest.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::cell;
use super::view;
use crate::deck::{PanelKind, PanelSpec};
use crate::panel::state::{Body, Mark, PanelState};
use crate::render::template;
use crate::server::state::App;

/// A panel without news for so long has come to rest.
const REST: Duration = Duration::from_millis(1500);
/// One that never rests is taken as it is so long after its first news.
const RESTLESS: Duration = Duration::from_secs(5);

/// Looks at panels of a deck, all at the same time, for at most so long.
pub async fn look(app: &Arc<App>, deck: usize, specs: &[&PanelSpec], patience: Duration) -> Vec<Arc<PanelState>> {
    let (ends, tasks) = (CancellationToken::new(), TaskTracker::new());
    let _ended_with_this = ends.clone().drop_guard();
    let looks = specs.iter().map(|spec| {
        let shown = has_source(spec).then(|| cell::open(app, deck, spec, &ends, &tasks));
        async {
            match shown {
                Some(shown) => at_rest(shown, patience).await,
                None => Arc::new(PanelState::waiting(spec.title()).failing("panels of this kind have no text to keep")),
            }
        }
    });
    let states = join_all(looks).await;
    ends.cancel();
    tasks.close();
    tasks.wait().await;
    states
}

/// Whether anything is ever shown in it by a source.
fn has_source(spec: &PanelSpec) -> bool {
    let is_live = spec.get("source").is_none_or(|source| source == "live");
    is_live && !matches!(spec.kind, PanelKind::Terminal | PanelKind::Releases)
}

async fn at_rest(mut shown: cell::Shown, patience: Duration) -> Arc<PanelState> {
    let last = Instant::now() + patience;
    let mut restless: Option<Instant> = None;
    loop {
        let state = shown.borrow_and_update().clone();
        let is_good = state.problem.is_none() && !matches!(state.body, Body::Waiting);
        let mut until = last;
        if is_good && !is_busy(&state.body) {
            let restless = *restless.get_or_insert_with(|| Instant::now() + RESTLESS);
            until = (Instant::now() + REST).min(restless).min(last);
        }
        tokio::select! {
            () = tokio::time::sleep_until(until) => return state,
            changed = shown.changed() => if changed.is_err() { return state },
        }
    }
}

/// Whether something is on its way: it is waited for.
fn is_busy(body: &Body) -> bool {
    match body {
        Body::Table(table) | Body::Facts { table: Some(table), .. } => {
            table.rows.iter().any(|row| row.mark == Mark::Busy)
        }
        Body::Chart { facts, .. } => facts.iter().any(|fact| fact.mark == Mark::Busy),
        Body::Tree { nodes, .. } => nodes.iter().any(|node| node.mark == Mark::Busy),
        Body::Timeline { moments } => moments.iter().any(|moment| moment.mark == Mark::Busy),
        _ => false,
    }
}

/// What a panel shows as a picture that stands by itself.
///
/// # Errors
/// When the template is wrong.
pub fn picture(app: &App, state: &PanelState, redact: impl Fn(&str) -> String) -> Result<String, template::Error> {
    view::picture(&app.templates, state, redact)
}
