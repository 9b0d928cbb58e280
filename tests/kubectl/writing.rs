//! `apply`, `create`, `delete`, `scale` and what else changes something: the requests, and what is said of them.

use serde_json::{Value, json};

use super::fake::{Fake, Said, failed, fine};

const WEB: &str = "/apis/apps/v1/namespaces/demo/deployments/web";
const CFG: &str = "/api/v1/namespaces/demo/configmaps/cfg";
const APPLIED: &str = "?fieldManager=kubectl&fieldValidation=Strict&force=true";

fn object(kind: &str, name: &str, version: &str) -> Value {
    let group = if kind == "Deployment" { "apps/v1" } else { "v1" };
    json!({
        "apiVersion": group, "kind": kind,
        "metadata": { "name": name, "namespace": "demo", "resourceVersion": version, "uid": format!("uid-{name}") },
    })
}

const MANIFESTS: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\napiVersion: v1\nkind: ConfigMap\n\
                         metadata: {name: cfg}\ndata: {mode: \"0755\", num: 0755}\n";

#[tokio::test]
async fn applying_says_what_became_of_each_object() {
    let fake = Fake::new()
        .await
        .answer(&format!("GET {WEB}"), &object("Deployment", "web", "1"))
        .answer(&format!("PATCH {WEB}{APPLIED}"), &object("Deployment", "web", "1"))
        .created(&format!("PATCH {CFG}{APPLIED}"), &object("ConfigMap", "cfg", "2"));
    assert_eq!(
        fake.kubectl_with("apply -f -", MANIFESTS).await,
        fine("deployment.apps/web unchanged\nconfigmap/cfg created\n")
    );
    assert_eq!(
        fake.asked(),
        [
            format!("GET {WEB}"),
            format!(
                "PATCH {WEB}{APPLIED} application/apply-patch+yaml {}",
                r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"demo"}}"#
            ),
            format!("GET {CFG}"),
            format!(
                "PATCH {CFG}{APPLIED} application/apply-patch+yaml {}",
                r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"cfg","namespace":"demo"},"data":{"mode":"0755","num":493}}"#
            ),
        ]
    );
    let fake = Fake::new()
        .await
        .answer(&format!("GET {CFG}"), &object("ConfigMap", "cfg", "1"))
        .answer(&format!("PATCH {CFG}{APPLIED}"), &object("ConfigMap", "cfg", "2"))
        .answer(
            &format!("PATCH {CFG}?dryRun=All&fieldManager=kubectl&fieldValidation=Warn&force=false"),
            &object("ConfigMap", "cfg", "1"),
        );
    let manifest = MANIFESTS.split("---\n").nth(1).unwrap();
    assert_eq!(fake.kubectl_with("apply -f -", manifest).await, fine("configmap/cfg configured\n"));
    assert_eq!(fake.kubectl_with("apply -f - -o name", manifest).await, fine("configmap/cfg\n"));
    assert_eq!(
        fake.kubectl_with("apply --server-side --dry-run=server --validate=warn -f -", manifest).await,
        fine("configmap/cfg serverside-applied (server dry run)\n")
    );
    assert_eq!(
        fake.kubectl_with("apply --dry-run=client -f -", manifest).await,
        fine("configmap/cfg configured (dry run)\n")
    );
}

#[tokio::test]
async fn what_is_wrong_with_one_object_does_not_stop_the_others() {
    let invalid =
        json!({ "kind": "ConfigMap", "name": "Bad", "causes": [{ "field": "metadata.name", "message": "no" }] });
    let bad = "/api/v1/namespaces/demo/configmaps/Bad";
    let other = "/api/v1/namespaces/other/configmaps/x";
    let fake = Fake::new()
        .await
        .refusal(&format!("PATCH {bad}{APPLIED}"), 422, "Invalid", "m", &invalid)
        .refusal(&format!("PATCH {other}{APPLIED}"), 404, "NotFound", "namespaces \"other\" not found", &json!({}))
        .created(&format!("PATCH {CFG}{APPLIED}"), &object("ConfigMap", "cfg", "2"));
    let manifests = "{apiVersion: v1, kind: ConfigMap, metadata: {name: Bad}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: \
                     {name: x, namespace: other}}\n---\n{apiVersion: v1, kind: Widget, metadata: {name: w}}\n---\n{apiVersion: \
                     v1, kind: ConfigMap, metadata: {name: cfg}}\n---\n{kind: ConfigMap}\n";
    let expected = "The ConfigMap \"Bad\" is invalid: metadata.name: no\nError from server (NotFound): error when creating \
                    \"STDIN\": namespaces \"other\" not found\nresource mapping not found for name: \"w\" namespace: \"\" from \
                    \"STDIN\": no matches for kind \"Widget\" in version \"v1\"\nensure CRDs are installed first\nerror validating \
                    \"STDIN\": error validating data: apiVersion not set; if you choose to ignore these errors, turn validation off \
                    with --validate=false\n";
    assert_eq!(
        fake.kubectl_with("apply -f -", &format!("# none\n---\n{manifests}")).await,
        Said { code: 1, out: "configmap/cfg created\n".into(), err: expected.into() }
    );
    assert_eq!(
        fake.kubectl_with(
            "apply -f - -n demo",
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: other}}"
        )
        .await,
        failed(
            "error: the namespace from the provided object \"other\" does not match the namespace \"demo\". You must pass \
             '--namespace=other' to perform this operation."
        )
    );
    assert_eq!(
        fake.kubectl_with("apply -f -", "a: b: c").await,
        failed(
            "error: error parsing STDIN: error converting YAML to JSON: yaml: line 1: mapping values are not allowed in this \
             context"
        )
    );
    for (line, expected) in [
        ("apply", "error: must specify one of -f and -k"),
        ("apply -f -", "error: no objects passed to apply"),
        ("apply -f /no/such.yaml", "error: the path \"/no/such.yaml\" does not exist"),
        ("apply -k .", "error: the built-in kubectl has no kustomize; use the real kubectl, or name files with -f"),
    ] {
        assert_eq!(fake.kubectl(line).await, failed(expected), "{line}");
    }
}

#[tokio::test]
async fn a_new_kind_of_objects_is_known_as_soon_as_the_server_has_it() {
    let thing =
        json!({ "resource": "things", "responseKind": { "kind": "Thing" }, "scope": "Namespaced", "verbs": ["get"] });
    let group = json!({
        "metadata": { "name": "x.io" }, "versions": [{ "version": "v1", "resources": [thing] }],
    });
    let crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.x.io";
    let path = "/apis/x.io/v1/namespaces/demo/things/t";
    let mut definition = object("CustomResourceDefinition", "things.x.io", "1");
    definition["apiVersion"] = "apiextensions.k8s.io/v1".into();
    let fake = Fake::new()
        .await
        .created(&format!("PATCH {crd}{APPLIED}"), &definition)
        .created(&format!("PATCH {path}{APPLIED}"), &object("Thing", "t", "2"));
    // The second time the server is asked it has the new group, too.
    let mut groups = fake.discovery();
    groups["items"].as_array_mut().expect("a list").push(group);
    let fake = fake.answer("GET /apis", &groups);
    let manifests = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.x.io}\n---\n\
                     apiVersion: x.io/v1\nkind: Thing\nmetadata: {name: t}\n";
    assert_eq!(
        fake.kubectl_with("apply -f -", manifests).await,
        fine("customresourcedefinition.apiextensions.k8s.io/things.x.io created\nthing.x.io/t created\n")
    );
}

#[tokio::test]
async fn a_conflict_says_what_can_be_done() {
    let message = "Apply failed with 1 conflict: conflict with \"kubectl-create\" using v1: .data.x";
    let address = format!("PATCH {CFG}?fieldManager=kubectl&fieldValidation=Strict&force=false");
    let fake = Fake::new().await.answer(&format!("GET {CFG}"), &object("ConfigMap", "cfg", "1")).refusal(
        &address,
        409,
        "Conflict",
        message,
        &json!({}),
    );
    let said =
        fake.kubectl_with("apply --server-side -f -", "{apiVersion: v1, kind: ConfigMap, metadata: {name: cfg}}").await;
    assert!(said.err.starts_with(&format!("error: {message}\nPlease review the fields above--")), "{}", said.err);
    assert!(said.err.contains("`--force-conflicts`"), "{}", said.err);
}

#[tokio::test]
async fn simple_objects_are_made_by_flags() {
    let made = "?fieldManager=kubectl-create&fieldValidation=Strict";
    let maps = "/api/v1/namespaces/demo/configmaps";
    let fake = Fake::new()
        .await
        .created(&format!("POST /api/v1/namespaces{made}"), &json!({ "metadata": { "name": "n" } }))
        .created(&format!("POST {maps}{made}"), &object("ConfigMap", "c", "1"))
        .created(&format!("POST /apis/apps/v1/namespaces/demo/deployments{made}"), &object("Deployment", "web", "1"))
        .refusal(
            &format!("POST /api/v1/namespaces/demo/secrets{made}"),
            409,
            "AlreadyExists",
            "secrets \"s\" already exists",
            &json!({}),
        );
    assert_eq!(fake.kubectl("create ns n").await, fine("namespace/n created\n"));
    assert_eq!(fake.kubectl("create cm c --from-literal=a=b=c --from-literal d=").await, fine("configmap/c created\n"));
    assert_eq!(
        fake.kubectl("create deployment web --image=nginx:1.25 --replicas=2 --port 80").await,
        fine("deployment.apps/web created\n")
    );
    assert_eq!(
        fake.kubectl("create secret generic s --from-literal=k=v").await,
        failed("error: failed to create secret: secrets \"s\" already exists")
    );
    let bodies: Vec<String> =
        fake.asked().into_iter().filter_map(|r| r.split_once("json ").map(|(_, body)| body.into())).collect();
    assert_eq!(
        bodies[..3],
        [
            r#"{"metadata":{"name":"n"},"apiVersion":"v1","kind":"Namespace"}"#,
            r#"{"metadata":{"name":"c","namespace":"demo"},"data":{"a":"b=c","d":""},"apiVersion":"v1","kind":"ConfigMap"}"#,
            r#"{"metadata":{"labels":{"app":"web"},"name":"web","namespace":"demo"},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"nginx","image":"nginx:1.25","ports":[{"containerPort":80}]}]}}},"apiVersion":"apps/v1","kind":"Deployment"}"#,
        ]
    );
    assert_eq!(fake.kubectl("create cm x --dry-run=client").await, fine("configmap/x created (dry run)\n"));
    for (line, expected) in [
        (
            "create ns",
            "error: exactly one NAME is required, got 0\nSee 'kubectl create namespace -h' for help and examples",
        ),
        ("create deployment d", "error: required flag(s) \"image\" not set"),
        ("create cm c --from-literal=a", "error: invalid literal source a, expected key=value"),
        ("create cm c --from-file=/no/such", "error: error reading /no/such: no such file or directory"),
    ] {
        assert_eq!(fake.kubectl(line).await, failed(expected), "{line}");
    }
}

#[tokio::test]
async fn deleting_waits_until_the_object_is_gone() {
    let gone = json!({ "kind": "Status", "status": "Success", "details": { "name": "web", "uid": "uid-web" } });
    let watch = "GET /apis/apps/v1/namespaces/demo/deployments?fieldSelector=metadata.name%3Dweb&resourceVersion=7&\
                 timeoutSeconds=300&watch=true";
    let fake = Fake::new()
        .await
        .answer(&format!("DELETE {WEB}"), &gone)
        .answer(&format!("GET {WEB}"), &object("Deployment", "web", "7"))
        .lines(
            watch,
            &[
                json!({ "type": "MODIFIED", "object": object("Deployment", "web", "8") }),
                json!({ "type": "DELETED", "object": object("Deployment", "web", "9") }),
            ],
        );
    assert_eq!(fake.kubectl("delete deployment web").await, fine("deployment.apps \"web\" deleted\n"));
    let options = r#"{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background"}"#;
    assert_eq!(
        fake.asked(),
        [format!("DELETE {WEB} application/json {options}"), format!("GET {WEB}"), watch.to_owned()]
    );
    assert_eq!(
        fake.kubectl("delete deploy/web --wait=false --cascade=orphan --grace-period=5 -o name").await,
        fine("deployment.apps/web\n")
    );
    let options = r#"{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Orphan","gracePeriodSeconds":5}"#;
    assert_eq!(fake.asked().last(), Some(&format!("DELETE {WEB} application/json {options}")));
    // Another object with the name is no reason to wait.
    let fake = Fake::new().await.answer(&format!("DELETE {WEB}"), &gone).answer(&format!("GET {WEB}"), &{
        let mut other = object("Deployment", "web", "9");
        other["metadata"]["uid"] = "another".into();
        other
    });
    assert_eq!(fake.kubectl("delete deployment web").await, fine("deployment.apps \"web\" deleted\n"));
}

#[tokio::test]
async fn deleting_by_labels_files_and_not_at_all() {
    let list = json!({ "kind": "ConfigMapList", "items": [{ "metadata": { "name": "a", "namespace": "demo" } }] });
    let maps = "/api/v1/namespaces/demo/configmaps";
    let fake = Fake::new()
        .await
        .answer(&format!("GET {maps}?labelSelector=x%3Dy&limit=500"), &list)
        .answer(&format!("GET {maps}?labelSelector=x%3Dz&limit=500"), &json!({ "items": [] }))
        .answer(&format!("DELETE {maps}/a"), &json!({ "kind": "Status", "details": {} }))
        .refusal(&format!("DELETE {maps}/b"), 404, "NotFound", "configmaps \"b\" not found", &json!({}));
    assert_eq!(fake.kubectl("delete cm -l x=y").await, fine("configmap \"a\" deleted\n"));
    assert_eq!(fake.kubectl("delete cm -l x=z").await, fine("No resources found\n"));
    assert_eq!(fake.kubectl("delete cm b").await, failed("Error from server (NotFound): configmaps \"b\" not found"));
    assert_eq!(fake.kubectl("delete cm b --ignore-not-found").await, fine(""));
    assert_eq!(
        fake.kubectl_with("delete -f -", "{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}").await,
        failed("Error from server (NotFound): error when deleting \"STDIN\": configmaps \"b\" not found")
    );
    assert_eq!(
        fake.kubectl("delete cm a --force").await,
        Said {
            code: 0,
            out: "configmap \"a\" force deleted\n".into(),
            err: "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The \
                  resource may continue to run on the cluster indefinitely.\n"
                .into(),
        }
    );
    assert_eq!(fake.kubectl("delete cm").await, failed("error: resource(s) were provided, but no name was specified"));
    assert_eq!(
        fake.kubectl("delete cm a -l x=y").await,
        failed("error: name cannot be provided when a selector is specified")
    );
}

#[tokio::test]
async fn scaling() {
    let mut web = object("Deployment", "web", "1");
    web["spec"] = json!({ "replicas": 2 });
    let gone = "deployments.apps \"nope\" not found";
    let fake = Fake::new()
        .await
        .answer(&format!("GET {WEB}"), &web)
        .answer(&format!("PATCH {WEB}/scale"), &json!({ "kind": "Scale" }))
        .answer("GET /api/v1/namespaces/demo", &json!({}))
        .refusal(
            "GET /apis/apps/v1/namespaces/demo/deployments/nope",
            404,
            "NotFound",
            gone,
            &json!({ "name": "nope" }),
        );
    assert_eq!(fake.kubectl("scale deployment web --replicas=3").await, fine("deployment.apps/web scaled\n"));
    let patched = format!("PATCH {WEB}/scale application/merge-patch+json {}", r#"{"spec":{"replicas":3}}"#);
    assert_eq!(fake.asked().last(), Some(&patched));
    for (line, expected) in [
        ("scale deploy web --replicas=1 --current-replicas=5", "error: Expected replicas to be 5, was 2"),
        (
            "scale deploy web --replicas=-1",
            "error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        ),
        ("scale deploy nope --replicas=1", "error: no objects passed to scale deployments.apps \"nope\" not found"),
        ("scale deploy web", "error: required flag(s) \"replicas\" not set"),
    ] {
        assert_eq!(fake.kubectl(line).await, failed(expected), "{line}");
    }
}

#[tokio::test]
async fn labels_and_annotations() {
    let mut cfg = object("ConfigMap", "cfg", "1");
    cfg["metadata"]["labels"] = json!({ "tier": "front" });
    cfg["metadata"]["annotations"] = json!({ "note": "x" });
    let fake = Fake::new()
        .await
        .answer(&format!("GET {CFG}"), &cfg)
        .answer(&format!("PATCH {CFG}?fieldManager=kubectl-label"), &cfg)
        .answer(&format!("PATCH {CFG}?fieldManager=kubectl-annotate"), &cfg);
    for (line, out) in [
        ("label cm cfg new=1 tier=front", "configmap/cfg labeled\n"),
        ("label cm cfg tier=front", "configmap/cfg not labeled\n"),
        ("label cm cfg tier=back --overwrite", "configmap/cfg labeled\n"),
        ("label cm cfg tier-", "configmap/cfg unlabeled\n"),
        ("label cm cfg gone-", "label \"gone\" not found.\nconfigmap/cfg not labeled\n"),
        ("label cm cfg --list", "tier=front\n"),
        ("annotate cm/cfg 'note=hello world' --overwrite", "configmap/cfg annotated\n"),
        ("annotate cm cfg gone-", "configmap/cfg annotated\n"),
        ("annotate cm cfg a=b --dry-run=client", "configmap/cfg annotated (dry run)\n"),
    ] {
        assert_eq!(fake.kubectl(line).await, fine(out), "{line}");
    }
    let bodies: Vec<String> =
        fake.asked().into_iter().filter_map(|r| r.split_once("json ").map(|(_, body)| body.into())).collect();
    assert_eq!(
        bodies,
        [
            r#"{"metadata":{"labels":{"new":"1"}}}"#,
            r#"{"metadata":{"labels":{"tier":"back"}}}"#,
            r#"{"metadata":{"labels":{"tier":null}}}"#,
            r#"{"metadata":{"annotations":{"note":"hello world"}}}"#,
        ]
    );
    assert_eq!(
        fake.kubectl("label cm cfg tier=back").await,
        failed("error: 'tier' already has a value (front), and --overwrite is false")
    );
}

#[tokio::test]
async fn patches_and_images() {
    let mut web = object("Deployment", "web", "1");
    web["spec"] = json!({ "template": { "spec": { "containers": [{ "name": "nginx", "image": "nginx:1" }] } } });
    let mut after = web.clone();
    after["metadata"]["resourceVersion"] = "2".into();
    let fake = Fake::new()
        .await
        .answer(&format!("GET {WEB}"), &web)
        .answer(&format!("PATCH {WEB}?fieldManager=kubectl-patch"), &after)
        .answer(&format!("PATCH {WEB}?fieldManager=kubectl-patch"), &web)
        .answer(&format!("PATCH {WEB}?fieldManager=kubectl-set"), &after);
    let line = "patch deploy web -p '{\"spec\":{\"replicas\":2}}'";
    assert_eq!(fake.kubectl(line).await, fine("deployment.apps/web patched\n"));
    assert_eq!(fake.kubectl(line).await, fine("deployment.apps/web patched (no change)\n"));
    assert_eq!(
        fake.asked().last(),
        Some(&format!(
            "PATCH {WEB}?fieldManager=kubectl-patch application/strategic-merge-patch+json {}",
            r#"{"spec":{"replicas":2}}"#
        ))
    );
    assert_eq!(
        fake.kubectl("set image deployment/web nginx=nginx:2").await,
        fine("deployment.apps/web image updated\n")
    );
    assert_eq!(fake.kubectl("set image deployment/web nginx=nginx:1").await, fine(""));
    assert_eq!(fake.kubectl("set image deploy/web x=y").await, failed("error: unable to find container named \"x\""));
}
