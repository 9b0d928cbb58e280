//! `kubectl`: the one on the PATH with the right kubeconfig, or a small one that is built in.

mod apply;
mod command;
mod create;
mod delete;
mod describe;
mod events;
mod flags;
mod follow;
mod get;
mod info;
mod label;
mod logs;
mod manifest;
mod output;
mod patch;
mod problem;
mod resources;
mod rollout;
mod run;
mod scale;
mod select;
mod session;
mod table;
mod target;
mod wait;
mod write;

use std::ffi::OsString;
use std::io::{BufWriter, Write as _};

use kube::Client;

use super::console::{Code, Console, Failure};
use crate::cluster::provider::Connected;
use command::Name;
use flags::Arguments;
use label::What;
use problem::Problem;
use session::Session;
pub use session::Streams;
pub(super) use target::connect;

/// Runs `kubectl`.
pub(super) fn run(arguments: Vec<OsString>, console: Console) -> Result<Code, Failure> {
    if let Some(program) = target::program() {
        return target::hand_over(&program, &arguments, console);
    }
    let mut words = Vec::new();
    for argument in arguments {
        words.push(
            argument
                .into_string()
                .map_err(|word| Failure::usage(format!("`{}` is no text", word.to_string_lossy())))?,
        );
    }
    // Commands that need no cluster, and mistakes, are told before one is looked for.
    if let Some(text) = without_cluster(&words) {
        return said(text);
    }
    let runtime = super::cluster::runtime()?;
    runtime.block_on(async {
        let connected = target::connect(&words, console).await?;
        let stdout = std::io::stdout();
        let (mut out, mut err, mut input) = (BufWriter::new(stdout), std::io::stderr(), std::io::stdin());
        let streams = Streams { out: &mut out, err: &mut err, input: &mut input };
        let number = run_in(&connected, &words, streams).await;
        let _ = out.flush();
        Ok(if number == 0 { Code::Done } else { Code::Findings })
    })
}

/// What can be answered without a cluster: help, or a mistake in the command line.
fn without_cluster(words: &[String]) -> Option<Result<String, Problem>> {
    let found = match command::find(words) {
        Ok(None) => return Some(Ok(command::help())),
        Ok(Some(found)) => found,
        Err(problem) => return Some(Err(problem)),
    };
    let (command, rest) = found;
    match command.arguments(&rest) {
        Ok(arguments) if arguments.on("help") => Some(Ok(command.help())),
        Ok(_) => None,
        Err(problem) => Some(Err(problem)),
    }
}

fn said(text: Result<String, Problem>) -> Result<Code, Failure> {
    match text {
        Ok(text) => {
            super::console::data(&text)?;
            Ok(Code::Done)
        }
        Err(problem) => {
            let _ = writeln!(std::io::stderr(), "{problem}");
            Ok(Code::Findings)
        }
    }
}

async fn run_in(connected: &Connected, words: &[String], streams: Streams<'_>) -> u8 {
    let chosen = &connected.chosen;
    run_with(connected.client.clone(), &chosen.server, &chosen.namespace, words, streams).await
}

/// Runs a command line of kubectl against a cluster; gives the exit code. `server` is only for messages.
pub async fn run_with(client: Client, server: &str, namespace: &str, words: &[String], streams: Streams<'_>) -> u8 {
    let mut session = Session::new(client, server, namespace, streams);
    let done = dispatch(&mut session, words).await;
    let flushed = session.streams.out.flush().map_err(Problem::from);
    match done.and(flushed) {
        // Whoever read has seen enough.
        Ok(()) | Err(Problem::Closed) => 0,
        Err(problem) => {
            session.tell(&problem.to_string());
            1
        }
    }
}

async fn dispatch(session: &mut Session<'_>, words: &[String]) -> Result<(), Problem> {
    let Some((command, rest)) = command::find(words)? else { return session.print(&command::help()) };
    let arguments = command.arguments(&rest)?;
    if arguments.on("help") {
        return session.print(&command.help());
    }
    if let Some(namespace) = arguments.text("namespace") {
        session.namespace = select::checked(namespace)?;
        session.namespace_given = true;
    }
    session.timeout = match arguments.text("request-timeout") {
        // A number without a unit is seconds.
        Some(text) if text.chars().all(|c| c.is_ascii_digit()) => {
            delete::limit(Some(&format!("{text}s")), "request-timeout")?
        }
        text => delete::limit(text, "request-timeout")?,
    };
    execute(session, command.name, &arguments).await
}

async fn execute(session: &mut Session<'_>, name: Name, arguments: &Arguments) -> Result<(), Problem> {
    match name {
        Name::Get => get::run(session, arguments).await,
        Name::Describe => describe::run(session, arguments).await,
        Name::Logs => logs::run(session, arguments).await,
        Name::Events => events::run(session, arguments).await,
        Name::Apply => apply::run(session, arguments).await,
        Name::Run => run::run(session, arguments).await,
        Name::Expose => run::expose(session, arguments).await,
        Name::Create => create::files(session, arguments).await,
        Name::CreateNamespace => create::namespace(session, arguments).await,
        Name::CreateServiceAccount => create::service_account(session, arguments).await,
        Name::CreateDeployment => create::deployment(session, arguments).await,
        Name::CreateConfigMap => create::config_map(session, arguments).await,
        Name::CreateSecret => create::secret(session, arguments).await,
        Name::Delete => delete::run(session, arguments).await,
        Name::Scale => scale::run(session, arguments).await,
        Name::RolloutStatus => rollout::status(session, arguments).await,
        Name::RolloutHistory => rollout::history(session, arguments).await,
        Name::RolloutUndo => rollout::undo(session, arguments).await,
        Name::RolloutRestart => rollout::restart(session, arguments).await,
        Name::RolloutPause => rollout::pause(session, arguments, true).await,
        Name::RolloutResume => rollout::pause(session, arguments, false).await,
        Name::Annotate => label::run(session, arguments, What::Annotations).await,
        Name::Label => label::run(session, arguments, What::Labels).await,
        Name::Patch => patch::run(session, arguments).await,
        Name::SetImage => patch::set_image(session, arguments).await,
        Name::Wait => wait::run(session, arguments).await,
        Name::Version => info::version(session, arguments).await,
        Name::ApiResources => info::api_resources(session, arguments).await,
        Name::ApiVersions => info::api_versions(session).await,
    }
}
