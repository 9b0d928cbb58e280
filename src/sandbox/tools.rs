//! What terminals of a sandbox find in their environment: kubeconfig, programs, git's identity.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::Plan;
use super::error::Error;
use super::repository::Repository;
use crate::cluster::process;
use crate::gitops::git::Program;

/// The environment of a sandbox's terminals.
#[derive(Debug, Clone)]
pub struct Tools {
    /// The real `kubectl`, where there is one.
    pub kubectl: Option<PathBuf>,
    /// Variables to set on top of the user's own.
    pub variables: Vec<(String, OsString)>,
}

/// Programs that foredeck stands in for where they are missing. `fluxctl` is always foredeck's own: it talks to this
/// reconciler, which the archived one cannot.
const STAND_INS: [(&str, &[&str]); 4] =
    [("kubectl", &["kubectl"]), ("fluxctl", &["fluxctl"]), ("clusterctl", &["clusterctl"]), ("foredeck", &[])];

impl Tools {
    pub(super) async fn set_up(
        plan: &Plan,
        kubeconfig: &OsStr,
        repository: Option<&Repository>,
    ) -> Result<Self, Error> {
        let bin = plan.folder.path().join("bin");
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |source| Error::Write { path, source }
        };
        std::fs::create_dir_all(&bin).map_err(failed(&bin))?;
        let real = |name: &str| process::find(name, plan.path.as_deref(), &[bin.join(name)]);
        let kubectl = real("kubectl");
        for (name, words) in STAND_INS {
            let file = bin.join(name);
            let is_there = match name {
                "kubectl" => kubectl.is_some(),
                "clusterctl" => real(name).is_some(),
                _ => false,
            };
            if is_there {
                let _ = std::fs::remove_file(&file);
            } else {
                stand_in(&file, &plan.program, words).map_err(failed(&file))?;
            }
        }
        let mut folders = vec![bin];
        folders.extend(plan.path.as_deref().into_iter().flat_map(std::env::split_paths));
        let path = std::env::join_paths(folders).unwrap_or_else(|_| plan.path.clone().unwrap_or_default());
        let mut variables = vec![
            ("PATH".to_owned(), path),
            ("KUBECONFIG".to_owned(), kubeconfig.to_owned()),
            ("FLUX_URL".to_owned(), OsString::from(format!("{}/flux", plan.server.trim_end_matches('/')))),
            ("GIT_TERMINAL_PROMPT".to_owned(), OsString::from("0")),
        ];
        if let Some(repository) = repository {
            variables.push(("FLUX_TOKEN".to_owned(), OsString::from(repository.token())));
            variables.extend(identity(&repository.work.join(".git")).await);
        }
        Ok(Self { kubectl, variables })
    }

    /// The value of a variable.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_os_str())
    }
}

/// Somebody whose git does not know them can still commit.
async fn identity(repository: &Path) -> Vec<(String, OsString)> {
    let git = Program { users_settings: true, ..Program::default() };
    let known = git.run(repository, "config").args(["--get", "user.email"]).output().await;
    if known.is_ok_and(|known| known.status.success()) {
        return Vec::new();
    }
    let roles = ["AUTHOR", "COMMITTER"];
    let variables = roles.iter().flat_map(|role| {
        [(format!("GIT_{role}_NAME"), OsString::from("You")), (format!("GIT_{role}_EMAIL"), "you@example.com".into())]
    });
    variables.collect()
}

/// A program that runs this one.
#[cfg(unix)]
fn stand_in(file: &Path, program: &Path, words: &[&str]) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let program = program.display().to_string().replace('\'', r"'\''");
    let words: String = words.iter().map(|word| format!(" {word}")).collect();
    std::fs::write(file, format!("#!/bin/sh\nexec '{program}'{words} \"$@\"\n"))?;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn stand_in(file: &Path, program: &Path, words: &[&str]) -> std::io::Result<()> {
    let words: String = words.iter().map(|word| format!(" {word}")).collect();
    std::fs::write(file.with_extension("cmd"), format!("@\"{}\"{words} %*\r\n", program.display()))
}
