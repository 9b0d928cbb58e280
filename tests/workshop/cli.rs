//! The workshop from the terminal: output for people and programs, exit codes, what is written.

use serde_json::Value;

use crate::harness::tool::{Run, Tool};

const FIRST: &str = "---\ntitle: Make a file\nneeds: []\n---\n# Make a file\n\n\
```sh {run name=make}\ntouch made && echo made it\n```\n\n\
```verify\ntest -f made || { echo \"there is no file\"; exit 1; }\necho \"the file is there\"\n```\n\n\
<details><summary>Hint</summary>\n\n`touch` makes files.\n\n</details>\n\n\
<details><summary>Solution</summary>\n\n```sh {solve}\ntouch made\n```\n\n</details>\n\n\
```sh {reset}\nrm -f made\n```\n";
const SECOND: &str = "---\ntitle: Push a file\nneeds: [01-make]\n---\n# Push a file\n\n\
```verify git/file path=more.txt\nPush `more.txt`.\n```\n\n\
<details><summary>Solution</summary>\n\n```sh {solve}\necho more > more.txt\ngit add more.txt && git commit -qm More && git push -q\n\
```\n\n</details>\n\n```sh {reset}\ngit rm -q --ignore-unmatch more.txt\n\
git diff --cached --quiet || { git commit -qm Less && git push -q; }\n```\n";

fn workshop() -> Tool {
    Tool::new().with("workshop/01-make.md", FIRST).with("workshop/02-push.md", SECOND)
}

fn run(tool: &Tool, line: &str) -> Run {
    let path = std::env::var("PATH").unwrap_or_default();
    tool.run_in(line, &[("PATH", &path)])
}

/// The words of a page.
fn text(html: &str) -> String {
    let pieces = html.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    pieces.collect()
}

/// The JSON document of a command that ends with a code.
fn json(tool: &Tool, line: &str, code: i32) -> Value {
    let run = run(tool, &format!("{line} --json"));
    assert_eq!(run.code, code, "{line}: {} {}", run.out, run.err);
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{line}: {error}: {}", run.out))
}

#[test]
fn steps_are_listed_run_checked_solved_and_reset() {
    let tool = workshop();
    let list = json(&tool, "workshop list", 0);
    assert_eq!(list["schema"], "foredeck.workshop.list/1");
    assert_eq!((&list["steps"][0]["id"], &list["steps"][1]["needs"][0]), (&"01-make".into(), &"01-make".into()));
    let plan = json(&tool, "workshop start 02 --dry-run", 0);
    assert_eq!(plan["moves"][0]["text"], "do 01-make: there is no file");
    let report = json(&tool, "workshop check 01", 1);
    assert_eq!(report["schema"], "foredeck.workshop.check/1");
    assert_eq!((&report["passed"], &report["checks"][0]["why"]), (&false.into(), &"there is no file".into()));
    let told = run(&tool, "workshop check 01");
    assert!(told.code == 1 && told.out.starts_with("not yet  there is no file\n"), "{told:?}");
    assert!(!told.out.contains("Deployment flux"), "this workshop has no operator: {}", told.out);
    let hint = json(&tool, "workshop hint 01", 0);
    assert_eq!((&hint["text"], &hint["of"]), (&"`touch` makes files.".into(), &1.into()));
    assert_eq!(run(&tool, "workshop hint 02").code, 3, "it has none");
    let ran = json(&tool, "workshop run 01 make", 0);
    assert_eq!(ran["commands"][0]["result"]["output"], "made it\n");
    assert_eq!(json(&tool, "workshop check 01", 0)["passed"], true);
    let solved = json(&tool, "workshop solve 02", 0);
    assert_eq!((&solved["passed"], &solved["progress"]["by"]), (&true.into(), &"solution".into()));
    let status = json(&tool, "workshop status", 0);
    assert_eq!(
        (&status["passed"], &status["steps"][0]["by"]),
        (&2.into(), &"hint".into()),
        "a hint that was read before the step began counts: {status}"
    );
    assert_eq!(json(&tool, "workshop reset 02", 0)["step"], "02-push");
    assert_eq!(json(&tool, "workshop check 02", 1)["passed"], false);
    assert_eq!(json(&tool, "workshop status", 0)["next"], "02-push");
}

#[test]
fn what_is_asked_wrongly_is_told() {
    let tool = workshop();
    let unknown = run(&tool, "workshop solve 02-puhs");
    assert_eq!(unknown.code, 3);
    assert!(unknown.err.contains("did you mean `02-push`?"), "{}", unknown.err);
    assert_eq!(run(&tool, "workshop chekc 01").code, 2);
    assert_eq!(run(&tool, "workshop list --workshop nowhere").code, 3);
    assert_eq!(run(&tool, "workshop export -o take-home.doc").code, 2);
    let broken = Tool::new().with("workshop/01-a.md", SECOND.replace("01-make", "01-b"));
    assert_eq!(run(&broken, "workshop list").code, 1);
    let refused = run(&broken, "workshop start");
    assert_eq!(refused.code, 3);
    assert!(refused.err.contains("workshop/01-a.md:3:9"), "{}", refused.err);
}

#[test]
fn folders_of_steps_are_checked_with_places() {
    let tool = workshop()
        .with("workshop/03-other.md", SECOND.replace("01-make", "03-push").replace("git/file path", "git/file pth"))
        .with("workshop/04-push.md", SECOND.replace("needs:", "neds:"));
    let report = json(&tool, "check workshop", 1);
    let found: Vec<String> = report["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|d| {
            format!(
                "{}:{}:{} {}",
                d["file"].as_str().unwrap_or(""),
                d["span"]["line"],
                d["span"]["column"],
                d["code"].as_str().unwrap_or("")
            )
        })
        .collect();
    for expected in [
        "workshop/03-other.md:3:9 workshop/unknown-step",
        "workshop/03-other.md:7:11 workshop/check",
        "workshop/04-push.md:1:1 workshop/duplicate",
        "workshop/04-push.md:3:1 workshop/unknown-key",
    ] {
        assert!(found.iter().any(|line| line == expected), "{expected} is not among {found:#?}");
    }
    let told = run(&tool, "check workshop/03-other.md");
    assert_eq!(told.code, 1);
    assert!(told.err.contains("workshop/03-other.md:3:9") && !told.err.contains("04-push"), "{}", told.err);
    assert_eq!(run(&workshop(), "check workshop").code, 0);
}

#[test]
fn scenarios_of_killercoda_are_imported_and_nothing_is_lost() {
    let index = "{\"title\": \"Pods\", \"details\": {\"steps\": [\n  {\"title\": \"Look\", \"text\": \"look.md\", \
                 \"verify\": \"look.sh\"}\n]}, \"backend\": {\"imageid\": \"kubernetes-kubeadm-1node\"}}";
    let tool = Tool::new()
        .with("pods/index.json", index)
        .with("pods/look.md", "See:\n\n```\nkubectl get pods\n```{{exec}}\n\n[Page]({{TRAFFIC_HOST1_80}})\n")
        .with("pods/look.sh", "#!/bin/sh\nkubectl get pods || { echo none; exit 1; }\n");
    let first = run(&tool, "import killercoda pods");
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(first.err.contains("pods/look.md:7:8"), "{}", first.err);
    let text = tool.read("workshop/01-look.md");
    assert!(
        text.contains("```sh {run}\nkubectl get pods\n```") && text.contains("```verify\nkubectl get pods"),
        "{text}"
    );
    let again = run(&tool, "workshop import killercoda pods/index.json");
    assert_eq!(again.code, 2, "{}", again.err);
    assert!(again.err.contains("`workshop/01-look.md` is there already"), "{}", again.err);
    let forced = json(&tool, "workshop import killercoda pods --force", 0);
    assert_eq!(forced["files"][0], "workshop/01-look.md");
    assert_eq!(forced["findings"][0]["code"], "workshop/import");
    assert_eq!(run(&tool, "import killercoda pods -o other").code, 0);
    assert_eq!(tool.read("other/01-look.md"), text);
    assert_eq!(run(&tool, "import killercoda nowhere").code, 3);
    // What was imported can be checked; only what nobody wrote is missing.
    let report = json(&tool, "check workshop", 1);
    assert_eq!((&report["errors"], &report["diagnostics"][0]["code"]), (&0.into(), &"workshop/no-solution".into()));
}

#[test]
fn the_workshop_is_taken_home_as_one_file() {
    let tool = workshop();
    assert_eq!(run(&tool, "workshop export -o out/home.html").code, 4, "there is no such folder");
    assert_eq!(run(&tool, "workshop export -o home.html").code, 0);
    let html = tool.read("home.html");
    assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"));
    assert!(html.contains("<html lang=\"en\">"));
    let words = text(&html);
    for wanted in ["Make a file", "touch made", "Push a file", "git add more.txt"] {
        assert!(words.contains(wanted), "{wanted}");
    }
    for reference in ["<script", "<link", " src=", "@import", "url(http", "url(/", "url(\"", "{{"] {
        assert!(!html.contains(reference), "`{reference}` needs something beside the file");
    }
    let without = run(&tool, "workshop export --to html --no-solutions");
    assert!(without.code == 0 && !text(&without.out).contains("git add more.txt"), "{}", without.err);
    let markdown = run(&tool, "workshop export --to md");
    assert!(markdown.out.starts_with("# ") && markdown.out.contains("## Step 2: Push a file"), "{}", markdown.out);
    let whole = Tool::new();
    assert_eq!(run(&whole, "workshop export -o all.html").code, 0);
    assert_eq!(whole.read("all.html").matches("<h2").count(), 12);
}
