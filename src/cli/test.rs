//! `test`: what can be run is run headless, for CI.

pub mod args;
mod before;
mod deck;
pub(super) mod junit;
mod stage;

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::cluster::folder::Folder;
use crate::diagnostic;
use crate::project::{Compiled, Project};
use crate::recording::{self, files};
use crate::theme::Container;

use super::console::{Code, Console, Failure};
use super::settings::{self, Asked};
use super::{Inputs, runs, supervise, trust, workshop};
use args::{TestArgs, TestCommand, TestDecks};
use before::Before;
use deck::Tested;
use junit::{Outcome, Suite};

pub(super) fn run(args: TestArgs, console: Console) -> Result<Code, Failure> {
    match args.command {
        Some(TestCommand::Workshop(args)) => workshop::test(&args, console),
        None => decks(args.decks, console),
    }
}

fn decks(args: TestDecks, console: Console) -> Result<Code, Failure> {
    let inputs = Inputs::sort(args.inputs).or_default()?;
    let asked = Asked { render: args.render, input: inputs.first(), ..Asked::default() };
    let settings = settings::resolve(asked, inputs.themes.clone(), Container::Marpit)?;
    console.configuration(&settings.findings);
    let project = inputs.open(settings.project)?;
    let mut compiled = Vec::new();
    for entry in &project.decks {
        compiled.push(project.compile(entry)?);
    }
    if !args.trust {
        all_trusted(&compiled)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Code::Environment, error))?;
    let stop = CancellationToken::new();
    let work = each(&project, &compiled, args.fail_fast, console, &stop);
    let tested = runtime.block_on(async { supervise::work(&stop, work).await });
    runtime.shutdown_background();
    let tested = tested?;
    let only_late = tested.iter().all(|one| one.only_late || one.suite.failures() == 0);
    let suites: Vec<Suite> = tested.into_iter().map(|one| one.suite).collect();
    let to_stdout = junit::save(args.junit.as_deref(), &suites)?;
    if console.json && !to_stdout {
        console.document(&document(&suites))?;
    }
    let steps: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    let failures: usize = suites.iter().map(Suite::failures).sum();
    let seconds: f64 = suites.iter().map(|suite| suite.seconds).sum();
    let left = suites.iter().flat_map(|suite| &suite.cases).filter(|case| matches!(case.result, Outcome::Skipped(_)));
    let good = steps - failures - left.count();
    console.say(&format!("{good} of {steps} step{} good in {seconds:.1} s", if steps == 1 { "" } else { "s" }));
    Ok(match failures {
        0 => Code::Done,
        _ if only_late => Code::Cluster,
        _ => Code::Findings,
    })
}

/// Nothing is run of decks whose commands nobody has agreed to; and then nothing of the others either.
fn all_trusted(decks: &[Compiled]) -> Result<(), Failure> {
    let store = trust::store();
    let unknown = decks.iter().find(|deck| {
        let commands = trust::commands_of(deck);
        !commands.is_empty() && !store.has(&commands.hash())
    });
    let Some(deck) = unknown else { return Ok(()) };
    let path = deck.source.path().display();
    let error = anyhow::Error::msg(format!("nobody has agreed to the commands of `{path}`"));
    let hint = format!("read them with `foredeck trust {path}`, or run them this once with `--trust`");
    let failure = Failure::new(Code::Refused, error).hint(hint);
    Err(Failure { rule: Some(diagnostic::Code("deck/untrusted")), ..failure })
}

async fn each(
    project: &Project,
    decks: &[Compiled],
    fail_fast: bool,
    console: Console,
    stop: &CancellationToken,
) -> Result<Vec<Tested>, Failure> {
    let mut tested = Vec::new();
    let mut good = last_good(project);
    for (entry, compiled) in project.decks.iter().zip(decks) {
        let plan = deck::plan(compiled);
        if decks.len() > 1 && !plan.is_empty() {
            console.say(&console.strong(&compiled.source.path().display().to_string()));
        }
        let before = good.remove(&entry.slug).unwrap_or_default();
        tested.push(deck::run(project, compiled, &plan, &before, fail_fast, console, stop).await?);
    }
    Ok(tested)
}

/// The last run of each deck in which every step passed.
fn last_good(project: &Project) -> BTreeMap<String, Before> {
    let slugs: Vec<&str> = project.decks.iter().map(|deck| deck.slug.as_str()).collect();
    let folder = files::folder(Folder::of(&project.root).path());
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let now_ms = u64::try_from(now_ms).unwrap_or(u64::MAX);
    let runs = runs::last_passed(&folder, &slugs).into_iter().map(|(deck, run)| {
        let label = format!("{} {}", run.head.what.word(), recording::clock(run.head.started_ms, now_ms));
        let before = Before::of(&run, &deck, label);
        (deck, before)
    });
    runs.collect()
}

fn document(suites: &[Suite]) -> Value {
    let decks: Vec<Value> = suites
        .iter()
        .map(|suite| {
            let steps = suite.cases.iter().map(|case| {
                let (result, reason) = match &case.result {
                    Outcome::Passed => ("passed", None),
                    Outcome::Failed(why) => ("failed", Some(why)),
                    Outcome::Skipped(why) => ("skipped", Some(why)),
                };
                let slide = case.group.strip_prefix("slide-").and_then(|number| number.parse::<usize>().ok());
                json!({ "step": case.name, "slide": slide, "seconds": case.seconds, "result": result, "reason": reason })
            });
            json!({ "deck": suite.name, "seconds": suite.seconds, "steps": steps.collect::<Vec<_>>() })
        })
        .collect();
    json!({ "schema": "foredeck.test/1", "decks": decks })
}
