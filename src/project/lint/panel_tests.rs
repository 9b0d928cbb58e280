//! Findings about panels and runnable fences, each with its place and hints.

use std::path::Path;
use std::sync::Arc;

use crate::deck;
use crate::project::files::Memory;
use crate::project::{Project, ProjectOptions};

/// `line:column severity code message | hint` of the findings about what is live.
fn findings(text: &str, options: ProjectOptions) -> Vec<String> {
    let files = Memory::new().with("/p/a.md", text).with("/p/a.svg", "<svg/>");
    let project = Project::open_in(Arc::new(files), &[Path::new("/p/a.md")], options).unwrap();
    let compiled = project.compile(&project.decks[0]).unwrap();
    let mut found: Vec<_> = compiled
        .diagnostics
        .iter()
        .filter(|found| ["panel/", "step/", "image/", "code/"].iter().any(|area| found.code.0.starts_with(area)))
        .collect();
    found.sort_by_key(|found| found.span);
    found
        .iter()
        .map(|found| {
            let place = compiled.source.line_column(found.span.unwrap().start);
            let severity = found.severity.as_str();
            let hints = found.hints.join(" / ");
            format!("{}:{} {severity} {} {} | {hints}", place.line, place.column, found.code, found.message)
        })
        .collect()
}

#[test]
fn every_mistake_has_its_place_and_a_way_out() {
    for (text, expected) in [
        ("```panel pods namespace=demo selector=app=podinfo id=a\nx\n```", vec![]),
        (
            "```panel podz\nx\n```",
            vec!["1:10 error panel/unknown-kind there is no panel `podz`; it is shown as code | did you mean `pods`?"],
        ),
        (
            "> ```panel pods namespce=demo\n> ```",
            vec![
                "1:17 warning panel/unknown-option the panel `pods` has no option `namespce` | did you mean `namespace`?",
            ],
        ),
        (
            "```panel pods interval=5s\n```",
            vec![
                "1:15 warning panel/unknown-option the panel `pods` has no option `interval` | panels that have it: http, exec",
            ],
        ),
        (
            "```panel pods demo\n```",
            vec![
                "1:15 warning panel/unknown-option `demo` is no option of a panel and has no effect | options are written as `key=value`; a value with spaces stands in double quotes",
            ],
        ),
        (
            "```panel exec kubectl get pods -l app=podinfo titl=Pods\n```",
            vec![
                "1:47 warning panel/unknown-option `titl=Pods` is taken as one of the panel's words | did you mean `title`?",
            ],
        ),
        (
            "```panel pods max=many source=dead\n```",
            vec![
                "1:15 warning panel/bad-value `max` takes a whole number from 1 to 100, not `many` | `foredeck docs panels` lists the options of `pods`",
                "1:24 warning panel/bad-value `source` takes `live` or `replay` or `snapshot`, not `dead` | `foredeck docs panels` lists the options of `pods`",
            ],
        ),
        (
            "```panel pods title=\"a b\n```",
            vec![
                "1:15 error panel/bad-value a quote is opened and never closed; everything up to the end is taken as the value | close it with the mark that it was opened with",
            ],
        ),
        (
            "```panel http\n```",
            vec!["1:1 error panel/missing-option the panel `http` does not say what it is about | add `url=…`"],
        ),
        (
            "```panel pods source=snapshot\n```",
            vec![
                "1:1 warning panel/no-snapshot this panel shows its snapshot only, and has none | write the text between the fences, or take out `source=snapshot`",
            ],
        ),
        (
            "```panel pods id=a\n```\n\n```panel sync id=a\n```",
            vec![
                "4:15 error panel/duplicate-id there is already a panel `a`, in line 1 | give it another id, or none; the id counts for the first one only",
            ],
        ),
        (
            "![](a.svg \"panel: canary name=podinfo\")",
            vec![
                "1:1 error panel/missing-alt this panel has no text for those who cannot see its picture | write what it shows between the brackets: `![Traffic moves](canary.svg \"panel: …\")`",
            ],
        ),
        (
            "See ![this](a.svg \"panel: canary\")",
            vec![
                "1:5 warning panel/not-alone this picture stays a picture: a panel stands in a paragraph of its own | put an empty line before and behind it",
            ],
        ),
        ("```sh {run name=a wait=\"deploy/podinfo available\" fold=1-1}\nx\n```", vec![]),
        (
            "```sh {run nam=a}\nx\n```",
            vec!["1:12 warning step/unknown-attribute a step has no attribute `nam` | did you mean `name`?"],
        ),
        (
            "```sh {run timeout=60}\nx\n```",
            vec![
                "1:12 warning step/bad-value `timeout` takes a duration such as `500ms`, `60s` or `1m30s`, at most 24h, not `60` | the attribute has no effect; `foredeck docs steps` tells what it is for",
            ],
        ),
        (
            "```sh {run name=a}\nx\n```\n\n```sh {solve name=a}\nx\n```",
            vec![
                "5:14 error step/duplicate-name there is already a step `a`, in line 1 | give it another name, or none; the name counts for the first one only",
            ],
        ),
        (
            "```yaml {run}\na: b\n```",
            vec![
                "1:10 warning step/language code in `yaml` cannot be run | languages that can: sh, shell, bash, console",
            ],
        ),
    ] {
        assert_eq!(findings(text, ProjectOptions::default()), expected, "{text}");
    }
}

#[test]
fn where_only_marp_counts_nothing_is_live() {
    let options = ProjectOptions {
        deck: deck::Options { compatibility: deck::Compatibility::Strict, ..deck::Options::default() },
        ..ProjectOptions::default()
    };
    assert_eq!(findings("```panel podz\n```\n\n```yaml {run}\n```", options), [""; 0]);
}
