//! The command line: parse, resolve settings, run one command, give an exit code.

pub mod args;
pub mod check;
pub mod cluster;
mod clusterctl;
pub mod config;
pub mod console;
mod demo;
pub mod dialect;
pub mod docs;
pub mod doctor;
pub mod export;
pub mod fluxctl;
pub mod import;
pub mod kubectl;
pub mod new;
mod passing;
pub mod present;
pub mod reconcile;
pub mod rehearse;
pub mod running;
mod runs;
pub mod settings;
pub mod snapshot;
pub mod supervise;
pub mod test;
pub mod theme;
pub mod trust;
pub mod workshop;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use args::{Bare, Cli, Command, ConsoleArgs};
use console::{Code, Console, Failure};

use crate::project::media::is_style_sheet;
use crate::project::{Project, ProjectOptions};

/// Runs the command line; everything it does ends in an exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter().peekable();
    if fluxctl::is_called(arguments.peek()) {
        return fluxctl::run(arguments.skip(1).collect()).into();
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for and go to standard output; anything else is a usage error.
            let _ = error.print();
            return if error.use_stderr() { Code::Usage } else { Code::Done }.into();
        }
    };
    let console_args = console_args(&cli);
    start_log(&console_args);
    let console = Console::new(&console_args);
    match dispatch(cli, console) {
        Ok(code) => code.into(),
        Err(failure) => {
            console.failure(&failure);
            failure.code.into()
        }
    }
}

fn dispatch(cli: Cli, console: Console) -> Result<Code, Failure> {
    match cli.command {
        None => bare(cli.bare, console),
        Some(Command::Present(present)) => present::run(*present, console),
        Some(Command::Export(export)) => export::run(*export, console),
        Some(Command::Rehearse(rehearse)) => rehearse::run(*rehearse, console),
        Some(Command::Check(check)) => check::run(*check, console),
        Some(Command::Import(import)) => import::run(&import, console),
        Some(Command::Theme(theme)) => theme::run(theme.command, console),
        Some(Command::New(new)) => new::run(&new, console),
        Some(Command::Demo(demo)) => demo::run(*demo, console),
        Some(Command::Cluster(cluster)) => cluster::run(cluster.command, console),
        Some(Command::Kubectl { arguments }) => kubectl::run(arguments, console),
        Some(Command::Sync { .. }) => Ok(reconcile::sync()),
        Some(Command::Reconcile(args)) => reconcile::run(&args, console),
        Some(Command::Fluxctl { arguments }) => Ok(fluxctl::run(arguments)),
        Some(Command::Clusterctl { arguments }) => clusterctl::run(arguments, console),
        Some(Command::Doctor(doctor)) => doctor::run(&doctor, console),
        Some(Command::Snapshot(snapshot)) => snapshot::run(snapshot, console),
        Some(Command::Trust(trust)) => trust::run(trust, console),
        Some(Command::Workshop(workshop)) => workshop::run(workshop.command, console),
        Some(Command::Test(test)) => test::run(*test, console),
        Some(Command::Docs(docs)) => docs::run(&docs, console),
        Some(Command::Completions { shell, .. }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "foredeck", &mut script);
            written(&script)
        }
        Some(Command::Man { .. }) => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut page)
                .map_err(|error| Failure::new(Code::Environment, error))?;
            written(&page)
        }
    }
}

fn written(bytes: &[u8]) -> Result<Code, Failure> {
    console::data(&String::from_utf8_lossy(bytes))?;
    Ok(Code::Done)
}

/// `foredeck [DECK]` presents; with a sign that a file is wanted it exports, as `marp` does.
fn bare(bare: Bare, console: Console) -> Result<Code, Failure> {
    let Bare { inputs, serve, convert, render, demo, console: console_args } = bare;
    let wants_file = convert.output.is_some()
        || convert.to.is_some()
        || convert.notes
        || convert.template.is_some()
        || convert.with_notes
        || convert.inline
        || convert.no_inline
        || convert.input_dir.is_some()
        || convert.print.any();
    if wants_file && !serve.server && !serve.preview {
        return export::run(args::Export { inputs, convert, render, console: console_args }, console);
    }
    let inputs = if inputs.is_empty() { convert.input_dir.into_iter().collect() } else { inputs };
    present::run(args::Present { inputs, serve, render, meta: convert.meta, demo, console: console_args }, console)
}

fn console_args(cli: &Cli) -> ConsoleArgs {
    use args::ThemeCommand;
    let console = match &cli.command {
        None => &cli.bare.console,
        Some(Command::Present(args)) => &args.console,
        Some(Command::Export(args)) => &args.console,
        Some(Command::Rehearse(args)) => &args.console,
        Some(Command::Check(args)) => &args.console,
        Some(Command::Import(args)) => &args.console,
        Some(Command::New(args)) => &args.console,
        Some(Command::Demo(args)) => &args.console,
        Some(Command::Doctor(args)) => &args.console,
        Some(Command::Docs(args)) => &args.console,
        Some(Command::Snapshot(args)) => &args.console,
        Some(Command::Trust(args)) => &args.console,
        Some(Command::Cluster(args)) => args.command.console(),
        Some(Command::Workshop(args)) => args.command.console(),
        Some(Command::Test(args)) => args.console(),
        // All arguments are kubectl's, fluxctl's and clusterctl's own.
        Some(Command::Kubectl { .. } | Command::Fluxctl { .. } | Command::Clusterctl { .. }) => {
            return ConsoleArgs::default();
        }
        Some(Command::Reconcile(args)) => {
            let reconcile::ReconcileCommand::Status(status) = &args.command;
            &status.console
        }
        Some(Command::Completions { console, .. } | Command::Man { console } | Command::Sync { console }) => console,
        Some(Command::Theme(args)) => match &args.command {
            ThemeCommand::List { console, .. }
            | ThemeCommand::Eject { console, .. }
            | ThemeCommand::Check { console, .. } => console,
        },
    };
    console.clone()
}

/// Logs to standard error when somebody asks for it.
fn start_log(args: &ConsoleArgs) {
    use tracing_subscriber::EnvFilter;

    let asked = args.debug.as_deref().map(|filter| if filter == "all" { "foredeck=debug" } else { filter }.to_owned());
    let filter = asked.or_else(|| std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty()));
    if let Some(filter) = filter {
        let filter = EnvFilter::try_new(&filter).unwrap_or_else(|_| EnvFilter::new("info"));
        // A second start in one process (tests) keeps the first.
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    }
}

/// What stands on the command line as input, sorted: decks, and theme files that Marp's `--theme-set` takes
/// along.
struct Inputs {
    decks: Vec<PathBuf>,
    themes: Vec<PathBuf>,
}

impl Inputs {
    fn sort(inputs: Vec<PathBuf>) -> Self {
        let (themes, decks) = inputs.into_iter().partition(|path| is_style_sheet(path));
        Self { decks, themes }
    }

    /// The decks, or what lies in the current folder.
    fn or_default(mut self) -> Result<Self, Failure> {
        if self.decks.is_empty() {
            self.decks.push(default_input()?);
        }
        Ok(self)
    }

    /// The decks as one project.
    fn open(&self, options: ProjectOptions) -> Result<Project, Failure> {
        let paths: Vec<&Path> = self.decks.iter().map(PathBuf::as_path).collect();
        Project::open_all(&paths, options)
            .map_err(|error| not_found(self.first().unwrap_or(Path::new("")), error.into()))
    }

    fn first(&self) -> Option<&Path> {
        self.decks.first().map(PathBuf::as_path)
    }
}

/// The deck that is meant when none is named.
fn default_input() -> Result<PathBuf, Failure> {
    if Path::new("decks").is_dir() {
        return Ok("decks".into());
    }
    let names = ["deck.md", "slides.md", "index.md", "PITCHME.md"];
    let found = names.iter().map(PathBuf::from).find(|path| path.is_file());
    found.ok_or_else(|| {
        let message = "there is no deck here: no `decks/`, `deck.md`, `slides.md`, `index.md` or `PITCHME.md`";
        Failure::input(message).hint("name a deck, or start one with `foredeck new talk`")
    })
}

/// The failure for an input that is not there, with a guess at what was meant.
fn not_found(path: &Path, failure: Failure) -> Failure {
    let word = path.to_string_lossy();
    let commands = [
        "present",
        "export",
        "check",
        "import",
        "theme",
        "new",
        "demo",
        "cluster",
        "kubectl",
        "fluxctl",
        "clusterctl",
        "sync",
        "reconcile",
        "doctor",
        "trust",
        "snapshot",
        "workshop",
        "test",
        "docs",
        "completions",
        "man",
        "help",
    ];
    match crate::diagnostic::closest(&word, commands) {
        Some(command) if !word.contains(['.', '/']) && !path.exists() => {
            failure.hint(format!("did you mean the command `{command}`?"))
        }
        _ => failure,
    }
}
