//! `snapshot`: what a live run puts into a deck, what it leaves alone, and what it refuses.

use std::path::Path;

use foredeck::deck::PanelKind;
use foredeck::diagnostic::Severity;
use foredeck::project::{Compiled, Project, ProjectOptions};

use crate::harness::tool::Tool;

/// A deck with every kind of panel.
const EVERY: &str = include_str!("decks/panels.md");
const PICTURE: &str = include_str!("decks/canary.svg");

fn compiled(path: &Path) -> Compiled {
    let project = Project::open(path, ProjectOptions::default()).expect("the deck is there");
    project.compile(&project.decks[0]).expect("it can be read")
}

fn tool(deck: impl AsRef<[u8]>) -> Tool {
    Tool::new().with("foredeck.toml", "").with("talk.md", deck)
}

fn run(tool: &Tool, flags: &str) -> (i32, String, String) {
    let path = std::env::var("PATH").unwrap_or_default();
    let run = tool.run_in(&format!("snapshot talk.md --patience 3s {flags}"), &[("PATH", &path)]);
    (run.code, run.out, run.err)
}

#[test]
fn every_kind_of_panel_renders_with_its_snapshot() {
    let tool = tool(EVERY).with("canary.svg", PICTURE);
    let compiled = compiled(&tool.path("talk.md"));
    let bad = compiled.diagnostics.iter().filter(|found| found.severity == Severity::Error).collect::<Vec<_>>();
    assert!(bad.is_empty(), "{bad:?}");
    let slides = &compiled.rendered.slides;
    let panels: Vec<_> = slides.iter().flat_map(|slide| slide.panels.iter().map(move |panel| (slide, panel))).collect();
    let mut kinds: Vec<PanelKind> = panels.iter().map(|(_, (_, spec))| spec.kind).collect();
    kinds.sort_unstable();
    let mut all: Vec<PanelKind> = PanelKind::ALL.iter().map(|(_, kind)| *kind).collect();
    all.sort_unstable();
    assert_eq!(kinds, all, "each kind once");
    for (slide, (_, spec)) in panels {
        let first = spec.snapshot.split_whitespace().next().expect("a snapshot");
        assert!(
            slide.html.contains("<figure class=\"foredeck-panel\"") && slide.html.contains(first),
            "{}",
            slide.html
        );
    }
    let notes: Vec<&String> = slides.iter().flat_map(|slide| &slide.notes).collect();
    assert_eq!(notes, ["The only note."]);
}

#[test]
fn only_the_bodies_change_and_only_when_asked() {
    let deck = "\u{feff}---\r\nmarp: true\r\nlang: en\r\n---\r\n\r\n# A\t \r\n\r\n\
                ```panel pods namespace=nowhere\r\nold\r\n```\r\n\r\n\
                > ~~~panel qr text=hello\r\n> old\r\n> ~~~\r\n\r\n\
                ````md\r\n```panel pods\r\nquoted\r\n```\r\n````\r\n\r\n<!-- note -->\r\n---\r\n\r\n\
                ![Alt](pictures/new.svg 'panel: gitlog')\r\n\r\n```panel terminal\r\nkept";
    let tool = tool(deck);
    let (code, out, err) = run(&tool, "");
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("talk.md:8: panel pods · nowhere\n- old\n+ No pods in nowhere.\n"), "{out}");
    assert!(out.contains("talk.md:12: panel qr · hello\n- old\n+ hello\n"), "{out}");
    assert!(err.contains("talk.md:27: panel terminal keeps its snapshot"), "{err}");
    assert_eq!(tool.read("talk.md"), deck, "nothing is written unless asked");
    let (code, out, err) = run(&tool, "--write");
    assert_eq!(code, 0, "{out}{err}");
    let expected = deck.replacen("nowhere\r\nold\r\n", "nowhere\r\nNo pods in nowhere.\r\n", 1).replacen(
        "> old\r\n",
        "> hello\r\n",
        1,
    );
    assert_eq!(tool.read("talk.md"), expected);
    let picture = tool.read("pictures/new.svg");
    assert!(picture.starts_with("<svg xmlns=") && picture.contains(">COMMIT "), "{picture}");
    assert!(tool.files().iter().all(|file| !file.contains(".tmp")));
}

#[test]
fn steps_run_only_when_that_is_allowed() {
    let deck = "---\nmarp: true\nlang: en\n---\n\n# A\n\n```sh {run name=mark timeout=20s}\n\
                touch marked; kubectl create namespace made -o name\n```\n\n\
                ```panel exec ls\nold\n```\n\n```panel resources kind=namespaces name=made\nold\n```\n";
    let tool = tool(deck);
    let (code, out, err) = run(&tool, "--json");
    assert_eq!(code, 1, "{out}{err}");
    assert!(err.contains("1 steps are not run since the deck is not trusted"), "{err}");
    let said: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let outcome = |at: usize| said["decks"][0]["panels"][at]["outcome"].as_str().unwrap_or_default().to_owned();
    assert_eq!((said["schema"].as_str(), outcome(0)), (Some("foredeck.snapshot/1"), "kept".to_owned()));
    let (code, out, err) = run(&tool, "--trust --write");
    assert_eq!(code, 0, "{out}{err}");
    let written = tool.read("talk.md");
    assert!(written.contains("marked\n") && written.contains("\nmade "), "{written}");
    let (code, _, err) = run(&tool, "--safe");
    assert!(code == 1 && err.contains("because of `--safe`"), "{err}");
    assert_eq!(run(&tool, "--safe --trust").0, 2);
    assert_eq!(tool.read("talk.md"), written);
}

#[test]
fn a_step_that_fails_keeps_everything_as_it_is() {
    let deck = "---\nmarp: true\nlang: en\n---\n\n# A\n\n```sh {run name=bad}\nexit 3\n```\n\n\
                ```sh {run name=later}\ntouch later\n```\n\n```panel exec ls\nold\n```\n";
    let tool = tool(deck);
    let (code, _, err) = run(&tool, "--trust --write");
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("step bad: FAILED: exit code 3") && err.contains("nothing is written"), "{err}");
    assert!(!err.contains("step later"), "{err}");
    assert_eq!(tool.read("talk.md"), deck);
}

#[test]
fn pictures_stay_in_the_project() {
    for address in ["../out.svg", "picture.png", "https://example.org/a.svg", ".git/a.svg"] {
        let tool = tool(format!("---\nmarp: true\nlang: en\n---\n\n![Alt]({address} 'panel: gitlog')\n"));
        let (code, out, err) = run(&tool, "--write");
        assert!(code == 0 && err.contains("keeps its snapshot: `"), "{address}: {code} {out}{err}");
        assert_eq!(tool.files(), ["foredeck.toml", "talk.md"], "{address}");
    }
}
