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
    let [spec, status] = ["spec", "status"].map(|member| pod.get(member).unwrap_or(&Value::Null));
    let init_containers = list(spec, &["initContainers"]);
    let sidecars = init_containers.iter().filter(|container| is_sidecar(container)).count();
    let total = list(spec, &["containers"]).len() + sidecars;
    let mut tally = tally(init_containers, status);
    if deleting(pod) {
        tally.leave(status);
    }
    let restarts = match tally.last {
        Some(last) if tally.restarts != 0 => Cell::Restarts(tally.restarts, last),
        _ => tally.restarts.to_string().into(),
    };
    let address = list(status, &["podIPs"]).first().map_or("", |address| text(address, &["ip"]));
    vec![
        name(pod),
        format!("{}/{total}", tally.ready).into(),
        tally.reason.into(),
        restarts,
        created(pod),
        text_or(address, "<none>").into(),
        text_or(text(spec, &["nodeName"]), "<none>").into(),
        text_or(text(status, &["nominatedNodeName"]), "<none>").into(),
        readiness_gates(spec, status).into(),
    ]
}

fn tally(init_containers: &[Value], status: &Value) -> Tally {
    let gated = list(status, &["conditions"]).iter().any(|condition| {
        text(condition, &["type"]) == "PodScheduled" && text(condition, &["reason"]) == "SchedulingGated"
    });
    let reason = text_or(text(status, &["reason"]), text(status, &["phase"]));
    let reason = if gated { "SchedulingGated" } else { reason };
    let mut tally = Tally { reason: reason.to_owned(), ..Tally::default() };
    if tally.initialize(init_containers, status) {
        tally.run(status);
    }
    tally
}

impl Tally {
    /// Looks at init containers up to the first that is not done; whether to go on to the containers.
    ///
    /// Then only the restarts of sidecars count.
    fn initialize(&mut self, containers: &[Value], status: &Value) -> bool {
        let mut all = Restarts::default();
        let mut sidecars = Restarts::default();
        let mut initializing = false;
        for (index, container) in list(status, &["initContainerStatuses"]).iter().enumerate() {
            all.add(container);
            let named = text(container, &["name"]);
            let sidecar = containers.iter().any(|spec| text(spec, &["name"]) == named && is_sidecar(spec));
            if sidecar {
                sidecars.add(container);
            }
            let terminated = at(container, &["state", "terminated"]).filter(|state| !state.is_null());
            if terminated.is_some_and(|state| int(state, &["exitCode"]).unwrap_or(0) == 0) {
                continue;
            }
            if sidecar && flag(container, &["started"]) {
                self.ready += usize::from(flag(container, &["ready"]));
                continue;
            }
            let waiting = text(container, &["state", "waiting", "reason"]);
            self.reason = match terminated {
                Some(state) => format!("Init:{}", ending(state)),
                None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
                None => format!("Init:{index}/{}", containers.len()),
            };
            initializing = true;
            break;
        }
        let goes_on = !initializing || condition_is_true(status, "Initialized");
        let counted = if goes_on { sidecars } else { all };
        (self.restarts, self.last) = (counted.count, counted.last);
        goes_on
    }

    /// Looks at the containers, from the last to the first.
    fn run(&mut self, status: &Value) {
        let mut restarts = Restarts { count: self.restarts, last: self.last };
        let mut running = false;
        for container in list(status, &["containerStatuses"]).iter().rev() {
            restarts.add(container);
            let state = container.get("state").unwrap_or(&Value::Null);
            let of = |member| state.get(member).filter(|state| !state.is_null());
            let waiting = of("waiting").map_or("", |state| text(state, &["reason"]));
            if !waiting.is_empty() {
                self.reason = waiting.to_owned();
            } else if let Some(state) = of("terminated") {
                self.reason = ending(state);
            } else if of("running").is_some() && flag(container, &["ready"]) {
                running = true;
                self.ready += 1;
            }
        }
        (self.restarts, self.last) = (restarts.count, restarts.last);
        if running && self.reason == "Completed" {
            self.reason = if condition_is_true(status, "Ready") { "Running" } else { "NotReady" }.to_owned();
        }
    }

    /// The pod is being deleted.
    fn leave(&mut self, status: &Value) {
        if text(status, &["reason"]) == "NodeLost" {
            self.reason = "Unknown".to_owned();
        } else if !matches!(text(status, &["phase"]), "Succeeded" | "Failed") {
            self.reason = "Terminating".to_owned();
        }
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

fn condition_is_true(status: &Value, kind: &str) -> bool {
    let conditions = list(status, &["conditions"]);
    conditions.iter().any(|one| text(one, &["type"]) == kind && text(one, &["status"]) == "True")
}

fn readiness_gates(spec: &Value, status: &Value) -> String {
    let gates = list(spec, &["readinessGates"]);
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let open = gates.iter().filter(|gate| condition_is_true(status, text(gate, &["conditionType"]))).count();
    format!("{open}/{}", gates.len())
}
