//! Other programs with something to read, and with limits on time and output.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// Why a program did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// It cannot be started.
    #[error("it cannot be started")]
    Start(#[source] io::Error),
    /// It did not end in time, and was ended.
    #[error("it did not end within {} s", limit.as_secs())]
    Timeout {
        /// How long it had.
        limit: Duration,
    },
    /// It wrote more than is taken.
    #[error("it gave more than {limit} bytes")]
    TooMuch {
        /// What would have been taken.
        limit: u64,
    },
    /// Its pipes broke.
    #[error("it cannot be read from")]
    Io(#[source] io::Error),
}

/// What a program wrote.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub out: Vec<u8>,
    /// The beginning of its standard error.
    pub err: String,
}

/// How much a program may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How long it may run.
    pub limit: Duration,
    /// How many bytes it may write.
    pub most: u64,
}

const MOST_ERRORS: u64 = 64 << 10;

/// How long a program may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(2);

/// Runs a program to its end. When it takes too long, or nobody waits any more, it is asked to end, with all that it
/// started.
///
/// # Errors
/// When it does not get to its end.
pub async fn run(mut command: Command, input: Option<&[u8]>, bounds: Bounds) -> Result<Output, Stopped> {
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    // Not killed: git would leave its locks behind.
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(cfg!(not(unix)));
    // A group of its own: Ctrl-C is for us.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(Stopped::Start)?;
    let group = Group::of(&child);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let (Some(mut pipe), Some(input)) = (stdin, input) {
            // It may end before it has read everything; its status says whether that was well.
            let _ = pipe.write_all(input).await;
        }
    };
    let ended = {
        let work = async {
            let ((), out, err) = tokio::join!(feed, read(stdout, bounds.most), read_start(stderr));
            let (Some(out), err) = (out?, err?) else { return Ok(None) };
            Ok::<_, io::Error>(Some((child.wait().await?, out, err)))
        };
        tokio::time::timeout(bounds.limit, work).await
    };
    let stopped = match ended {
        Ok(Ok(Some((status, out, err)))) => {
            group.ended();
            return Ok(Output { status, out, err: String::from_utf8_lossy(&err).into_owned() });
        }
        Ok(Ok(None)) => Stopped::TooMuch { limit: bounds.most },
        Ok(Err(source)) => Stopped::Io(source),
        Err(_) => Stopped::Timeout { limit: bounds.limit },
    };
    drop(group);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
    Err(stopped)
}

/// A program's process group, which ends with this value unless the program has ended by itself.
#[derive(Debug)]
pub(super) struct Group(Option<u32>);

impl Group {
    /// The group of a program that was started in one of its own.
    pub(super) fn of(child: &tokio::process::Child) -> Self {
        Self(child.id())
    }

    /// The program has ended.
    pub(super) fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.0.and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?)) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
        }
    }
}

/// All of a pipe; nothing when it is more than `most`.
async fn read(pipe: Option<impl AsyncRead + Unpin>, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(most + 1).read_to_end(&mut bytes).await?;
    }
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

/// The start of a pipe; the rest is thrown away.
async fn read_start(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let mut pipe = pipe.take(MOST_ERRORS);
        pipe.read_to_end(&mut bytes).await?;
        tokio::io::copy(&mut pipe.into_inner(), &mut tokio::io::sink()).await?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shell(script: &str, input: Option<&[u8]>, limit: u64, most: u64) -> Result<Output, Stopped> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        run(command, input, Bounds { limit: Duration::from_millis(limit), most }).await
    }

    #[tokio::test]
    async fn limits_hold() {
        let slow = shell("sleep 30", None, 50, 1000).await;
        assert!(matches!(slow, Err(Stopped::Timeout { .. })), "{slow:?}");
        let much = shell("yes", None, 10_000, 1000).await;
        assert!(matches!(much, Err(Stopped::TooMuch { limit: 1000 })), "{much:?}");
        let echoed = shell("cat; echo no >&2; exit 3", Some(b"hello"), 10_000, 1000).await.unwrap();
        assert_eq!((echoed.out.as_slice(), &*echoed.err, echoed.status.code()), (&b"hello"[..], "no\n", Some(3)));
        let missing = run(Command::new("/nowhere/git"), None, Bounds { limit: Duration::from_secs(1), most: 1 }).await;
        assert!(matches!(missing, Err(Stopped::Start(_))));
    }
}
