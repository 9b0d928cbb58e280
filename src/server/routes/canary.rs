//! `POST /api/v1/canary`: the speaker lets a release go on, holds it, takes it back, and makes its versions worse.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::body;
use super::steps::done;
use crate::cluster::object::Key;
use crate::gitops::canary::status::Phase;
use crate::gitops::canary::{Backend, CanaryView, Faults, Handle, View};
use crate::server::error::Problem;
use crate::server::state::App;

/// What is wanted of a canary: something to do, or faults.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Its namespace.
    namespace: String,
    /// Its name.
    name: String,
    /// What to do.
    #[serde(rename = "do")]
    act: Option<Act>,
    /// The gate that is opened or closed; the only one when not given.
    gate: Option<String>,
    /// How well a version does from now on.
    faults: Option<Wanted>,
}

/// What can be done with a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Promoted at once.
    Promote,
    /// Taken back.
    Rollback,
    /// Kept where it is.
    Hold,
    /// Not kept any more.
    Go,
    /// A gate is opened.
    Open,
    /// A gate is closed.
    Close,
}

/// How well a version does; what is not given stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Which version; the one that is judged when not given.
    #[serde(default)]
    version: Version,
    /// Percent of requests that succeed.
    success: Option<f64>,
    /// How long 99 of 100 requests take at most.
    latency_ms: Option<u32>,
}

/// Which version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Version {
    /// The one that everybody has.
    Primary,
    /// The one that is judged.
    #[default]
    Canary,
}

/// Does it.
pub async fn canary(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let like = r#"{"namespace":"prod","name":"podinfo","do":"hold"} or {…,"faults":{"success":80,"latency_ms":500}}"#;
    let command: Command = body::speakers(&app, request, like).await?;
    let sandbox = app.demo.borrow().ready().cloned();
    let handle = sandbox.and_then(|sandbox| sandbox.canaries.clone()).ok_or_else(|| {
        Problem::conflict("Only the embedded cluster has canaries with buttons, and none is running.")
    })?;
    let view = handle.status().borrow().clone();
    let shown = find(&view, &command)?;
    match (command.act, &command.faults) {
        (Some(act), None) => perform(&handle, &command, act, shown)?,
        (None, Some(wanted)) if command.gate.is_none() => set(&handle, &command, wanted, shown)?,
        _ => {
            let problem = Problem::bad_request("Exactly one of `do` and `faults` is needed; `gate` goes with `do`.");
            return Err(problem.hint(format!("Send an object like {like}.")));
        }
    }
    Ok(done(json!({ "namespace": command.namespace, "name": command.name, "was": shown.line() })))
}

fn find<'a>(view: &'a View, command: &Command) -> Result<&'a CanaryView, Problem> {
    let key = Key::new(&command.namespace, &command.name);
    if let Some(shown) = view.canaries.get(&key) {
        return Ok(shown);
    }
    let problem = Problem::not_found(format!("There is no canary `{}` in `{}`.", command.name, command.namespace));
    let names: Vec<String> = view.canaries.keys().map(|key| format!("{}/{}", key.namespace, key.name)).collect();
    let wanted = format!("{}/{}", command.namespace, command.name);
    Err(match crate::diagnostic::closest(&wanted, names.iter().map(String::as_str)) {
        Some(like) => problem.hint(format!("Did you mean `{like}`?")),
        None => problem,
    })
}

fn perform(handle: &Handle, command: &Command, act: Act, shown: &CanaryView) -> Result<(), Problem> {
    let (namespace, name) = (command.namespace.as_str(), command.name.as_str());
    if command.gate.is_some() && !matches!(act, Act::Open | Act::Close) {
        return Err(Problem::bad_request("Only `open` and `close` have a `gate`."));
    }
    let phase = shown.phase.map_or("not seen yet", Phase::as_str);
    let released = shown.phase.is_some_and(Phase::is_in_speakers_hand);
    if matches!(act, Act::Promote | Act::Rollback) && !released {
        return Err(Problem::conflict(format!("Nothing is being released: `{name}` is {phase}."))
            .hint("Change the image of the target; the release begins at the next check."));
    }
    match act {
        Act::Promote => handle.promote(namespace, name),
        Act::Rollback => handle.roll_back(namespace, name),
        Act::Hold => handle.hold(namespace, name),
        Act::Go => handle.go_on(namespace, name),
        Act::Open => handle.open_gate(namespace, name, gate(command, shown)?),
        Act::Close => handle.close_gate(namespace, name, gate(command, shown)?),
    }
    Ok(())
}

/// The gate that is meant.
fn gate<'a>(command: &'a Command, shown: &'a CanaryView) -> Result<&'a str, Problem> {
    let mut names = shown.gates.iter().map(|gate| gate.name.as_str());
    match (&command.gate, names.next(), names.next()) {
        (Some(wanted), ..) if shown.gates.iter().any(|gate| gate.name == *wanted) => Ok(wanted),
        (None, Some(only), None) => Ok(only),
        (_, None, _) => Err(Problem::not_found(format!("The canary `{}` has no gates.", command.name)).hint(
            "Webhooks of the types confirm-rollout, confirm-traffic-increase, confirm-promotion and rollback are some.",
        )),
        (wanted, ..) => {
            let names: Vec<String> = shown.gates.iter().map(|gate| format!("`{}`", gate.name)).collect();
            let names = names.join(", ");
            Err(match wanted {
                Some(wanted) => Problem::not_found(format!("There is no gate `{wanted}`; there are {names}.")),
                None => Problem::bad_request(format!("Which `gate`? There are {names}.")),
            })
        }
    }
}

fn set(handle: &Handle, command: &Command, wanted: &Wanted, shown: &CanaryView) -> Result<(), Problem> {
    let (backend, before) = match wanted.version {
        Version::Primary => (Backend::Primary, shown.faults.0),
        Version::Canary => (Backend::Canary, shown.faults.1),
    };
    let success = wanted.success.unwrap_or(before.success);
    if !(0.0..=100.0).contains(&success) {
        return Err(Problem::bad_request("`success` must be a number from 0 to 100: percent of requests."));
    }
    let latency = match wanted.latency_ms {
        Some(millis @ 0..=LONGEST_MS) => Duration::from_millis(millis.into()),
        Some(_) => return Err(Problem::bad_request(format!("`latency_ms` must be a number from 0 to {LONGEST_MS}."))),
        None => before.latency,
    };
    handle.set_faults(&command.namespace, &command.name, backend, Faults { success, latency });
    Ok(())
}

/// No request takes longer than a minute.
const LONGEST_MS: u32 = 60_000;
