//! One terminal: its record, its prompt, and commands that are typed into it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::filter::{Filter, Mark};
use super::pty::{self, Pty, Size};
use super::scrollback::{Reading, Scrollback};
use super::shell::{self, Kind};
use super::{Place, typing};
use crate::panel::redact::{Redactor, Secrets};

/// Bytes of output that are kept.
const SCROLLBACK: usize = 256 * 1024;
/// How long a few letters that may begin a secret are held back.
const HELD: Duration = Duration::from_millis(40);
/// A terminal that nobody watches and nothing happens in ends after this.
const IDLE: Duration = Duration::from_secs(20 * 60);
/// How long a shell may take to show its first prompt, or another command to end.
const READY: Duration = Duration::from_secs(8);
/// How long a prompt takes to be drawn once it is announced.
const SETTLED: Duration = Duration::from_millis(60);

/// What the shell is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// It starts, or runs something.
    Work,
    /// It shows its prompt; the last command ended with this code.
    Prompt(i32),
    /// It wants the rest of a command.
    More,
}

/// How a typed command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// With this code.
    Code(i32),
    /// It did not: it cannot be typed here, or the terminal ended.
    Not(String),
    /// It took too long.
    TimedOut,
    /// It was stopped.
    Stopped,
}

#[derive(Debug)]
struct Output {
    filter: Filter,
    redactor: Redactor,
    scrollback: Scrollback,
    /// When something was last written or typed.
    last: Instant,
}

/// A shell on a PTY, and what it has shown.
pub struct Terminal {
    /// Its name.
    pub name: String,
    kind: Kind,
    output: Arc<Mutex<Output>>,
    pty: Pty,
    /// The place behind all output; grows with it.
    end: watch::Sender<u64>,
    /// Counts marks, so that none is missed.
    doing: watch::Sender<(u64, Doing)>,
    size: watch::Sender<Size>,
    over: watch::Sender<Option<String>>,
    watchers: watch::Sender<()>,
    /// One command is typed at a time.
    typing: tokio::sync::Mutex<()>,
    stop: CancellationToken,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Terminal").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Terminal {
    /// Starts a shell; its threads and its care belong to `tasks`.
    ///
    /// # Errors
    /// A sentence that says why it does not start.
    pub fn start(
        name: &str,
        place: Place<'_>,
        secrets: &Secrets,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, String> {
        let token = token().map_err(|error| error.to_string())?;
        let launch = shell::launch(place.shell, place.settings, &token);
        let launch = launch.map_err(|error| format!("cannot write to `{}`: {error}", place.settings.display()))?;
        let output = Arc::new(Mutex::new(Output {
            filter: Filter::new(&token),
            redactor: Redactor::new(secrets),
            scrollback: Scrollback::new(SCROLLBACK),
            last: Instant::now(),
        }));
        let end = watch::Sender::new(0);
        let doing = watch::Sender::new((0, Doing::Work));
        let over = watch::Sender::new(None);
        let (replies, mut asked) = tokio::sync::mpsc::channel::<Vec<u8>>(8);
        let wrote = {
            let (output, end, doing) = (output.clone(), end.clone(), doing.clone());
            move |bytes: &[u8]| {
                let mut output = lock(&output);
                let filtered = output.filter.push(bytes);
                let shown = output.redactor.push(&filtered.bytes);
                output.scrollback.push(&shown);
                output.last = Instant::now();
                end.send_replace(output.scrollback.end());
                drop(output);
                for mark in filtered.marks {
                    let now = match mark {
                        Mark::Prompt(code) => Doing::Prompt(code),
                        Mark::More => Doing::More,
                    };
                    doing.send_modify(|(count, doing)| (*count, *doing) = (*count + 1, now));
                }
                if !filtered.reply.is_empty() {
                    let _ = replies.try_send(filtered.reply);
                }
            }
        };
        let ended = {
            let over = over.clone();
            move |why: String| {
                over.send_replace(Some(why));
            }
        };
        let pty = Pty::start(&launch, place, Size::USUAL, tasks, wrote, ended)?;
        let terminal = Arc::new(Self {
            name: name.to_owned(),
            kind: launch.kind,
            output,
            pty,
            end,
            doing,
            size: watch::Sender::new(Size::USUAL),
            over,
            watchers: watch::Sender::new(()),
            typing: tokio::sync::Mutex::new(()),
            stop,
        });
        let tended = terminal.clone();
        tasks.spawn(async move { tended.tend(&mut asked).await });
        Ok(terminal)
    }

    /// Whether its shell has ended.
    pub fn is_over(&self) -> bool {
        self.over.borrow().is_some() || self.stop.is_cancelled()
    }

    /// Why its shell has ended, once it has.
    pub fn over(&self) -> watch::Receiver<Option<String>> {
        self.over.subscribe()
    }

    /// The place behind all output, now and whenever it grows.
    pub fn end_of_output(&self) -> watch::Receiver<u64> {
        self.end.subscribe()
    }

    /// Its size, now and whenever it changes.
    pub fn size(&self) -> watch::Receiver<Size> {
        self.size.subscribe()
    }

    /// Somebody who watches; a terminal with watchers does not end for idleness.
    pub fn watch(&self) -> watch::Receiver<()> {
        self.watchers.subscribe()
    }

    /// Output from a place on.
    pub fn read(&self, from: u64, most: usize) -> Reading {
        lock(&self.output).scrollback.from(from, most)
    }

    /// Sends what a person typed; says whether there was room for it.
    pub fn input(&self, bytes: Vec<u8>) -> bool {
        self.note_input(&bytes);
        self.pty.send(bytes)
    }

    /// Changes its size.
    pub fn resize(&self, size: Size) {
        let size = size.sane();
        let changed = self.size.send_if_modified(|now| std::mem::replace(now, size) != size);
        if changed {
            self.pty.resize(size);
        }
    }

    /// Ends it.
    pub fn end(&self) {
        self.stop.cancel();
    }

    fn note_input(&self, bytes: &[u8]) {
        lock(&self.output).last = Instant::now();
        if bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            self.doing.send_if_modified(|(_, doing)| {
                *doing = Doing::Work;
                false
            });
        }
    }

    /// Lets go of held letters, answers programs, ends the terminal when it is time.
    async fn tend(&self, asked: &mut tokio::sync::mpsc::Receiver<Vec<u8>>) {
        let mut end = self.end.subscribe();
        let mut over = self.over.subscribe();
        loop {
            let holds = lock(&self.output).redactor.holds();
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = is_over(&mut over) => break,
                Some(reply) = asked.recv() => self.pty.type_in(reply).await,
                changed = end.changed() => if changed.is_err() { break },
                () = tokio::time::sleep(HELD), if holds => self.let_go(),
                () = tokio::time::sleep(IDLE) => {
                    if self.watchers.receiver_count() == 0 && lock(&self.output).last.elapsed() >= IDLE {
                        break;
                    }
                }
            }
        }
        self.stop.cancel();
        self.pty.hang_up();
        let _ = tokio::time::timeout(pty::grace(), is_over(&mut over)).await;
        self.pty.kill();
        self.let_go();
    }

    fn let_go(&self) {
        let mut output = lock(&self.output);
        let shown = output.redactor.flush();
        output.scrollback.push(&shown);
        self.end.send_replace(output.scrollback.end());
    }

    /// Types a script line by line and waits until the shell shows its prompt behind it.
    pub async fn run(&self, script: &str, human: bool, deadline: Instant, stop: &CancellationToken) -> Ended {
        if self.kind == Kind::Other {
            return Ended::Not("this shell does not say when a command has ended; use sh, bash or zsh".to_owned());
        }
        let work = async {
            let _alone = self.typing.lock().await;
            self.ready().await?;
            self.type_lines(script, human).await
        };
        let mut over = self.over.subscribe();
        let ended = tokio::select! {
            ended = work => ended.unwrap_or_else(Ended::Not),
            () = is_over(&mut over) => Ended::Not("the terminal has ended".to_owned()),
            () = self.stop.cancelled() => Ended::Not("the terminal has ended".to_owned()),
            () = tokio::time::sleep_until(deadline) => Ended::TimedOut,
            () = stop.cancelled() => Ended::Stopped,
        };
        if matches!(ended, Ended::TimedOut | Ended::Stopped) {
            self.pty.type_in(vec![0x03]).await;
        }
        ended
    }

    /// Waits until a prompt is there and drawn.
    async fn ready(&self) -> Result<(), String> {
        let mut doing = self.doing.subscribe();
        let prompt = doing.wait_for(|(_, doing)| matches!(doing, Doing::Prompt(_)));
        match tokio::time::timeout(READY, prompt).await {
            Ok(Ok(_)) => {}
            _ => return Err(format!("the terminal `{}` is busy; Ctrl-C in it ends what runs there", self.name)),
        }
        let mut end = self.end.subscribe();
        loop {
            end.borrow_and_update();
            if tokio::time::timeout(SETTLED, end.changed()).await.is_err() {
                return Ok(());
            }
        }
    }

    async fn type_lines(&self, script: &str, human: bool) -> Result<Ended, String> {
        // What somebody left on the line is not part of the command.
        self.pty.type_in(vec![0x15]).await;
        let mut doing = self.doing.subscribe();
        let mut code = 0;
        let mut more = false;
        for line in script.trim_end().lines() {
            if line.trim().is_empty() && !more {
                continue;
            }
            for stroke in typing::strokes(line) {
                if human {
                    tokio::time::sleep(stroke.pause).await;
                }
                self.pty.type_in(stroke.bytes).await;
            }
            let before = doing.borrow().0;
            self.note_input(b"\r");
            self.pty.type_in(b"\r".to_vec()).await;
            let now = doing.wait_for(|(count, _)| *count > before).await.map_err(|_| "the terminal has ended")?;
            match now.1 {
                Doing::Prompt(ended) => (code, more) = (ended, false),
                Doing::More => more = true,
                Doing::Work => {}
            }
        }
        if more {
            self.pty.type_in(vec![0x03]).await;
            return Err("the shell waits for the rest of the command: a quote or a block is open".to_owned());
        }
        Ok(Ended::Code(code))
    }
}

async fn is_over(over: &mut watch::Receiver<Option<String>>) {
    let _ = over.wait_for(Option::is_some).await;
}

fn lock(output: &Mutex<Output>) -> MutexGuard<'_, Output> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What only the terminal's own shell knows.
fn token() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 12];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
