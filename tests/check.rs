//! `check`: forms of findings, what is mended, what is measured.

use serde_json::{Value, json};

use crate::harness::tool::{Run, Tool};

const HEAD: &str = "---\ntheme: default\nlang: en\n---\n\n# A\n\n";

fn deck(text: &str) -> String {
    format!("{HEAD}{text}")
}

fn old() -> String {
    deck(
        "```yaml {1}\napiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a}\nspec:\n  schedule: \"@daily\"\n  \
         jobTemplate:\n    spec:\n      template:\n        spec:\n          containers: [{name: a, image: b}]\n```\n",
    )
}

#[test]
fn sarif_has_rules_places_and_fixes() {
    let tool = Tool::new().with("my deck.md", old()).with("gone/x.md", b"\x89PNG\0");
    let mut command = tool.command("check --format sarif");
    let output = command.arg("my deck.md").arg("gone/x.md").output().expect("it runs");
    assert_eq!(output.status.code(), Some(3), "one deck cannot be read");
    let log: Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|rule| rule["id"].as_str())
        .collect();
    assert_eq!(rules, ["deck/unreadable", "kubernetes/archived-version"]);
    let results = run["results"].as_array().expect("results");
    for result in results {
        let index = result["ruleIndex"].as_u64().and_then(|index| usize::try_from(index).ok()).expect("an index");
        assert_eq!(result["ruleId"], rules[index]);
        assert!(run["tool"]["driver"]["rules"][index]["fullDescription"]["text"].is_string());
    }
    let region = json!({"startLine": 9, "startColumn": 13, "endLine": 9, "endColumn": 26});
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(*place, json!({"artifactLocation": {"uri": "my%20deck.md"}, "region": region}));
    let replacement = &results[0]["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(*replacement, json!({"deletedRegion": region, "insertedContent": {"text": "batch/v1"}}));
}

#[test]
fn github_shows_findings_at_their_lines() {
    let tool = Tool::new().with("a,b.md", old());
    let run = tool.run("check a,b.md --format github");
    let expected = "::error file=a%2Cb.md,line=9,col=13,endLine=9,endColumn=26,title=kubernetes/archived-version::\
                    `batch/v1beta1` of CronJob is gone since Kubernetes 1.25%0Ait is `batch/v1` now\n";
    assert_eq!(run, Run { code: 1, out: expected.to_owned(), err: String::new() });
    let run = tool.run("check a,b.md --format reveal --report github");
    assert!(run.code < 2 && !run.out.contains("kubernetes/"), "places in converted text are not told: {}", run.out);
    assert_eq!(tool.run("export a,b.md --format github -o -").code, 2);
}

#[test]
fn what_is_mended_leaves_every_other_byte() {
    let copy = "```sh {file=run.sh lines=2-3}\nold  \n```\n\n> ~~~sh {file=run.sh}\n> set -e\n> ~~~\n";
    let text = format!("\u{feff}{}", (old() + "\n" + copy + "\n```sh {file=gone.sh}\nx\n```\n").replace('\n', "\r\n"));
    let tool = Tool::new().with("deck.md", &text).with("run.sh", "set -e\nfirst\nsecond ```\n");
    let run = tool.run("check deck.md --report json");
    let before: Value = serde_json::from_str(&run.out).expect("one document");
    let codes = |document: &Value| -> Vec<(String, u64)> {
        let all = document["diagnostics"].as_array().into_iter().flatten();
        all.map(|found| (found["code"].as_str().unwrap_or("").to_owned(), found["span"]["line"].as_u64().unwrap_or(0)))
            // What fits on the slide is not what is tested here.
            .filter(|(code, _)| !code.starts_with("slide/"))
            .collect()
    };
    let named = |all: &[(&str, u64)]| all.iter().map(|(code, line)| ((*code).to_owned(), *line)).collect::<Vec<_>>();
    assert_eq!(
        codes(&before),
        named(&[
            ("kubernetes/archived-version", 9),
            ("code/file-differs", 22),
            ("code/file-differs", 25),
            ("asset/missing", 29)
        ])
    );
    assert_eq!(tool.read("deck.md"), text, "without `--fix` nothing is written");
    let run = tool.run("check deck.md --fix --json");
    assert_eq!((run.code, run.err.as_str()), (1, "mended 3 things in `deck.md`\n"));
    let after: Value = serde_json::from_str(&run.out).expect("one document");
    assert_eq!(codes(&after), named(&[("asset/missing", 32)]));
    let expected = text
        .replace("batch/v1beta1", "batch/v1")
        .replace(
            "```sh {file=run.sh lines=2-3}\r\nold  \r\n```",
            "````sh {file=run.sh lines=2-3}\r\nfirst\r\nsecond ```\r\n````",
        )
        .replace("> set -e\r\n", "> set -e\r\n> first\r\n> second ```\r\n");
    assert_eq!(tool.read("deck.md"), expected);
    let again = tool.run("check deck.md --fix -q");
    assert!(!again.err.contains("mended") && tool.read("deck.md") == expected, "{}", again.err);
    assert_eq!(tool.pipe("check - --fix", &text).code, 2);
}

#[test]
fn offline_makes_errors_of_what_is_fetched() {
    let text = deck("![A cat](https://example.org/cat.png)\n");
    let css = "/* @theme own */\n@import 'default';\nsection { background: url(https://example.org/back.png) }\n";
    let tool = Tool::new().with("deck.md", text.replace("theme: default", "theme: own")).with("themes/own.css", css);
    let errors = |line: &str| {
        let document: Value = serde_json::from_str(&tool.run(line).out).expect("one document");
        (document["errors"].as_u64(), document["warnings"].as_u64())
    };
    assert_eq!(errors("check deck.md --theme-set themes --json"), (Some(0), Some(1)));
    assert_eq!(errors("check deck.md --theme-set themes --json --offline"), (Some(2), Some(0)));
}

#[test]
fn steps_of_a_workshop_say_why_they_do_not_pass() {
    let step = "---\ntitle: One\nduration: 5m\n---\n# One\n\n```verify\ntest -e x\n```\n\n\
                <details><summary>Solution</summary>\n\n```sh {solve}\ntouch x\n```\n\n</details>\n";
    let tool = Tool::new().with("workshop/01-one.md", step);
    let document: Value = serde_json::from_str(&tool.run("check workshop --json").out).expect("one document");
    let found: Vec<(&str, u64)> = document["diagnostics"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|found| (found["code"].as_str().unwrap_or(""), found["span"]["line"].as_u64().unwrap_or(0)))
        .filter(|(code, _)| code.starts_with("workshop/") || code.contains("unknown-directive"))
        .collect();
    assert_eq!(found, [("workshop/silent-check", 7)]);
}

#[test]
fn without_a_browser_sizes_are_estimated_and_that_is_said() {
    let tool = Tool::new().with("deck.md", deck(&"- one of very many items\n".repeat(40)));
    let run = tool.run_in("check deck.md --projector 1024x768", &[("PATH", ""), ("CHROME_PATH", "/nonexistent")]);
    // Browsers in well-known places are found without a PATH.
    if run.err.contains("measured by") {
        eprintln!("skipped: there is a browser");
        return;
    }
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.err.contains("(estimated)") && run.err.contains("There is no browser"), "{}", run.err);
    assert_eq!(tool.run("check deck.md --projector big").code, 2);
}

#[test]
fn a_browser_measures_what_a_projector_shows() {
    let slides = "Fine.\n\n---\n\n## Full\n\nLIST\n---\n\n## Small\n\n<style scoped>p { font-size: 9px }</style>\n\n\
                  Nobody reads this.\n\n---\n\n## Pale\n\n<style scoped>p { color: #bbb }</style>\n\nNobody sees this.\n";
    let text = deck(&slides.replace("LIST", &"- an item\n".repeat(20)));
    let tool = Tool::new().with("deck.md", text);
    let path = std::env::var("PATH").unwrap_or_default();
    let run = tool.run_in("check deck.md --projector 1920x1080 --json", &[("PATH", &path)]);
    if run.err.contains("There is no browser") {
        eprintln!("skipped: there is no browser");
        return;
    }
    let document: Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("no document: {}", run.err));
    let found: Vec<(&str, u64)> = document["diagnostics"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|found| (found["code"].as_str().unwrap_or(""), found["span"]["line"].as_u64().unwrap_or(0)))
        .collect();
    assert_eq!(found, [("slide/overflow", 12), ("slide/small-text", 41), ("slide/contrast", 49)], "{}", run.out);
    assert!(run.err.starts_with("4 slides measured by "), "{}", run.err);
}

#[test]
fn the_projects_own_decks_are_clean_on_a_usual_projector() {
    let decks = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("decks");
    let tool = Tool::new();
    let path = std::env::var("PATH").unwrap_or_default();
    let run = tool.run_in(&format!("check {} --projector 1920x1080 -q", decks.display()), &[("PATH", &path)]);
    assert_eq!(run, Run { code: 0, out: String::new(), err: String::new() });
}
