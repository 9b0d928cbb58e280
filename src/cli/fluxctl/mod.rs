//! `fluxctl`: the commands of Flux 1, asked of the foredeck that runs.

pub(in crate::cli) mod client;
mod install;
mod list;
mod release;
mod save;
mod sync;

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::console::{Code, is_set};
use super::running::{self, Running};
use crate::cluster::kubeconfig::{self, Search};
use crate::gitops::fluxctl::connect::{Connection, author};
use crate::gitops::fluxctl::output::{self, ApiError};
use crate::gitops::fluxctl::{Invocation, Report, Request, Shell, Surroundings, args, parse};
use client::{Client, Error};

/// Why a command ends early: what to print, and how to end.
#[derive(Debug)]
pub(super) struct Stop(Report);

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self(match error {
            Error::Api(error) => error.report(),
            Error::Other(error) => output::failed(&error),
            Error::TimedOut => output::failed("timeout"),
        })
    }
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self(error.report())
    }
}

impl Stop {
    fn failed(text: impl AsRef<str>) -> Self {
        Self(output::failed(text.as_ref()))
    }
}

/// Whether the program was called as `fluxctl`.
pub(super) fn is_called(program: Option<&OsString>) -> bool {
    program.and_then(|program| Path::new(program).file_stem()).is_some_and(|name| name == "fluxctl")
}

/// Runs a command; ends with 0 or 1, never with anything else.
pub(super) fn run(arguments: Vec<OsString>) -> Code {
    let mut words = vec!["fluxctl".to_owned()];
    words.extend(arguments.into_iter().map(|word| word.to_string_lossy().into_owned()));
    let report = match ask(&words) {
        Ok(report) | Err(Stop(report)) => report,
    };
    print(&report);
    if report.exit == 0 { Code::Done } else { Code::Findings }
}

/// Prints at once what a person waits for.
fn tell(text: &str) {
    use std::io::Write as _;

    let _ = writeln!(std::io::stderr(), "{text}");
}

fn print(report: &Report) {
    use std::io::Write as _;

    // Nobody may be there to read.
    let _ = std::io::stdout().lock().write_all(report.stdout.as_bytes());
    let _ = std::io::stderr().lock().write_all(report.stderr.as_bytes());
}

fn said(stdout: impl Into<String>) -> Report {
    Report { stdout: stdout.into(), stderr: String::new(), exit: 0 }
}

fn ask(words: &[String]) -> Result<Report, Stop> {
    let user = git_author();
    let surroundings = Surroundings { env: &|name| std::env::var(name).ok(), namespace: &namespace, author: &user };
    let invocation = parse(words, &surroundings).map_err(|refusal| Stop(refusal.report()))?;
    invocation.warnings.iter().for_each(|warning| tell(warning));
    let Invocation { request, connection, .. } = invocation;
    let Some(connection) = connection else { return without_daemon(request) };
    let client = connect(&connection)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Stop::failed(format!("cannot start: {error}")))?;
    runtime.block_on(with_daemon(request, &client))
}

fn without_daemon(request: Request) -> Result<Report, Stop> {
    let command = || args::command().bin_name("fluxctl");
    match request {
        Request::Version => Ok(said(concat!(env!("CARGO_PKG_VERSION"), "\n"))),
        Request::Completion(shell) => {
            let shell = match shell {
                Shell::Bash => clap_complete::Shell::Bash,
                Shell::Fish => clap_complete::Shell::Fish,
                Shell::Zsh => clap_complete::Shell::Zsh,
            };
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command(), "fluxctl", &mut script);
            Ok(said(String::from_utf8_lossy(&script)))
        }
        Request::Install(args) => {
            let notice = format!("{}    {}\n\n", install::NOTICE, install::command(&args));
            let manifests = install::manifests(&args);
            let Some(folder) = args.output_dir.filter(|folder| !folder.is_empty()) else {
                let text: String = manifests.into_iter().map(|(_, text)| text).collect();
                return Ok(Report { stderr: notice, ..said(text) });
            };
            let mut told = String::new();
            for (name, text) in manifests {
                let path = Path::new(&folder).join(name);
                told.push_str(&format!("writing {}\n", path.display()));
                let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, text));
                written.map_err(|error| Stop::failed(format!("cannot write {}: {error}", path.display())))?;
            }
            Ok(Report { stderr: notice, ..said(told) })
        }
        _ => Ok(said(command().render_help().to_string())),
    }
}

async fn with_daemon(request: Request, client: &Client) -> Result<Report, Stop> {
    match request {
        Request::ListWorkloads { namespace, container, listing } => {
            list::workloads(client, namespace.as_deref(), container.as_deref(), listing).await
        }
        Request::ListImages { scope, limit, listing } => list::images(client, &scope, limit, listing).await,
        Request::Sync => sync::sync(client).await,
        Request::Identity { regenerate, fingerprint, visual } => {
            sync::identity(client, regenerate, fingerprint, visual).await
        }
        Request::Policy { changes, cause, verbosity } => release::policy(client, changes, cause, verbosity).await,
        Request::Release(release) => release::release(client, *release).await,
        Request::Save { out } => save::save(client, &out).await,
        other => without_daemon(other),
    }
}

/// The client of the daemon that is meant: the one named, else the foredeck that runs for this folder.
fn connect(connection: &Connection) -> Result<Client, Stop> {
    let token =
        || connection.token.clone().or_else(|| std::env::var("FLUX_TOKEN").ok().filter(|text| !text.is_empty()));
    let client = match &connection.url {
        Some(url) => Client::new(url, token(), connection.timeout),
        None => {
            let Running { url, token, .. } = here().ok_or_else(|| Stop::failed(nobody(connection)))?;
            Client::new(&format!("{url}/flux"), Some(token), connection.timeout)
        }
    };
    client.map_err(|error| Stop::failed(format!("the system's certificates cannot be used: {error}")))
}

/// The foredeck that runs for the current folder.
pub(super) fn here() -> Option<Running> {
    running::find(&std::env::current_dir().ok()?)
}

fn nobody(connection: &Connection) -> String {
    let labels: Vec<_> = connection.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!(
        "No foredeck runs for this folder, and {}.\n\nStart one with `foredeck DECK` and run fluxctl in its project, or \
         give its address with --url and --token\n(FLUX_URL, FLUX_TOKEN). Pods of the archived Flux ({}) are not looked for.",
        if is_set("FLUX_URL") { "FLUX_URL leads nowhere" } else { "no address is given" },
        labels.join(",")
    )
}

/// The namespace of a context of the kubeconfig.
fn namespace(context: Option<&str>) -> Option<String> {
    let home = std::env::home_dir().filter(|home| home.is_absolute());
    let search = Search::standard(std::env::var_os("KUBECONFIG").as_deref(), home.as_deref());
    kubeconfig::read(&search).ok()?.namespace(context)
}

/// Who the user is according to git.
fn git_author() -> String {
    let ask = |name: &str| {
        let output = Command::new("git").args(["config", "--get", name]).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // A terminal of ours says it by variables.
    let either = |variable: &str, name: &str| {
        std::env::var(variable).ok().filter(|text| !text.is_empty()).or_else(|| ask(name)).unwrap_or_default()
    };
    author(&either("GIT_AUTHOR_NAME", "user.name"), &either("GIT_AUTHOR_EMAIL", "user.email"))
}

/// Waits between two questions: twice as long each time, up to a limit.
struct Pauses {
    next: Duration,
    most: Duration,
}

impl Pauses {
    fn new(first: Duration, most: Duration) -> Self {
        Self { next: first, most }
    }

    async fn wait(&mut self) {
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(self.most);
    }
}
