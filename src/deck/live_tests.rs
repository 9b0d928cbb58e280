//! Panels and steps of whole decks.

use super::*;
use crate::deck::{Compatibility, Options, parse};
use crate::diagnostic::SourceFile;

const DECK: &str = r#"# One

```panel pods namespace=demo selector=app=podinfo id=pods
NAME   READY
a      1/1
```

- in a list

  ```sh {run name=scale wait="deploy/podinfo available"}
  kubectl scale
  ```

> ~~~ panel  sync
> ok
> ~~~

---

![Traffic moves](snapshots/canary.svg "panel: canary name=podinfo namespace=prod")

```bash {run}
ls
```

Text with ![a](b.png "panel: pods") in it.

```panel podz
x
```

```yaml {run}
a: b
```

```sh {run name=scale}
again
```

    ```panel pods
"#;

fn deck(text: &str, compatibility: Compatibility) -> (SourceFile, Deck) {
    let source = SourceFile::new("a.md", text);
    let deck = parse(&source, &Options { compatibility, ..Options::default() }).value;
    (source, deck)
}

#[test]
fn panels_and_steps_are_found_in_document_order() {
    let (source, deck) = deck(DECK, Compatibility::KeepText);
    let at = |span: Span| &source.text()[span.start..span.end];
    let panels: Vec<Vec<(String, String, &str)>> = deck
        .panels()
        .into_iter()
        .map(|slide| slide.into_iter().map(|(id, panel)| (id, panel.key(), panel.snapshot.as_str())).collect())
        .collect();
    assert_eq!(
        panels,
        [
            vec![
                (
                    "pods".to_owned(),
                    r#"pods namespace="demo" selector="app=podinfo""#.to_owned(),
                    "NAME   READY\na      1/1\n"
                ),
                ("panel-2".into(), "sync".into(), "ok\n"),
            ],
            vec![("panel-3".into(), r#"canary name="podinfo" namespace="prod""#.into(), "Traffic moves")],
        ]
    );
    let canary = &deck.slides[1].panels[0];
    assert_eq!(canary.picture.as_deref(), Some("snapshots/canary.svg"));
    assert_eq!(at(canary.options[1].span), "namespace");
    assert_eq!(at(deck.slides[0].panels[0].options[1].span), "selector");
    let steps: Vec<Vec<(&str, &str)>> = deck
        .slides
        .iter()
        .map(|slide| slide.steps.iter().map(|step| (step.name.as_str(), step.script.as_str())).collect())
        .collect();
    assert_eq!(steps, [vec![("scale", "kubectl scale\n")], vec![("step-2", "ls\n"), ("step-3", "again\n")]]);
    for slide in &deck.slides {
        for (index, panel) in slide.panels.iter().enumerate() {
            assert_eq!(slide.panel_at(panel.span), Some((index, panel)));
        }
        for step in &slide.steps {
            assert_eq!(slide.step_at(step.span), Some(step));
        }
    }
}

#[test]
fn marp_knows_no_panels() {
    let (_, deck) = deck(DECK, Compatibility::Strict);
    assert!(deck.slides.iter().all(|slide| slide.panels.is_empty() && slide.steps.is_empty()));
}

#[test]
fn words_are_read_as_written() {
    let text = "```panel qr text=\"a \\\"b\\\" $x$ &amp; c\"\n$y$\n```\n";
    let (source, deck) = deck(text, Compatibility::KeepText);
    let panel = &deck.slides[0].panels[0];
    assert_eq!(panel.get("text"), Some("a \"b\" $x$ &amp; c"));
    assert_eq!(panel.snapshot, "$y$\n");
    assert_eq!(&source.text()[panel.options[0].span.start..panel.options[0].span.end], "text");
}

#[test]
fn names_and_ids_stay_unique() {
    let text = "```sh {run}\na\n```\n\n```sh {run name=step-1}\nb\n```\n\n```panel pods\n```\n\n```panel sync id=panel-1\n```\n";
    let (_, deck) = deck(text, Compatibility::KeepText);
    let names: Vec<&str> = deck.slides[0].steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["step-1-x", "step-1"]);
    let ids: Vec<String> = deck.panels().remove(0).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["panel-1-x", "panel-1"]);
}
