//! Steps of a long piece of work: one line that is written over on a terminal, plain lines elsewhere.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::cli::console::Console;
use crate::cluster::kind::{State, Step};

/// Shows steps, and how long the present one takes.
pub(super) struct Progress {
    console: Console,
    current: Mutex<Option<(String, Instant)>>,
}

impl Progress {
    /// No step yet.
    pub(super) fn new(console: Console) -> Self {
        Self { console, current: Mutex::default() }
    }

    /// Something begins.
    pub(super) fn begin(&self, what: impl Into<String>) {
        self.end();
        let what = what.into();
        if self.console.is_terminal() {
            self.console.over(&format!("  {what} …"));
        } else {
            self.console.say(&format!("  {what} …"));
        }
        *self.current() = Some((what, Instant::now()));
    }

    /// The present step is done.
    pub(super) fn end(&self) {
        if let Some((what, since)) = self.current().take()
            && self.console.is_terminal()
        {
            self.console.over("");
            self.console.say(&format!("  {what} ({} s)", since.elapsed().as_secs()));
        }
    }

    /// What kind tells.
    pub(super) fn told(&self, step: Step) {
        match step.state {
            State::Begun => self.begin(step.what),
            State::Done => self.end(),
            State::Failed => {
                self.end();
                self.console.say(&format!("  {}: failed", step.what));
            }
        }
    }

    /// Counts seconds while some work is done.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let tick = async {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if let Some((what, since)) = &*self.current()
                    && self.console.is_terminal()
                {
                    self.console.over(&format!("  {what} … {} s", since.elapsed().as_secs()));
                }
            }
        };
        tokio::select! {
            done = work => {
                self.end();
                done
            }
            () = tick => unreachable!("the clock never stops"),
        }
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<(String, Instant)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
