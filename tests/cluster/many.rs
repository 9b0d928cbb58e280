//! Many clusters in one process, many watchers, many objects; clusters that are kept and gone back to.

use std::time::Duration;

use foredeck::cluster::embedded::{Config, Embedded};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::harness::cluster::{client_of, until};

fn config_map(name: &str, value: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"key": value}})).expect("a config map")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clusters_do_not_know_each_other() {
    let mut clusters = Vec::new();
    for _ in 0..200 {
        clusters.push(Embedded::start(Config::default()).await.unwrap());
    }
    let of = |index: usize| Api::<ConfigMap>::namespaced(clusters[index].client(), "default");
    until("the namespace", || async { of(7).create(&PostParams::default(), &config_map("mine", "7")).await.ok() })
        .await;
    assert!(of(7).get_opt("mine").await.unwrap().is_some());
    for index in [0, 6, 8, 199] {
        assert!(of(index).get_opt("mine").await.unwrap().is_none(), "cluster {index} has what is not its own");
    }
    let ports: std::collections::HashSet<_> = clusters.iter().map(Embedded::address).collect();
    assert_eq!(ports.len(), 200);
    for cluster in clusters {
        cluster.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_its_own_cluster_alone() {
    let (one, two) =
        (Embedded::start(Config::default()).await.unwrap(), Embedded::start(Config::default()).await.unwrap());
    let text = one.kubeconfig().replace(&one.url(), &two.url());
    let config = kube::config::Kubeconfig::from_yaml(&text).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = kube::Config::from_custom_kubeconfig(config, &Default::default()).await.unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(kube::Client::try_from(config).unwrap(), "default");
    let refused = maps.list(&ListParams::default()).await.unwrap_err();
    assert!(matches!(refused, kube::Error::Api(status) if status.code == 401), "another cluster's token opens nothing");
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_cluster_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config { folder: Some(folder.path().to_owned()), ..Config::default() };
    let cluster = Embedded::start(config()).await.unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client(), "default");
    let made = maps.create(&PostParams::default(), &config_map("kept", "1")).await.unwrap();
    let patch = Patch::Merge(json!({"data": {"key": "2"}}));
    let changed = maps.patch("kept", &PatchParams::default(), &patch).await.unwrap();
    maps.create(&PostParams::default(), &config_map("gone", "1")).await.unwrap();
    maps.delete("gone", &DeleteParams::default()).await.unwrap();
    cluster.stop().await;
    let cluster = until("the folder to be free", || async { Embedded::start(config()).await.ok() }).await;
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client(), "default");
    let kept = maps.get("kept").await.unwrap();
    assert_eq!(
        (kept.metadata.uid, kept.metadata.resource_version),
        (made.metadata.uid, changed.metadata.resource_version)
    );
    assert_eq!(kept.data.unwrap()["key"], "2");
    assert!(maps.get_opt("gone").await.unwrap().is_none());
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_brings_everything_back() {
    let cluster = Embedded::start(Config::default()).await.unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client(), "default");
    maps.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
    let then = cluster.api().checkpoint();
    maps.delete("a", &DeleteParams::default()).await.unwrap();
    maps.create(&PostParams::default(), &config_map("b", "1")).await.unwrap();
    cluster.api().restore(&then).unwrap();
    assert_eq!(maps.get("a").await.unwrap().data.unwrap()["key"], "1");
    assert!(maps.get_opt("b").await.unwrap().is_none());
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_does_not_read_costs_nobody_anything() {
    let cluster = Embedded::start(Config::default()).await.unwrap();
    let client = client_of(&cluster).await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    maps.create(&PostParams::default(), &config_map("beat", "0")).await.unwrap();
    let asked = http::Request::get("/api/v1/namespaces/default/configmaps?watch=true").body(Vec::new()).unwrap();
    let silent = client.request_stream(asked).await.unwrap();
    let large = "x".repeat(64 * 1024);
    for index in 0..300 {
        let patch = Patch::Merge(json!({"data": {"key": format!("{index}{large}")}}));
        tokio::time::timeout(Duration::from_secs(5), maps.patch("beat", &PatchParams::default(), &patch))
            .await
            .unwrap()
            .unwrap();
    }
    drop(silent);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named() {
    let cluster = Embedded::start(Config::default()).await.unwrap();
    let config = Config { port: cluster.address().port(), ..Config::default() };
    let why = Embedded::start(config).await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(why.starts_with(&format!("port {} is in use", cluster.address().port())), "{why}");
    cluster.stop().await;
}
