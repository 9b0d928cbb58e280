//! `cluster`: start, stop and look at clusters, and say how to reach them.

pub mod args;
mod down;
mod progress;
pub(super) mod reach;
mod serve;
mod status;
mod up;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cluster::folder::{self, Folder};
use crate::cluster::kind::Tools;
use crate::cluster::kubeconfig::{Search, own};
use crate::cluster::provider::{Provider, Surroundings};

use super::config;
use super::console::{Code, Console, Failure};
use crate::cluster::goduration;
use args::{ClusterCommand, Which};

pub(super) fn run(command: ClusterCommand, console: Console) -> Result<Code, Failure> {
    match command {
        ClusterCommand::Up(args) => up::run(&args, console),
        ClusterCommand::Down(args) => down::run(&args, console),
        ClusterCommand::Status(args) => status::run(&args, console),
        ClusterCommand::Reset(args) => down::reset(args, console),
        ClusterCommand::Kubeconfig(args) => reach::run(&args, console),
        ClusterCommand::Serve(args) => serve::run(args, console),
    }
}

/// What clusters depend on, taken from the environment once.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Files and configuration.
    pub(super) around: Surroundings,
    /// Where programs are found.
    pub(super) tools: Tools,
    /// The user's home.
    pub(super) home: Option<PathBuf>,
}

impl Place {
    /// The project around the current folder, and the user's own files.
    pub(super) fn here(console: Console) -> Result<Self, Failure> {
        let current = std::env::current_dir().map_err(|error| {
            Failure::new(Code::Environment, anyhow::Error::new(error).context("there is no current folder"))
        })?;
        let home = std::env::home_dir().filter(|home| home.is_absolute());
        let mut findings = Vec::new();
        let allowed = config::allowed_contexts(&mut findings)?;
        console.configuration(&findings);
        let search = Search::standard(std::env::var_os("KUBECONFIG").as_deref(), home.as_deref());
        let tools = Tools { path: std::env::var_os("PATH"), runtime: std::env::var("KIND_EXPERIMENTAL_PROVIDER").ok() };
        let folder = Folder::of(&project(&current));
        let configuration = config::user_file();
        Ok(Self { around: Surroundings { folder, search, allowed, configuration }, tools, home })
    }
}

/// The project's folder: the nearest one around `start` that is laid out as one, not above the repository's root.
fn project(start: &Path) -> PathBuf {
    for folder in start.ancestors() {
        let marked = folder.join("foredeck.toml").is_file()
            || folder.join("decks").is_dir()
            // One of another user, as in `/tmp`, is no sign of a project of this one.
            || folder.join(folder::NAME).symlink_metadata().is_ok_and(|found| found.is_dir() && own::is_mine(&found));
        // The whole file system is never a project.
        if marked && folder.parent().is_some() {
            return folder.to_path_buf();
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    start.to_path_buf()
}

/// The cluster that is meant: what the command line says, else the environment, else the embedded one.
pub(super) fn provider(which: &Which) -> Result<Provider, Failure> {
    let asked =
        which.cluster.clone().or_else(|| std::env::var("FOREDECK_CLUSTER").ok().filter(|name| !name.is_empty()));
    Ok(asked.map_or(Ok(Provider::Embedded), |asked| asked.parse())?)
}

/// A limit on the command line.
pub(super) fn limit(text: &str) -> Result<Duration, Failure> {
    let limit = goduration::length(text).ok().filter(|limit| !limit.is_zero());
    limit.ok_or_else(|| Failure::usage(format!("`{text}` is no length of time")).hint("write it as `90s` or `5m`"))
}

/// A place for asynchronous work.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(Code::Environment, error))
}

/// A path as short as it can be said here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let near = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf));
    near.unwrap_or_else(|| path.to_path_buf()).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_is_the_nearest_folder_laid_out_as_one() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for folder in ["repo/.git", "repo/talk/decks/deep", "repo/other", "lone/x", "made/.foredeck", "made/y"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        std::fs::write(at("foredeck.toml"), "").unwrap();
        for (start, expected) in [
            ("repo/talk/decks/deep", "repo/talk"),
            ("repo/talk", "repo/talk"),
            ("repo/other", "repo/other"),
            ("made/y", "made"),
        ] {
            assert_eq!(project(&at(start)), at(expected), "{start}");
        }
        assert_eq!(project(&at("lone/x")), root.path());
    }
}
