//! Why git did not do what was asked, in words for people.

use std::io;
use std::time::Duration;

use crate::gitops::process::Stopped;

/// What kind of failure git reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The host is unknown or does not answer.
    Unreachable,
    /// The host does not know the key or the password.
    Denied,
    /// The host shows a key that is not among the known ones.
    HostKey,
    /// There is no such repository.
    NotFound,
    /// Somebody else was faster: the push would lose their commits.
    Raced,
    /// The remote refuses the push by a rule of its own.
    Refused,
    /// The signature is missing, or nobody that is trusted made it.
    Signature,
    /// The key to sign with is missing or has expired.
    SigningKey,
    /// What is asked for is not there: a branch, a revision, a path.
    Missing,
    /// The disk is full, or may not be written.
    Storage,
    /// The mirror on this machine is broken, or was left locked when git was killed.
    Damaged,
    /// Anything else.
    Other,
}

/// Why git did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program cannot be started.
    #[error("cannot start git; is it installed and on the PATH?")]
    Start(#[source] io::Error),
    /// It did not end in time, and was ended.
    #[error("git {command} did not end within {} s", limit.as_secs())]
    Timeout {
        /// What it was doing.
        command: String,
        /// How long it had.
        limit: Duration,
    },
    /// It wrote more than is taken.
    #[error("git {command} gave more than {limit} bytes")]
    TooMuch {
        /// What it was doing.
        command: String,
        /// What would have been taken.
        limit: u64,
    },
    /// Its pipes broke, or a file beside it could not be written.
    #[error("cannot exchange data with git {command}")]
    Io {
        /// What it was doing.
        command: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It says no.
    #[error("git {command}: {message}")]
    Failed {
        /// What it was doing.
        command: String,
        /// What kind of no.
        failure: Failure,
        /// Its own words, without passwords.
        message: String,
    },
    /// It answers in a way that is not understood.
    #[error("git {command} gave an answer that is not understood: {answer}")]
    Answer {
        /// What it was doing.
        command: String,
        /// What it said.
        answer: String,
    },
    /// A name that git would refuse, or take as something else.
    #[error("`{0}` is no name of a branch or tag")]
    Name(String),
    /// The branch is not there.
    #[error("configured branch '{0}' does not exist")]
    Branch(String),
}

impl Error {
    /// A command that did not run to its end.
    pub(super) fn of(command: String, stopped: Stopped) -> Self {
        match stopped {
            Stopped::Start(source) => Self::Start(source),
            Stopped::Timeout { limit } => Self::Timeout { command, limit },
            Stopped::TooMuch { limit } => Self::TooMuch { command, limit },
            Stopped::Io(source) => Self::Io { command, source },
        }
    }

    /// What kind of failure it is.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Failed { failure, .. } => *failure,
            Self::Timeout { .. } => Failure::Unreachable,
            Self::Branch(_) | Self::Name(_) => Failure::Missing,
            Self::Io { .. } => Failure::Storage,
            Self::Start(_) | Self::TooMuch { .. } | Self::Answer { .. } => Failure::Other,
        }
    }
}

/// Phrases of git, ssh and curl, and what they mean. The first that fits counts.
const PHRASES: [(&str, Failure); 51] = [
    (".lock': file exists", Failure::Damaged),
    ("is corrupt", Failure::Damaged),
    ("object file", Failure::Damaged),
    ("not a git repository: ", Failure::Damaged),
    ("loose object", Failure::Damaged),
    ("could not resolve host", Failure::Unreachable),
    ("name or service not known", Failure::Unreachable),
    ("temporary failure in name resolution", Failure::Unreachable),
    ("nodename nor servname", Failure::Unreachable),
    ("host key verification failed", Failure::HostKey),
    ("no matching host key", Failure::HostKey),
    ("permission denied (", Failure::Denied),
    ("authentication failed", Failure::Denied),
    ("could not read username", Failure::Denied),
    ("could not read password", Failure::Denied),
    ("terminal prompts disabled", Failure::Denied),
    ("too many authentication failures", Failure::Denied),
    ("error: 401", Failure::Denied),
    ("error: 403", Failure::Denied),
    ("deploy key", Failure::Denied),
    ("read-only file system", Failure::Storage),
    ("read-only", Failure::Denied),
    ("write access to repository not granted", Failure::Denied),
    ("the requested url returned error: 404", Failure::NotFound),
    ("repository not found", Failure::NotFound),
    ("does not appear to be a git repository", Failure::NotFound),
    ("non-fast-forward", Failure::Raced),
    ("(fetch first)", Failure::Raced),
    ("(stale info)", Failure::Raced),
    ("cannot lock ref", Failure::Raced),
    ("failed to update ref", Failure::Raced),
    ("incorrect old value provided", Failure::Raced),
    ("pre-receive hook declined", Failure::Refused),
    ("protected branch", Failure::Refused),
    ("remote rejected", Failure::Refused),
    ("failed to sign the data", Failure::SigningKey),
    ("gpg failed to sign", Failure::SigningKey),
    ("unable to sign the tag", Failure::SigningKey),
    ("no signature found", Failure::Signature),
    ("couldn't find remote ref", Failure::Missing),
    ("unknown revision", Failure::Missing),
    ("not a valid object name", Failure::Missing),
    ("needed a single revision", Failure::Missing),
    ("bad object", Failure::Missing),
    ("no space left on device", Failure::Storage),
    ("connection refused", Failure::Unreachable),
    ("connection timed out", Failure::Unreachable),
    ("failed to connect", Failure::Unreachable),
    ("connection reset", Failure::Unreachable),
    ("network is unreachable", Failure::Unreachable),
    ("could not read from remote repository", Failure::Unreachable),
];

/// What git's standard error means.
pub fn classify(text: &str) -> Failure {
    let text = text.to_lowercase();
    PHRASES.iter().find(|(phrase, _)| text.contains(phrase)).map_or(Failure::Other, |(_, failure)| *failure)
}

/// The lines of standard error that say why, in one line, without passwords and control characters.
pub fn message(text: &str) -> String {
    const LONGEST: usize = 600;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let marked = |line: &&&str| {
        ["fatal:", "error:", "remote: error:", "ERROR:", " ! ", "!"].iter().any(|mark| line.starts_with(mark))
            || line.contains("Permission denied")
            || line.contains("verification failed")
    };
    let mut chosen: Vec<&str> = lines.iter().filter(marked).copied().collect();
    if chosen.is_empty() {
        chosen.extend(lines.last());
    }
    chosen.truncate(4);
    let bare = |line: &str| line.trim_start_matches("fatal: ").trim_start_matches("error: ").to_owned();
    let text = chosen.into_iter().map(bare).collect::<Vec<_>>().join("; ");
    let text: String = redact(&text).chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if text.is_empty() { "it gave no reason".to_owned() } else { text }
}

/// A text whose addresses have no passwords.
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(|c: char| c == '/' || c.is_whitespace() || matches!(c, '\'' | '"')).unwrap_or(after.len());
        let (authority, behind) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                out.push_str(user.split(':').next().unwrap_or(""));
                out.push('@');
                out.push_str(host);
            }
            None => out.push_str(authority),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart() {
        let cases = [
            (
                "ssh: Could not resolve hostname nope: Name or service not known\nfatal: Could not read from remote repository.",
                Failure::Unreachable,
            ),
            (
                "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.",
                Failure::Denied,
            ),
            ("Host key verification failed.\nfatal: Could not read from remote repository.", Failure::HostKey),
            ("fatal: '/x' does not appear to be a git repository", Failure::NotFound),
            ("fatal: unable to access 'http://h/': Failed to connect to h port 80", Failure::Unreachable),
            (" ! [rejected]        a -> master (fetch first)", Failure::Raced),
            (" ! [remote rejected] a -> master (pre-receive hook declined)", Failure::Refused),
            ("error: gpg failed to sign the data", Failure::SigningKey),
            ("fatal: something else", Failure::Other),
        ];
        for (text, failure) in cases {
            assert_eq!(classify(text), failure, "{text}");
        }
    }

    #[test]
    fn passwords_are_never_repeated() {
        let text = "fatal: unable to access 'https://me:se/../cret@x' or https://u:secret@host/a.git: no";
        assert!(!redact("https://u:secret@host/a.git and http://a:b@c").contains("secret"));
        assert_eq!(redact("https://u:secret@host/a.git"), "https://u@host/a.git");
        assert!(message(text).contains("https://u@host/a.git"));
        assert_eq!(message("Cloning...\nfatal: one\nerror: two\n"), "one; two");
        assert_eq!(message(""), "it gave no reason");
    }
}
