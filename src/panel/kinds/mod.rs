//! One file per kind of panel: what is watched, and what is made of it.

mod canary;
mod clusters;
mod diff;
mod gitlog;
mod http;
mod images;
mod logs;
mod releases;
mod sync;
mod table;
mod timeline;
mod tree;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::output::Output;
use super::state::Body;
use crate::cluster::clock::Pace;
use crate::deck::{PanelKind, PanelSpec};
use crate::gitops::status::Status;
use crate::sandbox::Sandbox;

/// The namespace of panels that name none.
const NAMESPACE: &str = "demo";
/// Ages and countdowns are shown anew so often; each time costs every window a frame.
const COUNT_DOWN: Duration = Duration::from_secs(5);
/// Items of panels that name no number.
const MAX: usize = 12;

/// Shows a panel until its source fails; gives the reason.
pub(super) async fn show(spec: &PanelSpec, sandbox: Arc<Sandbox>, output: Output) -> String {
    match spec.kind {
        PanelKind::Pods | PanelKind::Resources | PanelKind::Events => table::show(spec, &sandbox, &output).await,
        PanelKind::Logs => logs::show(spec, &sandbox, &output).await,
        PanelKind::Gitlog => gitlog::show(spec, &sandbox, &output).await,
        PanelKind::Sync => follow(&sandbox, &output, |status, now| sync::body(status, now, max(spec))).await,
        PanelKind::Diff => follow(&sandbox, &output, |status, _| diff::body(status, spec, max(spec))).await,
        PanelKind::Timeline => follow(&sandbox, &output, |status, _| timeline::body(status, max(spec))).await,
        PanelKind::Tree if clusters::is_meant(spec) => clusters::show(spec, &sandbox, &output).await,
        PanelKind::Tree if names_nothing(spec) => any_tree(spec, &sandbox, &output).await,
        PanelKind::Tree => tree::show(spec, &sandbox, &output).await,
        PanelKind::Canary => canary::show(spec, &sandbox, &output).await,
        PanelKind::Releases => releases::show(spec, &sandbox, &output).await,
        PanelKind::Images => images::show(spec, &sandbox, &output).await,
        PanelKind::Http => http::show(spec, &sandbox, &output).await,
        PanelKind::Qr => {
            let text = spec.get("url").or(spec.get("text")).unwrap_or_default();
            output.show(Body::Qr { text: text.to_owned() });
            std::future::pending().await
        }
        // These do not look at the sandbox: others fill them.
        PanelKind::Terminal | PanelKind::Steps | PanelKind::Poll | PanelKind::Exec => std::future::pending().await,
    }
}

fn names_nothing(spec: &PanelSpec) -> bool {
    ["kind", "namespace", "name"].iter().all(|option| spec.get(option).is_none())
}

/// A tree that names nothing: clusters of Cluster API while there are some, else owners and what they own.
async fn any_tree(spec: &PanelSpec, sandbox: &Sandbox, output: &Output) -> String {
    let Some(handle) = &sandbox.clusters else { return tree::show(spec, sandbox, output).await };
    let mut status = handle.status();
    loop {
        let some = !status.borrow_and_update().clusters.is_empty();
        let shown = async {
            if some { clusters::show(spec, sandbox, output).await } else { tree::show(spec, sandbox, output).await }
        };
        tokio::select! {
            why = shown => return why,
            changed = status.wait_for(|state| state.clusters.is_empty() == some) => if changed.is_err() {
                return "the controllers of Cluster API have ended".to_owned();
            },
        }
    }
}

fn max(spec: &PanelSpec) -> usize {
    spec.get("max").and_then(|text| text.parse().ok()).unwrap_or(MAX)
}

fn namespace(spec: &PanelSpec) -> &str {
    spec.get("namespace").unwrap_or(NAMESPACE)
}

/// Shows what the reconciler knows, whenever it knows something new, and every few seconds: it counts down.
async fn follow(sandbox: &Sandbox, output: &Output, body: impl Fn(&Status, Timestamp) -> Body) -> String {
    let mut status = sandbox.reconciler.status();
    let mut tick = tokio::time::interval(COUNT_DOWN);
    loop {
        let now = status.borrow_and_update().clone();
        output.show(body(&now, Timestamp::now()));
        tokio::select! {
            _ = tick.tick() => {}
            changed = status.changed() => if changed.is_err() {
                return "the reconciler has ended".to_owned();
            },
        }
    }
}

/// Waits until a controller knows something new, or time passes otherwise, which is shown too; false when it has ended.
async fn watching<T>(state: &mut watch::Receiver<T>, pace: &mut watch::Receiver<Pace>) -> bool {
    tokio::select! {
        changed = state.changed() => changed.is_ok(),
        changed = pace.changed() => changed.is_ok(),
    }
}

/// A length of time as `kubectl` writes an age.
fn age(seconds: i64) -> String {
    match seconds.max(0) {
        s if s < 120 => format!("{s}s"),
        s if s < 600 && s % 60 != 0 => format!("{}m{}s", s / 60, s % 60),
        s if s < 3 * 3600 => format!("{}m", s / 60),
        s if s < 48 * 3600 => format!("{}h", s / 3600),
        s => format!("{}d", s / 86400),
    }
}

/// The beginning of a commit's id.
fn short(id: &str) -> &str {
    id.get(..7).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    #[test]
    fn ages_are_short() {
        for (seconds, expected) in
            [(-3, "0s"), (90, "90s"), (200, "3m20s"), (660, "11m"), (7200, "120m"), (90_000, "25h"), (200_000, "2d")]
        {
            assert_eq!(super::age(seconds), expected);
        }
    }
}
