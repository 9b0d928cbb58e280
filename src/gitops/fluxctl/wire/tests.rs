//! Flux's JSON: what is read and what is written.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::gitops::containers::Container;
use crate::gitops::id::ResourceId;
use crate::gitops::image::pattern::{Pattern, Tag};
use crate::gitops::image::reference::ImageRef;
use crate::gitops::image::repository::Repository;
use crate::gitops::policy::{LOCKED, Policies, PolicyChange};
use crate::gitops::release::containers::{ContainerRelease, ContainerSpec};
use crate::gitops::release::images::{ImageRelease, NewImage, Which};
use crate::gitops::release::{Cause, Outcome, Results, Status};
use crate::gitops::table;
use crate::gitops::table::images::{ContainerImages, ImageStatus};
use crate::gitops::table::workloads::{ReadOnly, WorkloadStatus};

fn id(name: &str) -> ResourceId {
    ResourceId::new("demo", "deployment", name)
}

fn image(text: &str) -> ImageRef {
    ImageRef::parse(text).unwrap()
}

#[test]
fn updates_survive_the_journey() {
    let cause = || Cause { user: "Ann <a@b.c>".to_owned(), message: "because".to_owned() };
    let all = ImageRelease { workloads: Which::All, image: NewImage::Latest, exclude: vec![id("x")], force: false };
    let one = ImageRelease {
        workloads: Which::These(vec![id("web")]),
        image: NewImage::One(image("web:2")),
        exclude: Vec::new(),
        force: true,
    };
    let specs = vec![
        ContainerSpec { container: "app".to_owned(), current: Some(image("web:1")), target: image("web:2") },
        ContainerSpec { container: "side".to_owned(), current: None, target: image("side:2") },
    ];
    let chosen = ContainerRelease { specs: BTreeMap::from([(id("web"), specs)]), skip_mismatches: true, force: false };
    let change = PolicyChange::default().with(LOCKED, "true").without("automated");
    for update in [
        Update::Images(Box::new(Images { release: all, dry_run: true, cause: cause() })),
        Update::Images(Box::new(Images { release: one, dry_run: false, cause: cause() })),
        Update::Containers(Containers { release: chosen, dry_run: false, cause: cause() }),
        Update::Policies(BTreeMap::from([(id("web"), change)]), cause()),
        Update::Automate,
        Update::Sync,
    ] {
        assert_eq!(Update::of(&update.to_json()), Ok(update));
    }
}

#[test]
fn updates_are_in_fluxs_words() {
    let change = PolicyChange::default().with("automated", "true");
    let update = Update::Policies(BTreeMap::from([(id("web"), change)]), Cause::default());
    let wanted = json!({"type": "policy", "cause": {"Message": "", "User": ""},
        "spec": {"demo:deployment/web": {"add": {"automated": "true"}, "remove": {}}}});
    assert_eq!(update.to_json(), wanted);
}

#[test]
fn nonsense_is_refused_with_a_reason() {
    for (text, why) in [
        ("{}", "unknown update type"),
        ("[]", "unknown update type"),
        (r#"{"type":"image"}"#, "no workload is named"),
        (r#"{"type":"image","spec":{"ServiceSpecs":["x"],"ImageSpec":"a:1","Kind":"plan"}}"#, "invalid service ID"),
        (r#"{"type":"image","spec":{"ServiceSpecs":["<all>"],"ImageSpec":":","Kind":"plan"}}"#, "invalid image"),
        (r#"{"type":"image","spec":{"ServiceSpecs":["<all>"],"ImageSpec":"a:1"}}"#, "unknown release kind"),
        (r#"{"type":"policy","spec":{}}"#, "no workload is named"),
        (r#"{"type":"policy","spec":{"a:b/c":{"add":{"automated":true}}}}"#, "is no text"),
    ] {
        let refused = Update::of(&serde_json::from_str(text).unwrap()).unwrap_err();
        assert!(refused.contains(why), "{text}: {refused}");
    }
}

#[test]
fn jobs_survive_the_journey() {
    let update =
        crate::gitops::release::Update { container: "app".to_owned(), current: image("web:1"), target: image("web:2") };
    let partly = Outcome { reason: "container(s) tag mismatch: x".to_owned(), ..Outcome::success(vec![update]) };
    let results = Results(BTreeMap::from([
        (id("web"), partly),
        (id("zz"), Outcome::without(Status::Skipped, "locked")),
        (id("bad"), Outcome::without(Status::Failed, "no")),
        (id("no"), Outcome::without(Status::Ignored, "")),
    ]));
    let done = Done { revision: "abc".to_owned(), results, notes: vec!["a note".to_owned()] };
    for job in [
        Job::Queued,
        Job::Running,
        Job::Failed("why".to_owned()),
        Job::Succeeded(done),
        Job::Succeeded(Done::default()),
    ] {
        assert_eq!(Job::of(&job.to_json()), Some(job));
    }
    assert_eq!(Job::of(&json!({"StatusString": "odd"})), None);
    let config = GitConfig { url: "u".to_owned(), key: "ssh-rsa A".to_owned(), ..GitConfig::default() };
    assert_eq!(GitConfig::of(&config.to_json()), Some(config));
    let error = ApiError::unparsable("a.yaml:1: no");
    assert_eq!(ApiError::of(&error.to_json()), Some(error));
    assert_eq!(ApiError::of(&json!("x")), None);
}

#[test]
fn listings_give_the_same_tables() {
    let mut web =
        WorkloadStatus::new(id("web"), vec![Container { name: "app".to_owned(), image: image("web:1") }], "updating");
    web.rollout = table::rollout::Rollout { desired: 2, messages: vec!["slow".to_owned()], ..Default::default() };
    web.policies = Policies::from_annotations([("fluxcd.io/automated", "true")].into_iter());
    web.read_only = ReadOnly::NotReady;
    web.sync_error = "a < b".to_owned();
    web.labels = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    let listed = vec![web, WorkloadStatus::new(id("none"), Vec::new(), "ready")];
    let text = table::workloads::to_json(&listed);
    assert_eq!(workloads(&serde_json::from_str(&text).unwrap()), Some(listed));
    let time = |second| Timestamp::from_second(second).ok();
    let known = vec![Tag { tag: "1".to_owned(), created: time(1) }, Tag { tag: "2".to_owned(), created: time(2) }];
    let repository = Repository::of(known);
    let listed = vec![
        ImageStatus {
            id: id("web"),
            containers: vec![
                ContainerImages::new("app", &image("web:1"), Some(&repository), &Pattern::new("semver:*")),
                ContainerImages::new("odd", &image("web:0"), Some(&repository), &Pattern::new("*")),
                ContainerImages::new("side", &image("side:1"), None, &Pattern::new("*")),
            ],
        },
        ImageStatus { id: id("none"), containers: Vec::new() },
    ];
    let text = table::images::to_json(&listed, 0);
    let read = images(&serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(table::images::table(&read, 10, true), table::images::table(&listed, 10, true));
    assert_eq!(table::images::to_json(&read, 0), text);
}
