//! Releases: what becomes of workloads, and what is said about it.

use foredeck::gitops::containers::Container;
use foredeck::gitops::fluxctl::Request;
use foredeck::gitops::id::ResourceId;
use foredeck::gitops::image::pattern::Tag;
use foredeck::gitops::image::reference::ImageRef;
use foredeck::gitops::image::repository::{Registry, Repository};
use foredeck::gitops::policy::Policies;
use foredeck::gitops::release::containers::{ContainerRelease, ContainerSpec};
use foredeck::gitops::release::{Cause, Outcome, ReleaseError, Results, Side, Workload};
use serde_json::{Value, json};

use super::{Compared, Verdict, fluxctl, run, text, texts};

#[test]
fn vectors_gitops_release() {
    run(
        "release",
        |input, expect| if input["mode"].is_string() { containers(input, expect) } else { images(input, expect) },
    );
}

fn image(text: &str) -> ImageRef {
    ImageRef::parse(text).expect("a case names an image")
}

/// A workload with containers as `(name, image)`.
fn workload(id: &str, containers: &[(&str, &str)], facts: &Value) -> Workload {
    let policies = ["locked", "ignore", "automated"]
        .into_iter()
        .filter(|policy| facts[*policy] == true || facts[*policy] == "true");
    let mut annotations: Vec<_> = policies.map(|policy| (format!("fluxcd.io/{policy}"), "true".to_owned())).collect();
    let filter = facts["filter"].as_str();
    for (name, _) in containers.iter().filter(|_| filter.is_some()) {
        annotations.push((format!("fluxcd.io/tag.{name}"), filter.unwrap_or_default().to_owned()));
    }
    let policies = Policies::from_annotations(annotations.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    let containers: Vec<_> =
        containers.iter().map(|(name, text)| Container { name: (*name).to_owned(), image: image(text) }).collect();
    let there = |side: &str| facts[side].as_bool().unwrap_or(true);
    Workload {
        id: ResourceId::parse(id).expect("a case names a workload"),
        git: there("in_git").then(|| Side { policies: policies.clone(), containers: containers.clone() }),
        cluster: there("in_cluster").then_some(Side { policies, containers: Ok(containers) }),
    }
}

/// Tags, each built after the one before; `(newest)` says the same.
fn repository(tags: &Value) -> Repository {
    let tags = texts(tags).into_iter().enumerate().map(|(at, tag)| Tag {
        tag: tag.trim_end_matches("(newest)").to_owned(),
        created: format!("2024-01-{:02}T00:00:00Z", at + 1).parse().ok(),
    });
    Repository::of(tags.collect())
}

/// The workloads and images of a case.
fn state(input: &Value) -> Option<(Vec<Workload>, Registry)> {
    let mut registry = Registry::default();
    if let Some(workloads) = input["state"]["workloads"].as_object() {
        for (name, tags) in input["state"]["registry"].as_object()? {
            registry.insert(&image(name), repository(tags));
        }
        let of = |(id, facts): (&String, &Value)| workload(id, &[("c", text(&facts["image"]))], facts);
        return Some((workloads.iter().map(of).collect(), registry));
    }
    let line = text(&input["cmd"]);
    let id =
        line.split_whitespace().find_map(|word| word.strip_prefix("--workload=")).unwrap_or("default:deployment/hello");
    let named = line.split_whitespace().find_map(|word| word.strip_prefix("--update-image="));
    // Without a state of its own a case only needs the image that it names.
    let current =
        input["current"].as_str().map(str::to_owned).or_else(|| Some(image(named?).tagged("before").to_string()))?;
    let tags = input.get("registry").cloned().or_else(|| Some(json!([image(named?).tag])))?;
    registry.insert(&image(&current), repository(&tags));
    Some((vec![workload(id, &[("c", &current)], input)], registry))
}

/// `a1 -> a2` or the reason.
fn told(outcome: &Outcome) -> Value {
    let updates: Vec<_> = outcome.updates.iter().map(|u| format!("{} -> {}", u.current.tag, u.target.tag)).collect();
    let detail = if updates.is_empty() { outcome.reason.clone() } else { updates.join(", ") };
    json!([outcome.status.as_str(), detail])
}

fn images(input: &Value, expect: &Value) -> Verdict {
    let mut compared = Compared::default();
    let read = match fluxctl(text(&input["cmd"]), &Value::Null) {
        Ok(read) => read,
        Err(refusal) => {
            let report = refusal.report();
            compared.same("exit", &u64::from(report.exit), &expect["exit"].as_u64().unwrap_or(1));
            let wanted = expect.get("text_contains").unwrap_or(&expect["text"]);
            compared.contains("text", &report.stderr, wanted);
            return compared.verdict();
        }
    };
    let Request::Release(release) = read.request else { return Verdict::NotRun("it releases nothing") };
    let Some((workloads, registry)) = state(input) else { return Verdict::NotRun("it has no state") };
    let plan = match release.release.plan(&workloads, &registry, &release.cause) {
        Ok(plan) => plan,
        Err(error) => {
            let wanted = expect.get("error").or(expect.get("text_contains")).unwrap_or(&Value::Null);
            compared.that("release", wanted.is_string(), || error.to_string());
            compared.contains("error", &error.to_string(), wanted);
            return compared.verdict();
        }
    };
    if expect["stderr"].is_string() {
        compared.same("stderr", &read.warnings.join("\n").as_str(), &text(&expect["stderr"]));
    }
    if let Some(message) = expect["commit_message"].as_str() {
        compared.same("commit", &plan.message.as_str(), &message);
    }
    let found: Vec<_> = plan.results.sorted().into_iter().map(|(id, outcome)| (id, told(outcome))).collect();
    let named = |id: &str| expect.get(id).filter(|wanted| wanted.is_array());
    for (id, found) in &found {
        if let Some(wanted) = named(id).or(expect.get("others")) {
            compared.same(id, found, wanted);
        }
    }
    for (id, _) in expect.as_object().into_iter().flatten().filter(|(id, _)| id.contains(':')) {
        compared.that(id, found.iter().any(|(found, _)| found == id), || "there is no result".to_owned());
    }
    if let (Some(wanted), Some((_, found))) = (expect.get("result"), found.first()) {
        compared.same("result", found, wanted);
    }
    compared.verdict()
}

/// `["hello", "expected a9", "-> a2"]` as a spec.
fn spec(entry: &Value) -> ContainerSpec {
    let name = text(&entry[0]);
    let of = |tag: &str| image(&format!("example/{name}:{tag}"));
    ContainerSpec {
        container: name.to_owned(),
        current: text(&entry[1]).strip_prefix("expected ").map(of),
        target: of(text(&entry[2]).trim_start_matches("-> ")),
    }
}

fn containers(input: &Value, expect: &Value) -> Verdict {
    let Some((id, specs)) = input["specs"].as_object().and_then(|specs| specs.iter().next()) else {
        return Verdict::NotRun("it has no specs");
    };
    let specs: Vec<_> = specs.as_array().into_iter().flatten().map(spec).collect();
    let running: Vec<(String, String)> = match &input["actual"] {
        Value::Object(tags) => tags.iter().map(|(name, tag)| (name.clone(), text(tag).to_owned())).collect(),
        tag => vec![("hello".to_owned(), text(tag).to_owned())],
    };
    let running: Vec<_> =
        running.into_iter().map(|(name, tag)| (name.clone(), format!("example/{name}:{tag}"))).collect();
    let running: Vec<_> = running.iter().map(|(name, image)| (name.as_str(), image.as_str())).collect();
    let workload = workload(id, &running, input);
    let release = ContainerRelease {
        specs: [(workload.id.clone(), specs)].into_iter().collect(),
        skip_mismatches: input["skip_mismatches"] == true,
        force: input["force"] == true,
    };
    let (results, message): (Results, String) = match release.plan(std::slice::from_ref(&workload), &Cause::default()) {
        Ok(plan) => (plan.results, plan.message),
        Err(ReleaseError::Unsatisfied(results) | ReleaseError::NoChanges(results)) => (results, String::new()),
        Err(error) => return Verdict::Differs(error.to_string()),
    };
    let Some(outcome) = results.0.get(&workload.id) else { return Verdict::Differs("there is no result".to_owned()) };
    let mut compared = Compared::default();
    if let Some(status) = expect["status"].as_str() {
        compared.same("status", &outcome.status.as_str(), &status);
    }
    if let Some(wanted) = expect["commit_message"].as_str() {
        compared.same("commit", &message.as_str(), &wanted);
    }
    if let Some(error) = expect["error"].as_str() {
        compared.same("error", &outcome.reason.as_str(), &error);
    }
    if expect["updated"].is_array() {
        let updated: Vec<_> = outcome.updates.iter().map(|update| update.container.clone()).collect();
        compared.same("updated", &updated, &texts(&expect["updated"]));
    }
    compared.verdict()
}
