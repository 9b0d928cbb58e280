//! `delete`: objects go, and it is waited until they are gone.

use std::time::Duration;

use hyper::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::flags::Arguments;
use super::follow::{Seen, follow};
use super::manifest::Sources;
use super::problem::Problem;
use super::resources::{Resource, query};
use super::select::{self, Target};
use super::session::{As, JSON, Payload, Session};
use super::write::{DryRun, Writing};
use crate::cluster::goduration::{self, DurationError};
use crate::cluster::object;

/// Runs `delete`.
pub(super) async fn run(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let sources = Sources::of(arguments)?;
    if arguments.words.is_empty() && sources.is_empty() {
        return Err(Problem::said(
            "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   \
             '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'",
        ));
    }
    let writing = Writing::of(arguments, "")?;
    let options = options(arguments)?;
    let force = arguments.on("force");
    if force {
        session.tell(
            "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The \
             resource may continue to run on the cluster indefinitely.",
        );
    }
    let limit = limit(arguments.text("timeout"), "timeout")?;
    let found = select::targets(session, arguments, &arguments.words, false).await?;
    if found.targets.is_empty() && found.problems.is_empty() && found.listed {
        return session.line("No resources found");
    }
    let mut problems = found.problems;
    let mut going = Vec::new();
    for target in found.targets {
        match one(session, arguments, &writing, &target, &options).await {
            Ok(Some(uid)) => going.push((target, uid)),
            Ok(None) => {}
            Err(Problem::Closed) => return Err(Problem::Closed),
            Err(problem) => problems.push(problem),
        }
    }
    if arguments.not_off("wait") && !force && writing.dry_run == DryRun::No {
        for (target, uid) in going {
            let gone = gone(session, &target.resource, &target.namespace, &target.name, &uid);
            within(limit, gone).await.map_err(|problem| match problem {
                Problem::Said(why) if why == TIMED_OUT => {
                    Problem::said(format!("{why} on {}/{}", target.resource.plural, target.name))
                }
                other => other,
            })?;
        }
    }
    Problem::gathered(problems)
}

/// How the server is to delete.
fn options(arguments: &Arguments) -> Result<Value, Problem> {
    let policy = match arguments.text("cascade").unwrap_or("background") {
        "background" | "true" => "Background",
        "foreground" => "Foreground",
        "orphan" | "false" => "Orphan",
        other => {
            let why = "Must be \"background\", \"foreground\", or \"orphan\".";
            return Err(Problem::said(format!("invalid cascade value ({other}). {why}")));
        }
    };
    let mut options = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy });
    let grace = match (arguments.number("grace-period"), arguments.on("now"), arguments.on("force")) {
        (Some(_), true, _) => return Err(Problem::said("--now and --grace-period cannot be specified together")),
        (Some(seconds), false, force) if seconds >= 0 => {
            if seconds == 0 && !force {
                // One second is the least without --force.
                Some(1)
            } else {
                Some(seconds)
            }
        }
        (_, true, _) => Some(1),
        (_, _, true) => Some(0),
        _ => None,
    };
    if let Some(seconds) = grace {
        object::set(&mut options, &["gracePeriodSeconds"], seconds);
    }
    Ok(options)
}

/// Deletes an object; gives its uid.
async fn one(
    session: &mut Session<'_>,
    arguments: &Arguments,
    writing: &Writing,
    target: &Target,
    options: &Value,
) -> Result<Option<String>, Problem> {
    let path = target.resource.path(&target.namespace, &target.name);
    let mut uid = String::new();
    if writing.dry_run == DryRun::Client {
        session.object(&target.resource, &target.namespace, &target.name, As::Json).await?;
    } else {
        let parameters = [("dryRun", if writing.dry_run == DryRun::Server { "All" } else { "" })];
        let payload = Payload { media_type: JSON, body: options };
        match session.call(Method::DELETE, &query(&path, &parameters), As::Json, Some(payload)).await {
            Ok((_, answer)) => {
                let of_status = object::text(&answer, &["details", "uid"]);
                let of_object = object::text(&answer, &["metadata", "uid"]);
                (if of_status.is_empty() { of_object } else { of_status }).clone_into(&mut uid);
            }
            Err(problem) if problem.is_not_found() && arguments.on("ignore-not-found") => return Ok(None),
            // One of a list that went by itself meanwhile.
            Err(problem) if problem.is_not_found() && target.object.is_some() && target.source.is_none() => {
                return Ok(None);
            }
            Err(problem) => {
                return Err(match &target.source {
                    Some(source) => problem.when(&format!("error when deleting {source:?}")),
                    None => problem,
                });
            }
        }
    }
    if writing.format == super::output::Format::Name {
        session.line(&target.resource.named(&target.name))?;
    } else {
        let force = if arguments.on("force") { "force " } else { "" };
        let suffix = writing.suffix();
        session.line(&format!("{} {:?} {force}deleted{suffix}", target.resource.qualified_kind(), target.name))?;
    }
    Ok(Some(uid))
}

const TIMED_OUT: &str = "timed out waiting for the condition";

/// Some work with a limit.
pub(super) async fn within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    match limit {
        None => work.await,
        Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(Problem::said(TIMED_OUT))),
    }
}

/// A limit by its flag; none for `0`.
pub(super) fn limit(text: Option<&str>, flag: &str) -> Result<Option<Duration>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let wrong = |why| Problem::said(format!("invalid argument {text:?} for \"--{flag}\" flag: time: {why} {text:?}"));
    let limit = goduration::parse(text).map_err(wrong)?;
    if limit <= SignedDuration::ZERO {
        return Ok(None);
    }
    Duration::try_from(limit).map(Some).map_err(|_| wrong(DurationError::Invalid))
}

/// Waits until an object is gone, or another one has its name.
pub(super) async fn gone(
    session: &mut Session<'_>,
    resource: &Resource,
    namespace: &str,
    name: &str,
    uid: &str,
) -> Result<(), Problem> {
    follow(session, resource, namespace, name, |_, seen| {
        let still = match &seen {
            Seen::There(object) => uid.is_empty() || object::text(object, &["metadata", "uid"]) == uid,
            Seen::Missing(_) | Seen::Deleted => false,
        };
        Ok((!still).then_some(()))
    })
    .await
}
