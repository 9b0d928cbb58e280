//! The lines that fluxctl prints beside its tables.

use super::Report;

/// The state of the Git repository as the daemon sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepoStatus {
    /// There is none.
    Unconfigured,
    /// It has not been read yet.
    New,
    /// It has been read, but not yet written.
    Cloned,
    /// All is well.
    Ready,
    /// Its host cannot be found.
    Unreachable,
}

impl RepoStatus {
    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unconfigured => "unconfigured",
            Self::New => "new",
            Self::Cloned => "cloned",
            Self::Ready => "ready",
            Self::Unreachable => "unreachable",
        }
    }

    /// Why nothing can be synchronised; none when it can.
    pub fn refusal(self, url: &str, error: &str) -> Option<String> {
        let full = format!("\n\nFull error message: {error}");
        match self {
            Self::Ready => None,
            Self::Unconfigured => Some("no git repository is configured".to_owned()),
            Self::Unreachable => Some(format!("can not connect to git repository with URL {url}{full}")),
            Self::New | Self::Cloned if error.is_empty() => Some(format!("git repository {url} is not ready to sync")),
            Self::New | Self::Cloned => Some(format!("git repository {url} is not ready to sync{full}")),
        }
    }
}

/// The first seven letters of a revision.
pub fn short(revision: &str) -> &str {
    revision.get(..7).unwrap_or(revision)
}

/// What `sync` says before it waits.
pub fn sync_begins(url: &str) -> String {
    format!("Synchronizing with {url}")
}

/// What `sync` says while it waits for a revision of a branch.
pub fn sync_waits(branch: &str, revision: &str) -> [String; 2] {
    let revision = short(revision);
    [format!("Revision of {branch} to apply is {revision}"), format!("Waiting for {revision} to be applied ...")]
}

/// What `sync` says in the end.
pub const SYNC_DONE: &str = "Done.";

/// What a sync that stops before unsigned commits says; it goes on with the last signed one.
pub fn unverified_head(last_verified: &str, head: &str) -> String {
    let eight = |revision: &str| revision.get(..8).unwrap_or(revision).to_owned();
    format!(
        "Warning: The branch HEAD in the git repo is not verified, and fluxd is unable to sync to it. The last verified commit was {}. HEAD is {}.",
        eight(last_verified),
        eight(head)
    )
}

/// What `release` says first.
pub fn submitting(dry_run: bool) -> &'static str {
    if dry_run { "Submitting dry-run release ..." } else { "Submitting release ..." }
}

/// What `release --interactive` says when the choice is made.
pub const SUBMITTING_SELECTED: &str = "Submitting selected release ...";

/// What is said when a change is in Git.
pub fn pushed(revision: &str) -> String {
    format!("Commit pushed:\t{}", short(revision))
}

/// What is said when it is in the cluster.
pub fn applied(revision: &str) -> String {
    format!("Commit applied:\t{}", short(revision))
}

/// What is said when there was nothing to change.
pub const NOTHING: &str = "Nothing to do";

/// An answer of the daemon that is no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Whose doing it is.
    pub kind: ApiErrorKind,
    /// What a user can do about it.
    pub help: String,
    /// What happened.
    pub error: String,
}

/// Whose doing an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiErrorKind {
    /// It is not there.
    Missing,
    /// The user's.
    User,
    /// The daemon's.
    Server,
}

impl ApiErrorKind {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::User => "user",
            Self::Server => "server",
        }
    }

    /// The status of the answer.
    pub fn status(self) -> u16 {
        match self {
            Self::Missing => 404,
            Self::User => 422,
            Self::Server => 500,
        }
    }
}

impl ApiError {
    /// Git holds a file that is no manifest. Then nothing is listed, applied or changed.
    pub fn unparsable(reason: &str) -> Self {
        let help = format!(
            "Unable to parse files as manifests\n\nA file in the git repository could not be read:\n\n    {reason}\n\n\
             As long as it is there nothing is synchronised. Check that it is well-formed YAML, and that no\n\
             object is defined twice.\n"
        );
        Self { kind: ApiErrorKind::User, help, error: reason.to_owned() }
    }

    /// The error as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({"type": self.kind.as_str(), "help": self.help, "error": self.error})
    }

    /// What to print, and how to end.
    pub fn report(&self) -> Report {
        Report { stdout: String::new(), stderr: format!("== Error ==\n\n{}\n", self.help), exit: 1 }
    }
}

/// What to print when a command fails otherwise, and how to end.
pub fn failed(error: &str) -> Report {
    Report { stdout: String::new(), stderr: format!("Error: {error}\n"), exit: 1 }
}

/// A job did not end in time: nobody knows how it went.
pub fn job_timed_out() -> Report {
    let text = "\nWe timed out waiting for the result of the operation. It may have been done even so: look at the\n\
                cluster or at the commits. Most commands can be repeated without harm.\nError: timeout\n";
    Report { stdout: String::new(), stderr: text.to_owned(), exit: 1 }
}

/// A commit was not applied in time, which is no failure of the command.
pub fn apply_timed_out() -> Report {
    let text = "\nThe operation succeeded, but we timed out waiting for the commit to be applied. To wait for it, use\n\n    \
                fluxctl sync\n";
    Report { stdout: String::new(), stderr: text.to_owned(), exit: 0 }
}

/// What `release --watch` says first.
pub const MONITORING: &str = "Monitoring rollout ...";
/// What it says in the end.
pub const ALL_READY: &str = "All workloads ready.";

/// What it says when a workload does not get ready.
pub fn release_problem(id: &str, messages: &[String]) -> String {
    format!(
        "There was a problem releasing {id}:\n{}",
        messages.iter().map(|line| format!("{line}\n")).collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_is_told_line_by_line() {
        let [apply, wait] = sync_waits("master", "112a7b5c0ffee");
        assert_eq!(sync_begins("ssh://git@x/y"), "Synchronizing with ssh://git@x/y");
        assert_eq!(apply, "Revision of master to apply is 112a7b5");
        assert_eq!(wait, "Waiting for 112a7b5 to be applied ...");
        assert_eq!(
            (pushed("0badc0de123").as_str(), applied("0bad").as_str()),
            ("Commit pushed:\t0badc0d", "Commit applied:\t0bad")
        );
        assert!(unverified_head("0123456789", "abcdefghij").contains("commit was 01234567. HEAD is abcdefgh."));
    }

    #[test]
    fn repositories_say_why_they_are_not_ready() {
        let cases = [
            (RepoStatus::Ready, "", None),
            (RepoStatus::Unconfigured, "", Some("no git repository is configured")),
            (RepoStatus::New, "", Some("git repository U is not ready to sync")),
            (RepoStatus::Cloned, "E", Some("git repository U is not ready to sync\n\nFull error message: E")),
            (
                RepoStatus::Unreachable,
                "E",
                Some("can not connect to git repository with URL U\n\nFull error message: E"),
            ),
        ];
        for (status, error, wanted) in cases {
            assert_eq!(status.refusal("U", error).as_deref(), wanted, "{}", status.as_str());
        }
    }

    #[test]
    fn errors_of_the_daemon_bring_help() {
        let error = ApiError::unparsable("a.yaml:3: no YAML");
        assert!(error.report().stderr.starts_with("== Error ==\n\nUnable to parse files as manifests\n"));
        assert_eq!(
            (error.report().exit, error.kind.status(), error.to_json()["type"].as_str()),
            (1, 422, Some("user"))
        );
        assert_eq!(failed("HEAD revision is unsigned").stderr, "Error: HEAD revision is unsigned\n");
        assert_eq!((job_timed_out().exit, apply_timed_out().exit), (1, 0));
        assert_eq!(release_problem("a:b/c", &["x".to_owned()]), "There was a problem releasing a:b/c:\nx\n");
    }
}
