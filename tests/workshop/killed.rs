//! The program killed in the middle of its work, and started again: nothing is lost, nothing is left over.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::tool::Tool;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A step that is done by a file; it has a command that takes for ever and leaves its session.
const MAKE: &str = "---\ntitle: Make a file\nneeds: []\n---\n# Make a file\n\n\
```sh {run name=make}\ntouch made\n```\n\n\
```sh {run name=forever}\nsetsid -f sh -c 'echo $$ > stray; exec sleep 300' >/dev/null 2>&1\necho $$ > pid\nexec sleep 300\n```\n\n\
```verify\ntest -f made || { echo \"there is no file\"; exit 1; }\n```\n\n\
<details><summary>Hint</summary>\n\n`touch` makes files.\n\n</details>\n\n\
```sh {solve}\ntouch made\n```\n\n```sh {reset}\nrm -f made\n```\n";
const PUSH: &str = "---\ntitle: Push a file\nneeds: [01-make]\n---\n# Push a file\n\n\
```verify git/file path=more.txt\nPush `more.txt`.\n```\n\n\
```sh {solve}\nset -e\ngit pull -q --rebase --autostash\necho more > more.txt\ngit add more.txt\n\
git diff --cached --quiet || git commit -qm More\ngit push -q\n```\n\n\
```sh {reset}\ngit pull -q --rebase --autostash\ngit rm -q --ignore-unmatch more.txt\n\
git diff --cached --quiet || { git commit -qm Less && git push -q; }\n```\n";

/// A workshop that runs as a program of its own.
struct Served(Child);

impl Served {
    /// Starts it; returns at once.
    fn begin(tool: &Tool, line: &str) -> Self {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = tool.command(line);
        command.env("PATH", path).stdout(Stdio::null()).stderr(Stdio::piped());
        Self(command.spawn().expect("it starts"))
    }

    /// Starts it, and waits until it serves.
    fn start(tool: &Tool, line: &str) -> Self {
        let mut served = Self::begin(tool, line);
        let mut said = String::new();
        let lines = BufReader::new(served.0.stderr.take().expect("a pipe"));
        for line in lines.lines().map_while(Result::ok) {
            if line.contains("Ctrl-C stops") {
                return served;
            }
            said.push_str(&line);
        }
        panic!("it does not start: {said}");
    }

    /// No signal that could be caught.
    fn kill(mut self) {
        self.0.kill().expect("it is there");
        self.0.wait().expect("it ended");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn json(tool: &Tool, line: &str) -> Value {
    let path = std::env::var("PATH").unwrap_or_default();
    let run = tool.run_in(&format!("{line} --json"), &[("PATH", &path)]);
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{line}: {error}: {} {}", run.out, run.err))
}

/// How far each step is, and by whom.
fn states(tool: &Tool) -> Vec<(String, String, u64)> {
    let status = json(tool, "workshop status");
    assert_eq!(status["problem"], Value::Null, "{status}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let steps = status["steps"].as_array().expect("a list");
    steps.iter().map(|step| (text(&step["state"]), text(&step["by"]), step["hints"].as_u64().unwrap_or(0))).collect()
}

fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The process whose number a file says.
fn process(file: &Path) -> Option<String> {
    let number = std::fs::read_to_string(file).ok()?.trim().parse::<u32>().ok()?;
    Some(format!("/proc/{number}"))
}

fn is_alive(process: &str) -> bool {
    std::fs::read_to_string(format!("{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Every file of JSON is whole.
fn all_is_whole(tool: &Tool) {
    for name in tool.files().iter().filter(|name| name.ends_with(".json") && name.contains(".foredeck/")) {
        let found = serde_json::from_str::<Value>(&tool.read(name));
        assert!(found.is_ok(), "{name}: {found:?}");
    }
}

#[test]
fn a_learner_goes_on_after_their_workshop_was_killed() {
    let tool = Tool::new().with("workshop/01-make.md", MAKE).with("workshop/02-push.md", PUSH);
    let work = tool.path(".foredeck/workshop/demo");
    // While it starts: wherever that is.
    for wait in [0, 30, 100, 300] {
        let served = Served::begin(&tool, "workshop start 01 --port 0");
        std::thread::sleep(Duration::from_millis(wait));
        served.kill();
    }
    // While a command runs.
    let served = Served::start(&tool, "workshop start 01 --port 0");
    json(&tool, "workshop hint 01");
    let expected = |state: &str, by: &str, hints| (state.to_owned(), by.to_owned(), hints);
    let begun = [expected("in-progress", "", 1), expected("not-started", "", 0)];
    assert_eq!(states(&tool), begun);
    let mut client = Served::begin(&tool, "workshop run 01 forever");
    let strays = ["pid", "stray"].map(|name| until(name, || process(&work.join(name))));
    served.kill();
    client.0.wait().expect("it ends without its server");
    assert!(strays.iter().all(|stray| is_alive(stray)), "they are nobody's children");
    let served = Served::start(&tool, "workshop start --port 0");
    for stray in &strays {
        until("what the killed one left behind ends", || (!is_alive(stray)).then_some(()));
    }
    all_is_whole(&tool);
    assert_eq!(states(&tool), begun, "the step goes on");
    json(&tool, "workshop run 01 make");
    assert_eq!(json(&tool, "workshop check 01")["passed"], true);
    // Right after a step was passed.
    served.kill();
    let done = [expected("passed", "hint", 1), expected("in-progress", "", 0)];
    let mut served = Served::start(&tool, "workshop start --port 0");
    assert_eq!(states(&tool), done, "it goes on with the next step");
    // While a solution is run, at several moments.
    for wait in [50, 150, 400] {
        let mut client = Served::begin(&tool, "workshop solve 02");
        std::thread::sleep(Duration::from_millis(wait));
        served.kill();
        client.0.wait().expect("it ends without its server");
        all_is_whole(&tool);
        served = Served::start(&tool, "workshop start 02 --port 0");
        assert_eq!(states(&tool), done, "after {wait} ms");
    }
    let solved = json(&tool, "workshop solve 02");
    assert_eq!((&solved["passed"], &solved["progress"]["by"]), (&true.into(), &"solution".into()), "{solved}");
    served.kill();
    all_is_whole(&tool);
    // A file that is broken nevertheless is kept aside, and said.
    let file = tool.path(".foredeck/workshop/progress/you.json");
    let half = &tool.read(".foredeck/workshop/progress/you.json")[..100];
    std::fs::write(&file, half).expect("written");
    let served = Served::start(&tool, "workshop start 02 --port 0");
    let status = json(&tool, "workshop status");
    assert_eq!(status["steps"][1]["state"], "in-progress", "{status}");
    assert_eq!(tool.read(".foredeck/workshop/progress/you.json.1"), half);
    served.kill();
}
