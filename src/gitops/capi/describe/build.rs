//! Which objects are shown, where, and which share a row.

use super::node::{Item, Node, Replicas, Said};
use super::{Machine, Options, Row, Snapshot};

/// The tree of a cluster.
pub(super) fn tree(snapshot: &Snapshot, options: &Options) -> Node {
    let space = &snapshot.namespace;
    let mut root = counted(&snapshot.cluster, "Available", space, options);
    root.children.extend(snapshot.infrastructure.iter().map(|item| plain(item, space, options)));
    if let Some(plane) = &snapshot.control_plane {
        let mut node = counted(plane, "Available", space, options);
        let machines: Vec<&Machine> = snapshot.machines.iter().filter(|machine| machine.control_plane).collect();
        node.children = machine_nodes(&machines, true, space, options);
        root.children.push(node);
    }
    let workers = snapshot.machines.iter().any(|machine| !machine.control_plane);
    if workers {
        root.children.push(worker_node(snapshot, options));
    }
    root
}

fn worker_node(snapshot: &Snapshot, options: &Options) -> Node {
    let space = &snapshot.namespace;
    let mut workers = Node::named("Workers");
    let mut shown = Vec::new();
    for deployment in &snapshot.deployments {
        let mut node = counted(deployment, "Available", space, options);
        let own = snapshot.machines.iter().filter(|machine| {
            machine.owner == deployment.name && !(machine.control_plane && snapshot.control_plane.is_some())
        });
        let own: Vec<&Machine> = own.collect();
        shown.extend(own.iter().map(|machine| machine.item.name.as_str()));
        if options.machine_sets {
            for set in snapshot.sets.iter().filter(|set| set.owner == deployment.name) {
                let mut below = counted(set, "", space, options);
                let some: Vec<&Machine> = own.iter().copied().filter(|machine| machine.set == set.name).collect();
                below.children = machine_nodes(&some, true, space, options);
                node.children.push(below);
            }
        } else {
            node.children = machine_nodes(&own, true, space, options);
        }
        workers.children.push(node);
    }
    let others = snapshot.machines.iter().filter(|machine| {
        let under_the_plane = machine.control_plane && snapshot.control_plane.is_some();
        !under_the_plane && !shown.contains(&machine.item.name.as_str())
    });
    let others: Vec<&Machine> = others.collect();
    if !others.is_empty() {
        let mut other = Node::named("Other");
        other.children = machine_nodes(&others, false, space, options);
        workers.children.push(other);
    }
    workers
}

/// An object with counters, and the condition that is shown of it.
fn counted(item: &Item, condition: &str, space: &str, options: &Options) -> Node {
    let mut node = with(item, item.said(condition), space, options);
    let Replicas { desired, current, available, ready, up_to_date } = item.replicas;
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    if desired.is_some() || current.is_some() {
        node.row.replicas = format!("{}/{}", current.unwrap_or(0), desired.unwrap_or(0));
    }
    node.row.available = number(available);
    node.row.ready = number(ready);
    node.row.up_to_date = number(up_to_date);
    node
}

fn plain(item: &Item, space: &str, options: &Options) -> Node {
    with(item, item.said("Ready"), space, options)
}

fn with(item: &Item, said: Option<&Said>, space: &str, options: &Options) -> Node {
    let mut row = Row { name: item.row_name(space), ..Row::default() };
    let all = options.conditions.iter().any(|wanted| {
        wanted == "all" || wanted.eq_ignore_ascii_case(&item.kind) || *wanted == format!("{}/{}", item.kind, item.name)
    });
    let conditions = if all {
        let mut all: Vec<_> = item.conditions.iter().collect();
        all.sort_by(|left, right| left.0.cmp(&right.0));
        all.into_iter().map(|(kind, said)| saying(Row { name: kind.clone(), ..Row::default() }, said)).collect()
    } else {
        // the conditions tell it below
        row = said.map_or_else(|| row.clone(), |said| saying(row.clone(), said));
        Vec::new()
    };
    Node { row, conditions, ..Node::default() }
}

fn saying(row: Row, said: &Said) -> Row {
    Row {
        status: said.status.clone(),
        severity: said.severity.clone(),
        reason: said.reason.clone(),
        since: said.since,
        message: said.message.clone(),
        ..row
    }
}

/// The rows of machines below one parent.
fn machine_nodes(machines: &[&Machine], groups: bool, space: &str, options: &Options) -> Vec<Node> {
    let mut groups_of: Vec<Vec<&Machine>> = Vec::new();
    for machine in machines {
        let same = groups_of.iter_mut().find(|group| {
            groups && options.grouping && group.first().is_some_and(|first| are_alike(&first.item, &machine.item))
        });
        match same {
            Some(group) => group.push(machine),
            None => groups_of.push(vec![machine]),
        }
    }
    let node = |group: Vec<&Machine>| match group.as_slice() {
        [one] => single(one, space, options),
        several => group_node(several),
    };
    groups_of.into_iter().map(node).collect()
}

/// Whether two machines say the same.
fn are_alike(one: &Item, other: &Item) -> bool {
    ["Available", "Ready", "UpToDate"].iter().all(|kind| says_the_same(one.said(kind), other.said(kind)))
}

fn says_the_same(one: Option<&Said>, other: Option<&Said>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.status == other.status && one.reason == other.reason,
        _ => false,
    }
}

fn single(machine: &Machine, space: &str, options: &Options) -> Node {
    let item = &machine.item;
    let mut node = plain(item, space, options);
    let one = |kind| if item.is(kind) { "1" } else { "0" }.to_owned();
    node.row.replicas = "1".to_owned();
    (node.row.available, node.row.ready, node.row.up_to_date) = (one("Available"), one("Ready"), one("UpToDate"));
    let parts = machine.infrastructure.iter().chain(&machine.bootstrap);
    let shown = parts.filter(|part| {
        let ready = part.said("Ready");
        let echo = part.is("Ready") || says_the_same(ready, item.said("Ready"));
        options.echo || !echo
    });
    node.children = shown.map(|part| plain(part, space, options)).collect();
    node
}

fn group_node(machines: &[&Machine]) -> Node {
    let count = |kind| machines.iter().filter(|machine| machine.item.is(kind)).count().to_string();
    let mut names: Vec<&str> = machines.iter().map(|machine| machine.item.name.as_str()).collect();
    names.sort_unstable();
    let more = if names.len() > 2 { ", ..." } else { "" };
    names.truncate(2);
    let said = machines.first().and_then(|machine| machine.item.said("Ready"));
    let since = machines.iter().filter_map(|machine| machine.item.said("Ready")?.since).min();
    let row = Row { name: format!("{} Machines...", machines.len()), ..Row::default() };
    let row = said.map_or_else(|| row.clone(), |said| saying(row.clone(), said));
    let row = Row {
        available: count("Available"),
        ready: count("Ready"),
        up_to_date: count("UpToDate"),
        message: format!("See {}{more}", names.join(", ")),
        since,
        ..row
    };
    Node { row, ..Node::default() }
}
