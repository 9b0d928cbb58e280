//! Our charts from files to manifests, against what Helm makes of them by its documentation, and by helm where it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use foredeck::cluster::yaml;
use foredeck::helm::{Capabilities, Chart, Error, Release, Rendered, archive, record, render};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("workshop/charts").join(name)
}

pub(super) fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).expect("the test's own files").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).expect("the test's own files").to_string_lossy().into_owned();
                found.insert(name, std::fs::read(&path).expect("the test's own files"));
            }
        }
    }
    found
}

fn small(parts: &[(&str, &str)]) -> Chart {
    let all = parts.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    Chart::load(all.collect()).expect("the test's own files")
}

fn with(chart: &Chart, values: Json) -> Result<Rendered, Error> {
    let given = values.as_object().cloned().unwrap_or_default();
    let release = Release { name: "web".to_owned(), namespace: "demo".to_owned(), revision: 1, upgrade: false, now: 0 };
    let api_versions = vec!["v1".to_owned(), "apps/v1".to_owned(), "autoscaling/v2".to_owned()];
    let lookup = |_: &str, kind: &str, _: &str, name: &str| {
        if (kind, name) == ("Secret", "web-podinfo-token") { json!({"data": {"token": "b2xk"}}) } else { Json::Null }
    };
    render(chart, &given, &release, &Capabilities { version: "v1.36.0".to_owned(), api_versions }, &lookup)
}

fn values() -> Json {
    json!({
        "replicaCount": 2,
        "ui": {"message": "It's \"here\""},
        "env": {"home": "{{ .Release.Name }}.{{ .Release.Namespace }}"},
        "config": {"a.txt": "one\ntwo"},
        "podAnnotations": {"b": 1, "a": "x"},
        "resources": {"limits": {"memory": "128Mi"}, "requests": null},
        "hpa": {"enabled": true},
        "ingress": {"enabled": true, "className": "nginx", "annotations": {"x": "y"}},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "cache": {"enabled": true, "service": {"port": 6380}}
    })
}

/// Derived by hand from the documentation of Go's templates, sprig and Helm.
#[test]
fn podinfo_is_rendered_as_helm_does() {
    let chart = Chart::load(files(&folder("podinfo"))).unwrap();
    let rendered = with(&chart, values()).unwrap();
    let expected = include_str!("../cases/charts/podinfo.yaml");
    assert_eq!(rendered.manifest(), expected);
    assert_eq!(rendered.notes, "podinfo 6.5.0 is release web, revision 1.\n  http://podinfo.local/\n");
    let hooks: Vec<_> =
        rendered.hooks.iter().map(|hook| (hook.made.object["kind"].as_str(), hook.is_for("test"))).collect();
    assert_eq!(hooks, [(Some("Pod"), true)]);
    compare(&folder("podinfo"), values(), &rendered);
}

#[test]
fn nginx_ingress_is_rendered_as_helm_does() {
    let chart = Chart::load(files(&folder("nginx-ingress"))).unwrap();
    let values = json!({"controller": {"service": {"type": "LoadBalancer"}, "metrics": {"enabled": true},
        "extraArgs": {"v": 2, "report-node-internal-ip-address": ""}, "config": {"use-gzip": "true"}}});
    let rendered = with(&chart, values.clone()).unwrap();
    assert_eq!(rendered.manifest(), include_str!("../cases/charts/nginx-ingress.yaml"));
    compare(&folder("nginx-ingress"), values, &rendered);
}

/// The objects that the real helm makes of the same chart are the same.
fn compare(folder: &Path, values: Json, rendered: &Rendered) {
    let file = tempfile::NamedTempFile::new().expect("the test's own files");
    std::fs::write(file.path(), values.to_string()).expect("the test's own files");
    let mut helm = std::process::Command::new("helm");
    helm.args(["template", "web"]).arg(folder).args(["--namespace", "demo", "--no-hooks", "--kube-version", "v1.36.0"]);
    let Ok(out) = helm.arg("--values").arg(file.path()).output() else {
        eprintln!("skipped: helm is missing");
        return;
    };
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let sorted = |text: &str| {
        let mut all: Vec<String> =
            yaml::documents(text).into_iter().flatten().map(|object| yaml::text(&object)).collect();
        // lots are drawn for it, and only our test has an old one
        all.retain(|text| !text.contains("kind: Secret"));
        all.sort();
        all
    };
    assert_eq!(sorted(&rendered.manifest()), sorted(&String::from_utf8_lossy(&out.stdout)));
}

#[test]
fn values_that_the_schema_refuses_are_named() {
    let chart = Chart::load(files(&folder("podinfo"))).unwrap();
    let wrong = with(&chart, json!({"replicaCount": "two", "image": {"pullPolicy": "Sometimes"}})).unwrap_err();
    let expected = "values don't meet the specifications of the schema(s) in the following chart(s):\n\
        podinfo:\n- image.pullPolicy: image.pullPolicy must be one of the following: \"Always\", \"IfNotPresent\", \"Never\"\n\
        - replicaCount: Invalid type. Expected: integer, given: string";
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&wrong.to_string()), sorted(expected));
}

#[test]
fn charts_below_get_their_values_and_what_all_share() {
    let chart = small(&[
        (
            "Chart.yaml",
            "name: top\nversion: 1.0.0\ndependencies:\n- {name: low, version: 1.x.x, alias: deep, tags: [back]}\n\
            - {name: spare, version: '*', condition: spare.enabled}\n",
        ),
        (
            "values.yaml",
            "global: {zone: a}\nx: 1\ndeep: {x: 2, gone: 1}\nspare: {enabled: false}\ntags: {back: true}\n",
        ),
        (
            "templates/a.yaml",
            "apiVersion: v1\nkind: A\nmetadata: {name: '{{ include \"who\" . }}-{{ .Values.x }}-{{ .Values.deep.w }}'}\n",
        ),
        ("templates/_h.tpl", "{{ define \"who\" }}top{{ end }}"),
        ("charts/low/Chart.yaml", "name: low\nversion: 1.2.3\n"),
        ("charts/low/values.yaml", "x: 3\nw: 4\ngone: 5\nglobal: {zone: b, more: c}\n"),
        ("charts/low/templates/_h.tpl", "{{ define \"who\" }}low{{ end }}"),
        (
            "charts/low/templates/b.yaml",
            "apiVersion: v1\nkind: B\nmetadata: {name: '{{ include \"who\" . }}-{{ .Values.x }}-{{ .Values.global.zone }}{{ .Values.global.more }}-{{ .Chart.Name }}-{{ .Values.gone }}'}\n",
        ),
        ("charts/spare/Chart.yaml", "name: spare\nversion: 1.0.0\n"),
        ("charts/spare/templates/c.yaml", "{{ fail \"it is off\" }}"),
    ]);
    let names = |values: Json| -> Vec<String> {
        let made = with(&chart, values).unwrap().made;
        made.iter().map(|made| made.object["metadata"]["name"].as_str().unwrap_or("").to_owned()).collect()
    };
    assert_eq!(names(json!({"deep": {"gone": null}})), ["top-1-4", "top-2-ac-deep-"]);
    assert_eq!(names(json!({"tags": {"back": false}, "deep": {"w": 9}})), ["top-1-9"]);
    let on = with(&chart, json!({"spare": {"enabled": true}})).unwrap_err();
    assert_eq!(on.to_string(), "execution error at (top/charts/spare/templates/c.yaml:1:3): it is off");
}

#[test]
fn what_is_no_chart_is_said() {
    let load = |parts: &[(&str, &str)]| {
        let all = parts.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        Chart::load(all.collect()).map_err(|error| error.to_string())
    };
    assert_eq!(load(&[]).unwrap_err(), "Chart.yaml file is missing");
    assert_eq!(load(&[("Chart.yaml", "name: a")]).unwrap_err(), "validation: chart.metadata.version is required");
    assert!(Chart::unpack(b"not an archive").is_err());
    let chart = |template: &str| small(&[("Chart.yaml", "name: a\nversion: 1.0.0"), ("templates/x.yaml", template)]);
    let wrong = |template: &str| with(&chart(template), json!({})).unwrap_err().to_string();
    assert_eq!(wrong("a\n{{ nope }}"), "parse error at (a/templates/x.yaml:2): function \"nope\" not defined");
    assert!(wrong("a: [").starts_with("YAML parse error on a/templates/x.yaml: "));
    assert_eq!(wrong("a: 1"), "YAML parse error on a/templates/x.yaml: apiVersion or kind is not set");
    let old = small(&[("Chart.yaml", "name: a\nversion: 1.0.0\nkubeVersion: <1.20.0")]);
    assert!(with(&old, json!({})).unwrap_err().to_string().contains("incompatible with Kubernetes v1.36.0"));
    let deep = "{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}";
    assert!(wrong(deep).contains("templates call each other more than 100 levels deep"));
    let lone = small(&[("Chart.yaml", "name: a\nversion: 1.0.0\ndependencies: [{name: b, version: '1'}]")]);
    let missing = "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` \
        to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: b";
    assert_eq!(with(&lone, json!({})).unwrap_err().to_string(), missing);
}

#[test]
fn archives_and_records_come_back() {
    let all = files(&folder("podinfo"));
    let packed = archive::pack("podinfo", &all).unwrap();
    let chart = Chart::unpack(&packed).unwrap();
    assert_eq!(chart, Chart::load(all).unwrap());
    let rendered = with(&chart, json!({})).unwrap();
    let about = record::About {
        name: "web",
        namespace: "demo",
        revision: 3,
        first: "2026-01-01T00:00:00Z",
        now: "2026-01-02T00:00:00Z",
        status: "deployed",
        description: "Install complete",
    };
    let record = record::Record::new(&chart, &Map::new(), &rendered, &about);
    let secret = record.secret().unwrap();
    assert_eq!(secret["metadata"]["name"], "sh.helm.release.v1.web.v3");
    assert_eq!(
        secret["metadata"]["labels"],
        json!({"owner": "helm", "name": "web", "status": "deployed", "version": "3"})
    );
    assert_eq!(record::Record::of(&secret), Some(record));
    assert_eq!(record::Record::of(&json!({"data": {"release": "bm8="}})), None);
}
