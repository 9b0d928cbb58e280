//! From a push to the cluster, and back when the cluster is changed.

use foredeck::gitops::explain::State;
use foredeck::gitops::files::Mode;
use foredeck::gitops::git::commit::NewFile;
use foredeck::gitops::health::Health;
use foredeck::gitops::plan::Prune;
use foredeck::gitops::record::{Ending, Verb};
use foredeck::gitops::schedule::Trigger;
use foredeck::gitops::settings::{Drift, Pointer};
use foredeck::gitops::sync::job::{Checkout, Edits};
use foredeck::gitops::sync::preview::Would;
use serde_json::json;

use crate::harness::gitops::{Forge, GitopsTest, config, deployment};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_is_applied() {
    let test = GitopsTest::start().await;
    test.forge.write("deploy/podinfo.yaml", &format!("# The demo.\n---\n{}", deployment("podinfo", 2)));
    let record = test.push().await;
    let commit = record.revision.clone().unwrap();
    assert_eq!((record.trigger, record.ending, record.counts.created), (Trigger::Push, Ending::Good, 1));
    assert_eq!(record.event.as_deref(), Some(format!("Sync: {}, default:deployment/podinfo", &commit[..7]).as_str()));
    assert_eq!(test.forge.tag().as_deref(), Some(commit.as_str()));
    let found = test.get("apps/v1", "Deployment", "podinfo").await.unwrap();
    assert_eq!(found.pointer("/spec/replicas"), Some(&json!(2)));
    let mark = found.pointer("/metadata/labels").and_then(|labels| labels.get("fluxcd.io/sync-gc-mark")).unwrap();
    assert!(mark.as_str().unwrap().starts_with("sha256."), "{mark}");
    let state = test.object("default:deployment/podinfo", State::InSync).await;
    assert_eq!(state.place.as_ref().unwrap().to_string(), "deploy/podinfo.yaml:3");
    let told = |status: &foredeck::gitops::status::Status| {
        status.objects.values().any(|o| o.commit.is_some() && o.health == Some(Health::Current))
    };
    let status = test.until("its commit and its health are told", told).await;
    let state = status.objects.values().next().unwrap();
    assert_eq!(state.commit.as_ref().map(|c| (c.id.as_str(), c.author.name.as_str())), Some((commit.as_str(), "Ann")));
    let json = serde_json::to_value(&status).unwrap();
    assert_eq!(json.pointer("/objects/0/state"), Some(&json!("in-sync")));
    assert_eq!(json.pointer("/conditions/0/reason"), Some(&json!("ReconciliationSucceeded")));
    let (_, cluster) = test.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_or_changed_comes_back() {
    let test = GitopsTest::start().await;
    test.forge.write("a.yaml", &deployment("podinfo", 1));
    test.push().await;
    test.object("default:deployment/podinfo", State::InSync).await;
    let uid = |object: &serde_json::Value| object.pointer("/metadata/uid").cloned();
    let before = uid(&test.get("apps/v1", "Deployment", "podinfo").await.unwrap());
    test.delete("apps/v1", "Deployment", "podinfo").await;
    test.until_object("apps/v1", "Deployment", "podinfo", |found| found.is_some_and(|o| uid(o) != before)).await;
    test.patch("apps/v1", "Deployment", "podinfo", json!({"spec": {"replicas": 4, "paused": true}})).await;
    let replicas = |found: Option<&serde_json::Value>, n: u32| {
        found.is_some_and(|object| object.pointer("/spec/replicas") == Some(&json!(n)))
    };
    test.until_object("apps/v1", "Deployment", "podinfo", |found| replicas(found, 1)).await;
    let found = test.get("apps/v1", "Deployment", "podinfo").await.unwrap();
    assert_eq!(found.pointer("/spec/paused"), Some(&json!(true)), "what Git does not name stays");
    let repaired = |status: &foredeck::gitops::status::Status| {
        status
            .history
            .iter()
            .any(|r| r.trigger == Trigger::Drift && r.changed.iter().any(|c| c.verb == Verb::Configured))
    };
    let status = test.until("the repair is written down", repaired).await;
    let record = status.history.back().unwrap();
    let field = &record.changed[0].fields[0];
    assert_eq!((field.path.as_str(), &field.wanted, &field.found), ("spec.replicas", &Some(json!(1)), &Some(json!(4))));
    test.forge.write("a.yaml", &deployment("podinfo", 3));
    test.push().await;
    test.until_object("apps/v1", "Deployment", "podinfo", |found| replicas(found, 3)).await;
    // A field that leaves Git leaves the cluster, down to its default.
    test.forge.write("a.yaml", &deployment("podinfo", 3).replace("  replicas: 3\n", ""));
    test.push().await;
    test.until_object("apps/v1", "Deployment", "podinfo", |found| replicas(found, 1)).await;
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_leaves_git_is_deleted_but_never_everything_by_mistake() {
    let test = GitopsTest::start().await;
    test.forge.write("a.yaml", &config("a", "1"));
    test.forge.write("b.yaml", &config("b", "1"));
    test.push().await;
    test.forge.remove("a.yaml");
    let record = test.push().await;
    assert_eq!((record.counts.pruned, record.changed[0].id.as_str()), (1, "default:configmap/a"));
    assert_eq!(test.get("v1", "ConfigMap", "a").await, None);
    test.object("default:configmap/a", State::Pruned).await;
    test.forge.remove("b.yaml");
    let record = test.push().await;
    assert_eq!((record.counts.pruned, record.counts.kept), (0, 1));
    let state = test.object("default:configmap/b", State::OutOfSync).await;
    assert!(state.reason.as_deref().unwrap().contains("defines no object at all"), "{state:?}");
    assert_eq!(test.until("it is told", |status| status.would_prune == 1).await.would_prune, 1);
    test.handle.prune_everything();
    test.until_object("v1", "ConfigMap", "b", |found| found.is_none()).await;
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_files_spare_the_good_ones() {
    let test = GitopsTest::start().await;
    test.forge.write("a.yaml", &config("a", "1"));
    test.forge.write("b.yaml", &config("b", "1"));
    test.push().await;
    test.forge.write("b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b\n");
    test.forge.write("c.yaml", &config("c", "1"));
    test.forge.write("d.yaml", &config("a", "2").replace("name: a", "name: D_is_no_name"));
    test.forge.write("a.yaml", &config("a", "2"));
    let record = test.push().await;
    assert_eq!(record.ending, Ending::Partly);
    assert_eq!(test.forge.tag(), record.revision, "as in Flux v1 the tag moves");
    let errors: Vec<(&str, &str)> = record.errors.iter().map(|e| (e.id.as_str(), e.path.as_str())).collect();
    assert_eq!(errors, [("default:configmap/D_is_no_name", "d.yaml"), ("", "b.yaml:3")]);
    assert!(test.get("v1", "ConfigMap", "c").await.is_some());
    let kept = test.object("default:configmap/b", State::OutOfSync).await;
    assert_eq!(kept.reason.as_deref(), Some("is not deleted as long as b.yaml cannot be read"));
    let failed = test.object("default:configmap/D_is_no_name", State::Failed).await;
    assert!(failed.reason.as_deref().unwrap().contains("Invalid value"), "{failed:?}");
    let status = test.until("the finding is told", |status| !status.findings.is_empty()).await;
    assert_eq!(status.findings[0].place.as_ref().unwrap().to_string(), "b.yaml:3");
    test.stop().await;
    // Flux v1 applies nothing, and leaves the tag where it is.
    let strict = GitopsTest::with(Forge::new(), |settings| settings.mode = Mode::Strict).await;
    strict.forge.write("a.yaml", &config("a", "1"));
    let good = strict.push().await;
    strict.forge.write("b.yaml", "a: [\n");
    strict.forge.write("a.yaml", &config("a", "2"));
    let bad = strict.push().await;
    assert_eq!(bad.ending, Ending::Failed);
    assert!(bad.error.as_deref().unwrap().starts_with("loading resources from repo: b.yaml:1: "), "{bad:?}");
    assert_eq!(strict.forge.tag(), good.revision);
    let found = strict.get("v1", "ConfigMap", "a").await.unwrap();
    assert_eq!(found.pointer("/data/x"), Some(&json!("1")));
    strict.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn annotations_protect_from_both_sides() {
    let test = GitopsTest::start().await;
    test.forge.write("a.yaml", &config("a", "1"));
    test.forge.write("b.yaml", &config("b", "1"));
    test.forge.write(
        "never.yaml",
        &config("never", "1").replace("name: never", "name: never\n  annotations: {flux.weave.works/ignore: 'true'}"),
    );
    test.push().await;
    assert_eq!(test.get("v1", "ConfigMap", "never").await, None);
    test.object("default:configmap/never", State::Ignored).await;
    test.patch("v1", "ConfigMap", "a", json!({"metadata": {"annotations": {"fluxcd.io/ignore": "true"}}})).await;
    test.forge.write("a.yaml", &config("a", "2"));
    test.push().await;
    let state = test.object("default:configmap/a", State::Ignored).await;
    assert_eq!(state.reason.as_deref(), Some("not applying resource; ignore annotation in cluster resource"));
    let x = |found: Option<serde_json::Value>| found.and_then(|object| object.pointer("/data/x").cloned());
    assert_eq!(x(test.get("v1", "ConfigMap", "a").await), Some(json!("1")));
    test.forge.remove("a.yaml");
    test.push().await;
    assert!(test.get("v1", "ConfigMap", "a").await.is_some(), "it is not deleted either");
    // Without the annotation it is.
    test.patch("v1", "ConfigMap", "a", json!({"metadata": {"annotations": {"fluxcd.io/ignore": null}}})).await;
    test.handle.sync().await.unwrap();
    assert_eq!(test.get("v1", "ConfigMap", "a").await, None);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_and_namespaces_come_first() {
    let test = GitopsTest::start().await;
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 3}\n";
    test.forge.write("a/widget.yaml", widget);
    let record = test.push().await;
    assert_eq!((record.ending, record.counts.skipped), (Ending::Good, 1));
    let waiting = test.object("default:widget/w", State::Waiting).await;
    assert!(
        waiting.reason.as_deref().unwrap().starts_with("cannot find scope of resource default:widget/w"),
        "{waiting:?}"
    );
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\n\
        spec:\n  group: example.com\n  scope: Namespaced\n  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}\n  \
        versions:\n  - name: v1\n    served: true\n    storage: true\n    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}\n";
    test.forge.write("z/crd.yaml", definition);
    test.forge.write(
        "a/space.yaml",
        &format!(
            "{}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: demo}}\n",
            config("in-demo", "1").replace("name: in-demo", "name: in-demo\n  namespace: demo")
        ),
    );
    let record = test.push().await;
    assert_eq!((record.ending, record.counts.created), (Ending::Good, 4), "{record:?}");
    assert_eq!(test.get("example.com/v1", "Widget", "w").await.unwrap().pointer("/spec/size"), Some(&json!(3)));
    // A namespace that is deleted comes back with all that is in it.
    test.delete("v1", "Namespace", "demo").await;
    let again = |status: &foredeck::gitops::status::Status| {
        let made = |id: &str| {
            status
                .history
                .iter()
                .any(|r| r.trigger != Trigger::Push && r.changed.iter().any(|c| c.id == id && c.verb == Verb::Created))
        };
        made("<cluster>:namespace/demo") && made("demo:configmap/in-demo")
    };
    test.until("namespace and object are made again", again).await;
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_syncs_again_what_is_synced_already() {
    let test = GitopsTest::with(Forge::new(), |settings| settings.drift = Drift::Interval).await;
    test.forge.write("a.yaml", &config("a", "1"));
    test.push().await;
    test.patch("v1", "ConfigMap", "a", json!({"data": {"x": "changed"}})).await;
    let drifted = test.object("default:configmap/a", State::OutOfSync).await;
    assert_eq!(drifted.writer.as_deref(), Some("kubectl-edit"));
    assert_eq!(drifted.fields[0].path, "data.x");
    assert_eq!(drifted.hint.as_deref(), Some("it is repaired by the next sync"));
    let record = test.handle.sync().await.unwrap();
    assert_eq!((record.trigger, record.counts.configured, record.event.clone()), (Trigger::Demand, 1, None));
    assert_eq!(test.get("v1", "ConfigMap", "a").await.unwrap().pointer("/data/x"), Some(&json!("1")));
    let record = test.handle.sync().await.unwrap();
    assert_eq!((record.counts.configured, record.counts.unchanged), (0, 1));
    // Flux v1 does nothing then.
    test.stop().await;
    let v1 = |settings: &mut foredeck::gitops::settings::Settings| *settings = settings.clone().like_flux_v1();
    let test = GitopsTest::with(Forge::new(), v1).await;
    test.forge.write("a.yaml", &config("a", "1"));
    test.push().await;
    test.delete("v1", "ConfigMap", "a").await;
    let before = test.handle.status().borrow().history.len();
    test.handle.sync().await.unwrap();
    assert_eq!(test.handle.status().borrow().history.len(), before);
    assert_eq!(test.get("v1", "ConfigMap", "a").await, None);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_changes_nothing() {
    let test = GitopsTest::start().await;
    test.forge.write("a.yaml", &config("a", "1"));
    test.forge.write("b.yaml", &config("b", "1"));
    test.push().await;
    test.handle.pause();
    test.until("it is paused", |status| status.paused).await;
    test.forge.write("a.yaml", &config("a", "2"));
    test.forge.write(
        "c.yaml",
        &format!(
            "{}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: demo}}\n",
            config("c", "1").replace("name: c", "name: c\n  namespace: demo")
        ),
    );
    test.forge.remove("b.yaml");
    let commit = test.forge.push();
    assert!(test.handle.sync().await.is_err(), "it is paused");
    // What is pushed is known only after a look at the repository.
    assert!(test.handle.preview(Some(commit.clone())).await.is_err());
    test.handle.commit(|_| Ok(None)).await.unwrap();
    let preview = test.handle.preview(Some(commit.clone())).await.unwrap();
    let steps: Vec<(&str, Would)> = preview.steps.iter().map(|step| (step.id.as_str(), step.would)).collect();
    assert_eq!(
        steps,
        [
            ("<cluster>:namespace/demo", Would::Create),
            ("default:configmap/a", Would::Update),
            ("demo:configmap/c", Would::Create),
            ("default:configmap/b", Would::Prune),
        ]
    );
    assert_eq!(preview.steps[1].fields[0].wanted, Some(json!("2")));
    assert!(test.get("v1", "ConfigMap", "b").await.is_some());
    assert_eq!(test.get("v1", "ConfigMap", "a").await.unwrap().pointer("/data/x"), Some(&json!("1")));
    test.handle.resume();
    test.synced(&commit).await;
    assert_eq!(test.get("v1", "ConfigMap", "b").await, None);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_commits_are_pushed_and_synced() {
    let test = GitopsTest::start().await;
    test.forge.write("a.yaml", &config("a", "1"));
    test.push().await;
    let (forge_work, mut raced) = (test.forge.work(), false);
    let git = move |args: &[&str]| {
        let status = std::process::Command::new("git")
            .current_dir(&forge_work)
            .args(["-c", "user.name=B", "-c", "user.email=b@b"])
            .args(args)
            .status();
        assert!(status.unwrap().success());
    };
    let decide = move |checkout: &Checkout| {
        if !std::mem::replace(&mut raced, true) {
            // Somebody else is faster the first time.
            git(&["commit", "-q", "--allow-empty", "-m", "faster"]);
            git(&["push", "-q", "origin", "HEAD:master"]);
        }
        let text = String::from_utf8_lossy(&checkout.files["a.yaml"]).replace("\"1\"", "\"2\"");
        let file = NewFile { path: "a.yaml".to_owned(), content: Some(text.into_bytes()) };
        let message = "Release example/a:2 to default:configmap/a".to_owned();
        Ok(Some(Edits { files: vec![file], message, author: None, note: Some("{}".to_owned()) }))
    };
    let commit = test.handle.commit(decide).await.unwrap().unwrap();
    let record = test.synced(&commit).await;
    assert_eq!(record.counts.configured, 1);
    assert_eq!(test.get("v1", "ConfigMap", "a").await.unwrap().pointer("/data/x"), Some(&json!("2")));
    let log = test.forge.git(&test.forge.remote(), &["log", "--format=%s", "-2", "master"]);
    assert_eq!(log, "Release example/a:2 to default:configmap/a\nfaster");
    assert_eq!(test.handle.commit(|_| Ok(None)).await, Ok(None));
    assert!(test.handle.commit(|_| Err("no".to_owned())).await.is_err());
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_that_is_only_read_stays_as_it_is() {
    let test = GitopsTest::with(Forge::new(), |settings| {
        settings.read_only = true;
        settings.prune = Prune::Dry;
        settings.paths = vec!["deploy".to_owned()];
    })
    .await;
    test.forge.write("deploy/a.yaml", &config("a", "1"));
    test.forge.write("other/b.yaml", &config("b", "1"));
    let record = test.push().await;
    assert_eq!((record.counts.created, test.forge.tag()), (1, None));
    let secret = test.get("v1", "Secret", "flux-git-deploy").await.unwrap();
    let pointer = secret.pointer("/metadata/annotations").and_then(|a| a.get("flux.weave.works/sync-hwm"));
    assert_eq!(pointer.and_then(|p| p.as_str()), record.revision.as_deref());
    // A commit outside the paths moves the pointer, but is no event.
    test.forge.write("other/b.yaml", &config("b", "2"));
    let record = test.push().await;
    assert_eq!((record.event.clone(), record.commits.len(), record.initial), (None, 0, false));
    test.forge.remove("deploy/a.yaml");
    test.forge.write("deploy/c.yaml", &config("c", "1"));
    let record = test.push().await;
    assert_eq!((record.counts.kept, record.counts.pruned), (1, 0));
    assert!(test.get("v1", "ConfigMap", "a").await.is_some());
    assert!(test.handle.commit(|_| Ok(None)).await.is_err());
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_takes_up_what_was_known() {
    let test = GitopsTest::with(Forge::new(), |settings| settings.pointer = Pointer::Local).await;
    test.forge.write("a.yaml", &config("a", "1"));
    let first = test.push().await;
    let (forge, cluster) = test.stop().await;
    let mut settings = crate::harness::gitops::settings(&forge);
    settings.pointer = Pointer::Local;
    forge.write("a.yaml", &config("a", "2"));
    let commit = forge.push();
    let (reconciler, handle) = foredeck::gitops::reconciler::Reconciler::new(settings, cluster.client()).unwrap();
    assert_eq!(handle.status().borrow().history.back().unwrap().number, first.number);
    let stop = tokio_util::sync::CancellationToken::new();
    let task = tokio::spawn(reconciler.run(stop.clone()));
    let mut status = handle.status();
    let status = status.wait_for(|status| status.synced.is_some()).await.unwrap().clone();
    let record = status.history.back().unwrap();
    assert_eq!((record.previous.clone(), record.revision.clone()), (first.revision.clone(), Some(commit.clone())));
    assert_eq!((record.commits.len(), record.initial), (1, false));
    assert_eq!(record.event.as_deref(), Some(format!("Sync: {}, default:configmap/a", &commit[..7]).as_str()));
    stop.cancel();
    task.await.unwrap();
}
