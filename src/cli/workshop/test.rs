//! `test workshop`: every solution, every reset, and the way back to the last step, in a sandbox that goes away.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::args::{TestWorkshop, WhichWorkshop};
use super::host::{Host, Hosting};
use super::{folder, sound};
use crate::cli::console::{Code, Console, Failure};
use crate::cli::supervise;
use crate::cli::test::junit::{self, Case, Outcome, Suite};
use crate::cluster::folder::Folder;
use crate::server::role::Token;
use crate::workshop::Workshop;
use crate::workshop::session::{Error, Session};

pub(super) fn run(args: &TestWorkshop, console: Console) -> Result<Code, Failure> {
    let which = WhichWorkshop { workshop: args.folder.clone() };
    let workshop = Arc::new(sound(&which, console)?.workshop);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Code::Environment, error))?;
    let begun = Instant::now();
    let cases = runtime.block_on(async {
        let stop = CancellationToken::new();
        supervise::work(&stop, all(workshop.clone(), folder(&which), console, stop.clone())).await
    });
    runtime.shutdown_background();
    let cases = cases?;
    let seconds = begun.elapsed().as_secs_f64();
    let suite = Suite { name: workshop.name.clone(), cases, seconds };
    let (tests, failures) = (suite.cases.len(), suite.failures());
    let suites = [suite];
    let to_stdout = junit::save(args.junit.as_deref(), &suites)?;
    if console.json && !to_stdout {
        console.document(&document(&suites[0]))?;
    }
    console.say(&format!("{} of {tests} good in {seconds:.1} s", tests - failures));
    Ok(if failures == 0 { Code::Done } else { Code::Findings })
}

/// A folder that goes away with this value.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn all(
    workshop: Arc<Workshop>,
    steps: Option<PathBuf>,
    console: Console,
    stop: CancellationToken,
) -> Result<Vec<Case>, Failure> {
    let name = Token::random().map_err(|error| Failure::new(Code::Environment, error))?;
    let path = std::env::temp_dir().join(format!("foredeck-test-{}", name.reveal()));
    let passing = Passing(path);
    let hosting = Hosting { passing: true, ..Hosting::quietly(workshop.clone(), steps, Folder::of(&passing.0)) };
    let host = Host::start(hosting, stop.clone()).await?;
    let session = match host.session().await {
        Ok(session) => session,
        Err(failure) => {
            host.end().await;
            return Err(failure);
        }
    };
    let cases = tokio::select! {
        cases = try_all(&session, &workshop, console) => Ok(cases),
        () = stop.cancelled() => Err(Failure::new(Code::Interrupted, anyhow::Error::msg("stopped"))),
    };
    host.end().await;
    cases
}

/// Solutions in order, resets the other way round, then once more to the last step.
async fn try_all(session: &Session, workshop: &Workshop, console: Console) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |what: &'static str, step: &str, begun: Instant, result: Result<(), String>| {
        let result = result.map_or_else(Outcome::Failed, |()| Outcome::Passed);
        let seconds = begun.elapsed().as_secs_f64();
        let case = Case { group: what.to_owned(), name: step.to_owned(), seconds, result };
        case.tell(console);
        cases.push(case);
    };
    for step in &workshop.steps {
        let begun = Instant::now();
        add("solution", &step.id, begun, solution(session, &step.id).await);
    }
    for step in workshop.steps.iter().rev() {
        let begun = Instant::now();
        add("reset", &step.id, begun, session.reset_by_commands(&step.id).await.map_err(|error| words(&error)));
    }
    if let Some(last) = workshop.steps.last() {
        let begun = Instant::now();
        let again = session.start(&last.id, &mut |_| {}).await.map_err(|error| words(&error));
        add("converge", &last.id, begun, again);
    }
    cases
}

async fn solution(session: &Session, id: &str) -> Result<(), String> {
    session.start(id, &mut |_| {}).await.map_err(|error| format!("it does not begin: {}", words(&error)))?;
    let report = session.solve(id).await.map_err(|error| words(&error))?;
    match report.missing() {
        None => Ok(()),
        Some(why) => Err(format!("the solution does not make it green: {why}")),
    }
}

fn words(error: &Error) -> String {
    match error {
        Error::Action { output, .. } => format!("{error}\n{}", output.trim_end()),
        _ => error.to_string(),
    }
}

fn document(suite: &Suite) -> serde_json::Value {
    let shown = suite
        .cases
        .iter()
        .map(|case| json!({"what": case.group, "step": case.name, "seconds": case.seconds, "failure": case.failure()}));
    json!({
        "schema": "foredeck.workshop.test/1",
        "workshop": suite.name,
        "seconds": suite.seconds,
        "cases": shown.collect::<Vec<_>>(),
    })
}
