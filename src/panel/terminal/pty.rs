//! A shell on a pseudo-terminal: started, read, written to, and ended with everything it started.

use std::io::{Read as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::confine::within;
use super::shell::Launch;

/// Output that is taken in a window of time; a program that writes more has to wait.
const FLOOD: (usize, Duration) = (128 * 1024, Duration::from_millis(100));
/// Pieces of input that wait for the program to read them.
const WAITING_INPUT: usize = 64;
/// What a terminal's threads need at most.
const STACK: usize = 256 * 1024;
/// What somebody else's shell gets of our own variables.
const GUESTS: [&str; 8] = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME", "SHELL"];
/// How long a shell may take to end when its terminal is gone.
const GRACE: Duration = Duration::from_millis(300);

/// How large a terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Letters in a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
}

impl Size {
    /// The usual one.
    pub const USUAL: Self = Self { columns: 80, rows: 24 };

    /// The nearest size that a terminal can have.
    #[must_use]
    pub fn sane(self) -> Self {
        Self { columns: self.columns.clamp(20, 300), rows: self.rows.clamp(4, 120) }
    }

    fn of_pty(self) -> PtySize {
        PtySize { rows: self.rows, cols: self.columns, pixel_width: 0, pixel_height: 0 }
    }
}

/// A running shell and its terminal.
pub(super) struct Pty {
    master: Mutex<Option<Box<dyn MasterPty + Send>>>,
    /// Gone once it was hung up, so that the writing thread ends.
    input: Mutex<Option<mpsc::Sender<Vec<u8>>>>,
    leader: Option<u32>,
}

impl Pty {
    /// Starts a shell in a folder. `wrote` gets its output, `ended` is called once when it is over; both from threads.
    ///
    /// # Errors
    /// A sentence that says what the system refused.
    pub(super) fn start(
        launch: &Launch,
        place: super::Place<'_>,
        size: Size,
        tasks: &TaskTracker,
        wrote: impl FnMut(&[u8]) + Send + 'static,
        ended: impl FnOnce(String) + Send + 'static,
    ) -> Result<Self, String> {
        let pair = native_pty_system().openpty(size.sane().of_pty());
        let pair = pair.map_err(|error| format!("the system gives no terminal: {error}"))?;
        let mut command = CommandBuilder::new(&launch.program);
        command.args(&launch.arguments);
        command.cwd(place.folder);
        if place.guest.is_some() {
            keep_only(&mut command, &GUESTS);
        }
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "TMUX", "STY"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        let own = place.guest.map(|guest| guest.variables.as_slice()).unwrap_or_default();
        for (name, value) in place.variables.iter().chain(own).chain(&launch.variables) {
            command.env(name, value);
        }
        let failed = |error: anyhow::Error| format!("`{}` does not start: {error}", launch.program.display());
        let slave = pair.slave;
        // Ours must not keep the terminal open when the shell is gone.
        let spawn = move || slave.spawn_command(command);
        let confine = place.guest.and_then(|guest| guest.confine.as_ref());
        let mut child = within(confine, spawn)?.map_err(failed)?;
        let leader = child.process_id();
        let reader = pair.master.try_clone_reader().map_err(failed);
        let writer = pair.master.take_writer().map_err(failed);
        let (reader, writer) = match (reader, writer) {
            (Ok(reader), Ok(writer)) => (reader, writer),
            (Err(why), _) | (_, Err(why)) => {
                let _ = child.kill();
                return Err(why);
            }
        };
        let (input, pieces) = mpsc::channel(WAITING_INPUT);
        let waits = move || {
            let said = match child.wait() {
                Ok(status) if status.success() => "the shell has ended".to_owned(),
                Ok(status) => format!("the shell has ended with code {}", status.exit_code()),
                Err(error) => format!("the shell has ended: {error}"),
            };
            end_session(leader);
            ended(said);
        };
        let threads = thread(tasks, waits)
            .and_then(|()| thread(tasks, move || read(reader, wrote)))
            .and_then(|()| thread(tasks, move || write(writer, pieces)));
        if let Err(why) = threads {
            end_session(leader);
            return Err(why);
        }
        Ok(Self { master: Mutex::new(Some(pair.master)), input: Mutex::new(Some(input)), leader })
    }

    /// Sends input; says whether there was room for it.
    pub(super) fn send(&self, bytes: Vec<u8>) -> bool {
        self.sender().is_some_and(|input| input.try_send(bytes).is_ok())
    }

    /// Sends input as soon as there is room for it.
    pub(super) async fn type_in(&self, bytes: Vec<u8>) {
        if let Some(input) = self.sender() {
            let _ = input.send(bytes).await;
        }
    }

    fn sender(&self) -> Option<mpsc::Sender<Vec<u8>>> {
        self.input.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the size.
    pub(super) fn resize(&self, size: Size) {
        if let Some(master) = &*self.master.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = master.resize(size.sane().of_pty());
        }
    }

    /// Hangs up: the shell ends, and everything that it started.
    pub(super) fn hang_up(&self) {
        hang_up(self.leader);
        self.input.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.master.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Kills what has not ended after that.
    pub(super) fn kill(&self) {
        end_session(self.leader);
    }
}

/// How long to wait between hanging up and killing.
pub(super) const fn grace() -> Duration {
    GRACE
}

fn read(mut reader: Box<dyn std::io::Read + Send>, mut wrote: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 16 * 1024];
    let (mut taken, mut window) = (0, Instant::now());
    loop {
        match reader.read(&mut buffer) {
            // On some systems the end of a terminal is an error.
            Ok(0) => return,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
            Ok(read) => {
                wrote(buffer.get(..read).unwrap_or_default());
                taken += read;
                if window.elapsed() > FLOOD.1 {
                    (taken, window) = (0, Instant::now());
                } else if taken > FLOOD.0 {
                    std::thread::sleep(FLOOD.1.saturating_sub(window.elapsed()));
                    (taken, window) = (0, Instant::now());
                }
            }
        }
    }
}

/// Leaves a command only some of our own variables.
fn keep_only(command: &mut CommandBuilder, names: &[&str]) {
    let kept: Vec<_> = names.iter().filter_map(|name| Some((name, command.get_env(name)?.to_owned()))).collect();
    command.env_clear();
    for (name, value) in kept {
        command.env(name, value);
    }
}

/// A thread of its own that belongs to `tasks`: a room of terminals must not use up those that files are read with.
fn thread(tasks: &TaskTracker, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let token = tasks.token();
    let thread = std::thread::Builder::new().name("terminal".to_owned()).stack_size(STACK);
    let started = thread.spawn(move || {
        work();
        drop(token);
    });
    started.map(|_| ()).map_err(|error| format!("the system gives no thread: {error}"))
}

fn write(mut writer: Box<dyn std::io::Write + Send>, mut pieces: mpsc::Receiver<Vec<u8>>) {
    while let Some(piece) = pieces.blocking_recv() {
        if writer.write_all(&piece).and_then(|()| writer.flush()).is_err() {
            return;
        }
    }
}

#[cfg(unix)]
fn hang_up(leader: Option<u32>) {
    use rustix::process::{Signal, kill_process_group};

    if let Some(leader) = pid(leader) {
        let _ = kill_process_group(leader, Signal::HUP);
        let _ = kill_process_group(leader, Signal::CONT);
    }
    for member in session(leader) {
        let _ = rustix::process::kill_process(member, Signal::HUP);
    }
}

#[cfg(unix)]
fn end_session(leader: Option<u32>) {
    use rustix::process::{Signal, kill_process};

    // What is started meanwhile is found by the second look.
    for _ in 0..2 {
        for member in session(leader) {
            let _ = kill_process(member, Signal::KILL);
        }
    }
}

#[cfg(unix)]
fn pid(id: Option<u32>) -> Option<rustix::process::Pid> {
    id.and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?))
}

/// All processes of a terminal, also those in process groups of their own. Where the system does not list them, the
/// shell alone: what else there is gets its signal when the terminal is closed.
#[cfg(unix)]
fn session(leader: Option<u32>) -> Vec<rustix::process::Pid> {
    let Some(leader) = leader else { return Vec::new() };
    let Ok(entries) = std::fs::read_dir("/proc") else { return pid(Some(leader)).into_iter().collect() };
    let members = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    members.filter(|member| session_of(*member) == Some(leader)).filter_map(|member| pid(Some(member))).collect()
}

#[cfg(unix)]
fn session_of(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may hold spaces and brackets; behind it: state, parent, group, session.
    let (_, behind) = stat.rsplit_once(") ")?;
    behind.split(' ').nth(3)?.parse().ok()
}

#[cfg(not(unix))]
fn hang_up(_: Option<u32>) {}

#[cfg(not(unix))]
fn end_session(_: Option<u32>) {}
