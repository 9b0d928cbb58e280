//! `rollout`: how far a new version is, which there were, back to an older one, again, a pause.

mod history;
mod status;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::delete::{limit, within};
use super::flags::Arguments;
use super::follow::{Seen, follow};
use super::problem::Problem;
use super::select::{self, Found, Target};
use super::session::{As, JSON_PATCH, STRATEGIC, Session};
use super::write::{DryRun, Writing};
use crate::cluster::object;
use history::Revision;

/// The workloads whose templates are rolled out.
const WORKLOADS: [&str; 3] = ["Deployment", "DaemonSet", "StatefulSet"];

/// The objects of a command line; there has to be one.
async fn found(session: &mut Session<'_>, arguments: &Arguments) -> Result<Found, Problem> {
    if arguments.words.is_empty() && arguments.text("filename").is_none() {
        return Err(Problem::said("required resource not specified"));
    }
    select::targets(session, arguments, &arguments.words, true).await
}

fn is_workload(target: &Target) -> bool {
    target.resource.group == "apps" && WORKLOADS.contains(&target.resource.kind.as_str())
}

/// Does something to each object; what goes wrong with one does not stop the others.
async fn each(
    session: &mut Session<'_>,
    arguments: &Arguments,
    mut work: impl AsyncFnMut(&mut Session<'_>, &Target) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let Found { targets, mut problems, .. } = found(session, arguments).await?;
    for target in targets {
        match work(session, &target).await {
            Ok(()) => {}
            Err(Problem::Closed) => return Err(Problem::Closed),
            Err(problem) => problems.push(problem),
        }
    }
    Problem::gathered(problems)
}

/// Runs `rollout status`.
pub(super) async fn status(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let limit = limit(arguments.text("timeout"), "timeout")?;
    let revision = arguments.number("revision").unwrap_or(0);
    let watch = arguments.not_off("watch");
    each(session, arguments, async |session, target| {
        if !is_workload(target) {
            let kind = &target.resource.kind;
            return Err(Problem::said(format!("no status viewer has been implemented for {kind}")));
        }
        within(limit, follow_status(session, target, revision, watch)).await
    })
    .await
}

/// Tells how far a rollout is, until it is done.
async fn follow_status(session: &mut Session<'_>, target: &Target, revision: i64, watch: bool) -> Result<(), Problem> {
    let mut last = String::new();
    let Target { resource, namespace, name, .. } = target;
    follow(session, resource, namespace, name, |session, seen| match seen {
        Seen::There(object) => {
            let done = tell_status(session, &object, revision, &mut last)?;
            Ok((done || !watch).then_some(()))
        }
        Seen::Missing(problem) => Err(problem),
        Seen::Deleted => Err(Problem::said("object has been deleted")),
    })
    .await
}

/// Tells what is new; whether the rollout is done.
fn tell_status(session: &mut Session<'_>, object: &Value, revision: i64, last: &mut String) -> Result<bool, Problem> {
    let (line, done) = status::of(object, revision).map_err(Problem::Said)?;
    if line != *last {
        session.line(&line)?;
        *last = line;
    }
    Ok(done)
}

/// Runs `rollout history`.
pub(super) async fn history(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let wanted = arguments.number("revision").unwrap_or(0);
    if wanted < 0 {
        return Err(Problem::said(format!("revision must be a positive integer: {wanted}")));
    }
    each(session, arguments, async |session, target| {
        let object = session.object(&target.resource, &target.namespace, &target.name, As::Json).await?;
        if !is_workload(target) {
            let kind = &target.resource.kind;
            return Err(Problem::said(format!(
                "error retrieving history for {kind:?}, no visitor method exists for {{ {kind}}}"
            )));
        }
        let revisions = history::of(session, target, &object).await?;
        let named = target.resource.named(&target.name);
        let text = if wanted > 0 {
            format!("{named} with revision #{wanted}\n{}", history::detail(&revisions, wanted)?)
        } else {
            format!("{named} \n{}", history::table(&revisions))
        };
        session.print(&text)
    })
    .await
}

/// Runs `rollout undo`.
pub(super) async fn undo(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let writing = Writing::of(arguments, "")?;
    let wanted = arguments.number("to-revision").unwrap_or(0);
    each(session, arguments, async |session, target| {
        let object = session.object(&target.resource, &target.namespace, &target.name, As::Json).await?;
        if !is_workload(target) {
            let kind = &target.resource.kind;
            return Err(Problem::said(format!(
                "error retrieving rollbacker for {kind:?}, no visitor method exists for {{ {kind}}}"
            )));
        }
        let revisions = history::of(session, target, &object).await?;
        let revision = history::chosen(&revisions, wanted, target)?;
        if object::flag(&object, &["spec", "paused"]) {
            return Err(Problem::said(
                "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
            ));
        }
        let what = back_to(session, &writing, target, &object, revision).await?;
        writing.done(session, &target.resource, &target.name, &object, &what)
    })
    .await
}

/// Puts the template of a revision back in its place; says what came of it.
async fn back_to(
    session: &mut Session<'_>,
    writing: &Writing,
    target: &Target,
    object: &Value,
    revision: &Revision,
) -> Result<String, Problem> {
    let skipped = || format!("skipped rollback (current template already matches revision {})", revision.number);
    if object::at(object, &["spec", "template"]) == Some(&revision.template) {
        return Ok(skipped());
    }
    if writing.dry_run != DryRun::Client {
        let path = target.resource.path(&target.namespace, &target.name);
        let mut operations = vec![json!({ "op": "replace", "path": "/spec/template", "value": revision.template })];
        if target.resource.kind == "Deployment" {
            // The cause of the change belongs to the template.
            let annotations = history::annotations(object, &revision.annotations);
            operations.push(json!({ "op": "replace", "path": "/metadata/annotations", "value": annotations }));
        }
        let before = object::text(object, &["metadata", "resourceVersion"]).to_owned();
        let address = writing.address(&path, &[]);
        let (_, after) = session.patch(&address, JSON_PATCH, &Value::Array(operations)).await?;
        if object::text(&after, &["metadata", "resourceVersion"]) == before && writing.dry_run == DryRun::No {
            return Ok(skipped());
        }
    }
    Ok("rolled back".to_owned())
}

/// Runs `rollout restart`.
pub(super) async fn restart(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let writing = Writing::of(arguments, "kubectl-rollout")?;
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let patch = json!({
        "spec": { "template": { "metadata": { "annotations": { "kubectl.kubernetes.io/restartedAt": now } } } },
    });
    each(session, arguments, async |session, target| {
        let object = select::fetched(session, target).await?;
        if !is_workload(target) {
            let (what, name) = (target.resource.qualified(), &target.name);
            return Err(Problem::said(format!("{what} {name:?} restarting is not supported")));
        }
        if object::flag(&object, &["spec", "paused"]) {
            return Err(Problem::said(format!(
                "{} {:?} can't restart paused deployment (run rollout resume first)",
                target.resource.qualified(),
                target.name
            )));
        }
        change(session, &writing, target, &patch, "restarted").await
    })
    .await
}

/// Runs `rollout pause` and `rollout resume`.
pub(super) async fn pause(session: &mut Session<'_>, arguments: &Arguments, on: bool) -> Result<(), Problem> {
    let writing = Writing::of(arguments, "kubectl-rollout")?;
    let (doing, done, already) =
        if on { ("pausing", "paused", "is already paused") } else { ("resuming", "resumed", "is not paused") };
    let patch = json!({ "spec": { "paused": if on { Value::Bool(true) } else { Value::Null } } });
    each(session, arguments, async |session, target| {
        let object = select::fetched(session, target).await?;
        let (what, name) = (target.resource.qualified(), &target.name);
        if !target.resource.is("apps", "Deployment") {
            return Err(Problem::said(format!("{what} {name:?} {doing} is not supported")));
        }
        if object::flag(&object, &["spec", "paused"]) == on {
            return Err(Problem::said(format!("{what} {name:?} {already}")));
        }
        change(session, &writing, target, &patch, done).await
    })
    .await
}

async fn change(
    session: &mut Session<'_>,
    writing: &Writing,
    target: &Target,
    patch: &Value,
    done: &str,
) -> Result<(), Problem> {
    let mut after = Value::Null;
    if writing.dry_run != DryRun::Client {
        let path = target.resource.path(&target.namespace, &target.name);
        after = session.patch(&writing.address(&path, &[]), STRATEGIC, patch).await?.1;
    }
    writing.done(session, &target.resource, &target.name, &after, done)
}
