//! `cluster status`: which clusters there are, and what runs where.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::args::Status;
use super::{Place, provider, runtime, shown};
use crate::cli::console::{self, Code, Console, Failure};
use crate::cluster::error::Error;
use crate::cluster::kind::Kind;
use crate::cluster::object;
use crate::cluster::provider::{Connected, Provider, connect, target};

/// How long one cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    cluster: String,
    state: &'static str,
    server: String,
    version: String,
    nodes: Option<usize>,
    kubeconfig: String,
    why: String,
}

pub(super) fn run(args: &Status, console: Console) -> Result<Code, Failure> {
    let place = Place::here(console)?;
    let rows = match &args.which.cluster {
        Some(_) => {
            let provider = provider(&args.which)?;
            vec![runtime()?.block_on(look(&provider, false, &place))]
        }
        None => runtime()?.block_on(all(&place)),
    };
    if console.json {
        let clusters: Vec<_> = rows.iter().map(document).collect();
        console.document(&json!({ "schema": "foredeck.clusters/1", "clusters": clusters }))?;
    } else {
        console::data(&table(&rows))?;
    }
    Ok(Code::Done)
}

/// The embedded cluster, all kind clusters, and the contexts that are allowed.
async fn all(place: &Place) -> Vec<Row> {
    let mut rows = vec![look(&Provider::Embedded, false, place).await];
    let running = running(place).await;
    let mut names: BTreeSet<String> = place.around.folder.kinds().into_iter().collect();
    names.extend(running.iter().cloned());
    for name in names {
        let there = running.contains(&name);
        let provider = Provider::Kind { name };
        // A name that kind does not take was not written by us.
        if provider.to_string().parse::<Provider>().is_ok() {
            rows.push(look(&provider, there, place).await);
        }
    }
    for allowed in &place.around.allowed {
        let provider = Provider::Context { name: allowed.name.clone() };
        rows.push(context(&provider, place));
    }
    rows
}

/// The kind clusters of this machine; none when kind or its runtime is missing.
async fn running(place: &Place) -> Vec<String> {
    let stop = CancellationToken::new();
    let Ok(kind) = Kind::find(&place.tools) else { return Vec::new() };
    match tokio::time::timeout(PATIENCE, kind.clusters(&stop)).await {
        Ok(Ok(clusters)) => clusters,
        _ => Vec::new(),
    }
}

/// Asks a cluster how it is.
async fn look(provider: &Provider, there: bool, place: &Place) -> Row {
    let mut row = empty(provider, place);
    let ask = async {
        let connected = connect(provider, &place.around).await?;
        let version = get(&connected, "/version").await;
        let nodes = get(&connected, "/api/v1/nodes").await;
        Ok::<_, Error>((connected, version, nodes))
    };
    let limit = || Error::Timeout { what: "an answer".to_owned(), limit: PATIENCE };
    match tokio::time::timeout(PATIENCE, ask).await.unwrap_or_else(|_| Err(limit())) {
        Ok((connected, version, nodes)) => {
            row.state = "running";
            row.server = connected.chosen.server;
            row.version = object::text(&version, &["gitVersion"]).to_owned();
            row.nodes = nodes.get("items").and_then(Value::as_array).map(Vec::len);
        }
        Err(error) => {
            row.state = match &error {
                Error::Down { .. } if there => "not adopted",
                Error::Down { .. } => "not running",
                Error::Foreign { .. } | Error::Forged { .. } => "refused",
                Error::Connect { .. } | Error::Timeout { .. } if !there => "not running",
                _ => "unreachable",
            };
            if let Error::Connect { server, .. } | Error::Foreign { server, .. } = &error {
                row.server.clone_from(server);
            }
            row.why = error.to_string();
        }
    }
    row
}

/// A context is only looked up: a cluster that is not asked for is not talked to.
fn context(provider: &Provider, place: &Place) -> Row {
    let mut row = empty(provider, place);
    match target(provider, &place.around) {
        Ok(target) => {
            row.state = "allowed";
            row.server = target.chosen.server;
        }
        Err(error) => {
            row.state = if matches!(error, Error::Foreign { .. }) { "refused" } else { "unknown" };
            row.why = error.to_string();
        }
    }
    row
}

fn empty(provider: &Provider, place: &Place) -> Row {
    let file = match provider {
        Provider::Embedded => Some(place.around.folder.embedded()),
        Provider::Kind { name } => Some(place.around.folder.kind(name)),
        Provider::Context { .. } => None,
    };
    let kubeconfig = file.filter(|file| file.exists()).map(|file| shown(&file)).unwrap_or_default();
    let (server, version, why) = (String::new(), String::new(), String::new());
    Row { cluster: provider.to_string(), state: "unknown", server, version, nodes: None, kubeconfig, why }
}

async fn get(connected: &Connected, path: &str) -> Value {
    let Ok(request) = hyper::Request::get(path).body(Vec::new()) else { return Value::Null };
    connected.client.request(request).await.unwrap_or(Value::Null)
}

fn document(row: &Row) -> Value {
    let mut document = json!({ "cluster": row.cluster, "state": row.state });
    let texts =
        [("server", &row.server), ("version", &row.version), ("kubeconfig", &row.kubeconfig), ("because", &row.why)];
    for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        object::set(&mut document, &[name], text.as_str());
    }
    if let Some(nodes) = row.nodes {
        object::set(&mut document, &["nodes"], nodes);
    }
    document
}

fn table(rows: &[Row]) -> String {
    let mut lines = vec![["CLUSTER", "STATE", "VERSION", "NODES", "SERVER", "KUBECONFIG"].map(str::to_owned)];
    lines.extend(rows.iter().map(|row| {
        let nodes = row.nodes.map(|nodes| nodes.to_string()).unwrap_or_default();
        let cells = [&row.cluster, row.state, &row.version, &nodes, &row.server, &row.kubeconfig];
        // Names may come from a file of somebody else: nothing in them may steer the terminal.
        cells.map(
            |cell| if cell.is_empty() { "-".to_owned() } else { cell.chars().filter(|c| !c.is_control()).collect() },
        )
    }));
    let widths: [usize; 6] =
        std::array::from_fn(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0));
    let mut out = String::new();
    for line in &lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(widths) {
            let _ = write!(text, "{cell:<width$}   ");
        }
        let _ = writeln!(out, "{}", text.trim_end());
    }
    out
}
