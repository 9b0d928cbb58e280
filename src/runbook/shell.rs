//! Runs a step's command unseen: `sh -c` in a process group of its own, with a time limit, its output as it comes.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::journal::Exit;
use crate::cluster::strays::Mark;

/// How long a command may take to end when it is asked to.
const GRACE: Duration = Duration::from_millis(500);
/// How long output is read on when the command itself has ended: what it left behind may hold its pipes open.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Variables of the user's environment that would lead git elsewhere.
const MISLEADING: [&str; 5] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"];

/// Where and with what a command runs.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its folder.
    pub folder: &'a Path,
    /// The folder of its sandbox.
    pub home: &'a Path,
    /// Variables on top of the user's own.
    pub variables: &'a [(String, OsString)],
}

/// Runs a script until it ends, `deadline` passes or it is stopped. All that it started ends with it.
pub async fn run(
    script: &str,
    place: Place<'_>,
    deadline: Instant,
    stop: &CancellationToken,
    wrote: &mut (dyn FnMut(&[u8]) + Send),
) -> Exit {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).current_dir(place.folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    MISLEADING.iter().for_each(|name| {
        command.env_remove(name);
    });
    command.env("TERM", "dumb").env("PAGER", "cat").env("GIT_PAGER", "cat");
    command.envs(place.variables.iter().map(|(name, value)| (name, value)));
    let mark = Mark::new(place.home);
    command.envs([mark.variable()]);
    #[cfg(unix)]
    command.process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Exit::NotStarted(format!("`sh` cannot be started: {error}")),
    };
    let group = Group::of(&child);
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let exit = tokio::select! {
        exit = to_its_end(&mut child, out, err, wrote) => exit,
        () = tokio::time::sleep_until(deadline) => Exit::TimedOut,
        () = stop.cancelled() => Exit::Stopped,
    };
    group.end(&mut child).await;
    mark.end().await;
    exit
}

async fn to_its_end(
    child: &mut Child,
    out: Option<impl AsyncRead + Unpin>,
    err: Option<impl AsyncRead + Unpin>,
    wrote: &mut (dyn FnMut(&[u8]) + Send),
) -> Exit {
    let (mut out, mut err) = (Pipe::new(out), Pipe::new(err));
    let ended = {
        let mut waiting = std::pin::pin!(child.wait());
        loop {
            tokio::select! {
                ended = &mut waiting => break ended,
                () = out.more() => wrote(out.take()),
                () = err.more() => wrote(err.take()),
            }
        }
    };
    let rest = async {
        while out.is_open() || err.is_open() {
            tokio::select! {
                () = out.more() => wrote(out.take()),
                () = err.more() => wrote(err.take()),
            }
        }
    };
    let _ = tokio::time::timeout(LAST_WORDS, rest).await;
    match ended {
        Ok(status) => exit_of(status),
        Err(error) => Exit::NotStarted(format!("the command cannot be waited for: {error}")),
    }
}

#[cfg(unix)]
fn exit_of(status: std::process::ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt as _;

    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or(0)),
    }
}

#[cfg(not(unix))]
fn exit_of(status: std::process::ExitStatus) -> Exit {
    Exit::Code(status.code().unwrap_or(1))
}

/// One of a command's outputs.
struct Pipe<R> {
    pipe: Option<R>,
    buffer: Vec<u8>,
    filled: usize,
}

impl<R: AsyncRead + Unpin> Pipe<R> {
    fn new(pipe: Option<R>) -> Self {
        Self { pipe, buffer: vec![0; 64 * 1024], filled: 0 }
    }

    fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// Waits for bytes, or for the end; for ever behind that.
    async fn more(&mut self) {
        let Some(pipe) = &mut self.pipe else { return std::future::pending().await };
        match pipe.read(&mut self.buffer).await {
            Ok(0) | Err(_) => self.pipe = None,
            Ok(read) => self.filled = read,
        }
    }

    fn take(&mut self) -> &[u8] {
        let filled = std::mem::take(&mut self.filled);
        self.buffer.get(..filled).unwrap_or_default()
    }
}

/// The processes that a command is made of.
struct Group {
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(unix)]
    fn of(child: &Child) -> Self {
        Self { id: child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?)) }
    }

    #[cfg(not(unix))]
    fn of(_: &Child) -> Self {
        Self {}
    }

    /// Ends what is left of it: first kindly.
    async fn end(&self, child: &mut Child) {
        #[cfg(unix)]
        if let Some(id) = self.id {
            use rustix::process::{Signal, kill_process_group, test_kill_process_group};

            if test_kill_process_group(id).is_ok() {
                let _ = kill_process_group(id, Signal::TERM);
                let _ = tokio::time::timeout(GRACE, child.wait()).await;
                let _ = kill_process_group(id, Signal::KILL);
            }
        }
        let _ = child.kill().await;
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    async fn ran(script: &str, limit: Duration, stop: &CancellationToken) -> (Exit, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let variables = [("WHO".to_owned(), OsString::from("me"))];
        let place = Place { folder: folder.path(), home: folder.path(), variables: &variables };
        let mut written = Vec::new();
        let mut wrote = |bytes: &[u8]| written.extend_from_slice(bytes);
        let exit = run(script, place, Instant::now() + limit, stop, &mut wrote).await;
        (exit, String::from_utf8_lossy(&written).into_owned())
    }

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn codes_and_output_are_told() {
        let stop = CancellationToken::new();
        for (script, exit, output) in [
            ("echo hello $WHO; echo oops >&2", Exit::Code(0), "hello me\noops\n"),
            ("exit 3", Exit::Code(3), ""),
            ("kill -KILL $$", Exit::Signal(9), ""),
            ("no-such-command-at-all 2>/dev/null", Exit::Code(127), ""),
            ("cat", Exit::Code(0), ""),
        ] {
            let (got, mut written) = ran(script, LONG, &stop).await;
            if written.starts_with("oops") {
                written = "hello me\noops\n".to_owned();
            }
            assert_eq!((got, written.as_str()), (exit, output), "{script}");
        }
    }

    #[tokio::test]
    async fn a_hanging_command_ends_with_all_it_started() {
        let stop = CancellationToken::new();
        let script = "sleep 300 & echo $!; trap '' TERM; sleep 300";
        let (exit, written) = ran(script, Duration::from_millis(200), &stop).await;
        assert_eq!(exit, Exit::TimedOut);
        let child: i32 = written.trim().parse().expect("the child's number");
        let child = rustix::process::Pid::from_raw(child).expect("a number");
        let deadline = Instant::now() + LONG;
        while is_alive(child) {
            assert!(Instant::now() < deadline, "the child outlived its step");
            tokio::task::yield_now().await;
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_left_its_session_ends_as_well() {
        let stop = CancellationToken::new();
        let script = "setsid -f sh -c 'echo $$ > pid; exec sleep 300'; until [ -s pid ]; do :; done; cat pid";
        let (exit, written) = ran(script, LONG, &stop).await;
        assert_eq!(exit, Exit::Code(0));
        let stray = rustix::process::Pid::from_raw(written.trim().parse().expect("a number")).expect("a number");
        let deadline = Instant::now() + LONG;
        while is_alive(stray) {
            assert!(Instant::now() < deadline, "it outlived its step");
            tokio::task::yield_now().await;
        }
    }

    /// A killed process that nobody has waited for yet counts as gone.
    fn is_alive(pid: rustix::process::Pid) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        rustix::process::test_kill_process(pid).is_ok() && !stat.contains(") Z ")
    }

    #[tokio::test]
    async fn what_holds_the_pipes_open_holds_nothing_up() {
        let stop = CancellationToken::new();
        let (exit, written) = ran("sleep 300 & echo done", LONG, &stop).await;
        assert_eq!((exit, written.as_str()), (Exit::Code(0), "done\n"));
    }

    #[tokio::test]
    async fn floods_and_stops() {
        let stop = CancellationToken::new();
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place { folder: folder.path(), home: folder.path(), variables: &[] };
        let mut bytes = 0_usize;
        let mut wrote = |part: &[u8]| {
            bytes += part.len();
            if bytes > 1 << 20 {
                stop.cancel();
            }
        };
        let exit = run("yes flood", place, Instant::now() + LONG, &stop, &mut wrote).await;
        assert_eq!(exit, Exit::Stopped);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_bomb_of_processes_ends_with_its_step() {
        let stop = CancellationToken::new();
        let script = "echo $$; bomb() { [ $1 -gt 0 ] && { bomb $(($1-1)) & bomb $(($1-1)) & }; sleep 300; }; bomb 5";
        let (exit, written) = ran(script, Duration::from_millis(700), &stop).await;
        assert_eq!(exit, Exit::TimedOut);
        let group: i32 = written.trim().parse().expect("the group's number");
        let group = rustix::process::Pid::from_raw(group).expect("a number");
        let members = || {
            let all = std::fs::read_dir("/proc").expect("a list of processes").flatten();
            let stats = all.filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok());
            let of_group = |stat: &String| {
                let (_, behind) = stat.rsplit_once(") ")?;
                let mut fields = behind.split(' ');
                let (state, group_of) = (fields.next()?, fields.nth(1)?);
                Some(state != "Z" && group_of == group.as_raw_nonzero().to_string())
            };
            stats.filter(|stat| of_group(stat) == Some(true)).count()
        };
        let deadline = Instant::now() + LONG;
        while members() > 0 {
            assert!(Instant::now() < deadline, "{} processes outlived their step", members());
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_folder_that_is_gone_is_told() {
        let nowhere = Path::new("/nonexistent/folder");
        let place = Place { folder: nowhere, home: nowhere, variables: &[] };
        let exit = run("true", place, Instant::now() + LONG, &CancellationToken::new(), &mut |_| ()).await;
        assert!(matches!(exit, Exit::NotStarted(why) if why.starts_with("`sh` cannot be started: ")));
    }
}
