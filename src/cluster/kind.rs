//! kind clusters, made and kept through the `kind` program, with kubeconfig files of their own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::Client;
use serde_json::Value;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::error::Error;
use super::folder::Folder;
use super::kubeconfig::own;
use super::object;
use super::process::{self, Output, Stopped};

/// How long a question to kind or a container runtime may take.
const QUESTION: Duration = Duration::from_secs(20);
/// How long taking a cluster away may take.
const REMOVAL: Duration = Duration::from_secs(120);
/// How often a cluster is asked whether it is ready.
const PAUSE: Duration = Duration::from_millis(500);

/// What finding the programs depends on.
#[derive(Debug, Clone, Default)]
pub struct Tools {
    /// `$PATH`
    pub path: Option<OsString>,
    /// `$KIND_EXPERIMENTAL_PROVIDER`: the container runtime that kind is to use.
    pub runtime: Option<String>,
}

/// The `kind` program.
#[derive(Debug, Clone)]
pub struct Kind {
    program: PathBuf,
    tools: Tools,
}

/// How a cluster is made.
#[derive(Debug, Clone, Default)]
pub struct Create {
    /// The node image; kind's own choice when there is none.
    pub image: Option<String>,
    /// A file of kind's, of kind `Cluster`.
    pub config: Option<PathBuf>,
    /// How long it may take.
    pub limit: Duration,
}

/// A step that kind tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub what: String,
    /// How far it is.
    pub state: State,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It has begun.
    Begun,
    /// It is done.
    Done,
    /// It failed.
    Failed,
}

/// Hears of steps.
pub type Report<'a> = &'a mut (dyn FnMut(Step) + Send);

impl Kind {
    /// Finds the program.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn find(tools: &Tools) -> Result<Self, Error> {
        let program = process::find("kind", tools.path.as_deref(), &[]).ok_or(Error::Missing { program: "kind" })?;
        Ok(Self { program, tools: tools.clone() })
    }

    /// Whether a container runtime answers; kind's own words about that are long and late.
    ///
    /// # Errors
    /// When there is none, or it does not answer.
    pub async fn check_runtime(&self, stop: &CancellationToken) -> Result<(), Error> {
        let asked = self.tools.runtime.as_deref().filter(|name| !name.is_empty());
        let candidates = asked.map_or(vec!["docker", "podman", "nerdctl"], |name| vec![name]);
        let path = self.tools.path.as_deref();
        let found = candidates.iter().find_map(|name| Some((*name, process::find(name, path, &[])?)));
        let Some((name, program)) = found else { return Err(Error::Missing { program: "docker" }) };
        let mut command = Command::new(program);
        command.arg("version");
        let silent = |why| Error::Runtime { program: name.to_owned(), why };
        match process::run(command, QUESTION, stop, &mut |_| {}).await {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(silent(output.last_words())),
            Err(Stopped::Timeout) => Err(silent(format!("nothing for {} s", QUESTION.as_secs()))),
            Err(Stopped::Cancelled) => Err(Error::Interrupted),
            Err(Stopped::Io(error)) => Err(silent(error.to_string())),
        }
    }

    /// The names of all kind clusters on this machine.
    ///
    /// # Errors
    /// When kind fails.
    pub async fn clusters(&self, stop: &CancellationToken) -> Result<Vec<String>, Error> {
        let output = self.ask(["get", "clusters"], QUESTION, stop).await?;
        Ok(output.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    /// The names of a cluster's nodes, which are containers.
    ///
    /// # Errors
    /// When kind fails.
    pub async fn nodes(&self, name: &str, stop: &CancellationToken) -> Result<Vec<String>, Error> {
        let output = self.ask(["get", "nodes", &named(name)], QUESTION, stop).await?;
        Ok(output.split_whitespace().map(str::to_owned).collect())
    }

    /// The kubeconfig of a cluster, as kind gives it.
    ///
    /// # Errors
    /// When there is no such cluster.
    pub async fn kubeconfig(&self, name: &str, stop: &CancellationToken) -> Result<String, Error> {
        self.ask(["get", "kubeconfig", &named(name)], QUESTION, stop).await
    }

    /// Makes a cluster. What was begun is taken away again when it takes too long or is stopped.
    ///
    /// # Errors
    /// When kind fails, takes too long or is stopped.
    pub async fn create(
        &self,
        name: &str,
        create: &Create,
        folder: &Folder,
        stop: &CancellationToken,
        report: Report<'_>,
    ) -> Result<(), Error> {
        folder.make()?;
        // Without a file of its own kind writes into the user's, and changes the current context there.
        let scratch = Scratch::new(folder, name);
        let mut command = self.command(["create", "cluster", &named(name)]);
        command.arg(scratch.flag());
        if let Some(image) = &create.image {
            command.arg(format!("--image={image}"));
        }
        if let Some(config) = &create.config {
            command.arg(joined("--config=", config));
        }
        let mut begun = false;
        let mut listen = |line: &str| {
            begun |= line.trim_start().starts_with("Creating cluster");
            if let Some(step) = step(line) {
                report(step);
            }
        };
        let ended = process::run(command, create.limit, stop, &mut listen).await;
        let what = format!("making the kind cluster `{name}`");
        if matches!(ended, Err(Stopped::Timeout | Stopped::Cancelled)) && begun {
            report(Step { what: "Taking away what was begun".to_owned(), state: State::Begun });
            // What it was stopped for must not stop this too.
            let _ = self.remove(name, scratch.flag(), &CancellationToken::new()).await;
        }
        finished("kind create cluster", &what, create.limit, ended).map(drop)
    }

    /// Deletes a cluster; one that is not there is no error.
    ///
    /// # Errors
    /// When kind fails.
    pub async fn delete(&self, name: &str, folder: &Folder, stop: &CancellationToken) -> Result<(), Error> {
        folder.make()?;
        self.remove(name, Scratch::new(folder, name).flag(), stop).await
    }

    async fn remove(&self, name: &str, kubeconfig: OsString, stop: &CancellationToken) -> Result<(), Error> {
        let mut command = self.command(["delete", "cluster", &named(name)]);
        command.arg(kubeconfig);
        let ended = process::run(command, REMOVAL, stop, &mut |_| {}).await;
        finished("kind delete cluster", "deleting the kind cluster", REMOVAL, ended).map(drop)
    }

    /// Puts images of the local container runtime, or of an archive, into a cluster's nodes.
    ///
    /// # Errors
    /// When kind fails, takes too long or is stopped.
    pub async fn load(
        &self,
        name: &str,
        images: &[String],
        limit: Duration,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let (archives, images): (Vec<&String>, Vec<&String>) = images.iter().partition(|image| is_archive(image));
        for (what, list) in [("docker-image", images), ("image-archive", archives)] {
            if !list.is_empty() {
                // Behind `--`, so that a name cannot be a flag.
                let mut command = self.command(["load", what, &named(name), "--"]);
                command.args(list);
                let ended = process::run(command, limit, stop, &mut |_| {}).await;
                finished(&format!("kind load {what}"), "loading images", limit, ended)?;
            }
        }
        Ok(())
    }

    async fn ask<const N: usize>(
        &self,
        arguments: [&str; N],
        limit: Duration,
        stop: &CancellationToken,
    ) -> Result<String, Error> {
        let what = format!("kind {} {}", arguments.first().unwrap_or(&""), arguments.get(1).unwrap_or(&""));
        let ended = process::run(self.command(arguments), limit, stop, &mut |_| {}).await;
        Ok(finished(&what, &format!("`{what}`"), limit, ended)?.out)
    }

    fn command<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = Command::new(&self.program);
        // The name is always given; a variable must not stand in for it.
        command.args(arguments).env_remove("KIND_CLUSTER_NAME");
        command
    }
}

/// An image that is a file.
fn is_archive(image: &str) -> bool {
    Path::new(image).extension().is_some_and(|end| ["tar", "tgz", "gz"].iter().any(|known| end == *known))
}

fn named(name: &str) -> String {
    format!("--name={name}")
}

fn joined(flag: &str, path: &Path) -> OsString {
    let mut out = OsString::from(flag);
    out.push(path);
    out
}

fn finished(program: &str, what: &str, limit: Duration, ended: Result<Output, Stopped>) -> Result<Output, Error> {
    let failed = |why: String, port| Error::Program { program: program.to_owned(), why, port };
    match ended {
        Ok(output) if output.status.success() => Ok(output),
        Ok(output) => {
            let taken = ["port is already allocated", "address already in use", "ports are not available"];
            let port = output.err.iter().any(|line| taken.iter().any(|words| line.contains(words)));
            Err(failed(output.last_words(), port))
        }
        Err(Stopped::Timeout) => Err(Error::Timeout { what: what.to_owned(), limit }),
        Err(Stopped::Cancelled) => Err(Error::Interrupted),
        Err(Stopped::Io(error)) => Err(failed(error.to_string(), false)),
    }
}

/// A file for kind to write its kubeconfig to, gone afterwards.
struct Scratch {
    file: PathBuf,
}

impl Scratch {
    fn new(folder: &Folder, name: &str) -> Self {
        let path = folder.path().canonicalize().unwrap_or_else(|_| folder.path().to_path_buf());
        Self { file: path.join(format!(".kind-{name}.{}.tmp", std::process::id())) }
    }

    fn flag(&self) -> OsString {
        joined("--kubeconfig=", &self.file)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
        let mut lock = self.file.clone().into_os_string();
        lock.push(".lock");
        let _ = std::fs::remove_file(lock);
    }
}

/// What a line of kind's tells.
fn step(line: &str) -> Option<Step> {
    let line = line.trim();
    let (state, rest) = [('•', State::Begun), ('✓', State::Done), ('✗', State::Failed)]
        .iter()
        .find_map(|(mark, state)| Some((*state, line.strip_prefix(*mark)?)))
        .or_else(|| line.starts_with("Creating cluster").then_some((State::Done, line)))?;
    let what = rest.trim_end_matches(|c: char| !c.is_ascii() || c == ' ' || c == '.').trim_start();
    (!what.is_empty()).then(|| Step { what: what.to_owned(), state })
}

/// Writes down how to reach a kind cluster.
///
/// # Errors
/// When what kind printed is no kubeconfig of that cluster, or the file cannot be written.
pub fn keep(folder: &Folder, name: &str, printed: &str, made: bool, home: Option<&Path>) -> Result<PathBuf, Error> {
    let unusable = |why: String| Error::Program { program: "kind get kubeconfig".to_owned(), why, port: false };
    if authority(printed, name).is_none() {
        return Err(unusable(format!("it printed no kubeconfig of `kind-{name}`")));
    }
    folder.make()?;
    let path = folder.kind(name);
    own::write(&path, &own::adopted(printed, made), home)?;
    Ok(path)
}

/// Whether the kind cluster that now has this name is the one that foredeck made. Names come back: the certificate
/// authority, which every cluster has anew, does not.
pub fn made_here(folder: &Folder, name: &str, printed: &str) -> bool {
    let Ok(text) = std::fs::read_to_string(folder.kind(name)) else { return false };
    let same = authority(&text, name).is_some_and(|mine| authority(printed, name) == Some(mine));
    same && own::says_made(&text)
}

/// The certificate authority of `kind-NAME` in a kubeconfig.
fn authority(text: &str, name: &str) -> Option<String> {
    let config = super::kubeconfig::parse(text).ok()?;
    let named = config.clusters.into_iter().find(|named| named.name.strip_prefix("kind-") == Some(name))?;
    named.cluster?.certificate_authority_data
}

/// Waits until all nodes of a cluster are ready and pods can be made in `default`.
///
/// # Errors
/// When that takes too long or is stopped.
pub async fn wait_ready(client: &Client, limit: Duration, stop: &CancellationToken) -> Result<(), Error> {
    let ready = async {
        loop {
            if is_ready(client).await {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! {
        () = ready => Ok(()),
        () = tokio::time::sleep(limit) => Err(Error::Timeout { what: "getting the nodes ready".to_owned(), limit }),
        () = stop.cancelled() => Err(Error::Interrupted),
    }
}

/// Whether a cluster can run pods; one that does not answer cannot.
async fn is_ready(client: &Client) -> bool {
    let get = async |path: &str| {
        let request = hyper::Request::get(path).body(Vec::new()).ok()?;
        client.request::<Value>(request).await.ok()
    };
    let Some(nodes) = get("/api/v1/nodes").await else { return false };
    let nodes = object::list(&nodes, &["items"]);
    let is_true = |condition: &Value| {
        object::text(condition, &["type"]) == "Ready" && object::text(condition, &["status"]) == "True"
    };
    let all = nodes.iter().all(|node| object::list(node, &["status", "conditions"]).iter().any(is_true));
    !nodes.is_empty() && all && get("/api/v1/namespaces/default/serviceaccounts/default").await.is_some()
}

#[cfg(test)]
mod tests;
