//! `workshop run|check|hint|solve|reset|status`: one command on a step.

use serde_json::{Value, json};

use super::args::{CheckStep, List, OfStep, RunCommand, WhichWorkshop};
use super::client::Client;
use crate::cli::console::{self, Code, Console, Failure};
use crate::deck::step::Role;

/// Runs a command with a workshop to talk to, and ends it.
fn with_client<T>(
    which: &WhichWorkshop,
    console: Console,
    work: impl AsyncFnOnce(&Client) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Code::Environment, error))?;
    let done = runtime.block_on(async {
        let client = Client::find(which, console).await?;
        let done = work(&client).await;
        client.end().await;
        done
    });
    runtime.shutdown_background();
    done
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A step must be begun before it can be worked on.
async fn begin(client: &Client, step: &str, console: Console) -> Result<(), Failure> {
    let status = client.status().await?;
    let known = list(&status, "steps").iter().find(|known| text(known, "id") == step);
    if known.is_some_and(|known| text(known, "state") == "not-started") {
        let answer = client.act(step, "start", json!({})).await?;
        tell_moves(&answer, console);
    }
    Ok(())
}

pub(super) fn tell_moves(answer: &Value, console: Console) {
    for moved in list(answer, "moves") {
        console.say(&format!("  {}", text(moved, "text")));
    }
}

pub(super) fn run(args: &RunCommand, console: Console) -> Result<Code, Failure> {
    with_client(&args.which, console, async |client| {
        let step = client.step(args.step.as_deref()).await?;
        begin(client, &step, console).await?;
        let commands: Vec<(String, String)> = client
            .workshop
            .step(&step)
            .map(|step| {
                let actions = step.actions.iter().filter(|action| match &args.name {
                    Some(name) => action.spec.name == *name,
                    None => action.spec.role == Role::Run && !action.folded,
                });
                actions.map(|action| (action.spec.name.clone(), action.spec.script.clone())).collect()
            })
            .unwrap_or_default();
        if commands.is_empty() {
            let what = args.name.as_ref().map_or("to run".to_owned(), |name| format!("called `{name}`"));
            return Err(Failure::input(format!("the step {step} has no command {what}")));
        }
        let mut results = Vec::new();
        let mut good = true;
        for (name, script) in commands {
            for line in script.lines() {
                console.say(&console.strong(&format!("$ {line}")));
            }
            let answer = client.act(&step, "run", json!({"name": name})).await?;
            good = answer.get("ok").and_then(Value::as_bool).unwrap_or(false);
            if !console.json {
                console::data(text(&answer, "output"))?;
            }
            if let Some(why) = answer.get("stopped").and_then(Value::as_str) {
                console.say(why);
            }
            results.push(json!({"name": name, "result": answer}));
            if !good {
                break;
            }
        }
        if console.json {
            console.document(&json!({"schema": "foredeck.workshop.run/1", "step": step, "commands": results}))?;
        }
        Ok(if good { Code::Done } else { Code::Findings })
    })
}

pub(super) fn check(args: &CheckStep, console: Console) -> Result<Code, Failure> {
    with_client(&args.which, console, async |client| {
        let step = client.step(args.step.as_deref()).await?;
        let report = match args.wait {
            true => client.act(&step, "wait", json!({})).await?,
            false => client.check(&step).await?,
        };
        show(&report, console)
    })
}

/// Shows how the checks of a step stand.
fn show(report: &Value, console: Console) -> Result<Code, Failure> {
    let passed = report.get("passed").and_then(Value::as_bool).unwrap_or(false);
    if console.json {
        let mut document = json!({"schema": "foredeck.workshop.check/1"});
        if let (Some(document), Some(report)) = (document.as_object_mut(), report.as_object()) {
            document.extend(report.clone());
        }
        console.document(&document)?;
        return Ok(if passed { Code::Done } else { Code::Findings });
    }
    let mut out = String::new();
    for check in list(report, "checks") {
        let word = match text(check, "verdict") {
            "pass" => "pass   ",
            "fail" => "WRONG  ",
            _ => "not yet",
        };
        out.push_str(&format!("{word}  {}\n", text(check, "why")));
        if !text(check, "next").is_empty() {
            out.push_str(&format!("         {}\n", text(check, "next")));
        }
        if text(check, "verdict") != "pass" && !text(check, "message").is_empty() {
            out.push_str(&format!("         {}\n", text(check, "message")));
        }
    }
    console::data(&out)?;
    let step = text(report, "step");
    console.say(&match passed {
        true => format!("{step} is done."),
        false => format!("{step} is not done yet. `foredeck workshop hint` helps."),
    });
    Ok(if passed { Code::Done } else { Code::Findings })
}

pub(super) fn hint(args: &OfStep, console: Console) -> Result<Code, Failure> {
    with_client(&args.which, console, async |client| {
        let step = client.step(args.step.as_deref()).await?;
        let answer = client.act(&step, "hint", json!({})).await?;
        if console.json {
            console.document(&json!({
                "schema": "foredeck.workshop.hint/1",
                "step": step,
                "number": answer.get("number"),
                "of": answer.get("of"),
                "text": answer.get("text"),
            }))?;
        } else {
            console::data(&format!("{}\n", text(&answer, "text")))?;
            let number = |key: &str| answer.get(key).and_then(Value::as_u64).unwrap_or(0);
            console.say(&format!("Hint {} of {}.", number("number"), number("of")));
        }
        Ok(Code::Done)
    })
}

pub(super) fn solve(args: &OfStep, console: Console) -> Result<Code, Failure> {
    with_client(&args.which, console, async |client| {
        let step = client.step(args.step.as_deref()).await?;
        begin(client, &step, console).await?;
        let solutions = client.workshop.step(&step).map(|step| {
            let scripts = step.actions(Role::Solve).map(|action| action.spec.script.clone());
            scripts.collect::<String>()
        });
        for line in solutions.unwrap_or_default().lines() {
            console.say(&console.strong(&format!("$ {line}")));
        }
        let report = client.act(&step, "solve", json!({})).await?;
        show(&report, console)
    })
}

pub(super) fn reset(args: &OfStep, console: Console) -> Result<Code, Failure> {
    with_client(&args.which, console, async |client| {
        let step = client.step(args.step.as_deref()).await?;
        client.act(&step, "reset", json!({})).await?;
        if console.json {
            console.document(&json!({"schema": "foredeck.workshop.reset/1", "step": step}))?;
        }
        console.say(&format!("{step} is taken back; `foredeck workshop start {step}` begins it again."));
        Ok(Code::Done)
    })
}

pub(super) fn status(args: &List, console: Console) -> Result<Code, Failure> {
    with_client(&args.which, console, async |client| {
        let status = client.status().await?;
        if console.json {
            console.document(&status)?;
            return Ok(Code::Done);
        }
        let steps = list(&status, "steps");
        let width = steps.iter().map(|step| text(step, "id").len()).max().unwrap_or(4).max(4);
        let mut out = format!("  {:width$}  {:11}  NOTE\n", "STEP", "STATE");
        for step in steps {
            let mark = if text(step, "id") == text(&status, "next") { ">" } else { " " };
            let note = match (text(step, "by"), step.get("stuck").map(|stuck| text(stuck, "why"))) {
                ("own", _) => "by yourself".to_owned(),
                ("hint", _) => "with a hint".to_owned(),
                ("solution", _) => "by the solution".to_owned(),
                (_, why) => why.unwrap_or_default().to_owned(),
            };
            let line = format!("{mark} {:width$}  {:11}  {note}", text(step, "id"), text(step, "state"));
            out.push_str(line.trim_end());
            out.push('\n');
        }
        console::data(&out)?;
        if !text(&status, "problem").is_empty() {
            console.say(&format!("Note: {}.", text(&status, "problem")));
        }
        Ok(Code::Done)
    })
}
