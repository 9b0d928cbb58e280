//! Other programs: found on the PATH, run to their end with a time limit, and stopped with all that they started.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// How long a program may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(3);
/// Nobody needs more of what a program wrote.
const MOST_OUTPUT: usize = 16 << 20;
const LONGEST_LINE: usize = 8 << 10;
const LAST_LINES: usize = 60;

/// Why a program did not run to its end.
#[derive(Debug)]
pub enum Stopped {
    /// It could not be started, or its output not be read.
    Io(std::io::Error),
    /// It took too long.
    Timeout,
    /// It was asked to stop.
    Cancelled,
}

/// What a program left behind.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub out: String,
    /// The last lines of its standard error.
    pub err: Vec<String>,
}

impl Output {
    /// What it said in the end: its first line that is marked as an error, else its last one.
    pub fn last_words(&self) -> String {
        let lines = || self.err.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
        let marked = lines().find_map(|line| line.strip_prefix("ERROR:").or_else(|| line.strip_prefix("Error:")));
        match marked.or_else(|| lines().next_back()) {
            Some(words) => words.trim().to_owned(),
            None => self.status.to_string(),
        }
    }
}

/// The first file of that name on the PATH that may be run and is none of `not`.
pub fn find(name: &str, path: Option<&OsStr>, not: &[PathBuf]) -> Option<PathBuf> {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let folders = path.into_iter().flat_map(std::env::split_paths).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(&name)).find(|file| is_program(file) && !is_one_of(file, not))
}

fn is_program(file: &Path) -> bool {
    let Ok(metadata) = file.metadata() else { return false };
    #[cfg(unix)]
    let may_run = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let may_run = true;
    metadata.is_file() && may_run
}

fn is_one_of(file: &Path, others: &[PathBuf]) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let file = real(file);
    others.iter().any(|other| real(other) == file)
}

/// Runs a program to its end. `line` sees each line that it writes to standard error, as it comes.
///
/// # Errors
/// When it cannot be started, takes longer than `limit`, or `stop` is cancelled; it has ended then.
pub async fn run(
    mut command: Command,
    limit: Duration,
    stop: &CancellationToken,
    line: &mut (dyn FnMut(&str) + Send),
) -> Result<Output, Stopped> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // A group of its own: Ctrl-C reaches us alone, and all that the program starts can be stopped with it.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(Stopped::Io)?;
    let mut err = Lines::default();
    let outcome = {
        let (out_pipe, err_pipe) = (child.stdout.take(), child.stderr.take());
        let ended = async {
            let (out, read) = tokio::join!(read_all(out_pipe), err.read(err_pipe, line));
            let status = child.wait().await?;
            read?;
            Ok((status, out?))
        };
        tokio::select! {
            ended = ended => ended.map_err(Stopped::Io),
            () = tokio::time::sleep(limit) => Err(Stopped::Timeout),
            () = stop.cancelled() => Err(Stopped::Cancelled),
        }
    };
    match outcome {
        Ok((status, out)) => Ok(Output { status, out, err: err.kept.into() }),
        Err(stopped) => {
            end(&mut child).await;
            Err(stopped)
        }
    }
}

/// Ends a program and all that it started: first kindly.
async fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?)) {
        use rustix::process::{Signal, kill_process_group};

        let _ = kill_process_group(group, Signal::TERM);
        let ended = tokio::time::timeout(GRACE, child.wait()).await.is_ok();
        let _ = kill_process_group(group, Signal::KILL);
        if ended {
            return;
        }
    }
    let _ = child.kill().await;
}

async fn read_all(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let mut pipe = pipe.take(MOST_OUTPUT as u64);
        pipe.read_to_end(&mut bytes).await?;
        // The rest is thrown away, so that the program does not wait for a reader.
        tokio::io::copy(&mut pipe.into_inner(), &mut tokio::io::sink()).await?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The last lines that were read.
#[derive(Default)]
struct Lines {
    kept: std::collections::VecDeque<String>,
}

impl Lines {
    async fn read(
        &mut self,
        pipe: Option<impl AsyncRead + Unpin>,
        line: &mut (dyn FnMut(&str) + Send),
    ) -> std::io::Result<()> {
        let Some(mut pipe) = pipe else { return Ok(()) };
        let mut current = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = pipe.read(&mut buffer).await?;
            for &byte in buffer.get(..read).unwrap_or_default() {
                if matches!(byte, b'\n' | b'\r') {
                    self.keep(&mut current, line);
                } else if current.len() < LONGEST_LINE {
                    current.push(byte);
                }
            }
            if read == 0 {
                self.keep(&mut current, line);
                return Ok(());
            }
        }
    }

    fn keep(&mut self, current: &mut Vec<u8>, line: &mut (dyn FnMut(&str) + Send)) {
        if current.is_empty() {
            return;
        }
        // Written to a terminal later: nothing in it may steer that.
        let text: String = String::from_utf8_lossy(current).chars().filter(|c| !c.is_control()).collect();
        current.clear();
        line(&text);
        self.kept.push_back(text);
        if self.kept.len() > LAST_LINES {
            self.kept.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
