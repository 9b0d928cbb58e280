//! The talk's own Cluster API manifests on the embedded cluster, whose time is stepped.

use foredeck::gitops::capi::Options;
use foredeck::gitops::capi::describe;
use foredeck::gitops::capi::kind::Kind;
use serde_json::{Value, json};

use crate::harness::capi::{CapiTest, demo, tree};
use crate::harness::cluster::{has_kubectl, until};

const MANIFESTS: &str = include_str!("../../workshop/capi/cluster.yaml");

fn is_available(state: &foredeck::gitops::capi::State) -> bool {
    state.settled && demo(state).is_some_and(|cluster| cluster.rows[0].status == "True")
}

#[tokio::test]
async fn capi_the_talks_cluster_lives_and_goes() {
    let test = CapiTest::start(Options::default()).await;
    test.apply(MANIFESTS).await;
    let took = test.pass_until("the cluster", is_available).await;
    assert!((26.0..=31.3).contains(&took), "{took}");
    let state = test.handle.status().borrow().clone();
    assert_eq!(
        tree(&state),
        [
            "Cluster default/demo 3/3 True",
            "├─AzureCluster default/demo  True",
            "└─Workers  ",
            "  ├─MachineDeployment default/demo-md-0, v1.33.1 2/2 True",
            "  │ └─2 Machines...  True",
            "  └─Other  ",
            "    └─Machine default/demo-controlplane-0, v1.33.1 1 True",
        ]
    );
    let cluster = demo(&state).expect("it is there");
    let text = describe::text(&cluster.rows, test.clock.now());
    assert!(text.starts_with("NAME "), "{text}");
    assert_eq!((cluster.phase.as_str(), cluster.initialized), ("Provisioned", true));

    // every version reads the same object
    for (version, place) in
        [("v1alpha3", "/status/infrastructureReady"), ("v1beta2", "/status/initialization/infrastructureProvisioned")]
    {
        let api = test.api(&format!("cluster.x-k8s.io/{version}"), "Cluster");
        let found = serde_json::to_value(api.get("demo").await.expect("it is served")).expect("data");
        assert_eq!(found.pointer(place), Some(&json!(true)), "{version}");
    }

    // scaled through the scale subresource, as kubectl scale does
    let deployments = test.api("cluster.x-k8s.io/v1alpha3", "MachineDeployment");
    let scale = kube::api::Patch::Merge(json!({"spec": {"replicas": 3}}));
    deployments.patch_scale("demo-md-0", &Default::default(), &scale).await.expect("it is scaled");
    let has = |count: usize| {
        move |state: &foredeck::gitops::capi::State| {
            is_available(state) && demo(state).is_some_and(|cluster| cluster.snapshot.machines.len() == count)
        }
    };
    test.pass_until("a third worker", has(4)).await;

    // rolled out to another version
    let version = json!({"spec": {"template": {"spec": {"version": "v1.34.0"}}}});
    test.patch(Kind::MachineDeployment, "demo-md-0", version).await;
    test.pass_until("new workers", |state| {
        has(4)(state)
            && demo(state).is_some_and(|cluster| {
                let workers = cluster.snapshot.machines.iter().filter(|machine| !machine.control_plane);
                workers.filter(|machine| machine.item.version == "v1.34.0").count() == 3
            })
    })
    .await;

    // and deleted: workers before infrastructure, and nothing stays
    test.delete(Kind::Cluster, "demo").await;
    test.pass_until("the end", |state| state.settled && state.clusters.is_empty()).await;
    for kind in Kind::ALL {
        until("the collection of what is left", || async { test.names(kind).await.is_empty().then_some(()) }).await;
    }
    let events: kube::Api<k8s_openapi::api::core::v1::Event> = kube::Api::namespaced(test.cluster.client(), "default");
    let events = events.list(&Default::default()).await.expect("events");
    let told: Vec<String> = events.items.into_iter().filter_map(|event| event.message).collect();
    assert!(told.iter().any(|message| message == "Cluster demo has been deleted"), "{told:#?}");
    test.finish().await;
}

#[tokio::test]
async fn capi_the_same_seed_gives_the_same_names() {
    let mut seen: Vec<Vec<String>> = Vec::new();
    for seed in [7, 7, 8] {
        let test = CapiTest::start(Options { seed, ..Options::default() }).await;
        test.apply(MANIFESTS).await;
        test.pass_until("the cluster", is_available).await;
        seen.push(test.names(Kind::Machine).await);
        test.finish().await;
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0], seen[2]);
}

#[tokio::test]
async fn capi_a_cluster_goes_in_mid_provisioning() {
    let test = CapiTest::start(Options::default()).await;
    test.apply(MANIFESTS).await;
    test.until("machines on their way", |state| {
        state.settled && demo(state).is_some_and(|c| c.snapshot.machines.len() == 3)
    })
    .await;
    test.delete(Kind::Cluster, "demo").await;
    test.pass_until("the end", |state| state.settled && state.clusters.is_empty()).await;
    for kind in Kind::ALL {
        until("the collection of what is left", || async { test.names(kind).await.is_empty().then_some(()) }).await;
    }
    test.finish().await;
}

#[tokio::test]
async fn capi_work_goes_on_after_a_restart() {
    let test = CapiTest::start(Options::default()).await;
    test.apply(MANIFESTS).await;
    test.until("machines", |state| state.settled && demo(state).is_some_and(|c| c.snapshot.machines.len() == 3)).await;
    let test = test.restart(Options::default()).await;
    test.pass_until("the cluster", is_available).await;
    assert_eq!(test.names(Kind::Machine).await.len(), 3);
    test.finish().await;
}

#[tokio::test]
async fn capi_a_machine_without_cluster_is_told_of_and_can_go() {
    let test = CapiTest::start(Options::default()).await;
    let alone: String = MANIFESTS.split("---\n").filter(|part| part.contains("kind: Machine\n")).collect();
    test.apply(&alone).await;
    test.until("the problem", |state| {
        state.problems == ["Machine default/demo-controlplane-0: failed to get Cluster \"demo\": it does not exist"]
    })
    .await;
    test.delete(Kind::Machine, "demo-controlplane-0").await;
    test.until("its end", |state| state.settled && state.problems.is_empty()).await;
    assert_eq!(test.get(Kind::Machine, "demo-controlplane-0").await, None::<Value>);
    test.finish().await;
}

/// What `kubectl get` shows in the newest version and in the one of the talk.
#[tokio::test]
async fn capi_kubectl_shows_the_columns_of_each_version() {
    if !has_kubectl() {
        return;
    }
    let test = CapiTest::start(Options::default()).await;
    test.apply(MANIFESTS).await;
    test.pass_until("the cluster", is_available).await;
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("kubeconfig");
    std::fs::write(&config, test.cluster.kubeconfig()).expect("a file");
    let get = |what: &'static str| {
        let mut command = tokio::process::Command::new("kubectl");
        command.args(["get", what]).env("KUBECONFIG", &config).env("HOME", folder.path());
        async move {
            let output = command.output().await.expect("kubectl runs");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        }
    };
    let old = get("clusters.v1alpha3.cluster.x-k8s.io").await;
    assert_eq!(old, ["NAME PHASE", "demo Provisioned"]);
    let old = get("machinedeployments.v1alpha3.cluster.x-k8s.io").await;
    assert_eq!(old, ["NAME PHASE REPLICAS READY UPDATED UNAVAILABLE", "demo-md-0 Running 2 2 2 0"]);
    let new = get("md").await;
    let head = "NAME CLUSTER AVAILABLE DESIRED CURRENT READY AVAILABLE UP-TO-DATE PHASE AGE VERSION";
    assert_eq!(new[0], head);
    assert!(new[1].starts_with("demo-md-0 demo True 2 2 2 2 2 Running ") && new[1].ends_with(" v1.33.1"), "{new:?}");
    test.finish().await;
}

/// `clusterctl describe cluster` of our own shows what the panel shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn capi_clusterctl_describes_a_cluster() {
    let test = CapiTest::start(Options::default()).await;
    test.apply(MANIFESTS).await;
    test.pass_until("the cluster", is_available).await;
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("kubeconfig");
    std::fs::write(&config, test.cluster.kubeconfig()).expect("a file");
    let describe = async |words: &[&str]| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_foredeck"));
        command.args(["clusterctl", "describe", "cluster"]).args(words);
        command.env("KUBECONFIG", &config).env("HOME", folder.path()).current_dir(folder.path());
        let output = command.output().await.expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, err) = describe(&["demo"]).await;
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let names: Vec<&str> = out.lines().filter_map(|line| line.split("  ").next()).collect();
    assert_eq!(names[0], "NAME");
    assert!(out.contains("├─MachineDeployment default/demo-md-0, v1.33.1") && out.contains("2 Machines..."), "{out}");
    let (code, out, _) = describe(&["demo", "--grouping=false", "--show-machinesets"]).await;
    assert!(
        code == Some(0) && out.contains("MachineSet default/demo-md-0-") && !out.contains("2 Machines..."),
        "{out}"
    );
    let (code, out, err) = describe(&["gone"]).await;
    let words = "Error: clusters.cluster.x-k8s.io \"gone\" not found\n";
    assert_eq!((code, out.as_str(), err.as_str()), (Some(1), "", words));
    test.finish().await;
}
