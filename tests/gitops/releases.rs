//! Helm releases: repositories over HTTP, sources of Flux 2, hooks, histories, values, owners, the `helm` program.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use foredeck::gitops::helm::{Program, Shelf, Sources};
use foredeck::helm::archive;
use foredeck::helm::record::Record;
use foredeck::sandbox::charts;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::helm::{HelmTest, OPERATOR, TOOLKIT, text};
use crate::harness::cluster::until;
use crate::harness::registry::{Fake, answer};

const SOURCES: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/demo";

/// A chart of one ConfigMap, and whatever else is given.
fn chart(version: &str, more: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ .Values.name }}\"}\n\
        data: {word: \"{{ .Values.word }}\", version: \"{{ .Chart.Version }}\"}\n";
    let about = format!("apiVersion: v2\nname: tiny\nversion: {version}\n");
    let all =
        [("Chart.yaml", about.as_str()), ("values.yaml", "name: tiny\nword: usual\n"), ("templates/map.yaml", map)];
    let all = all.iter().chain(more);
    all.map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

/// A shelf of that chart, under one address.
fn shelf(more: &[(&str, &str)]) -> Sources {
    let mut shelf = Shelf::new(["https://charts.test".to_owned(), "oci://registry.test/charts".to_owned()]);
    for version in ["1.0.0", "1.1.0"] {
        shelf.put(chart(version, more)).expect("a chart");
    }
    Sources { shelf: Arc::new(shelf), ..Sources::default() }
}

fn tiny(name: &str, spec: Value) -> Value {
    let mut all = json!({"releaseName": name,
        "chart": {"repository": "https://charts.test", "name": "tiny", "version": "1.0.0"}});
    for (key, value) in spec.as_object().expect("an object") {
        all[key] = value.clone();
    }
    json!({"apiVersion": "helm.fluxcd.io/v1", "kind": "HelmRelease", "metadata": {"name": name, "namespace": "demo"}, "spec": all})
}

fn releases() -> String {
    format!("{OPERATOR}/namespaces/demo/helmreleases")
}

impl HelmTest {
    async fn map(&self, name: &str) -> Option<Value> {
        self.get("/api/v1/namespaces/demo/configmaps", name).await
    }
}

/// A chart repository, which wants a password below `/closed`.
async fn repository() -> Fake {
    let packed = archive::pack("tiny", &chart("2.1.0", &[])).expect("an archive");
    let digest: String = Sha256::digest(&packed).iter().map(|byte| format!("{byte:02x}")).collect();
    Fake::new(move |host, request| {
        let entry =
            |version: &str, url: &str, digest: &str| json!({"version": version, "urls": [url], "digest": digest});
        let index = json!({"apiVersion": "v1", "entries": {
            "tiny": [entry("2.0.0", "gone.tgz", ""), entry("2.1.0", "tiny.tgz", &digest)],
            "absolute": [entry("1.0.0", &format!("http://{host}/open/tiny.tgz"), "")],
            "forged": [entry("1.0.0", "tiny.tgz", &"0".repeat(64))],
            "far": [entry("1.0.0", "https://charts.example.com/far.tgz", "")]}});
        // ada:secret
        let is_let_in = request.headers().get("authorization").is_some_and(|value| value == "Basic YWRhOnNlY3JldA==");
        match request.uri().path() {
            path if path.starts_with("/closed") && !is_let_in => answer(401, &[], ""),
            path if path.ends_with("/index.yaml") => answer(200, &[], index.to_string()),
            path if path.ends_with("/tiny.tgz") => answer(200, &[], packed.clone()),
            _ => answer(404, &[], ""),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_come_from_repositories_on_this_machine() {
    let repository = repository().await;
    let test = HelmTest::with("demo", Sources::default()).await;
    let at = |path: &str, name: &str, version: &str| json!({"chart": {"repository": format!("http://{}/{path}", repository.host), "name": name, "version": version}});
    test.apply(&releases(), &tiny("good", at("open", "tiny", "2.x"))).await;
    test.shown("good", "the release", |view| view.good == Some(true) && view.version == "2.1.0").await;
    assert_eq!(test.map("tiny").await.expect("the map")["data"]["version"], "2.1.0");
    let wrong = [
        ("closed", at("closed", "tiny", ""), "is not for us (401)"),
        ("missing", at("open", "tiny", "2.0.0"), "failed to fetch"),
        ("unknown", at("open", "nothing", ""), "chart \"nothing\" not found"),
        ("newer", at("open", "tiny", "9"), "there are 2.0.0, 2.1.0"),
        ("forged", at("open", "forged", ""), "digest mismatch"),
        ("other", at("open", "absolute", ""), "is the chart \"tiny\", not \"absolute\""),
        ("far", at("open", "far", ""), "repositories on this machine alone"),
    ];
    for (name, spec, why) in &wrong {
        test.apply(&releases(), &tiny(name, spec.clone())).await;
        let view = test.shown(name, why, |view| view.status == "ChartFetchFailed").await;
        assert!(view.message.contains(why), "{name}: {}", view.message);
    }
    // With a password, as Flux 2 names it.
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "demo"},
        "stringData": {"username": "ada", "password": "secret"}});
    test.apply("/api/v1/namespaces/demo/secrets", &secret).await;
    let source = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
        "metadata": {"name": "closed", "namespace": "demo"},
        "spec": {"url": format!("http://{}/closed", repository.host), "secretRef": {"name": "login"}}});
    test.apply(&format!("{SOURCES}/helmrepositories"), &source).await;
    let release = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "known", "namespace": "demo"}, "spec": {"values": {"name": "known"}, "chart": {"spec":
        {"chart": "tiny", "version": ">=2", "sourceRef": {"kind": "HelmRepository", "name": "closed"}}}}});
    test.apply(&format!("{TOOLKIT}/namespaces/demo/helmreleases"), &release).await;
    test.shown("known", "the release", |view| view.status == "InstallSucceeded").await;
    assert!(test.map("known").await.is_some());
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_of_flux_2_name_charts() {
    let test = HelmTest::with("demo", shelf(&[])).await;
    let path = format!("{TOOLKIT}/namespaces/demo/helmreleases");
    let source = |kind: &str, name: &str, spec: Value| {
        json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": kind,
            "metadata": {"name": name, "namespace": "demo"}, "spec": spec})
    };
    let repository = source("HelmRepository", "charts", json!({"url": "https://charts.test"}));
    let reference = json!({"kind": "HelmRepository", "name": "charts"});
    let picked = source("HelmChart", "picked", json!({"chart": "tiny", "version": "1.0.x", "sourceRef": reference}));
    let image =
        source("OCIRepository", "image", json!({"url": "oci://registry.test/charts/tiny", "ref": {"semver": ">=1.0"}}));
    test.apply(&format!("{SOURCES}/helmrepositories"), &repository).await;
    test.apply(&format!("{SOURCES}/helmcharts"), &picked).await;
    test.apply(&format!("{SOURCES}/ocirepositories"), &image).await;
    for (name, kind, version) in [("picked", "HelmChart", "1.0.0"), ("image", "OCIRepository", "1.1.0")] {
        let release = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": name, "namespace": "demo"},
            "spec": {"chartRef": {"kind": kind, "name": name}, "values": {"name": name},
                "driftDetection": {"mode": "enabled"}}});
        test.apply(&path, &release).await;
        test.shown(name, kind, |view| view.status == "InstallSucceeded" && view.version == version).await;
        assert_eq!(test.map(name).await.expect("the map")["data"]["version"], version);
    }
    // What is asked for and not done is said.
    let events = test.list("/api/v1/namespaces/demo/events").await;
    let told = events.iter().filter(|event| event["reason"] == "NotSupported");
    let told: Vec<&str> = told.map(|event| text(&event["message"])).collect();
    assert_eq!(told, ["not acted on here: spec.driftDetection.mode"; 2]);
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_run_in_order_and_go_as_they_say() {
    let hook = |name: &str, event: &str, weight: &str, policy: &str, data: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations:\n    helm.sh/hook: {event}\n    \
             helm.sh/hook-weight: \"{weight}\"\n    helm.sh/hook-delete-policy: {policy}\ndata: {{at: {data}}}\n---\n"
        )
    };
    // The second needs the first: it takes its place.
    let hooks = hook("same", "pre-install", "5", "before-hook-creation", "late")
        + &hook("same", "pre-install,pre-upgrade", "-5", "before-hook-creation", "early")
        + &hook("passing", "post-install", "0", "hook-succeeded", "x")
        + "{{- if .Values.fails }}\napiVersion: v1\nkind: Service\nmetadata:\n  name: refused\n  annotations: {helm.sh/hook: \"pre-install, pre-upgrade\"}\nspec: {ports: [{port: 99999}]}\n{{- end }}\n";
    let test = HelmTest::with("demo", shelf(&[("templates/hooks.yaml", &hooks)])).await;
    test.apply(&releases(), &tiny("web", json!({}))).await;
    test.shown("web", "the release", |view| view.good == Some(true)).await;
    assert_eq!(test.map("same").await.expect("the hook")["data"]["at"], "late");
    assert!(test.map("passing").await.is_none());
    // Hooks are no part of the release; a failed one ends an upgrade before anything of it is made.
    test.apply(&releases(), &tiny("web", json!({"values": {"fails": true, "word": "other"}}))).await;
    let view = test.shown("web", "the failure", |view| view.good == Some(false) && view.revision == 2).await;
    assert!(view.message.contains("failed pre-upgrade"), "{}", view.message);
    assert_eq!(test.map("tiny").await.expect("the map")["data"]["word"], "usual");
    test.apply(&releases(), &tiny("new", json!({"values": {"fails": true, "name": "new"}}))).await;
    let view = test.shown("new", "the failure", |view| view.status == "Failed").await;
    assert!(view.message.contains("failed pre-install"), "{}", view.message);
    assert!(test.map("new").await.is_none());
    test.delete(&releases(), "web").await;
    until("the release to be gone", || async { test.get(&releases(), "web").await.is_none().then_some(()) }).await;
    assert!(test.map("tiny").await.is_none());
    assert!(test.map("same").await.is_some());
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_are_short_and_values_come_from_all_places() {
    let test = HelmTest::with("demo", shelf(&[("extra.yaml", "word: from the chart\nname: extra\n")])).await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "values", "namespace": "demo"},
        "stringData": {"own.yaml": "word: from the secret\n"}});
    test.apply("/api/v1/namespaces/demo/secrets", &secret).await;
    let file = json!({"chartFileRef": {"path": "extra.yaml"}});
    let key = json!({"secretKeyRef": {"name": "values", "key": "own.yaml"}});
    test.apply(&releases(), &tiny("web", json!({"valuesFrom": [key, file], "maxHistory": 2}))).await;
    test.shown("web", "the release", |view| view.good == Some(true)).await;
    assert_eq!(test.map("extra").await.expect("the map")["data"]["word"], "from the chart");
    test.apply(&releases(), &tiny("web", json!({"valuesFrom": [file, key], "maxHistory": 2}))).await;
    test.shown("web", "the other order", |view| view.good == Some(true) && view.revision == 2).await;
    assert_eq!(test.map("extra").await.expect("the map")["data"]["word"], "from the secret");
    for revision in 3..=4 {
        let values = json!({"word": format!("number {revision}")});
        test.apply(&releases(), &tiny("web", json!({"valuesFrom": [file], "values": values, "maxHistory": 2}))).await;
        test.shown("web", "the next", |view| view.good == Some(true) && view.revision == revision).await;
    }
    let expected = [(3, "superseded".to_owned()), (4, "deployed".to_owned())];
    assert_eq!(test.history("demo").await, expected);
    let missing = json!({"valuesFrom": [{"chartFileRef": {"path": "none.yaml"}}]});
    test.apply(&releases(), &tiny("none", missing)).await;
    let view = test.shown("none", "the missing file", |view| view.good == Some(false)).await;
    assert!(view.message.contains("the chart has no file \"none.yaml\""), "{}", view.message);
    let optional =
        json!({"valuesFrom": [{"chartFileRef": {"path": "none.yaml", "optional": true}}], "values": {"name": "none"}});
    test.apply(&releases(), &tiny("none", optional)).await;
    test.shown("none", "the release", |view| view.good == Some(true)).await;
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_another_release_are_left_alone() {
    let test = HelmTest::with("demo", shelf(&[])).await;
    test.apply(&releases(), &tiny("first", json!({}))).await;
    test.shown("first", "the release", |view| view.good == Some(true)).await;
    test.apply(&releases(), &tiny("second", json!({"values": {"word": "stolen"}}))).await;
    let view = test.shown("second", "the refusal", |view| view.good == Some(false)).await;
    assert!(view.message.contains("release appears to be managed by 'demo:helmrelease/first'"), "{}", view.message);
    assert_eq!(test.map("tiny").await.expect("the map")["data"]["word"], "usual");
    test.delete(&releases(), "second").await;
    until("it to be gone", || async { test.get(&releases(), "second").await.is_none().then_some(()) }).await;
    assert!(test.map("tiny").await.is_some());
    test.finish().await;
}

/// A program in the place of `helm` that writes down what it was asked.
fn stand_in(folder: &Path, fails: bool) -> Program {
    let file = folder.join("helm");
    let heard = folder.join("heard");
    let ends = if fails {
        "echo 'Error: it does not like this' >&2; exit 1"
    } else {
        "cat <<END\n---\n# Source: tiny/templates/map.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: by-helm}\n---\n# Source: tiny/templates/hook.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: hook, annotations: {helm.sh/hook: pre-install}}\nEND"
    };
    let script = format!(
        "#!/bin/sh\nPATH=/usr/bin:/bin\nif [ \"$1\" = version ]; then echo v9.9.9; exit; fi\necho \"$@\" >> {heard}\nenv >> {heard}\nls \"$3\" >> {heard}\n{ends}\n",
        heard = heard.display()
    );
    std::fs::write(&file, script).expect("a script");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("a program");
    Program::new(file, folder.join("home"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_helm_program_renders_where_it_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let sources = Sources { helm: Some(stand_in(folder.path(), false)), ..shelf(&[]) };
    let test = HelmTest::with("demo", sources).await;
    test.apply(&releases(), &tiny("web", json!({"values": {"word": "w"}}))).await;
    test.shown("web", "the release", |view| view.good == Some(true)).await;
    assert!(test.map("by-helm").await.is_some() && test.map("hook").await.is_some());
    let release = test.get(&releases(), "web").await.expect("the HelmRelease");
    assert_eq!(
        text(&release["status"]["conditions"][0]["message"]),
        "chart fetched: tiny-1.0.0, rendered by helm v9.9.9"
    );
    let heard = std::fs::read_to_string(folder.path().join("heard")).expect("what it was asked");
    assert!(heard.starts_with("template web "), "{heard}");
    for part in [
        "--namespace demo",
        "--values ",
        "--kube-version v1.",
        "--api-versions apps/v1 ",
        "Chart.yaml\n",
        "KUBECONFIG=",
    ] {
        assert!(heard.contains(part), "{part}: {heard}");
    }
    // Nothing of the user's: neither kubeconfig nor home.
    let home = std::env::var("HOME").expect("a home");
    assert!(!heard.lines().any(|line| line == format!("HOME={home}")), "{heard}");
    // One release may ask for the engine.
    let mut engine = tiny("engine", json!({}));
    engine["metadata"]["annotations"] = json!({"foredeck.dev/helm-renderer": "engine"});
    test.apply(&releases(), &engine).await;
    test.shown("engine", "the release", |view| view.good == Some(true)).await;
    assert!(test.map("tiny").await.is_some());
    let left = std::fs::read_dir(folder.path().join("home")).expect("its home").count();
    assert_eq!(left, 0);
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_helm_program_says_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let sources = Sources { helm: Some(stand_in(folder.path(), true)), ..shelf(&[]) };
    let test = HelmTest::with("demo", sources).await;
    test.apply(&releases(), &tiny("web", json!({}))).await;
    let view = test.shown("web", "the failure", |view| view.good == Some(false)).await;
    assert!(view.message.contains("helm: it does not like this"), "{}", view.message);
    test.finish().await;
}

/// The real helm and the engine make the same release, where there is a helm.
#[tokio::test(flavor = "multi_thread")]
async fn the_real_helm_and_the_engine_agree() {
    let Some(helm) = foredeck::cluster::process::find("helm", std::env::var_os("PATH").as_deref(), &[]) else {
        eprintln!("skipped: helm is missing");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::new(helm, folder.path().join("home"));
    let test =
        HelmTest::with("demo", Sources { helm: Some(program), shelf: charts::shelf(), ..Sources::default() }).await;
    let release = |name: &str, renderer: &str| {
        json!({"apiVersion": "helm.fluxcd.io/v1", "kind": "HelmRelease",
            "metadata": {"name": name, "namespace": "demo", "annotations": {"foredeck.dev/helm-renderer": renderer}},
            "spec": {"releaseName": name, "values": {"cache": {"enabled": true}, "hpa": {"enabled": true}},
                "chart": {"repository": "https://charts.helm.sh/stable", "name": "podinfo", "version": "6.5.0"}}})
    };
    let mut manifests = Vec::new();
    for (name, renderer) in [("aa", "helm"), ("bb", "engine")] {
        test.apply(&releases(), &release(name, renderer)).await;
        test.shown(name, renderer, |view| view.good == Some(true)).await;
        let secrets = test.list("/api/v1/namespaces/demo/secrets").await;
        let record = secrets.iter().filter_map(Record::of).find(|record| record.name() == name).expect("a record");
        let lines = record.manifest().lines().filter(|line| !line.starts_with("  token: "));
        manifests.push(lines.map(|line| line.replace("aa", "bb") + "\n").collect::<String>());
    }
    let told = test.get(&releases(), "aa").await.expect("the HelmRelease").to_string();
    assert!(told.contains("rendered by helm v"), "{told}");
    assert_eq!(manifests[0], manifests[1]);
    test.finish().await;
}
