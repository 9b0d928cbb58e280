//! `rollout` and `wait`: until something has become so.

use serde_json::{Value, json};

use super::fake::{Fake, Said, failed, fine};

const WEB: &str = "/apis/apps/v1/namespaces/demo/deployments/web";

fn deployment(version: &str, updated: u64, available: u64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "web", "namespace": "demo", "uid": "uid-web", "resourceVersion": version, "generation": 2,
            "annotations": { "deployment.kubernetes.io/revision": "3", "kubernetes.io/change-cause": "third" },
        },
        "spec": { "replicas": 2, "selector": { "matchLabels": { "app": "web" } }, "template": template("nginx:3") },
        "status": {
            "observedGeneration": 2, "replicas": 2, "updatedReplicas": updated, "availableReplicas": available,
            "conditions": [{ "type": "Available", "status": if available == 2 { "True" } else { "False" } }],
        },
    })
}

fn template(image: &str) -> Value {
    json!({
        "metadata": { "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "nginx", "image": image }] },
    })
}

fn watch(version: &str) -> String {
    format!(
        "GET /apis/apps/v1/namespaces/demo/deployments?fieldSelector=metadata.name%3Dweb&resourceVersion={version}&\
         timeoutSeconds=300&watch=true"
    )
}

#[tokio::test]
async fn a_rollout_is_followed_until_it_is_done() {
    let event = |object: Value| json!({ "type": "MODIFIED", "object": object });
    let fake = Fake::new().await.answer(&format!("GET {WEB}"), &deployment("1", 1, 1)).lines(
        &watch("1"),
        &[event(deployment("2", 1, 1)), event(deployment("3", 2, 1)), event(deployment("4", 2, 2))],
    );
    assert_eq!(
        fake.kubectl("rollout status deploy/web").await,
        fine(
            "Waiting for deployment \"web\" rollout to finish: 1 out of 2 new replicas have been updated...\n\
             Waiting for deployment \"web\" rollout to finish: 1 of 2 updated replicas are available...\n\
             deployment \"web\" successfully rolled out\n"
        )
    );
    assert_eq!(
        fake.kubectl("rollout status deploy web --watch=false").await,
        fine("Waiting for deployment \"web\" rollout to finish: 1 out of 2 new replicas have been updated...\n")
    );
    let gone = Fake::new()
        .await
        .answer(&format!("GET {WEB}"), &deployment("1", 1, 1))
        .lines(&watch("1"), &[json!({ "type": "DELETED", "object": deployment("2", 1, 1) })]);
    assert_eq!(gone.kubectl("rollout status deploy/web").await.err, "error: object has been deleted\n");
    let slow = Fake::new().await.answer(&format!("GET {WEB}"), &deployment("1", 1, 1));
    assert_eq!(
        slow.kubectl("rollout status deploy/web --timeout=300ms").await.err,
        "error: timed out waiting for the condition\n"
    );
}

fn replica_set(revision: &str, cause: &str, image: &str) -> Value {
    let mut template = template(image);
    template["metadata"]["labels"]["pod-template-hash"] = format!("h{revision}").into();
    json!({
        "metadata": {
            "name": format!("web-h{revision}"), "namespace": "demo", "ownerReferences": [{ "uid": "uid-web" }],
            "annotations": { "deployment.kubernetes.io/revision": revision, "kubernetes.io/change-cause": cause },
        },
        "spec": { "template": template },
    })
}

async fn with_history() -> Fake {
    let mut stranger = replica_set("9", "", "x");
    stranger["metadata"]["ownerReferences"] = json!([{ "uid": "another" }]);
    let sets =
        json!({ "items": [replica_set("3", "third", "nginx:3"), replica_set("2", "second", "nginx:2"), stranger] });
    Fake::new()
        .await
        .answer(&format!("GET {WEB}"), &deployment("1", 2, 2))
        .answer("GET /apis/apps/v1/namespaces/demo/replicasets?labelSelector=app%3Dweb&limit=500", &sets)
        .answer(&format!("PATCH {WEB}"), &deployment("2", 2, 2))
}

#[tokio::test]
async fn revisions_are_listed_shown_and_gone_back_to() {
    let fake = with_history().await;
    assert_eq!(
        fake.kubectl("rollout history deploy/web").await,
        fine("deployment.apps/web \nREVISION  CHANGE-CAUSE\n2         second\n3         third\n\n")
    );
    let shown = fake.kubectl("rollout history deploy/web --revision=2").await;
    assert!(
        shown.out.starts_with("deployment.apps/web with revision #2\nPod Template:\n  Labels:       app=web\n"),
        "{}",
        shown.out
    );
    assert!(shown.out.contains("    Image:         nginx:2\n"), "{}", shown.out);
    assert_eq!(fake.kubectl("rollout undo deploy/web").await, fine("deployment.apps/web rolled back\n"));
    let patch = r#"[{"op":"replace","path":"/spec/template","value":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"nginx","image":"nginx:2"}]}}},{"op":"replace","path":"/metadata/annotations","value":{"deployment.kubernetes.io/revision":"3","kubernetes.io/change-cause":"second"}}]"#;
    assert_eq!(fake.asked().last(), Some(&format!("PATCH {WEB} application/json-patch+json {patch}")));
    assert_eq!(
        fake.kubectl("rollout undo deploy/web --to-revision=3").await,
        fine("deployment.apps/web skipped rollback (current template already matches revision 3)\n")
    );
    assert_eq!(
        fake.kubectl("rollout undo deploy/web --to-revision=99").await,
        failed("error: unable to find specified revision 99 in history")
    );
}

#[tokio::test]
async fn restarts_and_pauses() {
    let mut paused = deployment("1", 2, 2);
    paused["spec"]["paused"] = true.into();
    let managed = format!("PATCH {WEB}?fieldManager=kubectl-rollout");
    let fake = Fake::new().await.answer(&format!("GET {WEB}"), &deployment("1", 2, 2)).answer(&managed, &paused);
    assert_eq!(fake.kubectl("rollout pause deploy/web").await, fine("deployment.apps/web paused\n"));
    assert_eq!(
        fake.asked().last(),
        Some(&format!("{managed} application/strategic-merge-patch+json {}", r#"{"spec":{"paused":true}}"#))
    );
    assert_eq!(fake.kubectl("rollout restart deploy web").await, fine("deployment.apps/web restarted\n"));
    assert!(fake.asked().last().unwrap().contains("kubectl.kubernetes.io/restartedAt"));
    assert_eq!(
        fake.kubectl("rollout resume deploy/web").await,
        failed("error: deployments.apps \"web\" is not paused")
    );
    let fake = Fake::new().await.answer(&format!("GET {WEB}"), &paused);
    for (line, expected) in [
        ("rollout pause deploy/web", "error: deployments.apps \"web\" is already paused"),
        (
            "rollout restart deploy/web",
            "error: deployments.apps \"web\" can't restart paused deployment (run rollout resume first)",
        ),
        ("rollout restart", "error: required resource not specified"),
    ] {
        assert_eq!(fake.kubectl(line).await, failed(expected), "{line}");
    }
}

#[tokio::test]
async fn conditions_members_and_deletions_are_waited_for() {
    let fake = Fake::new()
        .await
        .answer(&format!("GET {WEB}"), &deployment("1", 1, 1))
        .lines(&watch("1"), &[json!({ "type": "MODIFIED", "object": deployment("2", 2, 2) })]);
    assert_eq!(
        fake.kubectl("wait --for=condition=Available deploy/web").await,
        fine("deployment.apps/web condition met\n")
    );
    assert_eq!(
        fake.kubectl("wait --for=jsonpath='{.status.availableReplicas}=2' deploy/web").await,
        fine("deployment.apps/web condition met\n")
    );
    let still = Fake::new().await.answer(&format!("GET {WEB}"), &deployment("1", 1, 1));
    assert_eq!(
        still.kubectl("wait --for=delete deploy/web --timeout=300ms").await,
        failed("error: timed out waiting for the condition on deployments/web")
    );
    let gone = Fake::new()
        .await
        .answer(&format!("GET {WEB}"), &deployment("1", 1, 1))
        .lines(&watch("1"), &[json!({ "type": "DELETED", "object": deployment("2", 1, 1) })]);
    assert_eq!(gone.kubectl("wait --for=delete deploy/web").await, fine("deployment.apps/web condition met\n"));
    let nothing = Fake::new().await;
    assert_eq!(nothing.kubectl("wait --for=delete deploy/web").await, fine(""));
    assert_eq!(nothing.kubectl("wait deploy/web").await, failed("error: unrecognized condition: \"\""));
}

#[tokio::test]
async fn a_server_that_is_gone_is_told_in_kubectls_words() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let client = kube::Client::try_from(kube::Config::new(format!("http://{address}").parse().unwrap())).unwrap();
    let (mut out, mut err, mut input) = (Vec::new(), Vec::new(), &b""[..]);
    let streams = foredeck::cli::kubectl::Streams { out: &mut out, err: &mut err, input: &mut input };
    let words = super::fake::words("get pods");
    let code = foredeck::cli::kubectl::run_with(client, &format!("http://{address}"), "demo", &words, streams).await;
    let said = Said { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() };
    assert_eq!(
        said,
        failed(&format!(
            "The connection to the server {address} was refused - did you specify the right host or port?"
        ))
    );
}

#[tokio::test]
async fn a_reader_that_went_away_ends_a_command_quietly() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let fake = Fake::new().await;
    let (mut out, mut err, mut input) = (Closed, Vec::new(), &b""[..]);
    let streams = foredeck::cli::kubectl::Streams { out: &mut out, err: &mut err, input: &mut input };
    let code =
        foredeck::cli::kubectl::run_with(fake.client(), "", "demo", &super::fake::words("api-resources"), streams)
            .await;
    assert_eq!((code, err.as_slice()), (0, &b""[..]));
}
