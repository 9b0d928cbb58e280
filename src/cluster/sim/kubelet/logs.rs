//! The log of a container, as a function of time.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::api::status::{FieldError, Refusal};
use crate::cluster::object::GroupKind;
use crate::cluster::sim::script::{Limits, Outcome};
use crate::cluster::sim::tools::{chance, later, since};
use crate::cluster::sim::view::{Container, ContainerStatus, Pod};

use super::life::{Role, containers};
use super::process::{Process, Surroundings};

/// How many lines of a container are kept; real nodes keep the last 10 MB.
const KEPT: usize = 20_000;

/// What of a log is wanted, as in `PodLogOptions`.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    /// The container; may be empty when there is only one.
    pub container: String,
    /// The log of the container before it was started anew.
    pub previous: bool,
    /// Only what was printed since so many seconds ago.
    pub since_seconds: Option<i64>,
    /// Only what was printed since this time.
    pub since_time: Option<Timestamp>,
    /// With the time before each line.
    pub timestamps: bool,
    /// Only so many of the last lines.
    pub tail_lines: Option<i64>,
    /// Only so many bytes.
    pub limit_bytes: Option<i64>,
    /// Only what was printed after this time: what [`LogText::until`] said the time before, to go on from there.
    pub after: Option<Timestamp>,
}

/// A log up to now.
#[derive(Debug, Clone, PartialEq)]
pub struct LogText {
    /// The text.
    pub text: String,
    /// Everything up to this time is in it, or was before.
    pub until: Timestamp,
    /// When the next line comes, if that is known.
    pub next: Option<Timestamp>,
    /// Whether the container has ended, so that nothing more can come.
    pub ended: bool,
}

/// The log of a container of a pod.
pub fn logs(pod: &Value, options: &LogOptions, around: &Surroundings<'_>) -> Result<LogText, Refusal> {
    let pod = super::pod_of(pod);
    check(&pod, options)?;
    let container = chosen(&pod, &options.container)?;
    let nothing = LogText { text: String::new(), until: around.now, next: None, ended: true };
    if pod.spec.node_name.is_empty() {
        return Ok(nothing);
    }
    let status = status_of(&pod, container);
    let (began, finished) = period(&pod, container, status, options.previous)?;
    let process = Process::lenient(&pod, container, *around);
    let running = since(finished.unwrap_or(around.now), began);
    // Times in a status are cut to seconds: what was printed in the last one belongs to it.
    let until = if finished.is_some() { running + Duration::from_secs(1) } else { running };
    let outcome = process.outcome(began, Limits { until, lines: KEPT, ..Limits::default() });
    let ended = finished.is_some();
    let next = match (ended, outcome.end, outcome.next) {
        (true, ..) => None,
        // It is over for itself; that will be noticed in a moment.
        (_, Some(_), _) => Some(later(around.now, Duration::from_millis(200))),
        (_, None, next) => next.map(|next| later(began, next)),
    };
    Ok(LogText {
        text: shown(&pod, container, began, &outcome, ended, options, around),
        until: around.now,
        next,
        ended,
    })
}

/// Refuses options that cannot be.
fn check(pod: &Pod, options: &LogOptions) -> Result<(), Refusal> {
    let mut errors = Vec::new();
    let mut at_least = |field: &str, value: Option<i64>, least: i64, hint: &str| {
        if let Some(value) = value.filter(|value| *value < least) {
            errors.push(FieldError::invalid(field, value, hint));
        }
    };
    at_least("tailLines", options.tail_lines, 0, "must be greater than or equal to 0");
    at_least("limitBytes", options.limit_bytes, 1, "must be greater than 0");
    at_least("sinceSeconds", options.since_seconds, 1, "must be greater than 0");
    if options.since_seconds.is_some() && options.since_time.is_some() {
        let hint = "at most one of `sinceTime` or `sinceSeconds` may be specified";
        errors.push(FieldError::forbidden("", hint));
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(&GroupKind::new("", "PodLogOptions"), &pod.metadata.name, &errors))
}

/// The container of a name, or the only one.
pub(super) fn chosen<'a>(pod: &'a Pod, name: &str) -> Result<&'a Container, Refusal> {
    let pod_name = &pod.metadata.name;
    if !name.is_empty() {
        let found = containers(pod).find(|(container, _)| container.name == name);
        let refusal = || Refusal::bad_request(format!("container {name} is not valid for pod {pod_name}"));
        return found.map(|(container, _)| container).ok_or_else(refusal);
    }
    if let [only] = pod.spec.containers.as_slice() {
        return Ok(only);
    }
    let names = |role: fn(Role) -> bool| -> String {
        let names = containers(pod).filter(|(_, one)| role(*one)).map(|(container, _)| container.name.as_str());
        names.collect::<Vec<_>>().join(" ")
    };
    let mut message = format!(
        "a container name must be specified for pod {pod_name}, choose one of: [{}]",
        names(|role| role == Role::Main)
    );
    let init = names(|role| matches!(role, Role::Init | Role::Sidecar));
    if !init.is_empty() {
        message.push_str(&format!(" or one of the init containers: [{init}]"));
    }
    let ephemeral = names(|role| role == Role::Ephemeral);
    if !ephemeral.is_empty() {
        message.push_str(&format!(" or one of the ephemeral containers: [{ephemeral}]"));
    }
    Err(Refusal::bad_request(message))
}

/// The status of a container of any kind.
pub(super) fn status_of<'a>(pod: &'a Pod, container: &Container) -> Option<&'a ContainerStatus> {
    let status = &pod.status;
    let lists = [&status.container_statuses, &status.init_container_statuses, &status.ephemeral_container_statuses];
    lists.into_iter().flatten().find(|status| status.name == container.name)
}

/// When the container that is meant began, and when it ended.
fn period(
    pod: &Pod,
    container: &Container,
    status: Option<&ContainerStatus>,
    previous: bool,
) -> Result<(Timestamp, Option<Timestamp>), Refusal> {
    let (name, pod_name) = (&container.name, &pod.metadata.name);
    let refused = |text: String| Err(Refusal::bad_request(text));
    let Some(status) = status else {
        return refused(format!("container \"{name}\" in pod \"{pod_name}\" is not available"));
    };
    let ended = |state: &crate::cluster::sim::view::ContainerState| {
        let terminated = state.terminated.as_ref()?;
        let began = terminated.started_at.0.unwrap_or_default();
        Some((began, Some(terminated.finished_at.0.unwrap_or(began))))
    };
    if previous {
        let text = format!("previous terminated container \"{name}\" in pod \"{pod_name}\" not found");
        return ended(&status.last_state).ok_or_else(|| Refusal::bad_request(text));
    }
    if let Some(running) = &status.state.running {
        return Ok((running.started_at.0.unwrap_or_default(), None));
    }
    if let Some(period) = ended(&status.state).or_else(|| ended(&status.last_state)) {
        return Ok(period);
    }
    let reason = status.state.waiting.as_ref().map_or("", |waiting| waiting.reason.as_str());
    let why = match reason {
        "ErrImagePull" => "image can't be pulled",
        "ImagePullBackOff" => "trying and failing to pull image",
        "" => "ContainerCreating",
        reason => reason,
    };
    refused(format!("container \"{name}\" in pod \"{pod_name}\" is waiting to start: {why}"))
}

fn shown(
    pod: &Pod,
    container: &Container,
    began: Timestamp,
    outcome: &Outcome,
    ended: bool,
    options: &LogOptions,
    around: &Surroundings<'_>,
) -> String {
    let over = ended || outcome.end.is_some();
    let lines: Vec<_> = outcome.lines.iter().filter(|line| line.ended || over).collect();
    let tail = options.tail_lines.and_then(|tail| usize::try_from(tail).ok()).unwrap_or(usize::MAX);
    let lines = &lines[lines.len().saturating_sub(tail)..];
    let seconds = options.since_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let from =
        seconds.and_then(|seconds| around.now.checked_sub(Duration::from_secs(seconds)).ok()).or(options.since_time);
    // A container does not start just at a full second.
    let share = chance(1, &[pod.metadata.uid.as_bytes(), container.name.as_bytes()]);
    let offset = Duration::from_nanos((share * 900_000.0) as u64);
    let mut text = String::new();
    for line in lines {
        let time = later(began, line.at);
        if options.after.is_some_and(|after| time <= after) || from.is_some_and(|from| time < from) {
            continue;
        }
        if options.timestamps {
            text.push_str(&later(time, offset).strftime("%Y-%m-%dT%H:%M:%S%.9fZ ").to_string());
        }
        text.push_str(&line.text);
        if line.ended {
            text.push('\n');
        }
    }
    if let Some(limit) = options.limit_bytes.and_then(|limit| usize::try_from(limit).ok())
        && text.len() > limit
    {
        let end = (0..=limit).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        text.truncate(end);
    }
    text
}
