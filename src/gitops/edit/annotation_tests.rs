//! Policies set in files of every shape.

use super::*;
use crate::gitops::id::ResourceId;
use crate::gitops::policy::{AUTOMATED, LOCKED, LOCKED_MESSAGE, LOCKED_USER, TAG_ALL};

/// A deployment with something behind its name.
fn with(metadata: &str) -> String {
    format!(
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: # close\n  name: nginx\n{metadata}spec:\n  template:\n    spec:\n      containers:\n      - image: nginx # first\n        name: nginx\n"
    )
}

fn set(text: &str, change: &PolicyChange) -> Result<(String, Vec<AnnotationChange>), String> {
    let id = ResourceId::new("default", "Deployment", "nginx");
    set_policies(text, &id, change).map_err(|error| error.to_string())
}

fn edited(text: &str, change: &PolicyChange) -> String {
    set(text, change).map_or_else(|error| error, |(text, _)| text)
}

fn nothing() -> PolicyChange {
    PolicyChange::default()
}

#[test]
fn annotations_come_and_go_by_lines() {
    let automated = || nothing().with(AUTOMATED, "true");
    let cases = [
        ("", automated(), "  annotations:\n    fluxcd.io/automated: 'true'\n"),
        (
            "  annotations:\n    a: b # c\n    # d\n",
            automated(),
            "  annotations:\n    a: b # c\n    fluxcd.io/automated: 'true'\n    # d\n",
        ),
        (
            "  annotations:\n    flux.weave.works/automated: 'true'\n",
            automated(),
            "  annotations:\n    flux.weave.works/automated: 'true'\n",
        ),
        (
            "  annotations:\n    flux.weave.works/automated: \"false\" # why\n",
            automated(),
            "  annotations:\n    flux.weave.works/automated: \"true\" # why\n",
        ),
        (
            "  annotations:\n    fluxcd.io/automated: true\n",
            automated(),
            "  annotations:\n    fluxcd.io/automated: 'true'\n",
        ),
        (
            "  annotations:\n    flux.weave.works/automated: 'true'\n    a: 'b'\n",
            nothing().with(LOCKED, "true").without(AUTOMATED),
            "  annotations:\n    a: 'b'\n    fluxcd.io/locked: 'true'\n",
        ),
        (
            "  annotations:\n    fluxcd.io/automated: 'true'\n",
            nothing().with(LOCKED, "true").without(AUTOMATED),
            "  annotations:\n    fluxcd.io/locked: 'true'\n",
        ),
        ("  annotations:\n    # gone\n    fluxcd.io/automated: 'true'\n", nothing().without(AUTOMATED), ""),
        (
            "  annotations:\n    fluxcd.io/automated: 'true'\n    flux.weave.works/automated: 'true'\n  labels: {}\n",
            nothing().without(AUTOMATED),
            "  labels: {}\n",
        ),
        (
            "  annotations:\n    fluxcd.io/locked_msg: |-\n      first\n\n      third\n    a: b\n",
            nothing().without(LOCKED_MESSAGE),
            "  annotations:\n    a: b\n",
        ),
        (
            "  annotations:\n    fluxcd.io/locked_msg: |\n      first\n\n\n",
            nothing().with(LOCKED, "true"),
            "  annotations:\n    fluxcd.io/locked_msg: |\n      first\n    fluxcd.io/locked: 'true'\n\n\n",
        ),
        (
            "  annotations:\n    kept: |+\n      first\n\n\n",
            nothing().with(LOCKED, "true"),
            "  annotations:\n    kept: |+\n      first\n\n\n    fluxcd.io/locked: 'true'\n",
        ),
        (
            "  annotations: # none yet\n  labels:\n    a: b\n",
            automated(),
            "  annotations: # none yet\n    fluxcd.io/automated: 'true'\n  labels:\n    a: b\n",
        ),
        ("  annotations: null # none\n", automated(), "  annotations: # none\n    fluxcd.io/automated: 'true'\n"),
        ("  annotations: {}\n", automated(), "  annotations: {fluxcd.io/automated: 'true'}\n"),
        (
            "  annotations: {a: b,\n    c: d } # e\n",
            automated(),
            "  annotations: {a: b,\n    c: d, fluxcd.io/automated: 'true' } # e\n",
        ),
        (
            "  annotations: {fluxcd.io/automated: 'true', a: b}\n",
            nothing().without(AUTOMATED),
            "  annotations: {a: b}\n",
        ),
        (
            "  annotations: {a: b, fluxcd.io/automated: 'true' }\n",
            nothing().without(AUTOMATED).with(LOCKED, "true"),
            "  annotations: {a: b, fluxcd.io/locked: 'true' }\n",
        ),
        ("  annotations: {fluxcd.io/automated: 'true'}\n", nothing().without(AUTOMATED), ""),
        (
            "  labels:\n    app:\n      - a\n      - b\n",
            automated(),
            "  labels:\n    app:\n      - a\n      - b\n  annotations:\n    fluxcd.io/automated: 'true'\n",
        ),
    ];
    for (before, change, after) in cases {
        assert_eq!(edited(&with(before), &change), with(after), "{before}");
        let windows = with(before).replace('\n', "\r\n");
        assert_eq!(edited(&windows, &change), with(after).replace('\n', "\r\n"), "{before}");
    }
}

#[test]
fn filters_keep_their_spelling() {
    let cases = [
        ("tag.nginx", "semver:*", "  annotations:\n    fluxcd.io/tag.nginx: semver:*\n"),
        ("tag.nginx", "regexp:(.*?)", "  annotations:\n    fluxcd.io/tag.nginx: regexp:(.*?)\n"),
        (TAG_ALL, "glob:1.*", "  annotations:\n    fluxcd.io/tag.nginx: glob:1.*\n"),
    ];
    for (policy, filter, after) in cases {
        assert_eq!(edited(&with(""), &nothing().with(policy, filter)), with(after));
    }
    let other = with("  annotations:\n    filter.fluxcd.io/nginx: glob:*\n");
    assert_eq!(edited(&other, &nothing().with("tag.nginx", "glob:*")), other);
    let after = with("  annotations:\n    filter.fluxcd.io/nginx: semver:~1\n");
    assert_eq!(edited(&other, &nothing().with("tag.nginx", "semver:~1")), after);
    assert_eq!(edited(&other, &nothing().with(TAG_ALL, "glob:*")), with(""));
    let broken = set(&with(""), &nothing().with("tag.nginx", "semver:invalid"));
    assert_eq!(broken, Err("invalid tag pattern: \"semver:invalid\"".to_owned()));
}

#[test]
fn what_changed_is_told() {
    let change = nothing()
        .with(LOCKED, "true")
        .with(LOCKED_USER, "Ann <ann@example.com>")
        .with(LOCKED_MESSAGE, "first\nsecond")
        .without(AUTOMATED);
    let (text, changes) = set(&with("  annotations:\n    fluxcd.io/automated: 'true'\n"), &change).unwrap();
    let after = "  annotations:\n    fluxcd.io/locked: 'true'\n    fluxcd.io/locked_msg: \"first\\nsecond\"\n    fluxcd.io/locked_user: Ann <ann@example.com>\n";
    assert_eq!(text, with(after));
    let some = |text: &str| Some(text.to_owned());
    let change = |key: &str, old, new| AnnotationChange { key: key.to_owned(), old, new };
    assert_eq!(
        changes,
        [
            change("fluxcd.io/automated", some("true"), None),
            change("fluxcd.io/locked", None, some("true")),
            change("fluxcd.io/locked_msg", None, some("first\nsecond")),
            change("fluxcd.io/locked_user", None, some("Ann <ann@example.com>")),
        ]
    );
    assert_eq!(set(&text, &nothing().without(AUTOMATED)), Ok((text, Vec::new())));
}

#[test]
fn files_without_a_last_line_break_stay_so() {
    let text = "kind: Deployment\nspec: {}\nmetadata:\n  name: nginx";
    let change = nothing().with(LOCKED, "true");
    let locked = edited(text, &change);
    assert_eq!(locked, format!("{text}\n  annotations:\n    fluxcd.io/locked: 'true'"));
    assert_eq!(edited(&locked, &nothing().without(LOCKED)), text);
    let swapped = edited(&locked, &nothing().without(LOCKED).with(AUTOMATED, "true"));
    assert_eq!(swapped, format!("{text}\n  annotations:\n    fluxcd.io/automated: 'true'"));
}

#[test]
fn braces_and_narrow_indents_are_kept() {
    let json = r#"{"kind": "Deployment", "metadata": {"name": "nginx"}}"#;
    let locked =
        r#"{"kind": "Deployment", "metadata": {"name": "nginx", "annotations": {"fluxcd.io/locked": "true"}}}"#;
    assert_eq!(edited(json, &nothing().with(LOCKED, "true")), locked);
    assert_eq!(edited(locked, &nothing().without(LOCKED)), json);
    let narrow = "kind: List\nitems:\n  - metadata:\n     name: nginx\n    kind: Deployment\n";
    let after = "kind: List\nitems:\n  - metadata:\n     name: nginx\n     annotations:\n      fluxcd.io/locked: 'true'\n    kind: Deployment\n";
    assert_eq!(edited(narrow, &nothing().with(LOCKED, "true")), after);
}

#[test]
fn what_cannot_be_changed_is_refused() {
    let shared = "x: &a {fluxcd.io/automated: 'true'}\n";
    let cases = [
        (format!("{shared}kind: Deployment\nmetadata: {{name: nginx, annotations: *a}}\n"), "this is an alias"),
        (
            format!("{shared}kind: Deployment\nmetadata: {{name: nginx, annotations: {{<<: *a}}}}\n"),
            "`fluxcd.io/automated` comes from another mapping",
        ),
        ("kind: Deployment\nmetadata: {name: nginx, annotations: [a]}\n".to_owned(), ""),
        (with("  annotations:\n    ? fluxcd.io/automated\n    : 'true'\n    a: b\n"), "this is written in a way"),
        (with("  annotations: {fluxcd.io/automated: 'true', # why\n    a: b}\n"), "this is written in a way"),
    ];
    for (text, error) in cases {
        match set(&text, &nothing().without(AUTOMATED)) {
            Err(found) => assert!(found.contains(error) && !error.is_empty(), "{found}"),
            Ok((after, changes)) => assert!(error.is_empty() && after == text && changes.is_empty(), "{after}"),
        }
    }
    let list = set("kind: Deployment\nmetadata: {name: nginx, annotations: [a]}\n", &nothing().with(LOCKED, "true"));
    assert_eq!(list, Err("line 2, column 38: `the value` is not a mapping".to_owned()));
    let id = ResourceId::new("default", "Service", "s");
    let service = set_policies("kind: Service\nmetadata: {name: s}\n", &id, &nothing().with(LOCKED, "true"));
    let error = service.map_err(|error| error.to_string());
    assert_eq!(error, Err("resource default:service/s does not have containers".to_owned()));
}
