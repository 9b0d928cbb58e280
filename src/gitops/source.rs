//! The repository that is followed: from nothing to ready, and back when it cannot be reached.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::git::{Access, Error, Failure, Mirror, Program, Remote};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// No repository is named.
    #[default]
    Unconfigured,
    /// It is not copied yet.
    New,
    /// It is copied; branch and right to write are not checked.
    Cloned,
    /// It can be used.
    Ready,
    /// Its host cannot be reached.
    Unreachable,
}

/// Everything there is to know about it.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct SourceState {
    /// Its address, without a password.
    pub url: String,
    /// The branch.
    pub branch: String,
    /// How far it is.
    pub phase: Phase,
    /// Since when.
    pub since: Option<Timestamp>,
    /// What went wrong last, while it is not ready.
    pub error: Option<String>,
    /// What kind of failure that was.
    pub failure: Option<Failure>,
    /// How often in a row it went wrong.
    pub attempts: u32,
    /// The newest commit of the branch.
    pub head: Option<String>,
    /// When it was looked at last with success.
    pub fetched: Option<Timestamp>,
    /// Whether nothing is ever written to it.
    pub read_only: bool,
}

/// What is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Copy it, or fetch what is new.
    Fetch,
    /// See that the branch is there.
    CheckBranch,
    /// See that it may be written to.
    CheckWrite,
    /// Nothing: it can be used.
    Done,
    /// Nothing for a while: something went wrong, or no repository is named.
    Wait,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Well.
    Well,
    /// Well, and this is the newest commit.
    Head(String),
    /// Not well.
    Badly(Failure, String),
}

impl SourceState {
    /// Before anything was done.
    pub fn new(remote: Option<&Remote>, read_only: bool) -> Self {
        let Some(remote) = remote else { return Self { read_only, ..Self::default() } };
        Self {
            url: super::mark::without_password(&remote.url),
            branch: remote.branch.clone(),
            phase: Phase::New,
            read_only,
            ..Self::default()
        }
    }

    /// What to begin with.
    pub fn begin(&self) -> Step {
        if self.phase == Phase::Unconfigured { Step::Wait } else { Step::Fetch }
    }

    /// A step has ended: takes note of it, and says what comes next.
    pub fn take(&mut self, step: Step, ended: Ended, now: Timestamp) -> Step {
        if let Ended::Badly(failure, error) = ended {
            let phase = match (step, failure) {
                (Step::Fetch, Failure::Unreachable) => Phase::Unreachable,
                (Step::Fetch, _) => Phase::New,
                _ => Phase::Cloned,
            };
            self.enter(phase, now);
            (self.error, self.failure) = (Some(error), Some(failure));
            self.attempts = self.attempts.saturating_add(1);
            return Step::Wait;
        }
        (self.error, self.failure) = (None, None);
        if let Ended::Head(head) = ended {
            self.head = Some(head);
            self.fetched = Some(now);
        }
        let next = match step {
            Step::Fetch => Step::CheckBranch,
            // What was ready before stays so: writing was tried.
            Step::CheckBranch if self.phase != Phase::Ready && !self.read_only => Step::CheckWrite,
            _ => Step::Done,
        };
        match next {
            Step::Done => {
                self.enter(Phase::Ready, now);
                self.attempts = 0;
            }
            _ if self.phase != Phase::Ready => self.enter(Phase::Cloned, now),
            _ => {}
        }
        next
    }

    /// Whether it can be used.
    pub fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Why it cannot be used, in Flux' words; nothing when it can.
    pub fn not_ready(&self) -> Option<String> {
        let why = match self.phase {
            Phase::Ready => return None,
            Phase::Unconfigured => return Some("no git repository is configured".to_owned()),
            Phase::New | Phase::Unreachable => "git repo has not been cloned yet",
            Phase::Cloned => "git repo has been cloned but not yet checked for write access",
        };
        let error = self.error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
        Some(format!("git repo not ready: {why}{error}"))
    }

    fn enter(&mut self, phase: Phase, now: Timestamp) {
        if self.phase != phase {
            self.phase = phase;
            self.since = Some(now);
        }
    }
}

/// Where the copy is kept and how long things may take.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How git is run.
    pub program: Program,
    /// The repository; nothing is followed when there is none.
    pub remote: Option<Remote>,
    /// The folder of copies.
    pub folder: PathBuf,
    /// Nothing is ever written to the repository.
    pub read_only: bool,
    /// How long the first copy may take.
    pub clone_limit: Duration,
}

/// The repository and its copy.
#[derive(Debug, Clone)]
pub struct Source {
    settings: Settings,
    mirror: Option<Mirror>,
    /// All there is to know.
    pub state: SourceState,
}

impl Source {
    /// A repository of which nothing is known yet.
    pub fn new(settings: Settings) -> Self {
        let state = SourceState::new(settings.remote.as_ref(), settings.read_only);
        Self { settings, mirror: None, state }
    }

    /// Reaches the repository in another way from now on.
    pub fn set_access(&mut self, access: Access) {
        if self.settings.program.access != access {
            self.settings.program.access = access;
            self.mirror = None;
        }
    }

    /// It cannot be looked at, for a reason outside of git.
    pub fn fail(&mut self, error: String, now: Timestamp) {
        self.state.take(Step::Fetch, Ended::Badly(Failure::Denied, error), now);
    }

    /// The copy, as soon as there is one.
    pub fn mirror(&self) -> Option<&Mirror> {
        self.mirror.as_ref()
    }

    /// Looks at the repository, as far as it gets; `tell` hears of every step. True when it can be used.
    pub async fn refresh(
        &mut self,
        clock: &(dyn Fn() -> Timestamp + Sync),
        tell: &mut (dyn FnMut(&SourceState) + Send),
    ) -> bool {
        let mut step = self.state.begin();
        let mut mended = false;
        while !matches!(step, Step::Done | Step::Wait) {
            let ended = match self.carry_out(step).await {
                Ok(ended) => ended,
                Err(error) if self.mend(&error) && !std::mem::replace(&mut mended, true) => {
                    step = Step::Fetch;
                    continue;
                }
                Err(error) => Ended::Badly(error.failure(), in_full(&error)),
            };
            step = self.state.take(step, ended, clock());
            tell(&self.state);
        }
        step == Step::Done
    }

    async fn carry_out(&mut self, step: Step) -> Result<Ended, Error> {
        match step {
            Step::Fetch => {
                let fresh = self.mirror.is_none();
                let mirror = self.open().await?;
                let limit = if fresh { mirror.1 } else { mirror.0.program.limit };
                mirror.0.fetch(limit).await?;
                Ok(Ended::Well)
            }
            Step::CheckBranch => Ok(Ended::Head(self.open().await?.0.head().await?)),
            Step::CheckWrite => {
                let mut nonce = [0; 5];
                let failed = |error: getrandom::Error| Error::Io { command: "push".to_owned(), source: error.into() };
                getrandom::fill(&mut nonce).map_err(failed)?;
                let nonce: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
                self.open().await?.0.check_write(&nonce).await?;
                Ok(Ended::Well)
            }
            Step::Done | Step::Wait => Ok(Ended::Well),
        }
    }

    async fn open(&mut self) -> Result<(&Mirror, Duration), Error> {
        let limit = self.settings.clone_limit;
        if self.mirror.is_none() {
            let remote = self.settings.remote.clone().ok_or_else(|| Error::Name(String::new()))?;
            let dir = self.dir(&remote);
            self.mirror = Some(Mirror::open(self.settings.program.clone(), &dir, remote).await?);
        }
        match &self.mirror {
            Some(mirror) => Ok((mirror, limit)),
            None => Err(Error::Name(String::new())),
        }
    }

    /// Each repository has a copy of its own.
    fn dir(&self, remote: &Remote) -> PathBuf {
        let name = super::mark::SyncSet::new(&remote.url, "", &[]);
        self.settings.folder.join(format!("{}.git", name.name().get(..16).unwrap_or("mirror")))
    }

    /// Throws the copy away when an error says that it is broken; the next look at the repository makes another.
    pub fn mend(&mut self, error: &Error) -> bool {
        let broken = error.failure() == Failure::Damaged;
        if broken {
            tracing::warn!(%error, "the copy of the repository is broken and made again");
            self.forget();
        }
        broken
    }

    fn forget(&mut self) {
        if let Some(mirror) = self.mirror.take()
            && let Err(error) = Mirror::remove(mirror.dir())
        {
            tracing::warn!(%error, folder = %mirror.dir().display(), "cannot remove a broken copy of the repository");
        }
    }
}

/// An error with its causes, in one line.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::git::testing::Forge;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn states_follow_each_other() {
        let mut state = SourceState::new(Some(&Remote::new("https://me:secret@host/x.git", "master")), false);
        assert_eq!(
            (state.phase, state.url.as_str(), state.begin()),
            (Phase::New, "https://me@host/x.git", Step::Fetch)
        );
        let badly = |failure| Ended::Badly(failure, "no".to_owned());
        assert_eq!(state.take(Step::Fetch, badly(Failure::Unreachable), at(1)), Step::Wait);
        assert_eq!((state.phase, state.since, state.attempts), (Phase::Unreachable, Some(at(1)), 1));
        assert_eq!(state.take(Step::Fetch, badly(Failure::Denied), at(2)), Step::Wait);
        assert_eq!((state.phase, state.attempts), (Phase::New, 2));
        assert_eq!(state.not_ready().as_deref(), Some("git repo not ready: git repo has not been cloned yet: no"));
        assert_eq!(state.take(Step::Fetch, Ended::Well, at(3)), Step::CheckBranch);
        assert_eq!(state.take(Step::CheckBranch, badly(Failure::Missing), at(4)), Step::Wait);
        assert_eq!(state.phase, Phase::Cloned);
        assert_eq!(state.take(Step::CheckBranch, Ended::Head("a".to_owned()), at(5)), Step::CheckWrite);
        assert_eq!(state.take(Step::CheckWrite, badly(Failure::Denied), at(6)), Step::Wait);
        assert_eq!(state.take(Step::CheckWrite, Ended::Well, at(7)), Step::Done);
        assert_eq!((state.phase, state.attempts, state.not_ready()), (Phase::Ready, 0, None));
        assert_eq!(state.take(Step::Fetch, Ended::Well, at(8)), Step::CheckBranch);
        assert_eq!(state.take(Step::CheckBranch, Ended::Head("b".to_owned()), at(8)), Step::Done, "writing was tried");
        assert_eq!((state.since, state.head.as_deref()), (Some(at(7)), Some("b")));
        assert_eq!(state.take(Step::Fetch, badly(Failure::Unreachable), at(9)), Step::Wait);
        assert_eq!(state.phase, Phase::Unreachable);
        let mut reading = SourceState::new(Some(&Remote::new("x", "master")), true);
        reading.take(Step::Fetch, Ended::Well, at(1));
        assert_eq!(reading.take(Step::CheckBranch, Ended::Head("a".to_owned()), at(1)), Step::Done);
        assert_eq!(SourceState::new(None, false).begin(), Step::Wait);
        assert_eq!(SourceState::new(None, false).not_ready().as_deref(), Some("no git repository is configured"));
    }

    #[tokio::test]
    async fn a_repository_becomes_ready() {
        let forge = Forge::new();
        let settings = Settings {
            program: Program::default(),
            remote: Some(Remote::new(&forge.url(), "master")),
            folder: forge.path("mirrors"),
            read_only: false,
            clone_limit: Duration::from_secs(60),
        };
        let mut source = Source::new(settings);
        let clock = || at(1);
        let mut phases = Vec::new();
        assert!(!source.refresh(&clock, &mut |state| phases.push(state.phase)).await);
        assert_eq!(source.state.error.as_deref(), Some("configured branch 'master' does not exist"));
        let head = forge.push(
            "a.yaml", "a: 1
",
        );
        assert!(source.refresh(&clock, &mut |state| phases.push(state.phase)).await);
        assert_eq!(source.state.head.as_deref(), Some(head.as_str()));
        assert_eq!(phases, [Phase::Cloned, Phase::Cloned, Phase::Cloned, Phase::Cloned, Phase::Ready]);
        // The copy breaks: it is made again by itself.
        let dir = source.mirror().unwrap().dir().to_path_buf();
        std::fs::remove_dir_all(dir.join("objects")).unwrap();
        assert!(source.refresh(&clock, &mut |_| {}).await, "{:?}", source.state);
        // A lock that was left behind does not hold for ever either.
        forge.push(
            "a.yaml", "a: 2
",
        );
        std::fs::write(dir.join("refs/heads/master.lock"), "").unwrap();
        assert!(source.refresh(&clock, &mut |_| {}).await, "{:?}", source.state);
        // The remote goes away and comes back.
        std::fs::rename(forge.remote(), forge.path("away")).unwrap();
        assert!(!source.refresh(&clock, &mut |_| {}).await);
        assert_eq!((source.state.phase, source.state.failure), (Phase::New, Some(Failure::NotFound)));
        std::fs::rename(forge.path("away"), forge.remote()).unwrap();
        assert!(source.refresh(&clock, &mut |_| {}).await);
    }
}
