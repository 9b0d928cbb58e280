//! The row of a pod: the famous status column, readiness, restarts.

use jiff::Timestamp;
use serde_json::Value;

use super::{Cell, created, deleting, name, text_or, time_at};
use crate::cluster::object::{at, flag, int, list, text};

/// What the walk over the containers found.
#[derive(Default)]
struct Tally {
    reason: String,
    ready: usize,
    restarts: i64,
    last: Option<Timestamp>,
}

/// Restarts of some containers.
#[derive(Default)]
struct Restarts {
    count: i64,
    last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, status: &Value) {
        self.count = self.count.saturating_add(int(status, &["restartCount"]).unwrap_or(0));
        self.last = self.last.max(time_at(status, &["lastState", "terminated", "finishedAt"]));
    }
}

pub(super) fn cells(pod: &Value) -> Vec<Cell> {
    let sidecars = list(pod, &["spec", "initContainers"]).iter().filter(|container| is_sidecar(container)).count();
    let total = list(pod, &["spec", "containers"]).len() + sidecars;
    let tally = tally(pod);
    let restarts = match tally.last {
        Some(last) if tally.restarts != 0 => Cell::Restarts(tally.restarts, last),
        _ => tally.restarts.to_string().into(),
    };
    let address = list(pod, &["status", "podIPs"]).first().map_or("", |address| text(address, &["ip"]));
    vec![
        name(pod),
        format!("{}/{total}", tally.ready).into(),
        tally.reason.into(),
        restarts,
        created(pod),
        text_or(address, "<none>").into(),
        text_or(text(pod, &["spec", "nodeName"]), "<none>").into(),
        text_or(text(pod, &["status", "nominatedNodeName"]), "<none>").into(),
        readiness_gates(pod).into(),
    ]
}

fn tally(pod: &Value) -> Tally {
    let phase = text(pod, &["status", "phase"]);
    let why = text(pod, &["status", "reason"]);
    let gated = list(pod, &["status", "conditions"]).iter().any(|condition| {
        text(condition, &["type"]) == "PodScheduled" && text(condition, &["reason"]) == "SchedulingGated"
    });
    let reason = if gated { "SchedulingGated" } else { text_or(why, phase) };
    let mut tally = Tally { reason: reason.to_owned(), ..Tally::default() };

    let initializing = init_containers(pod, &mut tally);
    if !initializing || condition_is_true(pod, "Initialized") {
        containers(pod, &mut tally);
    }
    if deleting(pod) {
        if why == "NodeLost" {
            tally.reason = "Unknown".to_owned();
        } else if phase != "Succeeded" && phase != "Failed" {
            tally.reason = "Terminating".to_owned();
        }
    }
    tally
}

/// Looks at init containers up to the first that is not done; whether there is one.
///
/// Afterwards only the restarts of sidecars count, unless the pod is still initializing.
fn init_containers(pod: &Value, tally: &mut Tally) -> bool {
    let specs = list(pod, &["spec", "initContainers"]);
    let mut all = Restarts::default();
    let mut sidecars = Restarts::default();
    let mut initializing = false;
    for (index, status) in list(pod, &["status", "initContainerStatuses"]).iter().enumerate() {
        all.add(status);
        let named = text(status, &["name"]);
        let sidecar = specs.iter().any(|spec| text(spec, &["name"]) == named && is_sidecar(spec));
        if sidecar {
            sidecars.add(status);
        }
        let terminated = at(status, &["state", "terminated"]).filter(|state| !state.is_null());
        if terminated.is_some_and(|state| int(state, &["exitCode"]).unwrap_or(0) == 0) {
            continue;
        }
        if sidecar && flag(status, &["started"]) {
            tally.ready += usize::from(flag(status, &["ready"]));
            continue;
        }
        let waiting = text(status, &["state", "waiting", "reason"]);
        tally.reason = match terminated {
            Some(state) => format!("Init:{}", ending(state)),
            None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
            None => format!("Init:{index}/{}", specs.len()),
        };
        initializing = true;
        break;
    }
    let counted = if initializing && !condition_is_true(pod, "Initialized") { all } else { sidecars };
    (tally.restarts, tally.last) = (counted.count, counted.last);
    initializing
}

fn containers(pod: &Value, tally: &mut Tally) {
    let mut restarts = Restarts { count: tally.restarts, last: tally.last };
    let mut running = false;
    for status in list(pod, &["status", "containerStatuses"]).iter().rev() {
        restarts.add(status);
        let waiting = text(status, &["state", "waiting", "reason"]);
        let terminated = at(status, &["state", "terminated"]).filter(|state| !state.is_null());
        if !waiting.is_empty() {
            tally.reason = waiting.to_owned();
        } else if let Some(state) = terminated {
            tally.reason = ending(state);
        } else if flag(status, &["ready"]) && at(status, &["state", "running"]).is_some_and(|state| !state.is_null()) {
            running = true;
            tally.ready += 1;
        }
    }
    (tally.restarts, tally.last) = (restarts.count, restarts.last);
    if running && tally.reason == "Completed" {
        tally.reason = if condition_is_true(pod, "Ready") { "Running" } else { "NotReady" }.to_owned();
    }
}

/// How a container ended, in a word.
fn ending(terminated: &Value) -> String {
    let reason = text(terminated, &["reason"]);
    if !reason.is_empty() {
        return reason.to_owned();
    }
    match int(terminated, &["signal"]) {
        Some(signal) if signal != 0 => format!("Signal:{signal}"),
        _ => format!("ExitCode:{}", int(terminated, &["exitCode"]).unwrap_or(0)),
    }
}

fn is_sidecar(container: &Value) -> bool {
    text(container, &["restartPolicy"]) == "Always"
}

fn condition_is_true(pod: &Value, kind: &str) -> bool {
    let conditions = list(pod, &["status", "conditions"]);
    conditions.iter().any(|one| text(one, &["type"]) == kind && text(one, &["status"]) == "True")
}

fn readiness_gates(pod: &Value) -> String {
    let gates = list(pod, &["spec", "readinessGates"]);
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let open = gates.iter().filter(|gate| condition_is_true(pod, text(gate, &["conditionType"]))).count();
    format!("{open}/{}", gates.len())
}
