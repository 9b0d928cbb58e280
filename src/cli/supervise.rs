//! Named tasks, one stop token, two-stage Ctrl-C.
//!
//! Guarantees: the first SIGINT or SIGTERM cancels the token and gives every task `GRACE` to end; the second
//! one does not wait; a task that fails stops the others; no task outlives [`Supervisor::run`].

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::console::{Code, Failure};

/// How long tasks may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// The tasks of a command that runs until it is stopped.
#[derive(Debug)]
pub struct Supervisor {
    signals: Signals,
    stop: CancellationToken,
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
}

impl Supervisor {
    /// No task yet; signals are held back from here on.
    ///
    /// # Errors
    /// When signals cannot be had.
    pub fn new() -> Result<Self, Failure> {
        let signals = Signals::new().map_err(|error| {
            Failure::new(Code::Environment, anyhow::Error::new(error).context("cannot listen for signals"))
        })?;
        Ok(Self { signals, stop: CancellationToken::new(), tasks: JoinSet::new() })
    }

    /// The token that tells every task to end.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task.
    pub fn spawn<E: Into<anyhow::Error>>(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        self.tasks.spawn(async move { (name, task.await.map_err(Into::into)) });
    }

    /// Runs until a signal or a failure stops the tasks, or all of them are done.
    ///
    /// # Errors
    /// When a task fails.
    pub async fn run(mut self) -> Result<Code, Failure> {
        let mut outcome = Ok(Code::Done);
        loop {
            tokio::select! {
                code = self.signals.next() => {
                    outcome = Ok(code);
                    break;
                }
                ended = self.tasks.join_next() => match ended {
                    None => break,
                    Some(Ok((_, Ok(())))) => {}
                    Some(Ok((name, Err(error)))) => {
                        outcome = Err(Failure::new(Code::Environment, error.context(format!("{name} stopped"))));
                        break;
                    }
                    Some(Err(error)) => {
                        outcome = Err(Failure::new(Code::Environment, error));
                        break;
                    }
                },
            }
        }
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        tokio::select! {
            () = ended => {}
            () = tokio::time::sleep(GRACE) => {}
            code = self.signals.next() => outcome = outcome.map(|_| code),
        }
        self.tasks.shutdown().await;
        outcome
    }
}

/// Runs one piece of work that ends by itself. The first signal cancels `stop`, and the work tidies up; the second one
/// drops it.
///
/// # Errors
/// When the work fails; with the signal's exit code after a signal.
pub async fn work<T>(stop: &CancellationToken, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let mut signals = Signals::new().map_err(|error| {
        Failure::new(Code::Environment, anyhow::Error::new(error).context("cannot listen for signals"))
    })?;
    let mut work = std::pin::pin!(work);
    let code = tokio::select! {
        done = &mut work => return done,
        code = signals.next() => code,
    };
    stop.cancel();
    tokio::select! {
        // What was done in spite of the signal is done.
        done = &mut work => done.map_err(|failure| Failure { code, ..failure }),
        code = signals.next() => Err(Failure::new(code, anyhow::Error::msg("stopped before everything was tidied up"))),
    }
}

/// The signals that ask to stop.
#[cfg(unix)]
#[derive(Debug)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Code {
        tokio::select! {
            _ = self.interrupt.recv() => Code::Interrupted,
            _ = self.terminate.recv() => Code::Terminated,
        }
    }
}

#[cfg(not(unix))]
#[derive(Debug)]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Code {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Code::Interrupted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_fails_stops_the_others() {
        let mut supervisor = Supervisor::new().unwrap();
        let stop = supervisor.stop();
        supervisor.spawn("waiting", async move {
            stop.cancelled().await;
            Ok::<(), std::io::Error>(())
        });
        supervisor.spawn("failing", async { Err(std::io::Error::other("no luck")) });
        let failure = supervisor.run().await.unwrap_err();
        assert_eq!(format!("{:#}", failure.error), "failing stopped: no luck");
        assert_eq!(failure.code, Code::Environment);
    }

    #[tokio::test]
    async fn when_all_tasks_are_done_it_is_done() {
        let mut supervisor = Supervisor::new().unwrap();
        supervisor.spawn("short", async { Ok::<(), std::io::Error>(()) });
        assert_eq!(supervisor.run().await.ok(), Some(Code::Done));
    }
}
