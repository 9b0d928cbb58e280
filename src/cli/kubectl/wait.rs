//! `wait`: until a condition holds, a member has a value, or an object is gone.

use std::time::Duration;

use serde_json::Value;

use super::delete::{gone, limit, within};
use super::flags::Arguments;
use super::follow::{Seen, follow};
use super::problem::Problem;
use super::select::{self, Target};
use super::session::Session;
use super::write::Writing;
use crate::cluster::condition::{Condition, Standing};
use crate::cluster::object;

/// How long is waited when nothing is said.
const LIMIT: Duration = Duration::from_secs(30);

/// What is waited for.
#[derive(Debug, Clone, PartialEq)]
enum For {
    Delete,
    Create,
    Condition(Condition),
}

impl For {
    fn parse(asked: &str) -> Result<Self, Problem> {
        if let Some(condition) = Condition::parse(asked) {
            return condition.map(Self::Condition).map_err(Problem::said);
        }
        match asked.to_lowercase().as_str() {
            "delete" => Ok(Self::Delete),
            "create" => Ok(Self::Create),
            _ => Err(Problem::said(format!("unrecognized condition: {asked:?}"))),
        }
    }

    fn holds(&self, value: &Value) -> Result<bool, Problem> {
        match self {
            Self::Delete => Ok(false),
            Self::Create => Ok(true),
            Self::Condition(condition) => match condition.judge(value) {
                Standing::Holds => Ok(true),
                Standing::NotYet(_) => Ok(false),
                Standing::Never(why) => Err(Problem::said(why)),
            },
        }
    }
}

/// Runs `wait`.
pub(super) async fn run(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let wanted = For::parse(arguments.text("for").unwrap_or(""))?;
    let writing = Writing::of(arguments, "")?;
    let limit = match arguments.text("timeout") {
        None => Some(LIMIT),
        Some(text) => limit(Some(text), "timeout")?,
    };
    let found = select::targets(session, arguments, &arguments.words, false).await?;
    let mut problems = found.problems;
    if found.targets.is_empty() && problems.is_empty() {
        if wanted == For::Delete {
            return Ok(());
        }
        return Err(Problem::said("no matching resources found"));
    }
    for target in found.targets {
        match within(limit, one(session, &target, &wanted)).await {
            Ok(Some(object)) => writing.done(session, &target.resource, &target.name, &object, "condition met")?,
            Ok(None) => {}
            Err(Problem::Said(why)) if why.starts_with("timed out") => {
                problems.push(Problem::said(format!("{why} on {}/{}", target.resource.plural, target.name)));
            }
            Err(problem) => problems.push(problem),
        }
    }
    Problem::gathered(problems)
}

/// Waits for one object; nothing when there was never anything to wait for.
async fn one(session: &mut Session<'_>, target: &Target, wanted: &For) -> Result<Option<Value>, Problem> {
    let Target { resource, namespace, name, .. } = target;
    if *wanted == For::Delete {
        let object = match session.get(&resource.path(namespace, name)).await {
            Err(problem) if problem.is_not_found() => return Ok(None),
            object => object?,
        };
        let uid = object::text(&object, &["metadata", "uid"]);
        gone(session, resource, namespace, name, uid).await?;
        return Ok(Some(object));
    }
    follow(session, resource, namespace, name, |_, seen| match seen {
        Seen::There(object) => Ok(wanted.holds(&object)?.then_some(Some(object))),
        Seen::Missing(_) if *wanted == For::Create => Ok(None),
        Seen::Missing(problem) => Err(problem),
        Seen::Deleted => Err(Problem::said(format!("{} has been deleted", resource.named(name)))),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(asked: &str, object: &Value) -> Result<bool, String> {
        For::parse(asked).and_then(|wanted| wanted.holds(object)).map_err(|problem| problem.to_string())
    }

    #[test]
    fn what_can_be_waited_for() {
        let object = json!({
            "metadata": { "generation": 2 },
            "spec": { "replicas": 2 },
            "status": {
                "observedGeneration": 2, "phase": "Running",
                "conditions": [{ "type": "Available", "status": "True" }, { "type": "Stalled", "status": "False" }],
                "ports": [{ "a": 1 }, { "a": 2 }],
            },
        });
        for (asked, expected) in [
            ("condition=available", Ok(true)),
            ("condition=Available=False", Ok(false)),
            ("condition=Stalled=false", Ok(true)),
            ("condition=Missing", Ok(false)),
            ("jsonpath={.spec.replicas}=2", Ok(true)),
            ("jsonpath='{.status.phase}'=Running", Ok(true)),
            ("jsonpath={.status.phase}=\"Pending\"", Ok(false)),
            ("jsonpath={.status.conditions[?(@.type==\"Available\")].status}=True", Ok(true)),
            ("jsonpath={.status.nope}", Ok(false)),
            ("jsonpath=.status.phase", Ok(true)),
            ("jsonpath=.status.phase=Running", Ok(true)),
            ("jsonpath={.status}=x", Err("error: jsonpath leads to a nested object or list which is not supported")),
            ("jsonpath={.status.ports[*].a}=1", Err("error: given jsonpath expression matches more than one value")),
            ("jsonpath={.a}=", Err("error: jsonpath wait has to have a value")),
            ("create", Ok(true)),
            ("", Err("error: unrecognized condition: \"\"")),
            ("nope", Err("error: unrecognized condition: \"nope\"")),
        ] {
            assert_eq!(holds(asked, &object), expected.map_err(str::to_owned), "{asked}");
        }
        let mut behind = object;
        object::set(&mut behind, &["metadata", "generation"], 3);
        assert_eq!(holds("condition=available", &behind), Ok(false));
    }
}
