//! What is recorded of the live system beside what panels show: which cluster it is, which images run there, and what the
//! reconciler did.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Seen;
use crate::gitops::status::Status;
use crate::sandbox::Sandbox;
use crate::server::state::App;

/// What a step set off has an image by then.
const SETTLED: Duration = Duration::from_secs(2);
/// An answer that takes longer is done without.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pods that are looked at.
const MOST_PODS: u32 = 500;
/// Commits, changes and errors of a sync that are written down.
const MOST: usize = 20;

type Sender = mpsc::Sender<(Instant, Seen)>;

/// Follows the live system until stopped.
pub(super) async fn follow(app: Arc<App>, sender: Sender, stop: CancellationToken) {
    let mut demo = app.demo.clone();
    loop {
        let sandbox = demo.borrow_and_update().ready().cloned();
        let work = async {
            if let Some(sandbox) = &sandbox {
                tokio::join!(cluster(&app, sandbox, &sender), syncs(sandbox, &sender));
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            changed = demo.changed() => if changed.is_err() { return },
            () = work => {}
        }
    }
}

/// Looks at the cluster now, and whenever a step has ended: only then is there something new.
async fn cluster(app: &App, sandbox: &Sandbox, sender: &Sender) {
    let client = sandbox.client.clone();
    let version = tokio::time::timeout(PATIENCE, client.apiserver_version()).await;
    let version = version.ok().and_then(Result::ok).map(|info| info.git_version).unwrap_or_default();
    let mut journal = app.desk.runner.journal();
    loop {
        tokio::time::sleep(SETTLED).await;
        let images = tokio::time::timeout(PATIENCE, images(&client)).await.ok().and_then(Result::ok);
        let seen = Seen::Ran { version: version.clone(), images: images.unwrap_or_default() };
        if sender.send((Instant::now(), seen)).await.is_err() {
            return;
        }
        if journal.wait_for(|journal| journal.active.is_some()).await.is_err() {
            return;
        }
        if journal.wait_for(|journal| journal.active.is_none()).await.is_err() {
            return;
        }
    }
}

/// The images that pods run, and the digest of each.
async fn images(client: &kube::Client) -> Result<BTreeMap<String, String>, kube::Error> {
    let pods = Api::<Pod>::all(client.clone()).list(&ListParams::default().limit(MOST_PODS)).await?;
    let statuses = pods.items.into_iter().filter_map(|pod| pod.status?.container_statuses).flatten();
    Ok(statuses.filter(|status| !status.image_id.is_empty()).map(|status| (status.image, status.image_id)).collect())
}

/// Hands in what the reconciler did.
async fn syncs(sandbox: &Sandbox, sender: &Sender) {
    let mut status = sandbox.reconciler.status();
    let mut told = Value::Null;
    loop {
        let now = sync(&status.borrow_and_update());
        if now != told {
            told.clone_from(&now);
            if sender.send((Instant::now(), Seen::Sync(now))).await.is_err() {
                return;
            }
        }
        if status.changed().await.is_err() {
            return;
        }
    }
}

fn sync(status: &Status) -> Value {
    let last = status.history.back();
    let commits = last.iter().flat_map(|record| record.commits.iter().take(MOST));
    json!({
        "activity": status.activity,
        "paused": status.paused,
        "synced": status.synced,
        "last": last.map(|record| json!({
            "number": record.number, "trigger": record.trigger, "ending": record.ending, "error": record.error,
            "revision": record.revision, "counts": record.counts,
            "commits": commits.collect::<Vec<_>>(), "changed": record.changed.iter().take(MOST).collect::<Vec<_>>(), "errors": record.errors.iter().take(MOST).collect::<Vec<_>>(),
        })),
    })
}
