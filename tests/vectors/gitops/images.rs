//! Names of images and objects, filters of tags, the choice of a tag.

use foredeck::gitops::containers::Container;
use foredeck::gitops::fluxctl::Request;
use foredeck::gitops::id::ResourceId;
use foredeck::gitops::image::choose::{Choice, Fate, choose};
use foredeck::gitops::image::pattern::{Pattern, Tag};
use foredeck::gitops::image::reference::ImageRef;
use foredeck::gitops::image::repository::{Registry, Repository, ScanRules};
use foredeck::gitops::policy::Policies;
use foredeck::gitops::release::automation::{self, Rights};
use foredeck::gitops::release::{Side, Workload};
use serde_json::Value;

use super::{Compared, Verdict, run, text, texts};

#[test]
fn vectors_gitops_tag_match() {
    run("tag-match", |input, expect| {
        let pattern = Pattern::new(text(&input["pattern"]));
        let (fits, others): (Vec<_>, Vec<_>) = texts(&input["tags"]).into_iter().partition(|tag| pattern.matches(tag));
        let mut compared = Compared::default();
        compared.same("matches", &fits, &texts(&expect["matches"]));
        compared.same("rejects", &others, &texts(&expect["rejects"]));
        compared.same("pattern", &pattern.to_string(), &text(&expect["canonical_pattern"]).to_owned());
        compared.same("valid", &pattern.check().is_ok(), &expect["valid"].as_bool().unwrap_or(true));
        compared.verdict()
    });
}

fn tags(list: &Value) -> Vec<Tag> {
    let tag = |entry: &Value| Tag {
        tag: text(&entry["tag"]).to_owned(),
        created: entry["created"].as_str().and_then(|time| time.parse().ok()),
    };
    list.as_array().into_iter().flatten().map(tag).collect()
}

#[test]
fn vectors_gitops_tag_order() {
    run("tag-order", |input, expect| {
        let mut tags = tags(&input["images"]);
        Pattern::new(text(&input["pattern"])).sort(&mut tags);
        let found: Vec<_> = tags.into_iter().map(|tag| tag.tag).collect();
        let mut compared = Compared::default();
        compared.same("order", &found, &texts(&expect["newest_first"]));
        compared.verdict()
    });
}

#[test]
fn vectors_gitops_tag_filter() {
    run("tag-filter", |input, expect| {
        let pattern = Pattern::new(text(&input["pattern"]));
        let listed = texts(&input["tags"]);
        let known: Vec<_> = listed.iter().map(|tag| Tag { tag: tag.clone(), created: None }).collect();
        let explained = choose(&pattern, "", &listed, &known);
        let candidates = explained.tags.into_iter().filter(|(_, fate)| matches!(fate, Fate::Chosen | Fate::Behind));
        let mut found: Vec<_> = candidates.map(|(tag, _)| tag.tag).collect();
        let mut wanted = texts(&expect["candidates"]);
        found.sort();
        wanted.sort();
        let mut compared = Compared::default();
        compared.same("candidates", &found, &wanted);
        compared.verdict()
    });
}

/// A workload with one container, in Git and in the cluster.
fn workload(input: &Value, image: &ImageRef) -> Workload {
    let name = input["container"].as_str().unwrap_or("c").to_owned();
    let mut annotations: Vec<(String, String)> = Vec::new();
    for (policy, value) in input["policies"].as_object().into_iter().flatten() {
        annotations.push((format!("fluxcd.io/{policy}"), text(value).to_owned()));
    }
    if let Some(pattern) = input["pattern"].as_str() {
        annotations.push((format!("fluxcd.io/tag.{name}"), pattern.to_owned()));
    }
    let policies = Policies::from_annotations(annotations.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    let containers = vec![Container { name, image: image.clone() }];
    let there = |side: &str| input[side].as_bool().unwrap_or(true);
    Workload {
        id: ResourceId::new("default", "deployment", "hello"),
        git: there("in_git").then(|| Side { policies: policies.clone(), containers: containers.clone() }),
        cluster: there("in_cluster").then_some(Side { policies, containers: Ok(containers) }),
    }
}

#[test]
fn vectors_gitops_automation() {
    run("automation", |input, expect| {
        let mut compared = Compared::default();
        if let Some(image) = input["image"].as_str().and_then(|image| ImageRef::parse(image).ok()) {
            let allowed = Some(ScanRules::default().allow(&image));
            compared.same("scanned", &allowed, &expect["scanned"].as_bool());
            return compared.verdict();
        }
        if input["changes"].is_array() {
            let message = automation::message(&texts(&input["changes"]));
            compared.same("commit", &message.as_str(), &text(&expect["commit_message"]));
            return compared.verdict();
        }
        let current = input["current"].as_str().unwrap_or("quay.io/example/hello:1");
        let Ok(current) = ImageRef::parse(current) else { return Verdict::NotRun("it has no image") };
        let known = tags(&input["registry"]);
        let repository = match input["registry_tags"].as_array() {
            Some(_) => Repository { listed: texts(&input["registry_tags"]), known },
            None => Repository::of(known),
        };
        let mut registry = Registry::default();
        let name = input["registry_name"].as_str().and_then(|name| ImageRef::parse(name).ok());
        registry.insert(name.as_ref().unwrap_or(&current), repository);
        let flags = texts(&input["flags"]);
        let given = |flag: &str| flags.iter().any(|given| given == flag);
        let rights =
            Rights { read_only: given("--git-readonly"), scanning_disabled: given("--registry-disable-scanning") };
        let looked = automation::run(&[workload(input, &current)], &registry, rights);
        if expect.get("update").is_some() {
            let update = looked.plan.as_ref().map(|plan| plan.results.changed_images().join(","));
            compared.same("update", &update.as_deref(), &expect["update"].as_str());
        }
        if let Some(message) = expect["commit_message"].as_str() {
            let found = looked.plan.as_ref().map(|plan| plan.message.as_str());
            compared.same("commit", &found, &Some(message));
        }
        if expect["log"].is_string() {
            let log = looked.decisions.iter().find_map(|decision| match &decision.explanation.choice {
                Choice::Skip(why) => Some(why.to_string()),
                _ => None,
            });
            compared.contains("log", &log.unwrap_or_default(), &expect["log"]);
        }
        if let Some(log) = expect["log_once"].as_str() {
            compared.same("log", &rights.refusal(), &Some(log));
        }
        compared.verdict()
    });
}

#[test]
fn vectors_gitops_image_ref() {
    run("image-ref", |input, expect| {
        let mut compared = Compared::default();
        let inputs = if input.is_array() { texts(input) } else { vec![text(input).to_owned()] };
        let fails = text(expect).contains("error")
            || ["error", "errors", "invalid", "valid"].iter().any(|key| match &expect[*key] {
                Value::Null => false,
                Value::Bool(value) => *value == (*key != "valid"),
                _ => true,
            });
        for input in inputs {
            match ImageRef::parse(&input) {
                Err(error) => compared.that(&input, fails, || error.to_string()),
                Ok(image) if fails => compared.that(&input, false, || format!("{image:?} is no error")),
                Ok(image) => {
                    let found = [
                        ("name", image.name()),
                        ("tag", image.tag.clone()),
                        ("domain", image.domain.clone()),
                        ("image", image.image.clone()),
                        ("canonical", image.canonical()),
                        ("canonical_name", image.canonical_name()),
                    ];
                    for (key, found) in found {
                        if let Some(wanted) = expect[key].as_str() {
                            compared.same(key, &found.as_str(), &wanted);
                        }
                    }
                }
            }
        }
        compared.verdict()
    });
}

#[test]
fn vectors_gitops_resource_id() {
    run("resource-id", |input, expect| {
        let mut compared = Compared::default();
        if let Some(flags) = input["flag"].as_str() {
            let line = format!("fluxctl automate {flags}");
            let id = match super::fluxctl(&line, &Value::Null).map(|read| read.request) {
                Ok(Request::Policy { changes, .. }) => changes.keys().next().map(ToString::to_string),
                _ => None,
            };
            compared.same("id", &id.as_deref(), &expect["id"].as_str());
            return compared.verdict();
        }
        let inputs = if input.is_array() { texts(input) } else { vec![text(input).to_owned()] };
        let parsed: Vec<_> = inputs.iter().map(|input| ResourceId::parse(input)).collect();
        if expect["normalised"].is_array() {
            let found: Vec<_> =
                parsed.iter().map(|id| id.as_ref().map(ToString::to_string).unwrap_or_default()).collect();
            compared.same("ids", &found, &texts(&expect["normalised"]));
        } else {
            for (input, id) in inputs.iter().zip(parsed) {
                match id {
                    Ok(id) => compared.that(input, false, || format!("{id} is no error")),
                    Err(error) => compared.contains(input, &error.to_string(), &Value::from("invalid service ID")),
                }
            }
        }
        compared.verdict()
    });
}
