//! `tree kind=Cluster`: clusters of Cluster API in the shape of `clusterctl describe`.

use super::{max, watching};
use crate::deck::PanelSpec;
use crate::gitops::capi::describe::Row;
use crate::gitops::capi::{ClusterState, State};
use crate::panel::output::Output;
use crate::panel::state::{Body, Mark, Node, Table};
use crate::sandbox::Sandbox;

pub(super) async fn show(spec: &PanelSpec, sandbox: &Sandbox, output: &Output) -> String {
    let Some(handle) = &sandbox.clusters else {
        return "clusters are known of the embedded cluster only".to_owned();
    };
    let mut status = handle.status();
    let mut pace = sandbox.clock().changes();
    loop {
        let state = status.borrow_and_update().clone();
        if state.running {
            output.show(body(&state, spec, max(spec)));
        }
        if !watching(&mut status, &mut pace).await {
            return "the controllers of Cluster API have ended".to_owned();
        }
    }
}

/// Whether a panel shows clusters, and not owners in a namespace.
pub(super) fn is_meant(spec: &PanelSpec) -> bool {
    spec.get("kind").is_some_and(|kind| ["cluster", "clusters"].iter().any(|word| kind.eq_ignore_ascii_case(word)))
}

fn body(state: &State, spec: &PanelSpec, most: usize) -> Body {
    let fits = |cluster: &&ClusterState| {
        spec.get("namespace").is_none_or(|wanted| wanted == cluster.namespace)
            && spec.get("name").is_none_or(|wanted| wanted == cluster.name)
    };
    let mut nodes: Vec<Node> = state.clusters.iter().filter(fits).flat_map(nodes).collect();
    if nodes.is_empty() {
        let what = spec.get("name").map_or_else(|| "cluster".to_owned(), |name| format!("cluster {name}"));
        let place = spec.get("namespace").map(|space| format!(" in {space}")).unwrap_or_default();
        return Body::Table(Table { empty: format!("No {what}{place} yet."), ..Table::default() });
    }
    let more = nodes.len().saturating_sub(most);
    nodes.truncate(most);
    Body::Tree { nodes, more }
}

fn nodes(cluster: &ClusterState) -> Vec<Node> {
    let mut above: Vec<String> = Vec::new();
    let node = |row: &Row| {
        above.truncate(row.depth);
        above.push(lasting(&row.name));
        let phase = if row.depth == 0 { cluster.phase.as_str() } else { "" };
        Node {
            key: above.join(" "),
            last: branches(&row.prefix),
            name: row.name.clone(),
            detail: detail(row, phase),
            mark: mark(row),
        }
    };
    cluster.rows.iter().map(node).collect()
}

/// The part of a row's name that stays when versions and numbers change.
fn lasting(name: &str) -> String {
    let name = name.trim_start_matches("!! DELETED !! ");
    let name = name.split_once(',').map_or(name, |(name, _)| name);
    match name.split_once(' ') {
        Some((count, rest)) if count.parse::<u32>().is_ok() => rest.to_owned(),
        _ => name.to_owned(),
    }
}

/// The levels of a row from the lines before it, which are two characters each.
fn branches(prefix: &str) -> Vec<bool> {
    prefix.chars().step_by(2).map(|line| matches!(line, ' ' | '└')).collect()
}

/// `Provisioned · 3/3 · Available`: how many, and the condition that counts with what is said of it.
fn detail(row: &Row, phase: &str) -> String {
    let said = match (row.status.as_str(), row.reason.as_str()) {
        ("", _) => String::new(),
        ("True", "") => "True".to_owned(),
        ("True", reason) => reason.to_owned(),
        (status, reason) => {
            let why = if reason.is_empty() { status } else { reason };
            let message = row.message.lines().next().unwrap_or_default().trim_start_matches("* ").trim();
            // What follows stands in the next lines.
            let message = message.trim_end_matches(':');
            if message.is_empty() { why.to_owned() } else { format!("{why}: {}", cut(message)) }
        }
    };
    let parts = [phase, &row.replicas, &said];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// The beginning of a message: all of it would leave no room to read it in.
fn cut(message: &str) -> String {
    const MOST: usize = 44;
    if message.chars().count() <= MOST {
        return message.to_owned();
    }
    let beginning: String = message.chars().take(MOST - 1).collect();
    format!("{}…", beginning.trim_end())
}

fn mark(row: &Row) -> Mark {
    match (row.status.as_str(), row.severity.as_str()) {
        ("", _) => Mark::Plain,
        _ if row.name.starts_with("!! DELETED !!") => Mark::Off,
        ("True", _) => Mark::Good,
        (_, "Error") => Mark::Bad,
        _ if ["Failed", "Error"].iter().any(|word| row.reason.contains(word)) => Mark::Bad,
        _ => Mark::Busy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deck::panel::PanelText;
    use crate::diagnostic::Span;
    use crate::panel::state::PanelState;

    fn spec(text: &str) -> PanelSpec {
        PanelText::read(text, 0).spec(String::new(), None, Span::default()).unwrap()
    }

    fn row(prefix: &str, name: &str, replicas: &str, said: [&str; 3]) -> Row {
        let [status, reason, message] = said.map(str::to_owned);
        let depth = prefix.chars().count() / 2;
        let (prefix, name, replicas) = (prefix.to_owned(), name.to_owned(), replicas.to_owned());
        Row { prefix, depth, name, replicas, status, reason, message, ..Row::default() }
    }

    fn state() -> State {
        let rows = vec![
            row(
                "",
                "Cluster default/demo",
                "2/3",
                ["False", "NotAvailable", "* Workers: 1 replica is missing\n* more"],
            ),
            row("├─", "AzureCluster default/demo", "", ["True", "Provisioned", ""]),
            row("└─", "Workers", "", ["", "", ""]),
            row("  ├─", "MachineDeployment default/md-0, v1.33.1", "2/2", ["True", "Available", ""]),
            row("  │ └─", "2 Machines...", "", ["True", "Ready", "See a, b"]),
            row("  └─", "Machine default/lone", "1", ["False", "InfrastructureFailed", ""]),
        ];
        let cluster = ClusterState {
            namespace: "default".to_owned(),
            name: "demo".to_owned(),
            phase: "Provisioned".to_owned(),
            endpoint: String::new(),
            initialized: true,
            rows,
            snapshot: crate::gitops::capi::describe::Snapshot::default(),
        };
        State { running: true, clusters: vec![cluster], ..State::default() }
    }

    fn text(body: Body) -> String {
        PanelState::good("tree", body, jiff::Timestamp::UNIX_EPOCH).text()
    }

    #[test]
    fn a_cluster_stands_as_clusterctl_shows_it() {
        let shown = body(&state(), &spec("tree kind=Cluster"), 12);
        let Body::Tree { nodes, .. } = &shown else { panic!("a tree") };
        let keys: Vec<(&str, Mark)> = nodes.iter().map(|node| (node.key.as_str(), node.mark)).collect();
        let demo = "Cluster default/demo";
        let deployment = format!("{demo} Workers MachineDeployment default/md-0");
        assert_eq!(
            keys,
            [
                (demo, Mark::Busy),
                (&*format!("{demo} AzureCluster default/demo"), Mark::Good),
                (&*format!("{demo} Workers"), Mark::Plain),
                (&*deployment, Mark::Good),
                (&*format!("{deployment} Machines..."), Mark::Good),
                (&*format!("{demo} Workers Machine default/lone"), Mark::Bad),
            ]
        );
        let expected = "\
Cluster default/demo                             Provisioned · 2/3 · NotAvailable: Workers: 1 replica is missing
├─AzureCluster default/demo                      Provisioned
└─Workers
  ├─MachineDeployment default/md-0, v1.33.1      2/2 · Available
  │ └─2 Machines...                              Ready
  └─Machine default/lone                         1 · InfrastructureFailed
";
        let squeezed = |text: &str| -> Vec<String> {
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
        };
        assert_eq!(squeezed(&text(shown)), squeezed(expected));
    }

    #[test]
    fn panels_choose_by_name_and_namespace_and_say_when_there_is_none() {
        let shown = |words: &str, most| text(body(&state(), &spec(words), most));
        assert!(shown("tree kind=cluster namespace=default name=demo", 2).ends_with("\n+4 more\n"));
        assert_eq!(shown("tree kind=Cluster name=other", 12), "No cluster other yet.\n");
        assert_eq!(shown("tree kind=Cluster namespace=prod", 12), "No cluster in prod yet.\n");
        assert!(is_meant(&spec("tree kind=clusters")) && !is_meant(&spec("tree kind=Deployment")));
    }

    #[test]
    fn what_goes_is_marked() {
        let mut going = row("", "!! DELETED !! Machine default/a, v1.33.1", "1", ["False", "Deleting", "Drain"]);
        assert_eq!((mark(&going), lasting(&going.name)), (Mark::Off, "Machine default/a".to_owned()));
        assert_eq!(detail(&going, ""), "1 · Deleting: Drain");
        going.status.clear();
        assert_eq!(detail(&going, ""), "1");
    }
}
