//! Processes that a command left behind, in whatever session they are: found by a mark in their environment.
//!
//! A process group is left by `setsid`, and a parent by forking twice; the environment is taken along. Only a program
//! that clears it (`env -i`) is not found, and none is on other systems than Linux.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable with the mark.
const VARIABLE: &str = "FOREDECK_COMMAND";
/// So often it is looked for processes that came since: what forks faster than it is ended is left to the next time.
const ROUNDS: usize = 20;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// The mark of one command: `PID.NUMBER.FOLDER`, where the process is this one and the folder that of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    owner: u32,
    number: u64,
    folder: PathBuf,
}

impl Mark {
    /// A mark for another command of a sandbox.
    pub fn new(folder: &Path) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { owner: std::process::id(), number, folder: folder.to_path_buf() }
    }

    /// The variable that the command has to get.
    pub fn variable(&self) -> (&'static str, OsString) {
        let mut value = OsString::from(format!("{}.{}.", self.owner, self.number));
        value.push(&self.folder);
        (VARIABLE, value)
    }

    /// Ends what the command left behind.
    pub async fn end(&self) {
        let mark = self.clone();
        end_where(move |found| *found == mark).await;
    }
}

/// Ends what commands of a sandbox left behind that was begun by this process, or by one that is not there any more.
pub async fn end_all(folder: &Path) {
    let folder = folder.to_path_buf();
    let gone = |owner: u32| owner == std::process::id() || !Path::new(&format!("/proc/{owner}")).exists();
    end_where(move |found| found.folder == folder && gone(found.owner)).await;
}

async fn end_where(is_meant: impl Fn(&Mark) -> bool + Send + 'static) {
    let ended = tokio::task::spawn_blocking(move || {
        for _ in 0..ROUNDS {
            if linux::kill(&is_meant) == 0 {
                break;
            }
        }
    });
    if let Err(error) = ended.await {
        tracing::warn!(%error, "what a command left behind is not looked for");
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::os::unix::ffi::OsStrExt as _;

    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    use super::{Mark, VARIABLE};

    /// Ends the processes of these marks; how many they were.
    pub(super) fn kill(is_meant: &dyn Fn(&Mark) -> bool) -> usize {
        let Ok(all) = std::fs::read_dir("/proc") else { return 0 };
        let numbers = all.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        numbers.filter(|number| kill_one(*number, is_meant) == Some(())).count()
    }

    fn kill_one(number: i32, is_meant: &dyn Fn(&Mark) -> bool) -> Option<()> {
        if u32::try_from(number).ok()? == std::process::id() {
            return None;
        }
        // Held before it is looked at: its number may be another's a moment later.
        let process = pidfd_open(Pid::from_raw(number)?, PidfdFlags::empty()).ok()?;
        let environment = std::fs::read(format!("/proc/{number}/environ")).ok()?;
        let mark = environment.split(|byte| *byte == 0).find_map(read)?;
        is_meant(&mark).then_some(())?;
        pidfd_send_signal(process, Signal::KILL).ok()
    }

    fn read(variable: &[u8]) -> Option<Mark> {
        let value = variable.strip_prefix(VARIABLE.as_bytes())?.strip_prefix(b"=")?;
        let mut parts = value.splitn(3, |byte| *byte == b'.');
        let owner = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
        let number = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
        Some(Mark { owner, number, folder: std::ffi::OsStr::from_bytes(parts.next()?).into() })
    }
}

#[cfg(not(target_os = "linux"))]
mod linux {
    pub(super) fn kill(_: &dyn Fn(&super::Mark) -> bool) -> usize {
        0
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// A process that is found by nothing but its environment.
    fn stray(mark: &Mark) -> std::process::Child {
        let (name, value) = mark.variable();
        let mut command = Command::new("setsid");
        command.args(["sleep", "300"]).env(name, value).stdin(Stdio::null());
        command.spawn().expect("it starts")
    }

    #[tokio::test]
    async fn only_what_is_meant_ends() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let marks = [Mark::new(one.path()), Mark::new(one.path()), Mark::new(other.path())];
        let foreign = Mark { owner: 1, ..marks[0].clone() };
        let mut strays: Vec<_> = marks.iter().chain([&foreign]).map(stray).collect();
        marks[0].end().await;
        assert!(!strays[0].wait().unwrap().success());
        end_all(one.path()).await;
        assert!(!strays[1].wait().unwrap().success());
        assert!(strays[2].try_wait().unwrap().is_none(), "it is of another sandbox");
        assert!(strays[3].try_wait().unwrap().is_none(), "its owner is still there");
        for stray in &mut strays[2..] {
            stray.kill().unwrap();
            stray.wait().unwrap();
        }
    }
}
