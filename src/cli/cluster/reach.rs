//! `cluster kubeconfig`: how to reach a cluster.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::Kubeconfig;
use super::{Place, provider};
use crate::cli::console::{self, Code, Console, Failure};
use crate::cluster::error::Error;
use crate::cluster::kubeconfig::own;
use crate::cluster::provider::{Provider, target};

/// How to reach a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Reach {
    /// What `$KUBECONFIG` has to hold; with more than one file the first says which context is meant.
    pub(in crate::cli) files: Vec<PathBuf>,
    /// The context.
    pub(in crate::cli) context: String,
}

/// How to reach a cluster whose context the guard lets through. For a context of the user's own files no secret is
/// copied: a small file of ours before them says which context is the current one.
pub(in crate::cli) fn of(provider: &Provider, context: String, place: &Place) -> Result<Reach, Failure> {
    let around = &place.around;
    let files = match provider {
        Provider::Embedded => vec![around.folder.embedded()],
        Provider::Kind { name } => vec![around.folder.kind(name)],
        Provider::Context { name } => {
            around.folder.make()?;
            let pointer = around.folder.context(name);
            own::write(&pointer, &own::pointer(name), place.home.as_deref())?;
            let theirs = around.search.files.iter().filter(|file| **file != pointer);
            std::iter::once(pointer.clone()).chain(theirs.map(|file| absolute(file))).collect()
        }
    };
    Ok(Reach { files, context })
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

impl Reach {
    /// The value for `$KUBECONFIG`.
    pub(in crate::cli) fn variable(&self) -> Result<std::ffi::OsString, Failure> {
        std::env::join_paths(&self.files).map_err(|_| {
            let message = "the project's path has a `:` in it, so it cannot stand in KUBECONFIG";
            Failure::new(Code::Environment, anyhow::Error::msg(message)).hint("move the project to another folder")
        })
    }
}

pub(super) fn run(args: &Kubeconfig, console: Console) -> Result<Code, Failure> {
    let provider = provider(&args.which)?;
    let place = Place::here(console)?;
    let target = target(&provider, &place.around)?;
    if let Some(output) = &args.output {
        return write(&provider, output, &place, console);
    }
    let server = target.chosen.server.clone();
    let reach = of(&provider, target.chosen.context, &place)?;
    if console.json {
        console.document(&json!({
            "schema": "foredeck.kubeconfig/1",
            "cluster": provider.to_string(),
            "context": reach.context,
            "server": server,
            "kubeconfig": reach.files,
        }))?;
        return Ok(Code::Done);
    }
    let variable = reach.variable()?.to_string_lossy().into_owned();
    console::data(&format!("export KUBECONFIG='{}'\n", variable.replace('\'', "'\\''")))?;
    if console.is_terminal() && console.writes_to_terminal() {
        console.say("Run it in the shell: eval \"$(foredeck cluster kubeconfig)\"");
    }
    Ok(Code::Done)
}

/// Writes the kubeconfig itself; only of clusters whose secrets are foredeck's.
fn write(provider: &Provider, output: &Path, place: &Place, console: Console) -> Result<Code, Failure> {
    let file = match provider {
        Provider::Embedded => place.around.folder.embedded(),
        Provider::Kind { name } => place.around.folder.kind(name),
        Provider::Context { .. } => {
            return Err(Failure::usage("the kubeconfig of a context is your own; foredeck does not copy it")
                .hint("leave `-o` out"));
        }
    };
    let text = std::fs::read_to_string(&file).map_err(|source| Error::Read { path: file, source: source.into() })?;
    if output == Path::new("-") {
        console::data(&text)?;
    } else {
        own::write(output, &text, place.home.as_deref())?;
        console.say(&format!("wrote `{}`", output.display()));
    }
    Ok(Code::Done)
}
