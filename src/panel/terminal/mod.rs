//! Terminals: a shell on a PTY for each name, shown to everybody, typed into by the speaker and by steps.
//!
//! What a program writes is filtered ([`filter`]), secrets are taken out ([`super::redact`]), and what is left is kept in
//! a bounded record ([`scrollback`]) that every window reads at its own pace: a slow one skips ahead, nobody waits for it.

pub mod confine;
pub mod filter;
mod pty;
pub mod scrollback;
mod session;
pub mod shell;
pub mod typing;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use confine::Confine;
pub use pty::Size;
pub use session::{Ended, Terminal};

use super::redact::Secrets;
use crate::sandbox::Sandbox;

/// Terminals that may be open at once.
const MOST: usize = 8;
/// The longest name.
const LONGEST_NAME: usize = 40;

/// Why there is no terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A name that cannot be one.
    #[error("`{0}` is no name for a terminal: letters, digits, `-` and `_`, at most {LONGEST_NAME}")]
    Name(String),
    /// There are enough.
    #[error("there are {MOST} terminals already; close one with `exit`")]
    TooMany,
    /// The system refuses.
    #[error("the terminal does not start: {0}")]
    Start(String),
    /// Everything is being stopped.
    #[error("foredeck is stopping")]
    Stopping,
}

/// The open terminals by name.
#[derive(Debug)]
pub struct Terminals {
    open: Mutex<BTreeMap<String, Opened>>,
    changed: watch::Sender<u64>,
    tasks: TaskTracker,
    stop: CancellationToken,
    shell: Option<OsString>,
    guest: Option<Guest>,
}

/// Somebody who is not this machine's user types: their shells get none of the user's own variables.
#[derive(Debug, Clone, Default)]
pub struct Guest {
    /// Variables for them.
    pub variables: Vec<(String, OsString)>,
    /// What they can reach; everything where the system cannot keep that up.
    pub confine: Option<Confine>,
}

/// A terminal, and the sandbox that it was opened in.
#[derive(Debug)]
struct Opened {
    terminal: Arc<Terminal>,
    sandbox: Weak<Sandbox>,
}

impl Opened {
    /// Ends it unless it is in this sandbox; says whether it goes on.
    fn keep_in(&self, sandbox: &Arc<Sandbox>) -> bool {
        // A sandbox's place in memory is not given away while somebody remembers it weakly.
        let keeps = std::ptr::eq(self.sandbox.as_ptr(), Arc::as_ptr(sandbox));
        if !keeps {
            self.terminal.end();
        }
        keeps && !self.terminal.is_over()
    }
}

impl Terminals {
    /// None yet; `shell` is the user's.
    pub fn new(shell: Option<OsString>) -> Self {
        Self {
            open: Mutex::default(),
            changed: watch::Sender::new(0),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            shell,
            guest: None,
        }
    }

    /// The same for somebody else than the user.
    #[must_use]
    pub fn of_guest(self, guest: Option<Guest>) -> Self {
        Self { guest, ..self }
    }

    /// The terminal of this name, if it is open.
    pub fn get(&self, name: &str) -> Option<Arc<Terminal>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(name).map(|opened| &opened.terminal).filter(|terminal| !terminal.is_over()).cloned()
    }

    /// Those that are open.
    pub fn all(&self) -> Vec<Arc<Terminal>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.values().map(|opened| &opened.terminal).filter(|terminal| !terminal.is_over()).cloned().collect()
    }

    /// Changes whenever a terminal is opened.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The terminal of this name, opened in the sandbox unless it is open.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self, name: &str, sandbox: &Arc<Sandbox>, secrets: &Secrets) -> Result<Arc<Terminal>, Refusal> {
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if !plain || name.is_empty() || name.len() > LONGEST_NAME {
            return Err(Refusal::Name(name.chars().take(LONGEST_NAME).collect()));
        }
        if self.stop.is_cancelled() {
            return Err(Refusal::Stopping);
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, opened| opened.keep_in(sandbox));
        if let Some(opened) = open.get(name) {
            return Ok(opened.terminal.clone());
        }
        if open.len() >= MOST {
            return Err(Refusal::TooMany);
        }
        let place = Place {
            folder: sandbox.work_folder(),
            settings: &sandbox.folder.path().join("terminals").join(name),
            variables: &sandbox.tools.variables,
            shell: self.shell.as_deref(),
            guest: self.guest.as_ref(),
        };
        let terminal = Terminal::start(name, place, secrets, &self.tasks, self.stop.child_token());
        let terminal = terminal.map_err(Refusal::Start)?;
        open.insert(name.to_owned(), Opened { terminal: terminal.clone(), sandbox: Arc::downgrade(sandbox) });
        drop(open);
        self.changed.send_modify(|times| *times += 1);
        Ok(terminal)
    }

    /// Cancelled when no terminal will be opened any more.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Ends the terminals that were opened in another sandbox than the one that is there now: that one is gone. What
    /// was opened in the new one before anybody heard of it goes on.
    pub fn only_in(&self, sandbox: Option<&Arc<Sandbox>>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match sandbox {
            Some(sandbox) => open.retain(|_, opened| opened.keep_in(sandbox)),
            None => std::mem::take(&mut *open).values().for_each(|opened| opened.terminal.end()),
        }
    }

    /// Ends all terminals and waits until nothing of them is left.
    pub async fn close(&self) {
        self.stop.cancel();
        self.only_in(None);
        self.tasks.close();
        // Threads end with their terminals; a system that does not let go of one must not hold up the rest.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(3), self.tasks.wait()).await;
    }
}

/// Where and with what a terminal's shell runs.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its folder.
    pub folder: &'a Path,
    /// Where the shell's own settings are written.
    pub settings: &'a Path,
    /// Variables on top of the user's own.
    pub variables: &'a [(String, OsString)],
    /// The user's shell.
    pub shell: Option<&'a std::ffi::OsStr>,
    /// Somebody else, when it is not the user.
    pub guest: Option<&'a Guest>,
}

#[cfg(all(test, unix))]
mod tests;
