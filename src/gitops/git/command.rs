//! Running git: without the user's configuration, without questions, with limits on time and output.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use super::error::{Error, classify, message};
use crate::gitops::process::{self, Bounds, Output};

/// Variables that would lead git to other repositories, programs or settings than it is told.
const UNWANTED: [&str; 35] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_QUARANTINE_PATH",
    "GIT_EXEC_PATH",
    "GIT_TEMPLATE_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_PAGER",
    "GIT_EDITOR",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_PROXY_COMMAND",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
    "GIT_AUTHOR_DATE",
    "GIT_COMMITTER_DATE",
    "GIT_TRACE",
    "GIT_TRACE_CURL",
    "GIT_TRACE_PACKET",
    "GIT_TRACE_SETUP",
    "GIT_TRACE2",
    "GIT_TRACE2_EVENT",
    "GIT_ALLOW_PROTOCOL",
    "GIT_PROTOCOL_FROM_USER",
];

/// Settings that hold for every run.
const SETTINGS: [&str; 20] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "core.autocrlf=false",
    "advice.graftFileDeprecated=false",
    "color.ui=false",
    "log.showSignature=false",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "push.gpgSign=false",
    "push.followTags=false",
    "fetch.recurseSubmodules=false",
    // Nothing of git goes on after the command that was started.
    "gc.auto=0",
    "maintenance.auto=false",
    // No transport that runs a command of the address.
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.http.allow=always",
    "protocol.ssh.allow=always",
    "protocol.git.allow=always",
    "protocol.file.allow=always",
];

/// How to get at a repository over SSH.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// The file with the private key; the user's own keys when there is none.
    pub key: Option<PathBuf>,
    /// Files with the hosts' keys.
    pub known_hosts: Vec<PathBuf>,
}

/// With what to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SigningKey {
    /// A key of GnuPG's keyring.
    Gpg(String),
    /// A file with an SSH key.
    Ssh(PathBuf),
}

/// Whom to believe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    /// GnuPG's folder with the keyring; the user's own when there is none.
    pub gpg_home: Option<PathBuf>,
    /// The file with the SSH keys that are believed, in the format of `ssh-keygen`.
    pub allowed_signers: Option<PathBuf>,
}

/// Git, and how it is to be run.
#[derive(Debug, Clone)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// For SSH.
    pub access: Access,
    /// For signatures that are checked.
    pub trust: Trust,
    /// For signatures that are made.
    pub signing: Option<SigningKey>,
    /// How long one command may take.
    pub limit: Duration,
    /// With the user's own settings of git, for their credential helpers.
    pub users_settings: bool,
}

impl Default for Program {
    fn default() -> Self {
        Self {
            path: PathBuf::from("git"),
            access: Access::default(),
            trust: Trust::default(),
            signing: None,
            limit: Duration::from_secs(20),
            users_settings: false,
        }
    }
}

/// One command that is to be run.
#[derive(Debug)]
pub struct Run<'a> {
    name: String,
    command: Command,
    input: Option<&'a [u8]>,
    limit: Duration,
    most: u64,
}

/// No answer needs more than this.
const MOST_OUTPUT: u64 = 64 << 20;

impl Program {
    /// A command in a repository: `git --git-dir=DIR VERB …`.
    pub fn run<'a>(&self, dir: &Path, verb: &str) -> Run<'a> {
        let mut command = Command::new(&self.path);
        command.arg("--no-pager").arg("--literal-pathspecs").arg(with_value("--git-dir=", dir.as_os_str()));
        self.configure(&mut command);
        command.arg(verb);
        command.current_dir(if dir.is_dir() { dir } else { Path::new("/") });
        Run { name: verb.to_owned(), command, input: None, limit: self.limit, most: MOST_OUTPUT }
    }

    fn configure(&self, command: &mut Command) {
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        if let Some(file) = &self.trust.allowed_signers {
            command.arg("-c").arg(with_value("gpg.ssh.allowedSignersFile=", file.as_os_str()));
        }
        if let Some(SigningKey::Ssh(_)) = self.signing {
            command.args(["-c", "gpg.format=ssh"]);
        }
        for name in UNWANTED {
            command.env_remove(name);
        }
        if !self.users_settings {
            command.args(["-c", "credential.helper=", "-c", "core.askPass="]);
            command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        }
        command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").env("SSH_ASKPASS_REQUIRE", "never");
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_ATTR_NOSYSTEM", "1").env("GIT_NO_REPLACE_OBJECTS", "1");
        command.env("GIT_SSH_COMMAND", ssh_command(&self.access)).env("GIT_SSH_VARIANT", "ssh");
        if let Some(home) = &self.trust.gpg_home {
            command.env("GNUPGHOME", home);
        }
    }

    /// The option of `commit-tree` and `tag` that signs, if anything is to be signed.
    pub fn signing_option(&self, letter: char) -> Option<OsString> {
        self.signing.as_ref().map(|key| match key {
            SigningKey::Gpg(id) => OsString::from(format!("-{letter}{id}")),
            SigningKey::Ssh(file) => with_value(&format!("-{letter}"), file.as_os_str()),
        })
    }
}

fn with_value(option: &str, value: &OsStr) -> OsString {
    let mut text = OsString::from(option);
    text.push(value);
    text
}

/// The command for `GIT_SSH_COMMAND`, which a shell reads: strict about hosts, never asking.
fn ssh_command(access: &Access) -> OsString {
    let mut text = OsString::from("ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10");
    if let Some(key) = &access.key {
        text.push(" -o IdentitiesOnly=yes -o IdentityAgent=none -i ");
        text.push(quoted(key));
    }
    if !access.known_hosts.is_empty() {
        // ssh splits the value at blanks and understands double quotes; the shell gets single ones around it all.
        let files: String = access.known_hosts.iter().map(|file| format!("\"{}\" ", file.display())).collect();
        text.push(" -o ");
        text.push(quoted(Path::new(&format!("UserKnownHostsFile={files}~/.ssh/known_hosts"))));
    }
    text
}

fn quoted(path: &Path) -> OsString {
    OsString::from(format!("'{}'", path.display().to_string().replace('\'', r"'\''")))
}

impl<'a> Run<'a> {
    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Adds settings that no other user of the machine can see, such as an address with a password.
    #[must_use]
    pub fn secret_settings(mut self, settings: &[(&str, &str)]) -> Self {
        self.command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (number, (name, value)) in settings.iter().enumerate() {
            self.command.env(format!("GIT_CONFIG_KEY_{number}"), name);
            self.command.env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        self
    }

    /// Who shall be the author or the committer.
    #[must_use]
    pub fn person(self, role: &str, person: &super::Person) -> Self {
        self.env(&format!("GIT_{role}_NAME"), &person.name).env(&format!("GIT_{role}_EMAIL"), &person.email)
    }

    /// Gives it something to read.
    #[must_use]
    pub fn input(mut self, input: &'a [u8]) -> Self {
        self.input = Some(input);
        self
    }

    /// Another time limit than usual.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Another limit on the output than usual.
    #[must_use]
    pub fn most(mut self, bytes: u64) -> Self {
        self.most = bytes;
        self
    }

    /// The command, to be run in a way of one's own.
    pub(in crate::gitops) fn into_command(self) -> Command {
        self.command
    }

    /// Runs it; a refusal is an error.
    ///
    /// # Errors
    /// When it does not end well.
    pub async fn out(self) -> Result<Vec<u8>, Error> {
        let name = self.name.clone();
        let output = self.output().await?;
        if output.status.success() {
            return Ok(output.out);
        }
        let (failure, message) = (classify(&output.err), message(&output.err));
        Err(Error::Failed { command: name, failure, message })
    }

    /// Runs it and gives its output as one line of text.
    ///
    /// # Errors
    /// When it does not end well.
    pub async fn line(self) -> Result<String, Error> {
        let out = self.out().await?;
        Ok(String::from_utf8_lossy(&out).trim().to_owned())
    }

    /// Runs it; how it ended is for the caller to judge.
    ///
    /// # Errors
    /// When it cannot be run to its end.
    pub async fn output(self) -> Result<Output, Error> {
        let bounds = Bounds { limit: self.limit, most: self.most };
        process::run(self.command, self.input, bounds).await.map_err(|stopped| Error::of(self.name, stopped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_is_strict_and_its_arguments_are_quoted() {
        let access = Access { key: Some("/a b/it's".into()), known_hosts: vec!["/x y/known".into()] };
        assert_eq!(
            ssh_command(&access).to_string_lossy(),
            "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10 \
             -o IdentitiesOnly=yes -o IdentityAgent=none -i '/a b/it'\\''s' -o 'UserKnownHostsFile=\"/x y/known\" ~/.ssh/known_hosts'"
        );
    }
}
