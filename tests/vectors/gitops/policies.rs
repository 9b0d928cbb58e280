//! Policies changed in files, from a change or from a command line.

use foredeck::gitops::edit::{AnnotationChange, Problem, set_policies};
use foredeck::gitops::fluxctl::{Invocation, Request};
use foredeck::gitops::id::ResourceId;
use foredeck::gitops::policy::PolicyChange;
use foredeck::gitops::release::Cause;
use foredeck::gitops::release::policies::{self, Attempt, PolicyPlan};
use foredeck::gitops::table::results;
use serde_json::Value;

use super::edits::difference;
use super::{Compared, Verdict, fluxctl, run, text, texts, yaml};

#[test]
fn vectors_gitops_yaml_policy_update() {
    run("yaml-policy-update", |input, expect| match input["cmd"].as_str() {
        Some(line) => command(line, input, expect),
        None => manifest(input, expect),
    });
}

fn manifest(input: &Value, expect: &Value) -> Verdict {
    let Ok(id) = ResourceId::parse(text(&input["workload"])) else { return Verdict::NotRun("it names no workload") };
    let mut change = PolicyChange::default();
    for (policy, value) in input["add"].as_object().into_iter().flatten() {
        change = change.with(policy, text(value));
    }
    for policy in texts(&input["remove"]) {
        change = change.without(&policy);
    }
    let before = text(&input["manifest"]);
    let mut compared = Compared::default();
    match set_policies(before, &id, &change) {
        Err(error) => {
            compared.that("edit", expect["exit_ok"] == false, || error.to_string());
            compared.contains("error", &error.to_string(), &expect["error"]);
        }
        Ok((edited, changes)) => {
            compared.that("edit", expect["exit_ok"] != false, || "it should fail".to_owned());
            let wanted = text(&expect["output_flux_v1"]);
            compared.same("meaning", &yaml(&edited), &yaml(wanted));
            compared.same("lines", &difference(wanted, &edited), &Vec::new());
            compared.same("told", &changes.is_empty(), &(before == edited));
        }
    }
    compared.verdict()
}

/// A workload's file in which the annotations that a command takes away are set.
fn file(id: &ResourceId, change: &PolicyChange, expect: &Value) -> String {
    let filtered = change.add.keys().chain(&change.remove).filter_map(|policy| policy.strip_prefix("tag."));
    let mut containers: Vec<_> = filtered.map(str::to_owned).collect();
    if containers.is_empty() {
        containers.push("app".to_owned());
    }
    let containers: String =
        containers.iter().map(|name| format!("      - name: {name}\n        image: {name}:1\n")).collect();
    let set: String = texts(&expect["annotations_removed"]).iter().map(|key| format!("    {key}: 'true'\n")).collect();
    let annotations = if set.is_empty() { String::new() } else { format!("  annotations:\n{set}") };
    format!(
        "kind: {}\nmetadata:\n  name: {}\n  namespace: {}\n{annotations}spec:\n  template:\n    spec:\n      containers:\n{containers}",
        id.kind, id.name, id.namespace
    )
}

struct Done {
    plan: Result<PolicyPlan, String>,
    text: String,
    changes: Vec<AnnotationChange>,
    verbosity: u8,
}

/// Carries a command out on the workload's file; of an unknown workload there is none.
fn carry_out(read: Invocation, manifest: Option<&str>, known: bool, expect: &Value) -> Option<Done> {
    let Request::Policy { changes: wanted, cause, verbosity } = read.request else { return None };
    let (id, change) = wanted.iter().next()?;
    let before = match (manifest, known) {
        (Some(manifest), _) => manifest.to_owned(),
        (None, true) => file(id, change, expect),
        (None, false) => "kind: Service\n".to_owned(),
    };
    let (mut text, mut changes) = (before.clone(), Vec::new());
    let plan = policies::plan(&wanted, &cause, |id, change| match set_policies(&before, id, change) {
        Ok((_, told)) if told.is_empty() => Attempt::Unchanged,
        Ok((edited, told)) => {
            (text, changes) = (edited, told);
            Attempt::Changed
        }
        Err(error) if matches!(error.problem, Problem::NoObject(_)) => Attempt::NotFound,
        Err(error) => Attempt::Refused(error.to_string()),
    });
    Some(Done { plan, text, changes, verbosity })
}

fn command(line: &str, input: &Value, expect: &Value) -> Verdict {
    let read = match fluxctl(line, &input["env"]) {
        Ok(read) => read,
        Err(refusal) => {
            let mut compared = Compared::default();
            compared.contains("error", &refusal.report().stderr, &expect["error"]);
            return compared.verdict();
        }
    };
    let known = !expect["table_row"].is_array();
    let Some(done) = carry_out(read, input["manifest"].as_str(), known, expect) else {
        return Verdict::NotRun("it changes no policies");
    };
    let mut compared = Compared::default();
    if let Some(error) = expect["error"].as_str() {
        compared.same("error", &done.plan.as_ref().err().map(String::as_str), &Some(error));
        return compared.verdict();
    }
    let plan = match done.plan {
        Ok(plan) => plan,
        Err(error) => return Verdict::Differs(error),
    };
    for key in ["annotation", "annotations"] {
        for (key, value) in expect[key].as_object().into_iter().flatten() {
            let line = format!("    {key}: {}\n", text(value));
            compared.that(key, done.text.contains(&line), || format!("{line:?} is not in {:?}", done.text));
        }
    }
    if expect["annotations_removed"].is_array() {
        let removed = done.changes.iter().filter(|change| change.new.is_none()).map(|change| change.key.clone());
        let (mut removed, mut wanted) = (removed.collect::<Vec<_>>(), texts(&expect["annotations_removed"]));
        removed.sort();
        wanted.sort();
        compared.same("removed", &removed, &wanted);
        compared.that("annotations", !done.text.contains("annotations"), || done.text.clone());
    }
    if let Some(wanted) = expect["output_flux_v1"].as_str() {
        compared.same("meaning", &yaml(&done.text), &yaml(wanted));
    }
    let message = plan.message.clone().unwrap_or_default();
    if let Some(subject) = expect["commit_subject"].as_str() {
        compared.same("subject", &message.lines().next(), &Some(subject));
    }
    if let Some(start) = expect["commit_message_starts"].as_str() {
        compared.that("commit", message.starts_with(start), || message.clone());
    }
    if expect["commit_lines_unordered"].is_array() {
        let mut found: Vec<_> = message.lines().filter(|line| line.starts_with("- ")).map(str::to_owned).collect();
        let mut wanted = texts(&expect["commit_lines_unordered"]);
        found.sort();
        wanted.sort();
        compared.same("commit", &found, &wanted);
    }
    if expect["git"] == "no commit" {
        compared.same("commit", &plan.message, &None);
    }
    if expect["table_row"].is_array() {
        let table = results::table(&plan.results, done.verbosity);
        let row: Vec<_> =
            table.lines().nth(1).unwrap_or_default().split("  ").map(|cell| cell.trim().to_owned()).collect();
        compared.same("row", &row, &texts(&expect["table_row"]));
        compared.that("reason", !plan.notes.is_empty(), || "it is not told".to_owned());
    }
    compared.verdict()
}

/// A change that a test wants to see told by a commit.
#[test]
fn commits_of_policies_name_the_workload() {
    let id = ResourceId::new("demo", "Deployment", "web");
    let change = PolicyChange::default().with("automated", "true");
    let message = policies::message(&[(id, change)].into_iter().collect(), &Cause::default());
    assert_eq!(message, "Automated: demo:deployment/web\n");
}
