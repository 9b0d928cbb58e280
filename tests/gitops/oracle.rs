//! Charts and templates against what real Helm prints of them: see `tests/cases/helm/README.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use foredeck::cluster::yaml;
use foredeck::helm::{Capabilities, Chart, Error, Release, Rendered, render};
use serde_json::{Map, Value as Json, json};

use super::charts::files;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/helm")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rendered(chart: &Chart, values: &Map<String, Json>) -> Result<Rendered, Error> {
    let release = Release { name: "rel".to_owned(), namespace: "ns".to_owned(), revision: 1, upgrade: false, now: 0 };
    let api_versions = read(&cases().join("api-versions.txt")).lines().map(str::to_owned).collect();
    let capabilities = Capabilities { version: "v1.36.0".to_owned(), api_versions };
    render(chart, values, &release, &capabilities, &|_, _, _, _| Json::Null)
}

/// What `helm template` writes.
fn printed(rendered: &Rendered) -> String {
    let mut out = format!("{}\n", rendered.manifest().trim());
    for hook in &rendered.hooks {
        let _ = writeln!(out, "---\n# Source: {}\n{}", hook.made.file, hook.made.text);
    }
    out
}

fn expression(template: &str, values: &str, fails: bool) -> Result<String, String> {
    let greet = "{{ define \"greet\" }}Hello {{ . }}{{ end }}";
    let (page, helpers) = if fails {
        (format!("kind: A\nout: {template}"), greet.to_owned())
    } else {
        let page = "apiVersion: v1\nkind: A\nout: {{ include \"case\" . | toJson }}\n";
        (page.to_owned(), format!("{{{{ define \"case\" }}}}{template}{{{{ end }}}}{greet}"))
    };
    let about = "apiVersion: v2\nname: c\nversion: 1.2.3\nappVersion: \"4.5\"\ndescription: d\n";
    let all = [
        ("Chart.yaml", about),
        ("values.yaml", values),
        ("templates/_x.tpl", &helpers),
        ("templates/x.yaml", &page),
        ("files/a.conf", "one\ntwo: \"x\"\n"),
        ("files/b.txt", "three"),
    ];
    let all: BTreeMap<String, Vec<u8>> =
        all.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect();
    let chart = Chart::load(all).map_err(|error| error.to_string())?;
    let rendered = rendered(&chart, &Map::new()).map_err(|error| error.to_string())?;
    Ok(rendered.made.first().map(|made| made.object["out"].as_str().unwrap_or_default().to_owned()).unwrap_or_default())
}

#[test]
fn templates_print_what_they_print_in_helm() {
    let folder = cases().join("expressions");
    let values = read(&folder.join("values.yaml"));
    let all: Vec<Json> = serde_json::from_str(&read(&folder.join("printed.json"))).expect("the test's own files");
    assert!(all.len() > 400, "{}", all.len());
    let mut wrong = Vec::new();
    for case in &all {
        let template = case["template"].as_str().expect("a template");
        let (expected, fails) = match (case["printed"].as_str(), case["error"].as_str()) {
            (Some(printed), _) => (Ok(printed.to_owned()), false),
            (None, error) => (Err(error.expect("an answer").to_owned()), true),
        };
        let found = expression(template, &values, fails);
        if found != expected {
            wrong.push(format!("{template}\n  helm: {expected:?}\n  here: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn charts_are_rendered_as_helm_renders_them() {
    let mut runs: Vec<PathBuf> = Vec::new();
    for folder in std::fs::read_dir(cases().join("runs")).expect("the test's own files").flatten() {
        let inside = std::fs::read_dir(folder.path()).expect("the test's own files").flatten();
        runs.extend(inside.map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with(".values.yaml")));
    }
    runs.sort();
    assert!(runs.len() > 50, "{}", runs.len());
    let mut wrong = Vec::new();
    for run in &runs {
        let name = run.parent().and_then(Path::file_name).expect("a chart's name");
        let own = cases().join("charts").join(name);
        let workshop = Path::new(env!("CARGO_MANIFEST_DIR")).join("workshop/charts").join(name);
        let chart = Chart::load(files(if own.is_dir() { &own } else { &workshop })).expect("the test's own files");
        let values = match yaml::value(&read(run)).expect("the test's own files") {
            Json::Object(values) => values,
            _ => Map::new(),
        };
        let beside = |end: &str| PathBuf::from(run.to_string_lossy().replace(".values.yaml", end));
        let found = rendered(&chart, &values);
        let mut differ = |expected: &str, found: &str| {
            if expected != found {
                let lines = expected.lines().zip(found.lines()).find(|(a, b)| a != b);
                wrong.push(format!("{}: {lines:?}\n{found}", run.display()));
            }
        };
        match found {
            Ok(found) if beside(".printed").is_file() => {
                differ(&read(&beside(".printed")), &without_token(&printed(&found)));
                if beside(".notes").is_file() {
                    differ(read(&beside(".notes")).trim(), found.notes.trim());
                }
            }
            Ok(_) => differ(&read(&beside(".error")), "(no error)"),
            Err(error) if beside(".error").is_file() => {
                // What a schema refuses comes in no order.
                differ(&in_order(&read(&beside(".error"))), &in_order(&error.to_string()));
            }
            Err(error) => differ("(no error)", &error.to_string()),
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), runs.len(), wrong.join("\n"));
}

fn in_order(text: &str) -> String {
    let mut lines: Vec<&str> = text.trim().lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn without_token(text: &str) -> String {
    let mask = |line: &str| if line.starts_with("  token: ") { "  token: (drawn)".to_owned() } else { line.to_owned() };
    text.lines().map(mask).fold(String::new(), |out, line| out + &line + "\n")
}

#[test]
fn what_a_chart_asks_of_the_cluster_is_answered() {
    let template =
        "apiVersion: v1\nkind: A\nout: {{ (lookup \"v1\" \"Secret\" .Release.Namespace \"old\").data.key }}\n";
    let all = [("Chart.yaml", "name: c\nversion: 1.0.0"), ("templates/x.yaml", template)];
    let all = all.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect();
    let release = Release { name: "rel".to_owned(), namespace: "ns".to_owned(), revision: 1, upgrade: false, now: 0 };
    let capabilities = Capabilities { version: "v1.36.0".to_owned(), api_versions: Vec::new() };
    let lookup = |version: &str, kind: &str, namespace: &str, name: &str| {
        if [version, kind, namespace, name] == ["v1", "Secret", "ns", "old"] {
            json!({"data": {"key": "k"}})
        } else {
            Json::Null
        }
    };
    let chart = Chart::load(all).expect("the test's own files");
    let rendered = render(&chart, &Map::new(), &release, &capabilities, &lookup).expect("a chart");
    assert_eq!(rendered.made[0].object["out"], "k");
}
