//! Panels of a cluster that foredeck did not make: the one that `FOREDECK_TEST_CONTEXT` names, else an embedded one that
//! is reached as any other.

use std::time::Duration;

use foredeck::cluster::folder::Folder;
use foredeck::deck::PanelSpec;
use foredeck::deck::panel::PanelText;
use foredeck::diagnostic::Span;
use foredeck::gitops::schedule::Intervals;
use foredeck::panel::source::Sources;
use foredeck::sandbox::keep::{Demo, keep};
use foredeck::sandbox::{ClusterPlan, Plan, RepositoryPlan, repository};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::cluster::ClusterTest;

/// Images have to be pulled on a real one.
const PATIENCE: Duration = Duration::from_secs(60);

fn spec(text: &str) -> PanelSpec {
    PanelText::read(text, 0).spec(String::new(), None, Span::default()).expect("a panel")
}

/// What a panel shows as soon as that has this in it.
async fn shows(sources: &Sources, panel: &str, wanted: &str) -> String {
    let cell = sources.open(&spec(panel));
    let mut waiting = cell.clone();
    let seen = tokio::time::timeout(PATIENCE, waiting.wait_for(|state| state.text().contains(wanted))).await;
    assert!(seen.is_ok(), "`{panel}` does not show {wanted:?} but {:?}", cell.borrow());
    cell.borrow().text()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn panels_look_at_any_cluster() {
    let cluster = ClusterTest::start().await;
    let space = cluster.namespace.clone();
    let folder = tempfile::tempdir().expect("a folder");
    let seed = folder.path().join("seed");
    std::fs::create_dir_all(seed.join("deploy")).expect("a folder");
    let web = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: {space}}}\nspec:\n  replicas: 2\n  \
         selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    \
         spec: {{containers: [{{name: web, image: registry.k8s.io/pause:3.9}}]}}\n"
    );
    std::fs::write(seed.join("deploy").join("web.yaml"), web).expect("a file");
    let plan = Plan {
        cluster: ClusterPlan::Existing {
            client: cluster.client.clone(),
            name: "elsewhere".to_owned(),
            kubeconfig: cluster.kubeconfig.clone(),
            ours: false,
        },
        repository: RepositoryPlan::Demo(repository::Plan {
            name: "demo".to_owned(),
            branch: "main".to_owned(),
            seed: Some(seed),
            base: "http://127.0.0.1:1/git".to_owned(),
            token: "the-token".to_owned(),
            time: 1_700_000_000,
        }),
        paths: vec!["deploy".to_owned()],
        read_only: false,
        intervals: Intervals::default(),
        folder: Folder::of(folder.path()),
        home: None,
        program: env!("CARGO_BIN_EXE_foredeck").into(),
        path: std::env::var_os("PATH"),
        server: "http://127.0.0.1:1".to_owned(),
        fresh: true,
    };
    let (sender, demo) = watch::channel(Demo::Off);
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let kept = tokio::spawn(keep(plan, sender, stop.clone()));
    let sources = Sources::new(demo, stop.clone(), tasks.clone());

    shows(&sources, &format!("sync namespace={space}"), "web").await;
    shows(&sources, "gitlog", "Begin").await;
    shows(&sources, "timeline", "sync").await;
    let pods = shows(&sources, &format!("pods namespace={space}"), "Running").await;
    assert!(pods.contains("READY") && pods.contains("web-"), "{pods}");
    let deployments = shows(&sources, &format!("resources kind=deployments namespace={space}"), "2/2").await;
    assert!(deployments.contains("UP-TO-DATE"), "{deployments}");
    shows(&sources, &format!("events namespace={space}"), "Scaled").await;
    let tree = shows(&sources, &format!("tree kind=deployment name=web namespace={space}"), "replicaset/web").await;
    assert!(tree.contains("└─"), "{tree}");
    shows(&sources, "diff", "as Git wants it").await;
    // What is changed behind Git's back is put back, as on any cluster.
    let deployments: kube::Api<k8s_openapi::api::apps::v1::Deployment> = cluster.api();
    let patch = serde_json::json!({ "spec": { "replicas": 0 } });
    deployments
        .patch("web", &kube::api::PatchParams::default(), &kube::api::Patch::Merge(&patch))
        .await
        .expect("a patch");
    shows(&sources, "timeline", "repair").await;
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    kept.await.expect("it ends well");
    cluster.finish().await;
}
