//! `patch`, and `set image`.

use serde_json::{Value, json};

use super::flags::Arguments;
use super::problem::Problem;
use super::select::{self, Target};
use super::session::{JSON_PATCH, MERGE, STRATEGIC, Session};
use super::write::{DryRun, Writing};
use crate::cluster::{object, yaml};

/// Runs `patch`.
pub(super) async fn run(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let kind = arguments.text("type").unwrap_or("strategic");
    let media_type = match kind {
        "strategic" => STRATEGIC,
        "merge" => MERGE,
        "json" => JSON_PATCH,
        other => return Err(Problem::said(format!("--type must be one of [json merge strategic], not {other:?}"))),
    };
    let text = match (arguments.text("patch"), arguments.text("patch-file")) {
        (Some(text), None) => text.to_owned(),
        (None, Some(file)) => std::fs::read_to_string(file)
            .map_err(|error| Problem::said(format!("unable to read patch file: {error}")))?,
        (Some(_), Some(_)) => {
            return Err(Problem::said("cannot specify --patch and --patch-file together"));
        }
        (None, None) => {
            return Err(Problem::said("must specify --patch or --patch-file containing the contents of the patch"));
        }
    };
    let patch = yaml::value(&text).map_err(|why| Problem::said(format!("unable to parse {text:?}: yaml: {why}")))?;
    let writing = Writing::of(arguments, "kubectl-patch")?;
    let subresource = arguments.text("subresource").unwrap_or("");
    let found = select::targets(session, arguments, &arguments.words, false).await?;
    let mut problems = found.problems;
    for target in found.targets {
        if let Err(problem) = one(session, &writing, &target, media_type, &patch, subresource).await {
            if problem == Problem::Closed {
                return Err(problem);
            }
            problems.push(problem);
        }
    }
    Problem::gathered(problems)
}

async fn one(
    session: &mut Session<'_>,
    writing: &Writing,
    target: &Target,
    media_type: &'static str,
    patch: &Value,
    subresource: &str,
) -> Result<(), Problem> {
    let before = select::fetched(session, target).await?;
    let mut after = before.clone();
    if writing.dry_run != DryRun::Client {
        let mut path = target.resource.path(&target.namespace, &target.name);
        if !subresource.is_empty() {
            path = format!("{path}/{}", super::resources::segment(subresource));
        }
        after = session.patch(&writing.address(&path, &[]), media_type, patch).await?.1;
    }
    let version = |object: &Value| object::text(object, &["metadata", "resourceVersion"]).to_owned();
    let done = if version(&before) == version(&after) && writing.dry_run == DryRun::No {
        "patched (no change)"
    } else {
        "patched"
    };
    writing.done(session, &target.resource, &target.name, &after, done)
}

/// Runs `set image`.
pub(super) async fn set_image(session: &mut Session<'_>, arguments: &Arguments) -> Result<(), Problem> {
    let first = arguments.words.iter().position(|word| word.contains('=')).unwrap_or(arguments.words.len());
    let (words, changes) = arguments.words.split_at(first);
    if words.is_empty() && arguments.text("filename").is_none() {
        return Err(Problem::said("one or more resources must be specified as <resource> <name> or <resource>/<name>"));
    }
    let changes: Vec<(&str, &str)> = changes.iter().filter_map(|change| change.split_once('=')).collect();
    if changes.is_empty() {
        return Err(Problem::said("at least one image update is required"));
    }
    let writing = Writing::of(arguments, "kubectl-set")?;
    let found = select::targets(session, arguments, words, false).await?;
    let mut problems = found.problems;
    for target in found.targets {
        match image(session, &writing, &target, &changes).await {
            Ok(()) => {}
            Err(Problem::Closed) => return Err(Problem::Closed),
            Err(problem) => problems.push(problem),
        }
    }
    Problem::gathered(problems)
}

async fn image(
    session: &mut Session<'_>,
    writing: &Writing,
    target: &Target,
    changes: &[(&str, &str)],
) -> Result<(), Problem> {
    let object = select::fetched(session, target).await?;
    let patch = image_patch(&object, changes)?;
    // An image that is there already is no change, and nothing is said.
    let Some(patch) = patch else { return Ok(()) };
    let mut after = object.clone();
    if writing.dry_run != DryRun::Client {
        let path = target.resource.path(&target.namespace, &target.name);
        after = session.patch(&writing.address(&path, &[]), STRATEGIC, &patch).await?.1;
    }
    writing.done(session, &target.resource, &target.name, &after, "image updated")
}

/// The patch that gives containers other images; none when they have them.
fn image_patch(workload: &Value, changes: &[(&str, &str)]) -> Result<Option<Value>, Problem> {
    let paths: [&[&str]; 3] =
        [&["spec", "template", "spec"], &["spec", "jobTemplate", "spec", "template", "spec"], &["spec"]];
    let path = paths.iter().find(|path| object::at(workload, &[path, &["containers"][..]].concat()).is_some());
    let Some(path) = path else {
        return Err(Problem::said("the object has no pod template"));
    };
    let mut lists = serde_json::Map::new();
    for (name, _) in changes {
        let known = ["containers", "initContainers"].iter().any(|member| {
            let list = object::list(workload, &[path, &[*member][..]].concat());
            list.iter().any(|container| *name == "*" || object::text(container, &["name"]) == *name)
        });
        if !known {
            return Err(Problem::said(format!("unable to find container named {name:?}")));
        }
    }
    for member in ["containers", "initContainers"] {
        let list = object::list(workload, &[path, &[member][..]].concat());
        let changed = list.iter().filter_map(|container| {
            let name = object::text(container, &["name"]);
            let change = changes.iter().rev().find(|(asked, _)| *asked == "*" || *asked == name);
            let image =
                change.map(|(_, image)| *image).filter(|image| *image != object::text(container, &["image"]))?;
            Some(json!({ "name": name, "image": image }))
        });
        let changed: Vec<Value> = changed.collect();
        if !changed.is_empty() {
            let order = list.iter().map(|container| json!({ "name": object::text(container, &["name"]) }));
            lists.insert(format!("$setElementOrder/{member}"), order.collect());
            lists.insert(member.to_owned(), Value::Array(changed));
        }
    }
    if lists.is_empty() {
        return Ok(None);
    }
    let mut patch = Value::Null;
    object::set(&mut patch, path, lists);
    Ok(Some(patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_images_are_patched() {
        let pod = json!({ "containers": [{ "name": "a", "image": "x:1" }, { "name": "b", "image": "y:1" }] });
        let deployment = json!({ "spec": { "template": { "spec": pod } } });
        let order = json!([{ "name": "a" }, { "name": "b" }]);
        let patched = |changes: &[(&str, &str)]| image_patch(&deployment, changes);
        assert_eq!(
            patched(&[("b", "y:2")]),
            Ok(Some(json!({ "spec": { "template": { "spec": {
                "$setElementOrder/containers": order, "containers": [{ "name": "b", "image": "y:2" }],
            } } } })))
        );
        assert_eq!(patched(&[("a", "x:1")]), Ok(None));
        assert_eq!(patched(&[("c", "z")]), Err(Problem::said("unable to find container named \"c\"")));
        assert!(patched(&[("*", "z")]).is_ok_and(|patch| patch.is_some()));
        let pod = image_patch(&json!({ "spec": pod }), &[("a", "x:2")]).unwrap().unwrap();
        assert_eq!(pod["spec"]["containers"], json!([{ "name": "a", "image": "x:2" }]));
        assert!(image_patch(&json!({}), &[("a", "x")]).is_err());
    }
}
