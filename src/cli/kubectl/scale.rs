//! `scale`: another number of replicas.

use serde_json::json;

use super::flags::Arguments;
use super::problem::Problem;
use super::select;
use super::session::{MERGE, Session};
use super::write::{DryRun, Writing};
use crate::cluster::object;

/// Runs `scale`.
pub(super) async fn run(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let Some(replicas) = arguments.number("replicas") else {
        return Err(Problem::said("required flag(s) \"replicas\" not set"));
    };
    if replicas < 0 {
        return Err(Problem::said(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        ));
    }
    let writing = Writing::of(arguments, "")?;
    let found = select::targets(session, arguments, &arguments.words, false).await?;
    let mut problems = found.problems;
    let mut scaled = 0;
    for target in found.targets {
        let object = match select::fetched(session, &target).await {
            Ok(object) => object,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let current = object::int(&object, &["spec", "replicas"]).unwrap_or(1);
        if let Some(expected) =
            arguments.number("current-replicas").filter(|expected| *expected >= 0 && *expected != current)
        {
            problems.push(Problem::said(format!("Expected replicas to be {expected}, was {current}")));
            continue;
        }
        if writing.dry_run != DryRun::Client {
            let path = format!("{}/scale", target.resource.path(&target.namespace, &target.name));
            let patch = json!({ "spec": { "replicas": replicas } });
            if let Err(problem) = session.patch(&writing.address(&path, &[]), MERGE, &patch).await {
                problems.push(problem);
                continue;
            }
        }
        scaled += 1;
        writing.done(session, &target.resource, &target.name, &object, "scaled")?;
    }
    if scaled == 0
        && let [Problem::Refused(status)] = problems.as_slice()
        && status.reason == "NotFound"
        && !object::text(&status.details, &["name"]).is_empty()
    {
        return Err(Problem::said(format!("no objects passed to scale {}", status.message)));
    }
    if scaled == 0 && problems.is_empty() {
        return Err(Problem::said("no objects passed to scale"));
    }
    Problem::gathered(problems)
}
