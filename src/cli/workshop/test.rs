//! `test workshop`: every solution, every reset, and the way back to the last step, in a sandbox that goes away.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::args::{TestWorkshop, WhichWorkshop};
use super::host::{Host, Hosting};
use super::{folder, sound};
use crate::cli::console::{self, Code, Console, Failure};
use crate::cli::supervise;
use crate::cluster::folder::Folder;
use crate::server::role::Token;
use crate::workshop::Workshop;
use crate::workshop::session::{Error, Session};

/// One thing that was tried.
struct Case {
    what: &'static str,
    step: String,
    seconds: f64,
    failure: Option<String>,
}

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
    let failures = cases.iter().filter(|case| case.failure.is_some()).count();
    let to_stdout = args.junit.as_deref() == Some(Path::new("-"));
    if let Some(file) = &args.junit {
        let text = junit(&workshop.name, &cases, seconds);
        if to_stdout {
            console::data(&text)?;
        } else {
            let failed = |error| {
                let what = format!("cannot write `{}`", file.display());
                Failure::new(Code::Environment, anyhow::Error::new(error).context(what))
            };
            std::fs::write(file, text).map_err(failed)?;
        }
    }
    if console.json && !to_stdout {
        console.document(&document(&workshop.name, &cases, seconds))?;
    }
    console.say(&format!("{} of {} good in {seconds:.1} s", cases.len() - failures, cases.len()));
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
        let case = Case { what, step: step.to_owned(), seconds: begun.elapsed().as_secs_f64(), failure: result.err() };
        let word = if case.failure.is_some() { "FAILED" } else { "ok" };
        console.say(&format!("{word:6} {what:8} {step} ({:.1} s)", case.seconds));
        if let Some(why) = &case.failure {
            console.say(&format!("       {}", why.replace('\n', "\n       ")));
        }
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

fn document(workshop: &str, cases: &[Case], seconds: f64) -> serde_json::Value {
    let shown = cases
        .iter()
        .map(|case| json!({"what": case.what, "step": case.step, "seconds": case.seconds, "failure": case.failure}));
    json!({
        "schema": "foredeck.workshop.test/1",
        "workshop": workshop,
        "seconds": seconds,
        "cases": shown.collect::<Vec<_>>(),
    })
}

/// The results as CI servers read them.
fn junit(workshop: &str, cases: &[Case], seconds: f64) -> String {
    let failures = cases.iter().filter(|case| case.failure.is_some()).count();
    let (name, tests) = (escaped(workshop), cases.len());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites tests=\"{tests}\" failures=\"{failures}\" time=\"{seconds:.3}\">\n  \
         <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"{seconds:.3}\">\n"
    );
    for case in cases {
        let (step, what) = (escaped(&case.step), case.what);
        out.push_str(&format!(
            "    <testcase classname=\"{name}.{what}\" name=\"{step}\" time=\"{:.3}\"",
            case.seconds
        ));
        match &case.failure {
            None => out.push_str("/>\n"),
            Some(why) => {
                let first = escaped(why.lines().next().unwrap_or(""));
                let text = escaped(why);
                out.push_str(&format!(">\n      <failure message=\"{first}\">{text}</failure>\n    </testcase>\n"));
            }
        }
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

/// Text for XML: what has a meaning there is written otherwise, what may not be there goes.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junit_says_what_failed_and_stays_xml() {
        let case = |step: &str, failure: Option<&str>| Case {
            what: "solution",
            step: step.to_owned(),
            seconds: 1.5,
            failure: failure.map(str::to_owned),
        };
        let text = junit("a&b", &[case("01-a", None), case("02-b", Some("<no> \u{1b}[31mluck\nmore \"words\""))], 3.0);
        assert_eq!(
            text,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuites tests=\"2\" failures=\"1\" time=\"3.000\">\n  \
             <testsuite name=\"a&amp;b\" tests=\"2\" failures=\"1\" errors=\"0\" time=\"3.000\">\n    \
             <testcase classname=\"a&amp;b.solution\" name=\"01-a\" time=\"1.500\"/>\n    \
             <testcase classname=\"a&amp;b.solution\" name=\"02-b\" time=\"1.500\">\n      \
             <failure message=\"&lt;no&gt; [31mluck\">&lt;no&gt; [31mluck\nmore &quot;words&quot;</failure>\n    \
             </testcase>\n  </testsuite>\n</testsuites>\n"
        );
    }
}
