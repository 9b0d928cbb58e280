//! Scenarios as people write them, and as they should not.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::deck::step::Role;
use crate::workshop::assemble;

const SCENARIO: &str = r#"{
  "title": "Pods",
  "description": "What a pod is.",
  "details": {
    "intro": {"text": "intro.md", "background": "setup.sh"},
    "steps": [
      {"title": "Make a pod", "text": "one/text.md", "verify": "one/verify.sh"},
      {"text": "two.md", "verify": "two.py"}
    ],
    "finish": {"text": "finish.md"},
    "assets": {"host01": [{"file": "a.yaml", "target": "/root"}]}
  },
  "backend": {"imageid": "ubuntu"},
  "interface": {"layout": "ide"}
}"#;

fn run(index: &str, files: &[(&str, &str)]) -> Imported {
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    let read = |path: &str| files.get(path).map(|text| (*text).to_owned()).ok_or("there is no such file".to_owned());
    import(SourceFile::new("pods/index.json", index), &read)
}

fn told(imported: &Imported) -> Vec<String> {
    let lines = imported.findings.iter().map(|(source, found)| {
        let place = found.span.map_or(String::new(), |span| {
            let place = source.line_column(span.start);
            format!(":{}:{}", place.line, place.column)
        });
        format!("{}{place}: {}", source.path().display(), found.message)
    });
    lines.collect()
}

#[test]
fn a_scenario_becomes_steps() {
    let imported = run(
        SCENARIO,
        &[
            ("intro.md", "# Welcome\n\nHello.\n"),
            ("setup.sh", "#!/bin/bash\nkubectl create namespace a\n"),
            (
                "one/text.md",
                "Make it with `kubectl run a --image=nginx`{{exec}} and look:\n\n```bash\nkubectl get pods\n```{{exec}}\n\n\
                 `kubectl get ns`{{exec interrupt}}\n\n- see [it]({{TRAFFIC_HOST1_30080}}/x), {{ .Values.a }}\n\n\
                 ```yaml\na: 1\n```{{copy}}\n",
            ),
            ("one/verify.sh", "#!/bin/sh\nkubectl get pod a || { echo \"no pod\"; exit 1; }\n"),
            ("two.md", "# Look around\n\n  ```\n  ls\n  ```{{exec}}\n"),
            ("two.py", "#!/usr/bin/env python3\nprint(1)\n"),
            ("finish.md", "Well done.\n"),
        ],
    );
    assert_eq!(
        imported.files[0],
        (
            "01-make-a-pod.md".to_owned(),
            "---\ntitle: Make a pod\nduration: 5m\nneeds: []\n---\n# Make a pod\n\n\
             ```sh {setup}\nkubectl create namespace a\n```\n\n\
             What a pod is.\n\n## Welcome\n\nHello.\n\n\
             Make it with `kubectl run a --image=nginx` and look:\n\n```sh {run}\nkubectl run a --image=nginx\n```\n\n\
             ```sh {run}\nkubectl get pods\n```\n\n\n```sh {run}\nkubectl get ns\n```\n\n\n\
             - see [it](http://localhost:30080/x), {{ .Values.a }}\n\n```yaml\na: 1\n```\n\n\
             ```verify\nkubectl get pod a || { echo \"no pod\"; exit 1; }\n```\n"
                .to_owned()
        )
    );
    assert_eq!(
        imported.files[1],
        (
            "02-look-around.md".to_owned(),
            "---\ntitle: Look around\nduration: 5m\nneeds: [01-make-a-pod]\n---\n# Look around\n\n\
             ```sh {run}\nls\n```\n\nWell done.\n"
                .to_owned()
        )
    );
    assert_eq!(
        told(&imported),
        [
            "pods/index.json:13:15: `imageid` is a machine of its own: here commands run in the sandbox's folder, \
             against its cluster",
            "pods/index.json:14:3: `interface` is left out",
            "pods/index.json:11:5: `assets` are not copied: put the files into the workshop's `repo/` folder",
            "pods/one/text.md:7:17: what runs already is not interrupted",
            "pods/one/text.md:9:12: port 30080 of the machine is not reached: forward it with `kubectl`",
            "pods/setup.sh:1:1: the script is written for another shell, and is run by `sh`",
            "pods/two.py:1:1: a script for `python3` is left out",
        ]
    );
    let sources = imported.files.into_iter().map(|(name, text)| SourceFile::new(format!("w/{name}"), text)).collect();
    let loaded = assemble("pods", sources);
    let codes: Vec<_> = loaded.findings.iter().map(|(_, found)| found.code.0).collect();
    assert_eq!(codes, ["workshop/no-solution", "workshop/no-verify"]);
    let first = &loaded.workshop.steps[0];
    assert_eq!((first.actions(Role::Run).count(), first.actions(Role::Setup).count(), first.checks.len()), (3, 1, 1));
}

#[test]
fn what_is_wrong_is_told() {
    for (index, expected) in [
        ("{\n  \"title\": }", "pods/index.json:2:12: the file is not valid JSON: expected value at line 2 column 12"),
        ("[]", "pods/index.json:1:1: there are no steps in this scenario"),
        (
            "{\"details\": {\"steps\": [{\"text\": \"../x.md\"}]}, \"backend\": {\"imageid\": \"kubernetes\"}}",
            "pods/index.json:1:33: `../x.md` is outside of the scenario, and is not read",
        ),
        (
            "{\"details\": {\"steps\": [{\"text\": \"x.md\"}]}, \"backend\": {\"imageid\": \"kubernetes\"}}",
            "pods/index.json:1:33: `x.md` cannot be read: there is no such file",
        ),
    ] {
        assert!(told(&run(index, &[])).contains(&expected.to_owned()), "{:?}", told(&run(index, &[])));
    }
}

#[test]
fn titles_are_yaml_and_names_are_plain() {
    for (title, yaml, name) in [
        ("Make a pod", "Make a pod", "make-a-pod"),
        ("What: a \"pod\"?", "\"What: a \\\"pod\\\"?\"", "what-a-pod"),
        ("Über 2", "Über 2", "ber-2"),
        ("…", "\"…\"", "step-7"),
        ("true", "\"true\"", "true"),
    ] {
        assert_eq!((quoted(title).as_str(), slug(title, 7).as_str()), (yaml, name));
    }
}

proptest! {
    #[test]
    fn any_text_is_taken(text in "([`{}#~ \\nexcopyTRAFFIC_HOST1_80é!\\[\\]()]|```|\\{\\{exec\\}\\}|\\{\\{copy\\}\\}){0,60}") {
        let index = "{\"details\": {\"steps\": [{\"text\": \"a.md\", \"verify\": \"a.md\"}]}}";
        let imported = run(index, &[("a.md", &text)]);
        prop_assert_eq!(imported.files.len(), 1);
        for (source, found) in &imported.findings {
            if let Some(span) = found.span {
                prop_assert!(source.text().get(span.start..span.end).is_some());
            }
        }
    }
}
