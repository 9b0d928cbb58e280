//! `test DECK`: every step of a deck on a cluster of its own, and what is told of those that do not pass.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::harness::tool::{Run, Tool};

/// Longer than all decks take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

fn with_path(tool: &Tool, line: &str) -> Run {
    let path = std::env::var("PATH").unwrap_or_default();
    tool.run_in(line, &[("PATH", &path)])
}

fn has_git() -> bool {
    let there = std::process::Command::new("git").arg("--version").output().is_ok();
    if !there {
        eprintln!("skipped: git is missing");
    }
    there
}

#[test]
fn nothing_of_a_deck_is_run_that_nobody_has_agreed_to() {
    let tool = Tool::new().with("deck.md", "# A\n\n```sh {run}\ntouch ran\n```\n");
    let run = tool.run("test deck.md");
    let expected = "error[deck/untrusted]: nobody has agreed to the commands of `deck.md`\n  \
                    help: read them with `foredeck trust deck.md`, or run them this once with `--trust`\n";
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (6, "", expected));
    assert_eq!(tool.files(), ["deck.md"]);
}

#[test]
fn a_deck_without_steps_needs_no_cluster() {
    let tool = Tool::new().with("deck.md", "# A\n");
    let run = tool.run("test deck.md --json");
    let document: serde_json::Value = serde_json::from_str(&run.out).expect("one document");
    let deck = serde_json::json!({"deck": "deck.md", "seconds": 0.0, "steps": []});
    assert_eq!(document, serde_json::json!({"schema": "foredeck.test/1", "decks": [deck]}));
    assert_eq!((run.code, run.err.as_str()), (0, "0 of 0 steps good in 0.0 s\n"));
}

#[test]
fn what_passes_fails_and_takes_too_long_is_told_apart() {
    if !has_git() {
        return;
    }
    let deck = "# A\n\n\
        ```sh {run name=makes wait=\"configmap/a -n default\"}\nkubectl create configmap a --from-literal=b=c\n```\n\n\
        ```sh {run name=meant expect=fail}\nfalse\n```\n\n\
        ```panel exec kubectl -n default get configmap a\nx\n```\n\n\
        ```sh {reset name=back}\nkubectl -n default delete configmap a\n```\n\n---\n\n\
        ```sh {run name=breaks}\necho 'all <is> lost'; exit 3\n```\n\n\
        ```sh {run name=unexpected expect=fail}\ntrue\n```\n\n\
        ```sh {run name=hangs timeout=1s}\nsleep 300\n```\n\n\
        ```sh {run name=never-there timeout=1s wait=\"configmap/none -n default\"}\ntrue\n```\n";
    let late = "# A\n\n```sh {run name=hangs timeout=300ms}\nsleep 300\n```\n\n```sh {run name=after}\ntrue\n```\n";
    let tool = Tool::new().with("deck.md", deck).with("late.md", late);
    let run = with_path(&tool, "test deck.md --trust --junit out/results.xml --json");
    assert_eq!(run.code, 1, "{}", run.err);
    let document: serde_json::Value = serde_json::from_str(&run.out).expect("one document");
    let steps = document["decks"][0]["steps"].as_array().expect("steps");
    let told: Vec<(&str, u64, &str)> = steps
        .iter()
        .map(|step| {
            let slide = step["slide"].as_u64().unwrap_or_default();
            (step["step"].as_str().unwrap_or(""), slide, step["result"].as_str().unwrap_or(""))
        })
        .collect();
    let expected = [
        ("makes", 1, "passed"),
        ("meant", 1, "passed"),
        ("$ kubectl -n default get configmap a", 1, "passed"),
        ("back", 1, "passed"),
        ("makes", 1, "passed"),
        ("meant", 1, "passed"),
        ("breaks", 2, "failed"),
        ("unexpected", 2, "failed"),
        ("hangs", 2, "failed"),
        ("never-there", 2, "failed"),
    ];
    assert_eq!(told, expected);
    let reason = |step: usize| steps[step]["reason"].as_str().unwrap_or("");
    assert_eq!(
        reason(6),
        "exit code 3\nat deck.md:21:1\n$ echo 'all <is> lost'; exit 3\nall <is> lost",
        "why, where, what was run, what it wrote"
    );
    assert!(reason(7).starts_with("it was meant to fail, but did not\nat deck.md:25:1\n"), "{}", reason(7));
    assert!(reason(8).starts_with("the command did not end within 1 s\n"), "{}", reason(8));
    assert!(reason(9).starts_with("waited too long for "), "{}", reason(9));
    let junit = tool.read("out/results.xml");
    let head = "<testsuite name=\"deck.md\" tests=\"10\" failures=\"4\" errors=\"0\" skipped=\"0\"";
    assert!(junit.contains(head), "{junit}");
    assert!(junit.contains("all &lt;is&gt; lost"), "{junit}");
    let mut left = tool.files();
    // kubectl keeps what it has discovered.
    left.retain(|file| !file.starts_with("home/"));
    assert_eq!(left, ["deck.md", "late.md", "out/results.xml"], "nothing else is left");

    let run = with_path(&tool, "test late.md --trust --fail-fast --junit -");
    assert_eq!(run.code, 5, "only late: {}", run.err);
    assert!(run.out.contains("<skipped message=\"an earlier step failed\"/>"), "{}", run.out);
    assert!(run.err.contains("0 of 2 steps good in "), "{}", run.err);
}

#[test]
fn every_deck_of_the_project_passes() {
    if !has_git() {
        return;
    }
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tool = Tool::new();
    let begun = Instant::now();
    let run = with_path(&tool, &format!("test {} --trust --json", project.join("decks").display()));
    assert_eq!(run.code, 0, "{}", run.err);
    let document: serde_json::Value = serde_json::from_str(&run.out).expect("one document");
    let steps = document["decks"].as_array().into_iter().flatten().flat_map(|deck| deck["steps"].as_array());
    assert!(steps.flatten().count() >= 14, "{}", run.out);
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}
