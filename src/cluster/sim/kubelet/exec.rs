//! Commands in running containers.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::api::status::Refusal;
use crate::cluster::sim::image::http::Request;
use crate::cluster::sim::script::{self, Limits, Outcome, Setting, Stream};
use crate::cluster::sim::tools::{chance, since};
use crate::cluster::sim::view::{Container, Pod};

use super::answer::reach;
use super::logs::{chosen, status_of};
use super::process::{Process, Program, Surroundings};

/// How far a command is followed.
const LIMITS: Limits = Limits { until: Duration::from_secs(3600), lines: 10_000, steps: 100_000, end_only: false };
/// How much standard input a command reads.
const INPUT: usize = 1 << 20;

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// When it comes, counted from the start.
    pub at: Duration,
    /// Where to.
    pub stream: Stream,
    /// The text.
    pub text: String,
}

/// What came of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecResult {
    /// What it prints.
    pub output: Vec<Chunk>,
    /// The exit code; of one that goes on for longer than anybody waits, 137.
    pub code: i32,
    /// How long it takes.
    pub lasts: Duration,
    /// Whether a shell has been left with it.
    pub left: bool,
}

impl ExecResult {
    fn of(outcome: Outcome) -> Self {
        let (lasts, code) = outcome.end.unwrap_or((LIMITS.until, 137));
        let chunk = |line: script::Line| {
            let end = if line.ended { "\n" } else { "" };
            Chunk { at: line.at, stream: line.stream, text: line.text + end }
        };
        Self { output: outcome.lines.into_iter().map(chunk).collect(), code, lasts, left: outcome.exited }
    }

    fn text(&self, wanted: Stream) -> String {
        self.output.iter().filter(|chunk| chunk.stream == wanted).map(|chunk| chunk.text.as_str()).collect()
    }

    /// All of its standard output.
    pub fn stdout(&self) -> String {
        self.text(Stream::Out)
    }

    /// All of its standard error.
    pub fn stderr(&self) -> String {
        self.text(Stream::Err)
    }
}

/// Runs a command in a container of a pod.
pub fn exec(
    pod: &Value,
    container: &str,
    command: &[String],
    stdin: &str,
    around: &Surroundings<'_>,
) -> Result<ExecResult, Refusal> {
    let view = super::pod_of(pod);
    let (container, began) = running(&view, container)?;
    let Some(name) = command.first() else {
        return Err(Refusal::bad_request("you must specify at least 1 command for the container"));
    };
    let process = Process::lenient(&view, container, *around);
    let web = |method: &str, url: &str| ask(pod, &view, method, url, around);
    let input: String = stdin.chars().take(INPUT).collect();
    let setting = Setting { input, web: Some(&web), ..inside(&process, began) };
    let outcome = script::run_words(command, &setting, LIMITS);
    let missing = format!("sh: {name}: not found\n");
    if outcome.end.is_some_and(|(_, code)| code == 127) && outcome.text(Stream::Err) == missing {
        return Err(Refusal::internal(format!(
            "error executing command in container: failed to exec in container: failed to start exec: OCI runtime exec \
             failed: exec failed: unable to start container process: exec: \"{name}\": executable file not found in $PATH"
        )));
    }
    Ok(ExecResult::of(outcome))
}

/// The container of a name if it runs, and since when.
fn running<'a>(pod: &'a Pod, name: &str) -> Result<(&'a Container, Timestamp), Refusal> {
    let container = chosen(pod, name)?;
    if pod.is_over() {
        let phase = &pod.status.phase;
        let message = format!("cannot exec into a container in a completed pod; current phase is {phase}");
        return Err(Refusal::bad_request(message));
    }
    if pod.spec.node_name.is_empty() {
        return Err(Refusal::bad_request(format!("pod {} does not have a host assigned", pod.metadata.name)));
    }
    let running = status_of(pod, container).and_then(|status| status.state.running.as_ref());
    match running {
        Some(running) => Ok((container, running.started_at.0.unwrap_or_default())),
        None => Err(Refusal::internal(format!(
            "unable to upgrade connection: container not found (\"{}\")",
            container.name
        ))),
    }
}

/// What a command finds in a container: also the files that its script has made so far.
fn inside(process: &Process<'_>, began: Timestamp) -> Setting<'static> {
    let now = process.around.now;
    let mut setting = process.setting(now, Vec::new());
    if let Program::Script { text, arguments } = process.program() {
        let limits = Limits { until: since(now, began), lines: 1, ..Limits::default() };
        setting.files = script::run(&text, &process.setting(began, arguments), limits).files;
    }
    Setting { strict: true, ..setting }
}

/// An HTTP request from inside of a pod.
fn ask(pod: &Value, view: &Pod, method: &str, url: &str, around: &Surroundings<'_>) -> Option<(u16, String, Duration)> {
    let now = around.now.as_nanosecond().to_le_bytes();
    let drawn = chance(2, &[view.metadata.uid.as_bytes(), url.as_bytes(), &now]);
    let agent = [("User-Agent".to_owned(), "curl/8.15.0".to_owned()), ("Accept".to_owned(), "*/*".to_owned())];
    let request = Request { method, path: "/", headers: &agent, body: "", chance: drawn };
    reach(pod, url, &request, around).map(|answer| (answer.status, answer.body, answer.latency))
}

/// A shell that somebody types into: it remembers variables, files and where it is.
#[derive(Debug, Clone, Default)]
pub struct Shell {
    container: String,
    variables: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    folder: String,
}

impl Shell {
    /// Opens a shell in a container of a pod.
    pub fn open(pod: &Value, container: &str, around: &Surroundings<'_>) -> Result<Self, Refusal> {
        let view = super::pod_of(pod);
        let (container, began) = running(&view, container)?;
        let process = Process::lenient(&view, container, *around);
        let setting = inside(&process, began);
        Ok(Self {
            container: container.name.clone(),
            variables: setting.variables,
            files: setting.files,
            folder: "/".to_owned(),
        })
    }

    /// The shell that a container of a pod is itself, if it is one that waits for input.
    pub fn of(pod: &Value, container: &str, around: &Surroundings<'_>) -> Option<Self> {
        let view = super::pod_of(pod);
        let (container, _) = running(&view, container).ok()?;
        let name = Process::lenient(&view, container, *around).is_shell().then_some(&container.name)?;
        Self::open(pod, name, around).ok()
    }

    /// The name of the container that it runs in.
    pub fn container(&self) -> &str {
        &self.container
    }

    /// What stands before the cursor.
    pub fn prompt(&self) -> String {
        format!("{} # ", self.folder)
    }

    /// Runs a line.
    pub fn line(&mut self, pod: &Value, line: &str, around: &Surroundings<'_>) -> Result<ExecResult, Refusal> {
        let view = super::pod_of(pod);
        running(&view, &self.container)?;
        let web = |method: &str, url: &str| ask(pod, &view, method, url, around);
        let setting = Setting {
            variables: std::mem::take(&mut self.variables),
            files: std::mem::take(&mut self.files),
            folder: self.folder.clone(),
            hostname: super::process::hostname(&view),
            began: around.now,
            strict: true,
            web: Some(&web),
            ..Setting::default()
        };
        let outcome = script::run(line, &setting, LIMITS);
        self.variables.clone_from(&outcome.variables);
        self.files.clone_from(&outcome.files);
        self.folder.clone_from(&outcome.folder);
        let mistake =
            outcome.end.is_some_and(|(_, code)| code == 2) && outcome.text(Stream::Err).contains("syntax error");
        let result = ExecResult::of(outcome);
        // A mistake in a line does not end a shell that is typed into.
        Ok(ExecResult { left: result.left && !mistake, ..result })
    }
}
