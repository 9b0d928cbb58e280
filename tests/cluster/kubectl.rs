//! The real `kubectl` as a client: the commands of the workshop, and what they print.

use std::process::Output;

use crate::harness::cluster::{ClusterTest, has_kubectl, until};

const PODINFO: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: podinfo
  labels: {app: podinfo}
spec:
  replicas: 1
  selector: {matchLabels: {app: podinfo}}
  template:
    metadata: {labels: {app: podinfo}}
    spec:
      containers:
      - name: podinfod
        image: stefanprodan/podinfo:1.4.0
        ports: [{containerPort: 9898}]
";

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs kubectl off the runtime's threads: the cluster it talks to is in this process.
async fn kubectl(test: &ClusterTest, arguments: &str) -> Said {
    run(test, arguments.split_whitespace().map(str::to_owned).collect()).await
}

async fn run(test: &ClusterTest, arguments: Vec<String>) -> Said {
    let output = tokio::task::block_in_place(|| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        test.kubectl(&arguments)
    });
    let Output { status, stdout, stderr } = output.expect("kubectl was there a moment ago");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { code: status.code(), out: text(stdout), err: text(stderr) }
}

/// Runs kubectl and wants it to succeed.
async fn done(test: &ClusterTest, arguments: &str) -> String {
    let said = kubectl(test, arguments).await;
    assert_eq!(said.code, Some(0), "kubectl {arguments}: {}{}", said.out, said.err);
    said.out
}

async fn podinfo(test: &ClusterTest) -> String {
    let file = test.file("podinfo.yaml", PODINFO).display().to_string();
    assert_eq!(done(test, &format!("apply -f {file}")).await, "deployment.apps/podinfo created\n");
    assert_eq!(
        done(test, "rollout status deployment/podinfo --timeout=30s").await.lines().last(),
        Some("deployment \"podinfo\" successfully rolled out")
    );
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn applied_twice_changed_and_compared() {
    if !has_kubectl() {
        return;
    }
    let test = ClusterTest::start().await;
    let file = podinfo(&test).await;
    assert_eq!(done(&test, &format!("apply -f {file}")).await, "deployment.apps/podinfo unchanged\n");
    assert_eq!(kubectl(&test, &format!("diff -f {file}")).await.code, Some(0));
    let more = test.file("more.yaml", &PODINFO.replace("replicas: 1", "replicas: 4")).display().to_string();
    let difference = kubectl(&test, &format!("diff -f {more}")).await;
    assert_eq!(difference.code, Some(1));
    assert!(
        difference.out.contains("-  replicas: 1") && difference.out.contains("+  replicas: 4"),
        "{}",
        difference.out
    );
    assert_eq!(done(&test, &format!("apply -f {more}")).await, "deployment.apps/podinfo configured\n");
    done(&test, "wait --for=jsonpath={.status.availableReplicas}=4 deployment/podinfo --timeout=30s").await;
    let pods = done(&test, "get pods -l app=podinfo -o jsonpath={.items[*].status.phase}").await;
    assert_eq!(pods, "Running Running Running Running");
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_descriptions_and_explanations() {
    if !has_kubectl() {
        return;
    }
    let test = ClusterTest::start().await;
    podinfo(&test).await;
    let table = done(&test, "get deployment podinfo --no-headers").await;
    let columns: Vec<&str> = table.split_whitespace().collect();
    assert_eq!(columns[..4], ["podinfo", "1/1", "1", "1"]);
    let wide = done(&test, "get pods -o wide").await;
    assert!(wide.starts_with("NAME") && wide.contains("NOMINATED NODE"), "{wide}");
    let described = done(&test, "describe deployment podinfo").await;
    for line in [
        "StrategyType:           RollingUpdate",
        "ScalingReplicaSet",
        "Available      True    MinimumReplicasAvailable",
    ] {
        assert!(described.contains(line), "{line} is not in\n{described}");
    }
    let explained = done(&test, "explain deployment.spec.replicas").await;
    assert!(explained.contains("FIELD: replicas <integer>"), "{explained}");
    assert!(done(&test, "api-resources").await.contains("deployments"));
    assert_eq!(done(&test, "auth can-i delete deployments").await, "yes\n");
    let all = done(&test, "get all").await;
    for kind in ["deployment.apps/podinfo", "replicaset.apps/podinfo-", "pod/podinfo-"] {
        assert!(all.contains(kind), "{kind} is not in\n{all}");
    }
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rollouts_go_on_and_back() {
    if !has_kubectl() {
        return;
    }
    let test = ClusterTest::start().await;
    podinfo(&test).await;
    done(&test, "set image deployment/podinfo podinfod=stefanprodan/podinfo:1.4.1").await;
    done(&test, "rollout status deployment/podinfo --timeout=30s").await;
    let history = done(&test, "rollout history deployment/podinfo").await;
    assert!(history.contains("\n1 ") && history.contains("\n2 "), "{history}");
    assert_eq!(done(&test, "rollout undo deployment/podinfo").await, "deployment.apps/podinfo rolled back\n");
    done(&test, "rollout status deployment/podinfo --timeout=30s").await;
    let image = done(&test, "get deployment podinfo -o jsonpath={.spec.template.spec.containers[0].image}").await;
    assert_eq!(image, "stefanprodan/podinfo:1.4.0");
    assert_eq!(done(&test, "rollout restart deployment/podinfo").await, "deployment.apps/podinfo restarted\n");
    done(&test, "rollout status deployment/podinfo --timeout=30s").await;
    done(&test, "scale deployment podinfo --replicas=2").await;
    done(&test, "rollout status deployment/podinfo --timeout=30s").await;
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn marked_patched_and_edited() {
    if !has_kubectl() {
        return;
    }
    let test = ClusterTest::start().await;
    podinfo(&test).await;
    assert_eq!(done(&test, "label deployment podinfo tier=web").await, "deployment.apps/podinfo labeled\n");
    assert_eq!(
        done(&test, "annotate deployment podinfo fluxcd.io/ignore=true").await,
        "deployment.apps/podinfo annotated\n"
    );
    let patch = ["patch", "deployment", "podinfo", "-p", r#"{"spec":{"minReadySeconds":0,"revisionHistoryLimit":3}}"#];
    let patched = run(&test, patch.map(str::to_owned).to_vec()).await;
    assert_eq!((patched.code, patched.out.as_str()), (Some(0), "deployment.apps/podinfo patched\n"));
    let shown =
        done(&test, "get deployment podinfo -L tier -o jsonpath={.metadata.labels.tier}/{.spec.revisionHistoryLimit}")
            .await;
    assert_eq!(shown, "web/3");
    let selected = done(&test, "get deployments -l tier=web -o name").await;
    assert_eq!(selected, "deployment.apps/podinfo\n");
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_and_watched() {
    if !has_kubectl() {
        return;
    }
    let test = ClusterTest::start().await;
    let file = podinfo(&test).await;
    let mut watching = tokio::process::Command::new("kubectl")
        .args(["--namespace", &test.namespace, "get", "pods", "-w", "--output-watch-events"])
        .env("KUBECONFIG", &test.kubeconfig)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let lines = watching.stdout.take().unwrap();
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(lines));
    assert_eq!(done(&test, "delete deployment podinfo").await, "deployment.apps \"podinfo\" deleted\n");
    let gone = kubectl(&test, "get deployment podinfo").await;
    assert_eq!(gone.code, Some(1));
    assert_eq!(gone.err, "Error from server (NotFound): deployments.apps \"podinfo\" not found\n");
    let told = async {
        loop {
            let line = lines.next_line().await.unwrap().expect("the watch goes on");
            if line.contains("DELETED") {
                return line;
            }
        }
    };
    let line = tokio::time::timeout(crate::harness::cluster::PATIENCE, told).await.unwrap();
    assert!(line.contains("podinfo-"), "{line}");
    watching.kill().await.unwrap();
    until("the pods to be gone", || async { done(&test, "get pods -o name").await.is_empty().then_some(()) }).await;
    assert_eq!(done(&test, &format!("apply -f {file}")).await, "deployment.apps/podinfo created\n");
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_and_commands() {
    if !has_kubectl() {
        return;
    }
    let test = ClusterTest::start().await;
    let talker = "\
apiVersion: v1
kind: Pod
metadata: {name: talker}
spec:
  containers:
  - {name: main, image: busybox, command: [sh, -c, 'echo one; echo two; sleep 3600']}
";
    let file = test.file("talker.yaml", talker).display().to_string();
    done(&test, &format!("apply -f {file}")).await;
    done(&test, "wait --for=condition=Ready pod/talker --timeout=30s").await;
    until("the lines", || async {
        let said = kubectl(&test, "logs talker").await;
        (said.out == "one\ntwo\n").then_some(())
    })
    .await;
    assert_eq!(done(&test, "logs talker --tail=1").await, "two\n");
    assert_eq!(done(&test, "exec talker -- echo hello").await, "hello\n");
    let failed = run(&test, ["exec", "talker", "--", "sh", "-c", "exit 3"].map(str::to_owned).to_vec()).await;
    assert_eq!(failed.code, Some(3), "{}", failed.err);
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_named() {
    if !has_kubectl() {
        return;
    }
    let test = ClusterTest::start().await;
    let wrong = test.file("wrong.yaml", &PODINFO.replace("replicas", "replica")).display().to_string();
    let said = kubectl(&test, &format!("apply -f {wrong}")).await;
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("strict decoding error: unknown field \"spec.replica\""), "{}", said.err);
    let bad = test.file("bad.yaml", &PODINFO.replace("name: podinfod", "name: Bad_Name")).display().to_string();
    let said = kubectl(&test, &format!("apply -f {bad}")).await;
    assert!(said.err.contains("spec.template.spec.containers[0].name: Invalid value: \"Bad_Name\""), "{}", said.err);
    let said = kubectl(&test, "create deployment web --image=nginx -n nowhere").await;
    assert!(said.err.contains("namespaces \"nowhere\" not found"), "{}", said.err);
    test.finish().await;
}
