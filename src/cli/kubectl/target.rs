//! Which cluster `kubectl` talks to, and whether a real kubectl does the talking.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::flags::{Arguments, Flag, Takes};
use crate::cli::cluster::args::Which;
use crate::cli::cluster::{Place, provider, reach, runtime};
use crate::cli::console::{Code, Console, Failure};
use crate::cluster::kubeconfig::{Search, own};
use crate::cluster::process;
use crate::cluster::provider::{self as clusters, Connected, Target};

/// The variable that says which kubectl is used: `builtin`, or a program.
const CHOICE: &str = "FOREDECK_KUBECTL";

/// The real kubectl, when there is one and it is wanted.
pub(super) fn program() -> Option<PathBuf> {
    match std::env::var_os(CHOICE).filter(|choice| !choice.is_empty()) {
        Some(choice) if matches!(choice.to_str(), Some("builtin" | "built-in")) => None,
        Some(choice) => Some(choice.into()),
        None => {
            // Where this program is also called kubectl, it must not start itself for ever.
            let this: Vec<PathBuf> = std::env::current_exe().into_iter().collect();
            process::find("kubectl", std::env::var_os("PATH").as_deref(), &this)
        }
    }
}

/// What a command line says about the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    kubeconfig: Option<String>,
    context: Option<String>,
    /// A flag that leads round the guard.
    around: Option<&'static str>,
}

impl Asked {
    /// Reads the flags that choose a cluster, wherever they stand before `--`.
    fn of(arguments: &[OsString]) -> Self {
        let mut asked = Self::default();
        let words = arguments.iter().map(|word| word.to_string_lossy()).take_while(|word| word != "--");
        let words: Vec<_> = words.collect();
        for (index, word) in words.iter().enumerate() {
            let (flag, joined) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (word.as_ref(), None),
            };
            let value = || joined.clone().or_else(|| words.get(index + 1).map(ToString::to_string));
            match flag {
                "--kubeconfig" => asked.kubeconfig = value(),
                "--context" => asked.context = value(),
                "--server" | "-s" => asked.around = Some("--server"),
                "--cluster" => asked.around = Some("--cluster"),
                "--user" => asked.around = Some("--user"),
                _ if is_joined_server(word) => asked.around = Some("--server"),
                _ => {}
            }
        }
        asked
    }

    /// The context that is meant, as far as the guard lets it be touched.
    fn target(&self, place: &Place) -> Result<Target, Failure> {
        if let Some(flag) = self.around {
            let message = format!("`{flag}` leads to a cluster that nothing is known about");
            return Err(Failure::new(Code::Refused, anyhow::Error::msg(message))
                .hint("choose a context with `--context`, or run kubectl itself"));
        }
        let around = &place.around;
        let file = self.kubeconfig.as_deref().filter(|file| !file.is_empty()).map(Path::new);
        match (file, &self.context) {
            // What `cluster serve --kubeconfig` wrote, for example.
            (Some(file), context) if own::is_ours(file) => Ok(clusters::own_file(file, context.as_deref(), around)?),
            (Some(file), context) => Ok(clusters::file_context(&Search::file(file), context.as_deref(), around)?),
            (None, Some(context)) => Ok(clusters::file_context(&around.search, Some(context), around)?),
            (None, None) => match named(&around.search) {
                // Terminals of a live system have it, wherever their folder is.
                Some([file]) => Ok(clusters::own_file(file, None, around)?),
                Some(_) => Ok(clusters::file_context(&around.search, None, around)?),
                None => Ok(clusters::target(&provider(&Which::default())?, around)?),
            },
        }
    }
}

/// The files of `$KUBECONFIG`, when foredeck wrote the first one; unless `$FOREDECK_CLUSTER` names a cluster.
fn named(search: &Search) -> Option<&[PathBuf]> {
    let chosen = std::env::var_os("FOREDECK_CLUSTER").is_some_and(|name| !name.is_empty());
    search.files.first().filter(|file| !chosen && own::is_ours(file)).map(|_| search.files.as_slice())
}

/// `-shttps://…`; other letters may stand before it.
fn is_joined_server(text: &str) -> bool {
    text.starts_with('-') && !text.starts_with("--") && (text.contains("shttp") || text.contains("s=http"))
}

/// Connects for the built-in kubectl.
pub(in crate::cli) async fn connect(words: &[String], console: Console) -> Result<Connected, Failure> {
    let place = Place::here(console)?;
    let arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
    let target = Asked::of(&arguments).target(&place)?;
    Ok(clusters::connect_to(target, &place.around).await?)
}

/// Runs the real kubectl with all arguments as they are, and with the kubeconfig of the cluster that is meant.
pub(super) fn hand_over(program: &Path, arguments: &[OsString], console: Console) -> Result<Code, Failure> {
    let mut command = Command::new(program);
    // Should that program be a script that comes back here, it does not do so for ever.
    command.args(arguments).env(CHOICE, "builtin");
    if !is_local(arguments) {
        let place = Place::here(console)?;
        let asked = Asked::of(arguments);
        let target = asked.target(&place)?;
        if asked.kubeconfig.is_some() || asked.context.is_some() {
            // Somebody else's cluster: also its nodes have to look as they should.
            runtime()?.block_on(clusters::connect_to(target, &place.around))?;
        } else if named(&place.around.search).is_none() {
            let provider = provider(&Which::default())?;
            command.env("KUBECONFIG", reach::of(&provider, target.chosen.context, &place)?.variable()?);
        }
    }
    replace(command)
}

/// Commands that need no cluster.
fn is_local(arguments: &[OsString]) -> bool {
    const LOCAL: [&str; 6] = ["completion", "help", "kustomize", "options", "plugin", "__complete"];
    const NONE: &[Flag] = &[Flag::new("help", Takes::Switch, "").short('h')];
    let words: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let first = words.iter().find(|word| !word.starts_with('-'));
    let before_dash: Vec<String> = words.iter().take_while(|word| *word != "--").cloned().collect();
    let help = before_dash.iter().any(|word| word == "--help" || word == "-h");
    let empty = Arguments::parse(&words, &[NONE], "").is_ok_and(|arguments| arguments.words.is_empty());
    help || empty || first.is_some_and(|word| LOCAL.contains(&word.as_str()) || word.starts_with("__complete"))
}

/// Becomes another program.
#[cfg(unix)]
fn replace(mut command: Command) -> Result<Code, Failure> {
    use std::os::unix::process::CommandExt as _;

    Err(not_started(&command.exec(), &command))
}

/// Runs another program in its place.
#[cfg(not(unix))]
fn replace(mut command: Command) -> Result<Code, Failure> {
    let status = command.status().map_err(|error| not_started(&error, &command))?;
    std::process::exit(status.code().unwrap_or(1));
}

fn not_started(error: &std::io::Error, command: &Command) -> Failure {
    let message = format!("cannot run `{}`: {error}", Path::new(command.get_program()).display());
    let failure = Failure::new(Code::Environment, anyhow::Error::msg(message));
    failure.hint(format!("`{CHOICE}=builtin` uses the one that is built in"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Asked::of(&words)
    }

    #[test]
    fn flags_that_choose_a_cluster_are_seen_anywhere() {
        let context = |name: &str| Asked { context: Some(name.to_owned()), ..Asked::default() };
        for (line, expected) in [
            ("get pods", Asked::default()),
            ("get --context dev pods", context("dev")),
            ("--context=dev get pods", context("dev")),
            ("get pods --context=a --context b", context("b")),
            ("exec p -- cmd --context x", Asked::default()),
            ("get pods --contexts=x", Asked::default()),
            (
                "get --kubeconfig f --context=c pods",
                Asked { kubeconfig: Some("f".into()), context: Some("c".to_owned()), around: None },
            ),
            ("get pods -s https://x", Asked { around: Some("--server"), ..Asked::default() }),
            ("get pods -shttps://x", Asked { around: Some("--server"), ..Asked::default() }),
            ("get pods --server=https://x", Asked { around: Some("--server"), ..Asked::default() }),
            ("get pods --cluster x", Asked { around: Some("--cluster"), ..Asked::default() }),
            ("get pods --user=x", Asked { around: Some("--user"), ..Asked::default() }),
        ] {
            assert_eq!(asked(line), expected, "{line}");
        }
    }

    #[test]
    fn some_commands_need_no_cluster() {
        let local = |line: &str| is_local(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>());
        for line in ["", "help get", "get --help", "completion bash", "-h"] {
            assert!(local(line), "{line}");
        }
        for line in ["get pods", "exec p -- x --help", "-n demo get pods"] {
            assert!(!local(line), "{line}");
        }
    }
}
