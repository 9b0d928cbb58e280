//! Folders with a kustomization: built by `kubectl kustomize`, or, without it, as far as we know how.

mod plain;
mod transform;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sha1::{Digest as _, Sha1};
use tokio::process::Command;

use super::files::scan::Kustomization;
use super::files::{folder_of, is_below};
use super::git::tree::Entry;
use super::process::{self, Bounds, Stopped};
use crate::cluster::object::set;
use crate::cluster::yaml;

/// More than this is not taken from one build.
const MOST: u64 = 64 << 20;

/// Builds folders.
#[derive(Debug, Clone)]
pub struct Builder {
    /// `kubectl`, if there is one.
    pub kubectl: Option<PathBuf>,
    /// How long one build may take.
    pub limit: Duration,
}

impl Builder {
    /// Builds a folder of a tree of files. `around` is a folder that holds the tree as `tree`, and may be written to.
    ///
    /// # Errors
    /// Why it cannot be built, in words.
    pub async fn build(&self, around: &Path, kustomization: &Kustomization) -> Result<Vec<u8>, String> {
        let Some(kubectl) = &self.kubectl else { return plainly(&around.join("tree"), &kustomization.file) };
        let wrap = around.join("wrap");
        let folder = folder_of(&kustomization.file);
        // Through this one every object says which file it comes from.
        let text =
            format!("resources:\n- {}\nbuildMetadata: [originAnnotations]\n", quoted(&format!("../tree/{folder}")));
        let write = || {
            std::fs::create_dir_all(&wrap)?;
            std::fs::write(wrap.join("kustomization.yaml"), text)
        };
        write().map_err(|error| format!("its files cannot be written: {error}"))?;
        let mut command = Command::new(kubectl);
        command.arg("kustomize").arg(&wrap).current_dir(around).env("KUBECONFIG", "/dev/null");
        command.env("HOME", around).env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        match process::run(command, None, Bounds { limit: self.limit, most: MOST }).await {
            Ok(output) if output.status.success() => Ok(output.out),
            Ok(output) => Err(words(&output.err, around)),
            Err(Stopped::Start(error)) => Err(format!("kubectl cannot be started: {error}")),
            Err(stopped) => Err(format!("kubectl kustomize: {stopped}")),
        }
    }
}

/// Builds without `kubectl`; every object says which file it comes from, as it does with it.
fn plainly(tree: &Path, file: &str) -> Result<Vec<u8>, String> {
    let read = |path: &str| std::fs::read(tree.join(path)).ok();
    let built = plain::build(file, &read)?;
    let mut out = String::new();
    for plain::Built { mut object, file, .. } in built {
        let origin = format!("path: {}\n", quoted(&file));
        set(&mut object, &["metadata", "annotations", "config.kubernetes.io/origin"], origin);
        out.push_str("---\n");
        out.push_str(&yaml::text(&object));
    }
    Ok(out.into_bytes())
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What kubectl said, with the names of the repository's files.
fn words(err: &str, around: &Path) -> String {
    const LONGEST: usize = 600;
    let lines: Vec<&str> =
        err.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("# Warning")).collect();
    let text = lines.join(" ").replace(&format!("{}/tree/", around.display()), "").replace("../tree/", "");
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    // Some kubectls write a line for the log, with a time that changes.
    let logged = text.split_once("\"command failed\" err=").map(|(_, words)| words);
    let text = logged.map_or(text, |words| words.trim_matches(['"', '<', '>', ' ']));
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// What changes when a build would come out differently: the files of all folders that it takes in.
pub fn fingerprint(entries: &[Entry], kustomization: &Kustomization) -> String {
    let mut hash = Sha1::new();
    let taken = |entry: &&Entry| kustomization.folders.iter().any(|folder| is_below(&entry.path, folder));
    for entry in entries.iter().filter(taken) {
        hash.update(&entry.path);
        hash.update([0]);
        hash.update(&entry.blob);
        hash.update([0]);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "plain_tests.rs"]
mod plain_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_repositorys_files() {
        let text = "error: accumulating resources: '/t/x/tree/a/b.yaml' no such file, in ../tree/a\n# Warning: old\n";
        assert_eq!(words(text, Path::new("/t/x")), "accumulating resources: 'a/b.yaml' no such file, in a");
        let text = "E1125 15:56:30.8 3429 run.go:72] \"command failed\" err=\"no such file\"\n";
        assert_eq!(words(text, Path::new("/t/x")), "no such file");
    }
}
