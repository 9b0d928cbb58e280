//! Step files, their findings, and what steps need.

use super::*;

const STEP: &str = "---\ntitle: Let Git heal the cluster\nduration: 5m\nneeds: [01-first]\npanels: [pods, timeline]\n---\n\
# Let Git heal the cluster\nDelete it.\n\n```sh {run name=sabotage}\nkubectl -n demo delete deployment podinfo\n```\n\n\
```verify Deployment/podinfo namespace=demo condition=Available timeout=90s\nIt comes back.\n```\n\n\
<details><summary>Hint</summary>\n\n`fluxctl sync` skips the wait.\n\n</details>\n\n\
<details>\n<summary>Solution</summary>\n\n```sh {solve}\nfluxctl sync\n```\n\n</details>\n\nDone.\n";

fn load(files: &[(&str, &str)]) -> Loaded {
    assemble("test", files.iter().map(|(name, text)| SourceFile::new(format!("workshop/{name}"), *text)).collect())
}

fn found(loaded: &Loaded) -> Vec<String> {
    let line = |(source, found): &(Arc<SourceFile>, Diagnostic)| {
        let place = source.line_column(found.span.map_or(0, |span| span.start));
        let name = source.path().file_name().unwrap().to_string_lossy().into_owned();
        format!("{name}:{}:{} {} {}", place.line, place.column, found.code, found.message)
    };
    loaded.findings.iter().map(line).collect()
}

fn step(needs: &str) -> String {
    format!("---\ntitle: T\nneeds: {needs}\n---\n```verify Pod/a\n```\n```sh {{solve}}\ntrue\n```\n")
}

#[test]
fn the_example_is_read_whole() {
    let loaded = load(&[("01-first.md", &step("[]")), ("06-break.md", STEP)]);
    assert_eq!(found(&loaded), [""; 0]);
    let step = loaded.workshop.step("06").unwrap();
    assert_eq!((step.id.as_str(), step.slug.as_str(), step.number), ("06-break", "break", 6));
    assert_eq!((step.title.as_str(), step.duration), ("Let Git heal the cluster", Duration::from_secs(300)));
    assert_eq!(
        (&step.needs[..], &step.panels[..]),
        (&["01-first".to_owned()][..], &[PanelKind::Pods, PanelKind::Timeline][..])
    );
    let names: Vec<_> = step.actions.iter().map(|a| (a.spec.name.as_str(), a.spec.role, a.folded)).collect();
    assert_eq!(names, [("sabotage", Role::Run, false), ("solve-1", Role::Solve, true)]);
    assert_eq!(step.checks[0].timeout, Duration::from_secs(90));
    assert_eq!(
        (step.checks[0].fact.title().as_str(), step.checks[0].message.as_str()),
        ("Deployment/podinfo is Available", "It comes back.")
    );
    let shape: Vec<String> = step
        .parts
        .iter()
        .map(|part| match part {
            Part::Text(span) => step.text(*span).trim().to_owned(),
            Part::Action(index) => format!("action {index}"),
            Part::Check(index) => format!("check {index}"),
            Part::Fold(fold) => format!("{} {}: {}", fold.solution, fold.summary, step.fold_text(fold)),
        })
        .collect();
    assert_eq!(
        shape,
        [
            "# Let Git heal the cluster\nDelete it.",
            "action 0",
            "check 0",
            "false Hint: `fluxctl sync` skips the wait.",
            "true Solution: ```sh\nfluxctl sync\n```",
            "Done.",
        ]
    );
    assert_eq!(step.hints.len(), 1);
    assert_eq!(loaded.workshop.step("break").unwrap().id, "06-break");
    assert!(loaded.workshop.step("7").is_none() && loaded.workshop.step("x").is_none());
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (files, expected) in [
        (vec![("a.md", "x")], vec!["a.md:1:1 workshop/file-name `a.md` is not the name of a step"]),
        (
            vec![("01-a.md", "---\ntitle: A\n---\nText\n")],
            vec!["01-a.md:1:1 workshop/no-verify the step checks nothing"],
        ),
        (
            vec![("01-a.md", "---\ntitle: A\n---\n```verify Pod/x condtion=Ready\n```\n```sh {solve}\ntrue\n```\n")],
            vec![
                "01-a.md:4:17 workshop/check `condtion` means nothing in this check",
                "01-a.md:1:1 workshop/no-verify the step checks nothing",
            ],
        ),
        (
            vec![("01-a.md", "---\ntitle: A\n---\n```verify Pod/x\n```\n```sh {solve timout=3s}\ntrue\n```\n")],
            vec!["01-a.md:6:14 workshop/unknown-option `timout` means nothing to a command"],
        ),
        (
            vec![("01-a.md", "---\ntitle: A\n---\n```verify Pod/x\n```\n<details><summary>Hint</summary>\n\nx\n")],
            vec![
                "01-a.md:6:1 workshop/unclosed-details this `<details>` is never closed",
                "01-a.md:1:1 workshop/no-solution the step has no solution that can be run",
            ],
        ),
        (
            vec![("01-a.md", "---\ntitle: A\n---\n```verify Pod/x\n```\n```sh {solv}\ntrue\n```\n")],
            vec![
                "01-a.md:6:8 workshop/unknown-role `solv` is nothing a fence can do",
                "01-a.md:1:1 workshop/no-solution the step has no solution that can be run",
            ],
        ),
        (
            vec![("01-a.md", "---\ntitle: A\n---\n```verify\ntest -f x\n```\n```sh {solve name=a}\n```\n")],
            vec![
                "01-a.md:4:1 workshop/silent-check this check never says why it does not pass",
                "01-a.md:7:1 workshop/empty-fence there is nothing to run in this fence",
            ],
        ),
    ] {
        assert_eq!(found(&load(&files)), expected, "{files:?}");
    }
}

#[test]
fn needs_are_a_graph() {
    let three = step("[02-b, 01-a]");
    let loaded =
        load(&[("01-a.md", &step("[]")), ("02-b.md", &step("01-a")), ("03-c.md", &three), ("04-d.md", &step("[]"))]);
    assert_eq!(found(&loaded), [""; 0]);
    let ids = |name: &str| graph::before(&loaded.workshop, name).iter().map(|s| s.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids("03-c"), ["01-a", "02-b"]);
    assert_eq!(ids("01-a"), [""; 0]);
    for (files, expected) in [
        (
            vec![("01-a.md", step("[03-c]")), ("02-b.md", step("[01-a]")), ("03-c.md", step("[02-b]"))],
            vec!["01-a.md:3:9 workshop/cycle steps need one another in a circle: 01-a → 03-c → 02-b → 01-a"],
        ),
        (vec![("01-a.md", step("[01-a]"))], vec!["01-a.md:3:9 workshop/cycle the step needs itself: `01-a`"]),
        (
            vec![("01-a.md", step("[]")), ("02-b.md", step("[01-aa]"))],
            vec!["02-b.md:3:9 workshop/unknown-step the step needs `01-aa`, which is not there"],
        ),
        (
            vec![("01-a.md", step("[]")), ("02-a.md", step("[]"))],
            vec!["02-a.md:1:1 workshop/duplicate there are two steps `a`"],
        ),
    ] {
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let loaded = load(&files);
        assert_eq!(found(&loaded), expected);
        // However broken, it can be walked.
        for step in &loaded.workshop.steps {
            graph::before(&loaded.workshop, &step.id);
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read(text in "(---\n|needs: [01-a]\n|```verify |```sh \\{run\\}\n|<details>|</details>|<summary>|Pod/a |ä|\n|`|\\PC{0,4}){0,40}") {
        let loaded = load(&[("01-a.md", &text), ("02-b.md", &text)]);
        for (source, found) in &loaded.findings {
            let span = found.span.unwrap_or_default();
            proptest::prop_assert!(source.text().get(span.start..span.end).is_some(), "{:?} {:?}", found, text);
        }
        for step in &loaded.workshop.steps {
            for fold in &step.hints {
                step.fold_text(fold);
            }
        }
    }

    #[test]
    fn any_graph_is_put_in_order(edges in proptest::collection::vec((0_usize..8, 0_usize..8), 0..20)) {
        let names: Vec<String> = (0..8).map(|n| format!("0{n}-s{n}.md")).collect();
        let texts: Vec<String> = (0..8).map(|n| {
            let needs: Vec<String> =
                edges.iter().filter(|(from, _)| *from == n).map(|(_, to)| format!("0{to}-s{to}")).collect();
            step(&format!("[{}]", needs.join(", ")))
        }).collect();
        let files: Vec<(&str, &str)> = names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let loaded = load(&files);
        for step in &loaded.workshop.steps {
            let order = graph::before(&loaded.workshop, &step.id);
            for (at, earlier) in order.iter().enumerate() {
                proptest::prop_assert!(earlier.needs.iter().all(|need| order[..at].iter().any(|s| s.id == *need)));
            }
            proptest::prop_assert!(step.needs.iter().all(|need| order.iter().any(|s| s.id == *need)));
        }
    }
}
