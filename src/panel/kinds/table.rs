//! `pods`, `resources`, `events`: rows as the API server prints them, printed again whenever something changes.

use std::time::Duration;

use futures::StreamExt as _;
use http::Request;
use kube::api::{Api, DynamicObject};
use kube::core::{ApiResource, GroupVersionKind, PartialObjectMeta};
use kube::discovery::{ApiCapabilities, Scope};
use kube::runtime::watcher;
use serde_json::Value;

use super::{max, namespace};
use crate::cluster::short_names;
use crate::deck::{PanelKind, PanelSpec};
use crate::panel::output::Output;
use crate::panel::state::{Body, Mark, Row, Table};
use crate::sandbox::Sandbox;

const AS_TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
/// Changes closer together than this are shown at once.
const SETTLE: Duration = Duration::from_millis(60);
/// Ages grow also when nothing changes.
const AGES: Duration = Duration::from_secs(5);

/// What is listed.
struct Listed {
    resource: ApiResource,
    namespaced: bool,
}

pub(super) async fn show(spec: &PanelSpec, sandbox: &Sandbox, output: &Output) -> String {
    match run(spec, sandbox, output).await {
        Ok(never) => match never {},
        Err(problem) => problem,
    }
}

async fn run(spec: &PanelSpec, sandbox: &Sandbox, output: &Output) -> Result<std::convert::Infallible, String> {
    let word = match spec.kind {
        PanelKind::Pods => "pods",
        PanelKind::Events => "events",
        _ => spec.get("kind").ok_or("the panel does not say which `kind`")?,
    };
    let listed = resolve(&sandbox.client, word).await?;
    let space = (listed.namespaced && namespace(spec) != "*").then(|| namespace(spec).to_owned());
    let api: Api<PartialObjectMeta<DynamicObject>> = match &space {
        Some(space) => Api::namespaced_with(sandbox.client.clone(), space, &listed.resource),
        None => Api::all_with(sandbox.client.clone(), &listed.resource),
    };
    let mut config = watcher::Config::default();
    if let Some(selector) = spec.get("selector") {
        config = config.labels(selector);
    }
    let path = path(&listed, space.as_deref(), spec);
    let mut news = watcher::watcher(api, config).boxed();
    let mut ages = tokio::time::interval(AGES);
    loop {
        let text =
            Request::get(&path).header("Accept", AS_TABLE).body(Vec::new()).map_err(|error| error.to_string())?;
        let answer: Value = sandbox.client.request(text).await.map_err(|error| said(&error))?;
        output.show(Body::Table(table(&answer, spec, max(spec))));
        tokio::select! {
            _ = ages.tick() => {}
            event = news.next() => match event {
                Some(Ok(_)) => {
                    let deadline = tokio::time::Instant::now() + SETTLE;
                    while let Ok(Some(event)) = tokio::time::timeout_at(deadline, news.next()).await {
                        event.map_err(|error| error.to_string())?;
                    }
                }
                Some(Err(error)) => return Err(format!("watching {word}: {error}")),
                None => return Err(format!("watching {word} ended")),
            },
        }
    }
}

/// Finds the resource that a word names: `pods`, `Pod`, `po`, `deployments.apps`.
async fn resolve(client: &kube::Client, word: &str) -> Result<Listed, String> {
    let (name, group) = word.split_once('.').map_or((word, None), |(name, group)| (name, Some(group)));
    let name = name.to_ascii_lowercase();
    let name = short_names::long(&name);
    if name == "pods" {
        let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("", "v1", "Pod"), "pods");
        return Ok(Listed { resource, namespaced: true });
    }
    let discovery = kube::Discovery::new(client.clone()).run().await.map_err(|error| said(&error))?;
    let fits = |resource: &ApiResource, _: &ApiCapabilities| {
        let named = resource.plural == name || resource.kind.eq_ignore_ascii_case(name);
        named && group.is_none_or(|group| resource.group == group || resource.group.starts_with(&format!("{group}.")))
    };
    let mut found: Vec<(ApiResource, ApiCapabilities)> = discovery
        .groups()
        .flat_map(|group| group.recommended_resources())
        .filter(|(resource, capabilities)| fits(resource, capabilities))
        .collect();
    // Events are served by two groups; the core one prints more.
    found.sort_by_key(|(resource, _)| !resource.group.is_empty());
    let (resource, capabilities) =
        found.into_iter().next().ok_or_else(|| format!("the cluster has no kind `{word}`"))?;
    Ok(Listed { resource, namespaced: capabilities.scope == Scope::Namespaced })
}

fn path(listed: &Listed, space: Option<&str>, spec: &PanelSpec) -> String {
    let ApiResource { group, version, plural, .. } = &listed.resource;
    let mut path = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    if let Some(space) = space {
        path.push_str("/namespaces/");
        path.push_str(&encoded(space));
    }
    path.push('/');
    path.push_str(plural);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("includeObject", "Metadata").append_pair("limit", "1000");
    if let Some(selector) = spec.get("selector") {
        query.append_pair("labelSelector", selector);
    }
    if let Some(name) = spec.get("name") {
        query.append_pair("fieldSelector", &format!("metadata.name={name}"));
    }
    format!("{path}?{}", query.finish())
}

pub(super) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// What went wrong, as the server said it.
pub(super) fn said(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}

fn table(answer: &Value, spec: &PanelSpec, most: usize) -> Table {
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let wanted: Option<Vec<String>> =
        spec.get("columns").map(|names| names.split(',').map(|name| name.trim().to_ascii_uppercase()).collect());
    let definitions = list(answer, "columnDefinitions");
    let shown: Vec<(usize, String)> = definitions
        .iter()
        .enumerate()
        .map(|(index, column)| (index, text(column, "name").to_ascii_uppercase(), column))
        .filter(|(_, name, column)| match &wanted {
            Some(wanted) => wanted.contains(name),
            None => column.get("priority").and_then(Value::as_i64).unwrap_or(0) == 0,
        })
        .map(|(index, name, _)| (index, name))
        .collect();
    let mut rows: Vec<Row> = list(answer, "rows")
        .iter()
        .map(|row| {
            let all = list(row, "cells");
            let cells = shown.iter().map(|(index, _)| all.get(*index).map(cell).unwrap_or_default()).collect();
            let metadata = row.get("object").and_then(|object| object.get("metadata"));
            let key = metadata.map(|metadata| text(metadata, "uid")).unwrap_or_default();
            Row { key, cells, mark: Mark::Plain, group: None }
        })
        .collect();
    let columns: Vec<String> = shown.into_iter().map(|(_, name)| name).collect();
    for row in &mut rows {
        row.mark = mark(&columns, &row.cells);
    }
    if spec.kind == PanelKind::Events {
        // The newest are the ones to be seen.
        rows.reverse();
    }
    let more = rows.len().saturating_sub(most);
    rows.truncate(most);
    let what = if spec.kind == PanelKind::Resources { spec.get("kind").unwrap_or("objects") } else { spec.kind.word() };
    Table { columns, rows, more, empty: format!("No {what} in {}.", namespace(spec)) }
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// How an object fares, by what is printed of it.
fn mark(columns: &[String], cells: &[String]) -> Mark {
    let column = |name: &str| columns.iter().position(|column| column == name).and_then(|at| cells.get(at));
    let ready = column("READY").and_then(|ready| ready.split_once('/'));
    let all_ready = ready.map(|(ready, all)| ready == all);
    match column("STATUS").map(String::as_str) {
        Some("Completed" | "Succeeded") => Mark::Off,
        Some("Running" | "Ready" | "Active" | "Bound") if all_ready != Some(false) => Mark::Good,
        Some("Running" | "Pending" | "ContainerCreating" | "PodInitializing" | "Terminating") => Mark::Busy,
        Some(status) if status.starts_with("Init:") && !status.contains("Err") && !status.contains("Back") => {
            Mark::Busy
        }
        Some(_) if columns.iter().any(|column| column == "RESTARTS") => Mark::Bad,
        _ => match (column("TYPE").map(String::as_str), all_ready) {
            (Some("Warning"), _) => Mark::Bad,
            (_, Some(true)) => Mark::Good,
            (_, Some(false)) => Mark::Busy,
            _ => Mark::Plain,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnostic::Span;

    fn spec(kind: PanelKind) -> PanelSpec {
        PanelSpec {
            kind,
            options: Vec::new(),
            words: Vec::new(),
            snapshot: String::new(),
            picture: None,
            span: Span::default(),
        }
    }

    #[test]
    fn rows_are_as_the_server_prints_them() {
        let row = |name: &str, ready: &str, status: &str| json!({"cells": [name, ready, status, 0, "node"], "object": {"metadata": {"uid": name}}});
        let column = |name: &str, priority: i64| json!({"name": name, "priority": priority});
        let answer = json!({
            "columnDefinitions":
                [column("Name", 0), column("Ready", 0), column("Status", 0), column("Restarts", 0), column("Node", 1)],
            "rows": [
                row("a", "1/1", "Running"), row("b", "0/1", "Running"), row("c", "0/1", "CrashLoopBackOff"),
                row("d", "0/1", "Completed"), row("e", "0/1", "Pending"),
            ],
        });
        let table = table(&answer, &spec(PanelKind::Pods), 4);
        assert_eq!(table.columns, ["NAME", "READY", "STATUS", "RESTARTS"]);
        let rows: Vec<_> = table.rows.iter().map(|row| (row.key.as_str(), row.mark)).collect();
        assert_eq!(rows, [("a", Mark::Good), ("b", Mark::Busy), ("c", Mark::Bad), ("d", Mark::Off)]);
        assert_eq!((table.more, table.rows[0].cells.join(" ")), (1, "a 1/1 Running 0".to_owned()));
    }
}
