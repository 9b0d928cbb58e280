//! Rows of what runs pods: deployments and their kin, jobs, cron jobs, templates.

use jiff::Timestamp;
use serde_json::Value;

use super::selector::{label_selector, labels, requirements};
use super::{Cell, age, created, deleting, name, text_or, time_at};
use crate::cluster::object::{at, group_of, int, list, map, text};

pub(super) fn cells(kind: &str, object: &Value) -> Option<Vec<Cell>> {
    Some(match kind {
        "Deployment" => deployment(object),
        "ReplicaSet" => replica_set(object, label_selector(at(object, &["spec", "selector"]))),
        "ReplicationController" => replica_set(object, labels(map(object, &["spec", "selector"]))),
        "StatefulSet" => {
            let mut cells = vec![name(object), ready(object), created(object)];
            cells.extend(containers(object, &["spec", "template", "spec", "containers"]));
            cells
        }
        "DaemonSet" => daemon_set(object),
        "Job" => job(object),
        "CronJob" => cron_job(object),
        "ControllerRevision" => vec![
            name(object),
            controller(object).into(),
            Cell::of(int(object, &["revision"]).unwrap_or(0)),
            created(object),
        ],
        "PodTemplate" => {
            let mut cells = vec![name(object)];
            cells.extend(containers(object, &["template", "spec", "containers"]));
            cells.push(labels(map(object, &["template", "metadata", "labels"])).into());
            cells
        }
        _ => return None,
    })
}

fn count(object: &Value, path: &[&str]) -> i64 {
    int(object, path).unwrap_or(0)
}

/// `2/3`: how many are ready, of how many.
fn ready(object: &Value) -> Cell {
    format!("{}/{}", count(object, &["status", "readyReplicas"]), count(object, &["spec", "replicas"])).into()
}

/// The cells with the names and the images of containers.
fn containers(object: &Value, path: &[&str]) -> [Cell; 2] {
    let containers = list(object, path);
    ["name", "image"].map(|member| {
        let texts: Vec<_> = containers.iter().map(|container| text(container, &[member])).collect();
        texts.join(",").into()
    })
}

fn template_containers(object: &Value) -> [Cell; 2] {
    containers(object, &["spec", "template", "spec", "containers"])
}

fn deployment(object: &Value) -> Vec<Cell> {
    let selector = requirements(at(object, &["spec", "selector"])).unwrap_or_else(|| "<invalid>".to_owned());
    let mut cells = vec![
        name(object),
        ready(object),
        count(object, &["status", "updatedReplicas"]).into(),
        count(object, &["status", "availableReplicas"]).into(),
        created(object),
    ];
    cells.extend(template_containers(object));
    cells.push(selector.into());
    cells
}

fn replica_set(object: &Value, selector: String) -> Vec<Cell> {
    let mut cells = vec![
        name(object),
        count(object, &["spec", "replicas"]).into(),
        count(object, &["status", "replicas"]).into(),
        count(object, &["status", "readyReplicas"]).into(),
        created(object),
    ];
    cells.extend(template_containers(object));
    cells.push(selector.into());
    cells
}

fn daemon_set(object: &Value) -> Vec<Cell> {
    let counters = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ];
    let mut cells = vec![name(object)];
    cells.extend(counters.map(|counter| Cell::from(count(object, &["status", counter]))));
    cells.push(labels(map(object, &["spec", "template", "spec", "nodeSelector"])).into());
    cells.push(created(object));
    cells.extend(template_containers(object));
    cells.push(label_selector(at(object, &["spec", "selector"])).into());
    cells
}

fn job(object: &Value) -> Vec<Cell> {
    let succeeded = count(object, &["status", "succeeded"]);
    let completions = match (int(object, &["spec", "completions"]), count(object, &["spec", "parallelism"])) {
        (Some(completions), _) => format!("{succeeded}/{completions}"),
        (None, parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    };
    let [start, end] = ["startTime", "completionTime"].map(|member| time_at(object, &["status", member]));
    let mut cells =
        vec![name(object), job_status(object).into(), completions.into(), duration(start, end), created(object)];
    cells.extend(template_containers(object));
    cells.push(label_selector(at(object, &["spec", "selector"])).into());
    cells
}

fn duration(start: Option<Timestamp>, end: Option<Timestamp>) -> Cell {
    match (start, end) {
        (None, _) => "".into(),
        (Some(start), Some(end)) => age(start, end).into(),
        (Some(start), None) => Cell::Age(Some(start)),
    }
}

fn job_status(object: &Value) -> &'static str {
    let conditions = list(object, &["status", "conditions"]);
    let is_true = |kind: &str| {
        let condition = conditions.iter().find(|condition| text(condition, &["type"]) == kind);
        condition.is_some_and(|condition| text(condition, &["status"]) == "True")
    };
    let first = |kinds: &[&'static str]| kinds.iter().copied().find(|kind| is_true(kind));
    first(&["Complete", "Failed"])
        .or(deleting(object).then_some("Terminating"))
        .or_else(|| first(&["Suspended", "FailureTarget", "SuccessCriteriaMet"]))
        .unwrap_or("Running")
}

fn cron_job(object: &Value) -> Vec<Cell> {
    let suspend = match at(object, &["spec", "suspend"]).and_then(Value::as_bool) {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    let last = time_at(object, &["status", "lastScheduleTime"]);
    let active = i64::try_from(list(object, &["status", "active"]).len()).unwrap_or(i64::MAX);
    let mut cells = vec![
        name(object),
        text(object, &["spec", "schedule"]).into(),
        text_or(text(object, &["spec", "timeZone"]), "<none>").into(),
        suspend.into(),
        active.into(),
        last.map_or("<none>".into(), |last| Cell::Age(Some(last))),
        created(object),
    ];
    cells.extend(containers(object, &["spec", "jobTemplate", "spec", "template", "spec", "containers"]));
    cells.push(label_selector(at(object, &["spec", "jobTemplate", "spec", "selector"])).into());
    cells
}

/// The controller of a revision, as `daemonset.apps/logs`.
fn controller(object: &Value) -> String {
    let owners = list(object, &["metadata", "ownerReferences"]);
    let is_controller = |owner: &&Value| owner.get("controller").and_then(Value::as_bool) == Some(true);
    owners.iter().find(is_controller).map_or("<none>".to_owned(), |owner| {
        let kind = text(owner, &["kind"]).to_lowercase();
        let kind = match group_of(text(owner, &["apiVersion"])) {
            "" => kind,
            group => format!("{kind}.{group}"),
        };
        format!("{kind}/{}", text(owner, &["name"]))
    })
}
