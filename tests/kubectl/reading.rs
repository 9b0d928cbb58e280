//! `get`, `describe`, `logs` and what else only reads; what is expected is what the real kubectl prints.

use serde_json::{Value, json};

use super::fake::{Fake, Said, failed, fine};

const PODS: &str = "GET /api/v1/namespaces/demo/pods";

fn table(columns: &[&str], rows: &[(&[&str], Value)]) -> Value {
    let column = |name: &&str| {
        let plain = name.trim_start_matches('*');
        json!({ "name": plain, "type": "string", "priority": i32::from(plain.len() < name.len()) })
    };
    let row = |(cells, metadata): &(&[&str], Value)| json!({ "cells": cells, "object": { "metadata": metadata } });
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": { "resourceVersion": "42" },
        "columnDefinitions": columns.iter().map(column).collect::<Vec<_>>(),
        "rows": rows.iter().map(row).collect::<Vec<_>>(),
    })
}

const COLUMNS: [&str; 4] = ["Name", "Ready", "Status", "*Node"];

fn pods() -> Value {
    table(
        &COLUMNS,
        &[
            (
                &["web-1", "1/1", "Running", "node-1"],
                json!({ "name": "web-1", "namespace": "demo", "labels": { "app": "web" } }),
            ),
            (&["web-2", "0/1", "ImagePullBackOff", "node-1"], json!({ "name": "web-2", "namespace": "demo" })),
        ],
    )
}

fn empty() -> Value {
    table(&COLUMNS, &[])
}

#[tokio::test]
async fn tables_are_printed_as_the_server_sends_them() {
    let fake = Fake::new().await.answer(&format!("{PODS}?limit=500"), &pods());
    assert_eq!(
        fake.kubectl("get pods").await,
        fine("NAME    READY   STATUS\nweb-1   1/1     Running\nweb-2   0/1     ImagePullBackOff\n")
    );
    assert_eq!(
        fake.kubectl("get po -o wide --show-labels").await,
        fine(
            "NAME    READY   STATUS             NODE     LABELS\nweb-1   1/1     Running            node-1   app=web\n\
             web-2   0/1     ImagePullBackOff   node-1   <none>\n"
        )
    );
    assert_eq!(
        fake.kubectl("get pod --no-headers -L app").await,
        fine("web-1   1/1   Running            web\nweb-2   0/1   ImagePullBackOff   \n")
    );
}

#[tokio::test]
async fn selectors_namespaces_and_several_kinds() {
    let fake = Fake::new()
        .await
        .answer("GET /api/v1/pods?labelSelector=app%3Dweb&limit=500", &pods())
        .answer("GET /api/v1/namespaces/other/pods?fieldSelector=status.phase%3DRunning&limit=500", &empty())
        .answer(&format!("{PODS}?limit=500"), &pods())
        .answer("GET /api/v1/nodes?limit=500", &empty())
        .answer(
            "GET /api/v1/namespaces/demo/services?limit=500",
            &table(&["Name", "Type"], &[(&["web", "ClusterIP"], json!({}))]),
        );
    assert_eq!(
        fake.kubectl("get pods -A -l app=web").await,
        fine(
            "NAMESPACE   NAME    READY   STATUS\ndemo        web-1   1/1     Running\n\
             demo        web-2   0/1     ImagePullBackOff\n"
        )
    );
    let none = |place: &str| Said { code: 0, out: String::new(), err: format!("No resources found{place}\n") };
    assert_eq!(
        fake.kubectl("get pods -n other --field-selector status.phase=Running").await,
        none(" in other namespace.")
    );
    assert_eq!(fake.kubectl("get nodes").await, none(""));
    assert_eq!(
        fake.kubectl("get pods,svc").await,
        fine(
            "NAME        READY   STATUS\npod/web-1   1/1     Running\npod/web-2   0/1     ImagePullBackOff\n\n\
             NAME          TYPE\nservice/web   ClusterIP\n"
        )
    );
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let mut first = pods();
    first["metadata"] = json!({ "continue": "more", "resourceVersion": "42" });
    let second = table(&COLUMNS, &[(&["web-3", "1/1", "Running", "n"], json!({}))]);
    let fake = Fake::new()
        .await
        .answer(&format!("{PODS}?limit=500"), &first)
        .answer(&format!("{PODS}?limit=500&continue=more"), &second);
    let said = fake.kubectl("get pods --no-headers").await;
    assert_eq!(
        said.out.lines().map(|line| line.split(' ').next().unwrap_or("")).collect::<Vec<_>>(),
        ["web-1", "web-2", "web-3"]
    );
}

#[tokio::test]
async fn objects_for_programs() {
    let object = json!({
        "metadata": { "name": "cfg", "namespace": "demo", "managedFields": [{ "manager": "x" }] },
        "data": { "n": "1", "a": "<x>" }, "kind": "ConfigMap", "apiVersion": "v1",
    });
    let mut item = object.clone();
    item.as_object_mut().expect("an object").retain(|member, _| member != "kind" && member != "apiVersion");
    let list =
        json!({ "kind": "ConfigMapList", "apiVersion": "v1", "metadata": { "resourceVersion": "9" }, "items": [item] });
    let one = "GET /api/v1/namespaces/demo/configmaps/cfg";
    let fake = Fake::new().await.answer(one, &object).answer("GET /api/v1/namespaces/demo/configmaps?limit=500", &list);
    let yaml =
        "apiVersion: v1\ndata:\n  a: <x>\n  \"n\": \"1\"\nkind: ConfigMap\nmetadata:\n  name: cfg\n  namespace: demo\n";
    assert_eq!(fake.kubectl("get cm cfg -o yaml").await, fine(yaml));
    let json = "{\n    \"apiVersion\": \"v1\",\n    \"data\": {\n        \"a\": \"\\u003cx\\u003e\",\n        \"n\": \"1\"\n    },\n    \
                \"kind\": \"ConfigMap\",\n    \"metadata\": {\n        \"name\": \"cfg\",\n        \"namespace\": \"demo\"\n    }\n}\n";
    assert_eq!(fake.kubectl("get cm cfg -o json").await, fine(json));
    let indented: String = yaml.lines().skip(1).map(|line| format!("  {line}\n")).collect();
    assert_eq!(
        fake.kubectl("get cm -o yaml").await,
        fine(&format!(
            "apiVersion: v1\nitems:\n- apiVersion: v1\n{indented}kind: List\nmetadata:\n  resourceVersion: \"\"\n"
        ))
    );
    assert_eq!(fake.kubectl("get configmaps -o name").await, fine("configmap/cfg\n"));
    assert_eq!(fake.kubectl("get cm cfg -o jsonpath='{.data.n}{\"\\n\"}'").await, fine("1\n"));
    assert_eq!(fake.kubectl("get cm -o jsonpath='{.items[*].metadata.name}'").await, fine("cfg"));
    assert_eq!(
        fake.kubectl("get cm -o custom-columns=NAME:.metadata.name,X:.data.x").await,
        fine("NAME   X\ncfg    <none>\n")
    );
}

#[tokio::test]
async fn what_is_not_there_is_told_as_kubectl_tells_it() {
    let gone = |name: &str| format!("pods \"{name}\" not found");
    let fake = Fake::new()
        .await
        .refusal(&format!("{PODS}/a"), 404, "NotFound", &gone("a"), &json!({ "name": "a" }))
        .refusal(&format!("{PODS}/b"), 404, "NotFound", &gone("b"), &json!({ "name": "b" }))
        .answer("GET /api/v1/namespaces/demo", &json!({ "kind": "Namespace" }))
        .refusal("GET /api/v1/namespaces/nons/pods/a", 404, "NotFound", &gone("a"), &json!({}))
        .refusal("GET /api/v1/namespaces/nons", 404, "NotFound", "namespaces \"nons\" not found", &json!({}))
        .refusal(&format!("{PODS}?labelSelector=a%20in&limit=500"), 400, "BadRequest", "unable to parse", &json!({}));
    assert_eq!(
        fake.kubectl("get pods a b").await,
        failed(
            "Error from server (NotFound): pods \"a\" not found\nError from server (NotFound): pods \"b\" not found"
        )
    );
    assert_eq!(fake.kubectl("get pod a --ignore-not-found").await, fine(""));
    assert_eq!(
        fake.kubectl("get pod a -n nons").await,
        failed("Error from server (NotFound): namespaces \"nons\" not found")
    );
    assert_eq!(
        fake.kubectl("get pods -l 'a in'").await,
        failed(
            "Error from server (BadRequest): Unable to find \"/v1, Resource=pods\" that match label selector \"a in\", field \
             selector \"\": unable to parse"
        )
    );
    assert_eq!(fake.kubectl("get nope").await, failed("error: the server doesn't have a resource type \"nope\""));
    assert_eq!(
        fake.kubectl("get pods -A a").await,
        failed("error: a resource cannot be retrieved by name across all namespaces")
    );
}

#[tokio::test]
async fn a_watch_goes_on_where_the_list_ended() {
    let event = |kind: &str, status: &str, columns: bool| {
        let mut table = table(&COLUMNS, &[(&["web-1", "1/1", status, "n"], json!({}))]);
        if !columns {
            table["columnDefinitions"] = Value::Null;
        }
        json!({ "type": kind, "object": table })
    };
    let watch = format!("{PODS}?resourceVersion=42&watch=true");
    let fake = Fake::new().await.answer(&format!("{PODS}?limit=500"), &pods()).lines(
        &watch,
        &[event("MODIFIED", "Terminating", true), event("BOOKMARK", "", false), event("DELETED", "Terminating", false)],
    );
    assert_eq!(
        fake.kubectl("get pods -w").await,
        fine(
            "NAME    READY   STATUS\nweb-1   1/1     Running\nweb-2   0/1     ImagePullBackOff\n\
             web-1   1/1     Terminating\nweb-1   1/1     Terminating\n"
        )
    );
    assert_eq!(
        fake.kubectl("get pods --watch-only --output-watch-events").await,
        fine(
            "EVENT      NAME    READY   STATUS\nMODIFIED   web-1   1/1     Terminating\nDELETED    web-1   1/1     Terminating\n"
        )
    );
    let expired = json!({ "type": "ERROR", "object": {
        "kind": "Status", "reason": "Expired", "message": "too old resource version: 42 (99)", "code": 410,
    } });
    let fake = Fake::new().await.answer(&format!("{PODS}?limit=500"), &empty()).lines(&watch, &[expired]);
    assert_eq!(
        fake.kubectl("get pods -w").await,
        failed("Error from server (Expired): too old resource version: 42 (99)")
    );
    assert_eq!(fake.kubectl("get pods,svc -w").await, failed("error: you may only specify a single resource type"));
}

#[tokio::test]
async fn rows_can_be_sorted_by_any_member() {
    let row = |name: &str, restarts: u64| json!({ "cells": [name], "object": { "metadata": { "name": name }, "status": { "restarts": restarts } } });
    let mut table = table(&["Name"], &[]);
    table["rows"] = json!([row("a", 10), row("b", 9), row("c", 11)]);
    let fake = Fake::new().await.answer(&format!("{PODS}?limit=500&includeObject=Object"), &table);
    assert_eq!(fake.kubectl("get pods --sort-by=.status.restarts").await, fine("NAME\nb\na\nc\n"));
}

fn pod(name: &str, containers: &[&str]) -> Value {
    let containers: Vec<_> = containers.iter().map(|name| json!({ "name": name })).collect();
    json!({ "kind": "Pod", "metadata": { "name": name, "namespace": "demo" }, "spec": { "containers": containers } })
}

#[tokio::test]
async fn logs_of_a_pod() {
    let fake = Fake::new()
        .await
        .answer(&format!("{PODS}/talker"), &pod("talker", &["one", "two"]))
        .plain(&format!("{PODS}/talker/log?container=one"), "alpha\nbeta\n")
        .plain(&format!("{PODS}/talker/log?container=two&follow=true&tailLines=1"), "last\nno end")
        .plain(&format!("{PODS}/talker/log?container=two"), "from two\n");
    assert_eq!(
        fake.kubectl("logs talker").await,
        Said { code: 0, out: "alpha\nbeta\n".into(), err: "Defaulted container \"one\" out of: one, two\n".into() }
    );
    assert_eq!(fake.kubectl("logs pod/talker -c two -f --tail=1").await, fine("last\nno end"));
    assert_eq!(
        fake.kubectl("logs talker --all-containers --prefix").await,
        fine("[pod/talker/one] alpha\n[pod/talker/one] beta\n[pod/talker/two] from two\n")
    );
    assert_eq!(
        fake.kubectl("logs talker -c three").await,
        failed("error: container three is not valid for pod talker")
    );
}

#[tokio::test]
async fn logs_of_a_workload_are_those_of_one_of_its_pods() {
    let deployment =
        json!({ "metadata": { "name": "web" }, "spec": { "selector": { "matchLabels": { "app": "web" } } } });
    let list = json!({ "items": [pod("web-1", &["c"]), pod("web-2", &["c"])] });
    let fake = Fake::new()
        .await
        .answer("GET /apis/apps/v1/namespaces/demo/deployments/web", &deployment)
        .answer(&format!("{PODS}?labelSelector=app%3Dweb&limit=500"), &list)
        .answer(&format!("{PODS}?labelSelector=a%3Db&limit=500"), &json!({ "items": [] }))
        .plain(&format!("{PODS}/web-1/log?container=c"), "x\n")
        .answer("GET /api/v1/namespaces/demo", &json!({ "kind": "Namespace" }))
        .refusal(
            "GET /apis/batch/v1/namespaces/demo/jobs/x",
            404,
            "NotFound",
            "jobs.batch \"x\" not found",
            &json!({}),
        );
    assert_eq!(
        fake.kubectl("logs deploy/web").await,
        Said { code: 0, out: "x\n".into(), err: "Found 2 pods, using pod/web-1\n".into() }
    );
    assert_eq!(
        fake.kubectl("logs -l a=b").await,
        Said { code: 0, out: String::new(), err: "No resources found in demo namespace.\n".into() }
    );
    assert_eq!(
        fake.kubectl("logs job/x").await,
        failed("error: error from server (NotFound): jobs.batch \"x\" not found in namespace \"demo\"")
    );
}

#[tokio::test]
async fn a_description_ends_with_what_happened() {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web", "namespace": "demo", "uid": "u" },
        "spec": { "clusterIP": "10.0.0.1" },
    });
    let event = json!({ "type": "Normal", "reason": "Made", "message": "It was made", "source": { "component": "x" } });
    let about = "involvedObject.kind%3DService%2CinvolvedObject.name%3Dweb%2CinvolvedObject.namespace%3Ddemo%2C\
                 involvedObject.uid%3Du";
    let fake = Fake::new().await.answer("GET /api/v1/namespaces/demo/services/web", &service).answer(
        &format!("GET /api/v1/namespaces/demo/events?fieldSelector={about}&limit=500"),
        &json!({ "items": [event] }),
    );
    assert_eq!(
        fake.kubectl("describe svc web").await,
        fine(
            "Name:         web\nNamespace:    demo\nLabels:       <none>\nAnnotations:  <none>\nAPI Version:  v1\n\
             Kind:         Service\nMetadata:\n  UID:  u\nSpec:\n  Cluster IP:  10.0.0.1\nEvents:\n  \
             Type    Reason  Age        From  Message\n  ----    ------  ----       ----  -------\n  \
             Normal  Made    <unknown>  x     It was made\n"
        )
    );
}

#[tokio::test]
async fn versions_and_kinds() {
    let fake = Fake::new().await.answer("GET /version", &json!({ "gitVersion": "v1.36.2" }));
    let said = fake.kubectl("version").await;
    assert!(
        said.out.ends_with("\nServer Version: v1.36.2\n") && said.out.starts_with("Client Version: foredeck "),
        "{said:?}"
    );
    assert_eq!(
        fake.kubectl("api-resources --api-group=apps").await,
        fine(
            "NAME                  SHORTNAMES   APIVERSION   NAMESPACED   KIND\n\
             controllerrevisions                apps/v1      true         ControllerRevision\n\
             daemonsets            ds           apps/v1      true         DaemonSet\n\
             deployments           deploy       apps/v1      true         Deployment\n\
             replicasets           rs           apps/v1      true         ReplicaSet\n\
             statefulsets          sts          apps/v1      true         StatefulSet\n"
        )
    );
    assert!(fake.kubectl("api-versions").await.out.starts_with("admissionregistration.k8s.io/v1\n"));
}

#[tokio::test]
async fn warnings_are_told_once() {
    let endpoints = "GET /api/v1/namespaces/demo/endpoints?limit=500";
    let deprecated = "299 - \"v1 Endpoints is deprecated in v1.33+\"";
    let fake =
        Fake::new().await.answer(endpoints, &table(&["Name"], &[(&["web"], json!({}))])).warning(endpoints, deprecated);
    assert_eq!(
        fake.kubectl("get endpoints,endpoints").await,
        Said { code: 0, out: "NAME\nweb\nweb\n".into(), err: "Warning: v1 Endpoints is deprecated in v1.33+\n".into() }
    );
}

#[tokio::test]
async fn mistakes_are_told_before_anything_is_asked() {
    let fake = Fake::new().await;
    let see = "\nSee 'kubectl get --help' for usage.";
    assert_eq!(fake.kubectl("get pods --nope").await, failed(&format!("error: unknown flag: --nope{see}")));
    assert_eq!(
        fake.kubectl("port-forward svc/x 80").await,
        failed(
            "error: `kubectl port-forward` is not part of the built-in kubectl; install the real one \
             (https://kubernetes.io/docs/tasks/tools)"
        )
    );
    assert_eq!(
        fake.kubectl("get pods -n ../x").await,
        failed("error: invalid resource name \"../x\": [may not contain '/']")
    );
    assert_eq!(fake.asked(), Vec::<String>::new());
    assert!(fake.kubectl("get --help").await.out.contains("--all-namespaces"));
}
