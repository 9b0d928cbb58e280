//! `logs`: what the newest pod of a deployment, or one pod, writes.

use std::collections::VecDeque;
use std::time::Duration;

use futures::{AsyncBufReadExt as _, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{ListParams, LogParams};

use super::table::said;
use super::{max, namespace};
use crate::deck::PanelSpec;
use crate::panel::output::Output;
use crate::panel::redact::Secrets;
use crate::panel::state::{Body, Line, Mark};
use crate::sandbox::Sandbox;

/// Lines that come faster are shown together.
const SETTLE: Duration = Duration::from_millis(100);
const LONGEST_LINE: usize = 400;

pub(super) async fn show(spec: &PanelSpec, sandbox: &Sandbox, output: &Output) -> String {
    let pods: Api<Pod> = Api::namespaced(sandbox.client.clone(), namespace(spec));
    let name = match pod(spec, &pods).await {
        Ok(name) => name,
        Err(problem) => return problem,
    };
    let most = max(spec);
    let params = LogParams {
        follow: true,
        container: spec.get("container").map(str::to_owned),
        tail_lines: i64::try_from(most).ok(),
        ..LogParams::default()
    };
    let stream = match pods.log_stream(&name, &params).await {
        Ok(stream) => stream,
        Err(error) => return said(&error),
    };
    let mut lines = stream.lines().into_stream().boxed();
    let mut kept: VecDeque<Line> = VecDeque::new();
    let mut number = 0_u64;
    let secrets = Secrets::default();
    loop {
        let shown = kept.iter().cloned().collect();
        output.show(Body::Lines { lines: shown });
        let Some(first) = lines.next().await else { return format!("pod {name} ended") };
        let deadline = tokio::time::Instant::now() + SETTLE;
        let mut next = Some(first);
        while let Some(line) = next.take() {
            let Ok(line) = line else { return format!("the log of pod {name} broke off") };
            number += 1;
            kept.push_back(Line { key: number.to_string(), text: clean(&line, &secrets), mark: Mark::Plain });
            if kept.len() > most {
                kept.pop_front();
            }
            next = tokio::time::timeout_at(deadline, lines.next()).await.ok().flatten();
        }
    }
}

/// Without control characters and secrets, and not too long.
fn clean(line: &str, secrets: &Secrets) -> String {
    let plain: String = line.chars().filter(|c| !c.is_control()).take(LONGEST_LINE).collect();
    secrets.redact(&plain)
}

async fn pod(spec: &PanelSpec, pods: &Api<Pod>) -> Result<String, String> {
    if let Some(name) = spec.get("pod").or(spec.get("name")) {
        return Ok(name.to_owned());
    }
    let mut params = ListParams::default().limit(500);
    if let Some(selector) = spec.get("selector") {
        params = params.labels(selector);
    }
    let list = pods.list(&params).await.map_err(|error| said(&error))?;
    let deployment = spec.get("deployment");
    let belongs = |pod: &Pod| {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let running = pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running");
        // Pods of a deployment are named after its replica set, and that after the deployment.
        let ours = deployment.is_none_or(|owner| {
            name.rsplitn(3, '-').nth(2).is_some_and(|stem| stem == owner) && name.starts_with(owner)
        });
        running && ours && pod.metadata.deletion_timestamp.is_none()
    };
    let mut found: Vec<&Pod> = list.items.iter().filter(|pod| belongs(pod)).collect();
    found.sort_by_key(|pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0));
    let newest = found.last().and_then(|pod| pod.metadata.name.clone());
    newest.ok_or_else(|| format!("no pod runs in {} yet", namespace(spec)))
}
