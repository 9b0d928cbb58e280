//! New images in a running cluster: pushed, published, and run.

use foredeck::cluster::embedded::{Config, Embedded};
use foredeck::cluster::registry;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::harness::cluster::{client_of, until};
use crate::harness::registry::Raw;

fn deployment(image: &str) -> Deployment {
    serde_json::from_value(json!({
        "metadata": {"name": "app"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "app"}},
            "template": {
                "metadata": {"labels": {"app": "app"}},
                "spec": {"containers": [{"name": "app", "image": image}]},
            },
        },
    }))
    .expect("a deployment")
}

/// What `kubectl set image deployment/app app=IMAGE` does.
async fn set_image(deployments: &Api<Deployment>, image: &str) {
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}});
    deployments.patch("app", &PatchParams::default(), &Patch::Strategic(patch)).await.expect("it is patched");
}

/// Waits until a container of this image waits for a reason, or runs; and says which, or the image's id.
async fn outcome(pods: &Api<Pod>, image: &str, reasons: &[&str]) -> String {
    until(image, || async {
        let pods = pods.list(&ListParams::default()).await.ok()?;
        let statuses = pods.items.into_iter().filter_map(|pod| pod.status?.container_statuses).flatten();
        statuses.filter(|status| status.image.ends_with(image)).find_map(|status| {
            let state = status.state?;
            let reason = state.waiting.and_then(|waiting| waiting.reason);
            let waits = reason.filter(|reason| reasons.contains(&reason.as_str()));
            waits.or_else(|| state.running.map(|_| status.image_id))
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_runs_once_it_is_there() {
    let config = Config { registry: Some(registry::Config::at(0)), ..Config::default() };
    let cluster = Embedded::start(config).await.expect("a cluster");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = client_of(&cluster).await;
    let (deployments, pods) = (Api::namespaced(client.clone(), "default"), Api::namespaced(client, "default"));
    let hosted = cluster.registry().expect("a registry");
    let image = |tag: &str| format!("{}/team/app:{tag}", hosted.address());
    until("the deployment", || async {
        deployments.create(&PostParams::default(), &deployment(&image("v1"))).await.ok()
    })
    .await;
    let waits = ["ErrImagePull", "ImagePullBackOff"];
    let outcome_of = |tag: &'static str| {
        let pods = pods.clone();
        let image = image(tag);
        async move { outcome(&pods, &image, &waits).await }
    };
    assert!(waits.contains(&outcome_of("v1").await.as_str()), "v1 is not there");

    let digest = Raw::new(hosted.url()).push(hosted, "team/app", "v2", "2024-01-01T00:00:00Z").await;
    set_image(&deployments, &image("v2")).await;
    assert!(outcome_of("v2").await.ends_with(&digest), "v2 was pushed");

    set_image(&deployments, &image("v3")).await;
    assert!(waits.contains(&outcome_of("v3").await.as_str()), "v3 is not there");
    cluster.images().change(|images| images.publish("team/app", "v4", jiff::Timestamp::UNIX_EPOCH));
    set_image(&deployments, &image("v4")).await;
    assert!(outcome_of("v4").await.contains("@sha256:"), "v4 was published");
    cluster.stop().await;
}
