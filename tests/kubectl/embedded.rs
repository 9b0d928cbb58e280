//! The built-in kubectl against the embedded cluster: what a workshop does.

use foredeck::cli::kubectl::{Streams, run_with};

use super::fake::{Said, failed, fine, words};
use crate::harness::cluster::ClusterTest;

const MANIFEST: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n  selector: {matchLabels: \
                        {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers: [{name: nginx, image: \
                        \"nginx:1.25\"}]\n";

async fn kubectl(test: &ClusterTest, line: &str, input: &str) -> Said {
    let (mut out, mut err, mut input) = (Vec::new(), Vec::new(), input.as_bytes());
    let streams = Streams { out: &mut out, err: &mut err, input: &mut input };
    let code = run_with(test.client.clone(), "", &test.namespace, &words(line), streams).await;
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Said { code, out: text(out), err: text(err) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_lives() {
    let test = ClusterTest::start().await;
    let run = async |line: &str| kubectl(&test, line, MANIFEST).await;
    assert_eq!(run("apply -f -").await, fine("deployment.apps/web created\n"));
    let done = run("rollout status deploy/web --timeout=30s").await;
    assert!(done.out.ends_with("deployment \"web\" successfully rolled out\n"), "{done:?}");
    assert_eq!(run("apply -f -").await, fine("deployment.apps/web unchanged\n"));
    assert_eq!(run("get deploy web -o jsonpath='{.status.availableReplicas}'").await, fine("2"));
    let table = run("get deploy,pods -l app!=other").await;
    assert!(table.out.starts_with("NAME                  READY   UP-TO-DATE   AVAILABLE   AGE\ndeployment.apps/web   2/2     2            2           "), "{table:?}");
    assert_eq!(table.out.matches("\npod/web-").count(), 2);
    assert_eq!(run("scale deploy web --replicas=1").await, fine("deployment.apps/web scaled\n"));
    assert_eq!(
        run("wait --for=jsonpath='{.status.replicas}=1' deploy/web --timeout=30s").await,
        fine("deployment.apps/web condition met\n")
    );
    assert_eq!(run("set image deploy/web nginx=nginx:1.26").await, fine("deployment.apps/web image updated\n"));
    assert_eq!(
        run("annotate deploy web kubernetes.io/change-cause=new").await,
        fine("deployment.apps/web annotated\n")
    );
    assert_eq!(run("rollout status deploy/web --timeout=30s").await.code, 0);
    assert_eq!(
        run("rollout history deploy/web").await,
        fine("deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         new\n\n")
    );
    assert_eq!(run("rollout undo deploy/web").await, fine("deployment.apps/web rolled back\n"));
    assert_eq!(run("get deploy web -o jsonpath='{.spec.template.spec.containers[0].image}'").await, fine("nginx:1.25"));
    assert!(run("describe deploy web").await.out.contains("ScalingReplicaSet"));
    assert_eq!(run("delete deploy web").await, fine("deployment.apps \"web\" deleted\n"));
    assert_eq!(run("get deploy web").await, failed("Error from server (NotFound): deployments.apps \"web\" not found"));
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_talks_and_goes() {
    let test = ClusterTest::start().await;
    let run = async |line: &str| kubectl(&test, line, "").await;
    assert_eq!(
        run("run talker --image=busybox --restart=Never --command -- sh -c 'echo alpha; echo beta'").await,
        fine("pod/talker created\n")
    );
    assert_eq!(
        run("wait --for=jsonpath='{.status.phase}=Succeeded' pod/talker --timeout=30s").await,
        fine("pod/talker condition met\n")
    );
    assert_eq!(run("logs talker").await, fine("alpha\nbeta\n"));
    assert_eq!(run("logs talker --tail=1 -f").await, fine("beta\n"));
    assert_eq!(run("delete pod talker --now").await, fine("pod \"talker\" deleted\n"));
    assert_eq!(run("wait --for=delete pod/talker").await, fine(""));
    test.finish().await;
}
