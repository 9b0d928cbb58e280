//! Charts over HTTP, and a Helm release whose image is automated.

use axum::http::StatusCode;
use foredeck::cluster::yaml;
use foredeck::helm::Chart;
use foredeck::server::role::Role;
use jiff::Timestamp;
use kube::api::GetParams;
use kube::core::request::Request;
use serde_json::Value;

use super::demo::{Live, git};
use crate::harness::server::{DEADLINE, ServerTest};

const RELEASE: &str = "\
# a web application
apiVersion: helm.fluxcd.io/v1
kind: HelmRelease
metadata:
  name: shop
  namespace: demo
  annotations:
    fluxcd.io/automated: \"true\"
    fluxcd.io/tag.chart-image: semver:~1
spec:
  releaseName: shop
  chart:
    repository: https://stefanprodan.github.io/podinfo
    name: podinfo
    version: 6.5.0
  values:
    image:
      repository: team/web
      tag: 1.0.0 # the first
    replicaCount: 2
";

async fn get(client: &kube::Client, path: &str, name: &str) -> Option<Value> {
    let request = Request::new(path).get(name, &GetParams::default()).expect("a request");
    client.request(request).await.ok()
}

/// A new tag → a commit → a new revision of the release, within the range that the annotation gives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_image_of_a_helm_release_is_automated() {
    let live = Live::with(&[("deploy/shop.yaml", RELEASE)]).await;
    let sandbox = live.sandbox().await;
    let publish = |tag: &str, second: i64| {
        let images = sandbox.embedded().expect("an embedded cluster").images().clone();
        images.change(|images| images.publish("team/web", tag, Timestamp::from_second(second).expect("a time")));
    };
    let releases = "/apis/helm.fluxcd.io/v1/namespaces/demo/helmreleases";
    let image = async |wanted: &str| {
        let found = get(&sandbox.client, "/apis/apps/v1/namespaces/demo/deployments", "shop-podinfo").await;
        found.is_some_and(|it| it["spec"]["template"]["spec"]["containers"][0]["image"] == wanted)
    };
    publish("1.0.0", 1_700_000_000);
    live.eventually(async || image("team/web:1.0.0").await).await;
    publish("2.0.0", 1_700_001_000);
    publish("1.1.0", 1_700_002_000);
    live.eventually(async || image("team/web:1.1.0").await).await;
    let work = sandbox.work_folder();
    git(work, &["fetch", "-q"]).await.expect("it is fetched");
    let message = git(work, &["log", "-1", "--format=%B", "origin/main"]).await.expect("a commit");
    assert_eq!(message.trim(), "Auto-release team/web:1.1.0");
    let file = git(work, &["show", "origin/main:deploy/shop.yaml"]).await.expect("the file");
    assert_eq!(file, RELEASE.replace("1.0.0 # the", "1.1.0 # the").trim());
    let mut state = sandbox.releases.as_ref().expect("Helm releases").status();
    let seen = state.wait_for(|all| {
        all.as_ref()
            .is_some_and(|all| all.iter().any(|it| it.name == "shop" && it.revision == 2 && it.good == Some(true)))
    });
    drop(tokio::time::timeout(DEADLINE, seen).await.expect("in time").expect("it works"));
    let release = get(&sandbox.client, releases, "shop").await.expect("the HelmRelease");
    assert_eq!(release["spec"]["values"]["image"]["tag"], "1.1.0");
    live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn charts_are_served_as_a_repository() {
    let server = ServerTest::new().start().await;
    let index = server.get("/charts/index.yaml", Role::Viewer).await;
    assert_eq!(index.status, StatusCode::OK);
    let index = yaml::value(&index.text).expect("YAML");
    let newest = &index["entries"]["podinfo"][0];
    assert_eq!((&newest["version"], &newest["urls"][0]), (&"6.7.0".into(), &"podinfo-6.7.0.tgz".into()));
    let archive = server.get("/charts/podinfo-6.7.0.tgz", Role::Viewer).await;
    assert_eq!(archive.status, StatusCode::OK);
    let again = foredeck::sandbox::charts::shelf();
    let bytes = again.archive("podinfo-6.7.0.tgz").expect("an archive");
    assert_eq!(Chart::unpack(bytes).expect("a chart").version, "6.7.0");
    helm_takes_them(&format!("http://{}/charts", server.address)).await;
    for path in ["/charts/none.tgz", "/charts/..%2Findex.yaml"] {
        assert_eq!(server.get(path, Role::Viewer).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    server.finish().await;
}

/// The real helm adds the repository and pulls from it, where there is one.
async fn helm_takes_them(address: &str) {
    let Some(helm) = foredeck::cluster::process::find("helm", std::env::var_os("PATH").as_deref(), &[]) else {
        eprintln!("skipped: helm is missing");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    for args in [&["repo", "add", "here", address][..], &["pull", "here/podinfo", "--version", "6.5.x"]] {
        let mut command = tokio::process::Command::new(&helm);
        command.args(args).env_clear().env("HOME", folder.path()).current_dir(folder.path()).kill_on_drop(true);
        let output = tokio::time::timeout(DEADLINE, command.output()).await.expect("in time").expect("it starts");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let pulled = std::fs::read(folder.path().join("podinfo-6.5.4.tgz")).expect("the archive");
    assert_eq!(foredeck::sandbox::charts::shelf().archive("podinfo-6.5.4.tgz"), Some(pulled.as_slice()));
}
