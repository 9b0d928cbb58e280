//! The `kube` crate as a client: objects, watches, controllers, server-side apply.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Pod};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams,
};
use kube::runtime::controller::Action;
use kube::runtime::reflector::store;
use kube::runtime::{Controller, WatchStreamExt as _, predicates, reflector, watcher};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use crate::harness::cluster::{ClusterTest, PATIENCE, until};

fn config_map(name: &str, value: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"key": value}})).expect("a config map")
}

fn deployment(name: &str, replicas: i32) -> Deployment {
    serde_json::from_value(json!({
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": "nginx:1.25"}]},
            },
        },
    }))
    .expect("a deployment")
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_live_and_go() {
    let test = ClusterTest::start().await;
    let maps: Api<ConfigMap> = test.api();
    let made = maps.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
    assert!(made.uid().is_some() && made.resource_version().is_some());
    let twice = maps.create(&PostParams::default(), &config_map("a", "1")).await.unwrap_err();
    assert!(matches!(twice, kube::Error::Api(status) if status.reason == "AlreadyExists" && status.code == 409));

    let mut changed = made.clone();
    changed.data = Some(BTreeMap::from([("key".to_owned(), "2".to_owned())]));
    let replaced = maps.replace("a", &PostParams::default(), &changed).await.unwrap();
    let stale = maps.replace("a", &PostParams::default(), &changed).await.unwrap_err();
    assert!(matches!(stale, kube::Error::Api(status) if status.reason == "Conflict"));
    let again = maps.replace("a", &PostParams::default(), &replaced).await.unwrap();
    assert_eq!(again.resource_version(), replaced.resource_version(), "a write that changes nothing is none");

    maps.delete("a", &DeleteParams::default()).await.unwrap();
    assert!(maps.get_opt("a").await.unwrap().is_none());
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_of_one_moment() {
    let test = ClusterTest::start().await;
    let maps: Api<ConfigMap> = test.api();
    for name in ["a", "b", "c", "d"] {
        let mut map = config_map(name, "x");
        map.labels_mut().insert("page".to_owned(), "yes".to_owned());
        maps.create(&PostParams::default(), &map).await.unwrap();
    }
    let first = maps.list(&ListParams::default().labels("page=yes").limit(2)).await.unwrap();
    let names =
        |list: &kube::api::ObjectList<ConfigMap>| list.iter().map(kube::ResourceExt::name_any).collect::<Vec<_>>();
    assert_eq!(names(&first), ["a", "b"]);
    maps.delete("c", &DeleteParams::default()).await.unwrap();
    let token = first.metadata.continue_.clone().expect("there is more");
    let rest = maps.list(&ListParams::default().labels("page=yes").continue_token(&token)).await.unwrap();
    assert_eq!(names(&rest), ["c", "d"], "the second page is of the moment of the first");
    assert_eq!(rest.metadata.resource_version, first.metadata.resource_version);
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_see_everything_in_order() {
    let test = ClusterTest::start().await;
    let maps: Api<ConfigMap> = test.api();
    maps.create(&PostParams::default(), &config_map("before", "1")).await.unwrap();
    for config in [watcher::Config::default(), watcher::Config::default().streaming_lists()] {
        let config = config.fields("metadata.name!=kube-root-ca.crt");
        let mut seen = watcher(maps.clone(), config).boxed();
        let mut initial = Vec::new();
        loop {
            match tokio::time::timeout(PATIENCE, seen.try_next()).await.unwrap().unwrap().unwrap() {
                watcher::Event::InitApply(map) => initial.push(map.name_any()),
                watcher::Event::InitDone => break,
                _ => {}
            }
        }
        assert_eq!(initial, ["before"]);
        maps.create(&PostParams::default(), &config_map("after", "1")).await.unwrap();
        let patch = Patch::Merge(json!({"data": {"key": "2"}}));
        maps.patch("after", &PatchParams::default(), &patch).await.unwrap();
        maps.delete("after", &DeleteParams::default()).await.unwrap();
        let mut told = Vec::new();
        while told.len() < 3 {
            match tokio::time::timeout(PATIENCE, seen.try_next()).await.unwrap().unwrap().unwrap() {
                watcher::Event::Apply(map) => told.push(map.data.unwrap_or_default()["key"].clone()),
                watcher::Event::Delete(map) => told.push(format!("-{}", map.name_any())),
                _ => {}
            }
        }
        assert_eq!(told, ["1", "2", "-after"]);
    }
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reflector_keeps_up() {
    let test = ClusterTest::start().await;
    let maps: Api<ConfigMap> = test.api();
    let (reader, writer) = store();
    let stream = watcher(maps.clone(), watcher::Config::default()).default_backoff().reflect(writer).applied_objects();
    let mut stream = stream.predicate_filter(predicates::resource_version, Default::default()).boxed();
    let followed = tokio::spawn(async move { while stream.try_next().await.ok().flatten().is_some() {} });
    tokio::time::timeout(PATIENCE, reader.wait_until_ready()).await.unwrap().unwrap();
    for index in 0..50 {
        maps.create(&PostParams::default(), &config_map(&format!("m{index}"), "x")).await.unwrap();
    }
    let key = reflector::ObjectRef::<ConfigMap>::new("m49").within(&test.namespace);
    until("the last map in the cache", || async { reader.get(&key) }).await;
    assert_eq!(reader.state().iter().filter(|map| map.name_any().starts_with('m')).count(), 50);
    followed.abort();
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_makes_what_is_asked_for() {
    let test = ClusterTest::start().await;
    let maps: Api<ConfigMap> = test.api();
    let rounds = Arc::new(AtomicUsize::new(0));
    let context = Arc::new((maps.clone(), rounds.clone()));
    let controller = Controller::new(maps.clone(), watcher::Config::default().labels("copy=wanted")).run(
        |map, context| async move {
            context.1.fetch_add(1, Ordering::Relaxed);
            let copy = json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": format!("{}-copy", map.name_any())}, "data": map.data,
            });
            let params = PatchParams::apply("copier").force();
            context.0.patch(&format!("{}-copy", map.name_any()), &params, &Patch::Apply(copy)).await?;
            Ok::<_, kube::Error>(Action::await_change())
        },
        |_, _, _| Action::requeue(Duration::from_millis(100)),
        context,
    );
    let running = tokio::spawn(controller.for_each(|_| async {}));
    let mut source = config_map("source", "1");
    source.labels_mut().insert("copy".to_owned(), "wanted".to_owned());
    maps.create(&PostParams::default(), &source).await.unwrap();
    let copied = |wanted: &'static str| {
        let maps = maps.clone();
        move || {
            let maps = maps.clone();
            async move {
                let copy = maps.get_opt("source-copy").await.ok()??;
                (copy.data?.get("key")? == wanted).then_some(())
            }
        }
    };
    until("the copy", copied("1")).await;
    let patch = Patch::Merge(json!({"data": {"key": "2"}}));
    maps.patch("source", &PatchParams::default(), &patch).await.unwrap();
    until("the changed copy", copied("2")).await;
    running.abort();
    assert!(rounds.load(Ordering::Relaxed) < 20, "the controller is not woken without reason");
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn appliers_own_their_fields() {
    let test = ClusterTest::start().await;
    let deployments: Api<Deployment> = test.api();
    let wanted = |replicas: i32| {
        let mut wanted = serde_json::to_value(deployment("web", replicas)).unwrap();
        wanted["apiVersion"] = "apps/v1".into();
        wanted["kind"] = "Deployment".into();
        Patch::Apply(wanted)
    };
    let one = deployments.patch("web", &PatchParams::apply("one"), &wanted(1)).await.unwrap();
    let same = deployments.patch("web", &PatchParams::apply("one"), &wanted(1)).await.unwrap();
    assert_eq!(one.metadata.generation, same.metadata.generation);
    let conflict = deployments.patch("web", &PatchParams::apply("two"), &wanted(2)).await.unwrap_err();
    let kube::Error::Api(status) = conflict else { panic!("{conflict}") };
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    assert_eq!(status.message, "Apply failed with 1 conflict: conflict with \"one\": .spec.replicas");
    let forced = deployments.patch("web", &PatchParams::apply("two").force(), &wanted(2)).await.unwrap();
    assert_eq!(forced.spec.as_ref().and_then(|spec| spec.replicas), Some(2));
    let managers: Vec<_> = forced.managed_fields().iter().filter_map(|entry| entry.manager.clone()).collect();
    assert!(managers.contains(&"one".to_owned()) && managers.contains(&"two".to_owned()), "{managers:?}");
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_runs_and_tells() {
    let test = ClusterTest::start().await;
    let deployments: Api<Deployment> = test.api();
    deployments.create(&PostParams::default(), &deployment("web", 3)).await.unwrap();
    let ready = kube::runtime::wait::await_condition(deployments.clone(), "web", |found: Option<&Deployment>| {
        found.and_then(|found| found.status.as_ref()?.available_replicas) == Some(3)
    });
    tokio::time::timeout(PATIENCE, ready).await.unwrap().unwrap();
    let pods: Api<Pod> = test.api();
    let running = pods.list(&ListParams::default().labels("app=web")).await.unwrap();
    assert_eq!(running.items.len(), 3);
    let events: Api<Event> = test.api();
    let told = events.list(&ListParams::default().fields("involvedObject.kind=Deployment")).await.unwrap();
    assert!(told.iter().any(|event| event.reason.as_deref() == Some("ScalingReplicaSet")));

    // One pod goes and another takes its place.
    let name = running.items[0].name_any();
    pods.delete(&name, &DeleteParams::default().grace_period(0)).await.unwrap();
    until("another pod", || async {
        let list = pods.list(&ListParams::default().labels("app=web")).await.ok()?;
        let ready = list.iter().filter(|pod| pod.name_any() != name && is_ready(pod)).count();
        (ready == 3).then_some(())
    })
    .await;
    // All go when the deployment goes.
    deployments.delete("web", &DeleteParams::background()).await.unwrap();
    until("the pods to be gone", || async {
        let list = pods.list(&ListParams::default().labels("app=web")).await.ok()?;
        list.items.is_empty().then_some(())
    })
    .await;
    test.finish().await;
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_resources_come_and_go() {
    let test = ClusterTest::start().await;
    let group = format!("{}.example.com", test.namespace);
    let name = format!("widgets.{group}");
    let definition: CustomResourceDefinition = serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "required": ["size"], "properties": {
                        "size": {"type": "integer", "maximum": 10}, "colour": {"type": "string", "default": "blue"},
                    }},
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                }}},
            }],
        },
    }))
    .unwrap();
    let definitions: Api<CustomResourceDefinition> = Api::all(test.client.clone());
    definitions.create(&PostParams::default(), &definition).await.unwrap();
    let established = kube::runtime::wait::await_condition(
        definitions.clone(),
        &name,
        kube::runtime::conditions::is_crd_established(),
    );
    tokio::time::timeout(PATIENCE, established).await.unwrap().unwrap();

    let kind = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(&group, "v1", "Widget"), "widgets");
    let widgets: Api<DynamicObject> = Api::namespaced_with(test.client.clone(), &test.namespace, &kind);
    let widget = |size: i64| DynamicObject::new("one", &kind).data(json!({"spec": {"size": size, "unknown": 1}}));
    let made = until("the new kind", || async { widgets.create(&PostParams::default(), &widget(3)).await.ok() }).await;
    assert_eq!(made.data["spec"], json!({"size": 3, "colour": "blue"}), "defaults come, unknown fields go");
    let mut large = widget(11);
    large.metadata.name = Some("two".to_owned());
    let refused = widgets.create(&PostParams::default(), &large).await.unwrap_err();
    assert!(matches!(refused, kube::Error::Api(status) if status.code == 422));
    let status = Patch::Merge(json!({"spec": {"size": 9}, "status": {"phase": "Ready"}}));
    let patched = widgets.patch_status("one", &PatchParams::default(), &status).await.unwrap();
    assert_eq!((&patched.data["spec"]["size"], &patched.data["status"]["phase"]), (&json!(3), &json!("Ready")));

    definitions.delete(&name, &DeleteParams::default()).await.unwrap();
    until("the definition to be gone", || async { definitions.get_opt(&name).await.ok()?.is_none().then_some(()) })
        .await;
    assert!(widgets.get("one").await.is_err());
    test.finish().await;
}
