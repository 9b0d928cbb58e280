//! How the steps of the decks went: their states, and what changes them. Pure: time is passed in.

use std::collections::BTreeMap;

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// It can be run.
    #[default]
    Ready,
    /// Its command runs.
    Running,
    /// Its command has run; what it waits for does not hold yet.
    Waiting,
    /// It did what it should.
    Passed,
    /// It did not.
    Failed,
    /// It took too long.
    TimedOut,
    /// It was stopped by the speaker.
    Stopped,
}

impl State {
    /// The word of it in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::TimedOut => "timed-out",
            Self::Stopped => "stopped",
        }
    }

    /// Whether it is at work.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Waiting)
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// It could not be started, or its terminal is not there.
    NotStarted(String),
    /// It took too long.
    TimedOut,
    /// The speaker stopped it.
    Stopped,
}

/// The last run of a step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Run {
    /// How it stands.
    pub state: State,
    /// When it was started, in milliseconds since 1970.
    pub started_ms: u64,
    /// How long it took; `None` while it runs.
    pub took_ms: Option<u64>,
    /// How long the last run that passed took.
    pub last_ms: Option<u64>,
    /// The command's exit code.
    pub exit: Option<i32>,
    /// What is waited for, or why it did not pass.
    pub reason: String,
    /// The last lines it wrote.
    pub output: String,
    order: u64,
}

/// A place to go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The deck.
    pub deck: String,
    /// The step before which it was made.
    pub step: String,
    order: u64,
}

impl Mark {
    /// Its name among the sandbox's checkpoints.
    pub fn key(&self) -> String {
        key(&self.deck, &self.step)
    }
}

/// The name of a step's checkpoint in the sandbox.
pub fn key(deck: &str, step: &str) -> String {
    format!("{deck}#{step}")
}

/// The steps of all decks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Journal {
    runs: BTreeMap<(String, String), Run>,
    marks: Vec<Mark>,
    order: u64,
    /// The step that is at work.
    pub active: Option<(String, String)>,
}

/// Checkpoints that are offered; older ones are forgotten.
const MOST_MARKS: usize = 50;

impl Journal {
    /// The last run of a step.
    pub fn run(&self, deck: &str, step: &str) -> Option<&Run> {
        self.runs.get(&(deck.to_owned(), step.to_owned()))
    }

    /// How a step stands.
    pub fn state(&self, deck: &str, step: &str) -> State {
        self.run(deck, step).map_or(State::Ready, |run| run.state)
    }

    /// The checkpoints, oldest first.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Of the steps of a slide the one to run next: the first that has not passed; the first again when all have.
    pub fn next<'a>(&self, deck: &str, steps: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        let mut steps = steps.into_iter().peekable();
        let first = steps.peek().copied();
        steps.find(|step| self.state(deck, step) != State::Passed).or(first)
    }

    /// A step begins.
    pub fn begin(&mut self, deck: &str, step: &str, now_ms: u64) {
        self.order += 1;
        let run = self.runs.entry((deck.to_owned(), step.to_owned())).or_default();
        *run = Run {
            state: State::Running,
            started_ms: now_ms,
            last_ms: run.last_ms,
            order: self.order,
            ..Run::default()
        };
        self.active = Some((deck.to_owned(), step.to_owned()));
    }

    /// A checkpoint was made before the step that is at work.
    pub fn mark(&mut self, deck: &str, step: &str) {
        self.marks.retain(|mark| (mark.deck.as_str(), mark.step.as_str()) != (deck, step));
        self.marks.push(Mark { deck: deck.to_owned(), step: step.to_owned(), order: self.order });
        let surplus = self.marks.len().saturating_sub(MOST_MARKS);
        self.marks.drain(..surplus);
    }

    /// What the step at work has written so far.
    pub fn wrote(&mut self, output: &str) {
        if let Some(run) = self.active_run() {
            output.clone_into(&mut run.output);
        }
    }

    /// The step at work waits for something.
    pub fn waits(&mut self, for_what: &str) {
        if let Some(run) = self.active_run() {
            run.state = State::Waiting;
            for_what.clone_into(&mut run.reason);
        }
    }

    /// The step at work has ended.
    pub fn end(&mut self, ended: &Ended, now_ms: u64) {
        if let Some(run) = self.active_run() {
            let took = now_ms.saturating_sub(run.started_ms);
            run.state = ended.state;
            run.exit = ended.exit;
            ended.reason.clone_into(&mut run.reason);
            run.took_ms = Some(took);
            if run.state == State::Passed {
                run.last_ms = Some(took);
            }
        }
        self.active = None;
    }

    /// Cluster and repository are as they were at a checkpoint: that step and all that ran after it can be run again.
    pub fn restored(&mut self, deck: &str, step: &str) {
        let mark = self.marks.iter().find(|mark| (mark.deck.as_str(), mark.step.as_str()) == (deck, step));
        let Some(order) = mark.map(|mark| mark.order) else { return };
        for run in self.runs.values_mut().filter(|run| run.order >= order && !run.state.is_active()) {
            *run = Run { last_ms: run.last_ms, ..Run::default() };
        }
        self.marks.retain(|mark| mark.order <= order);
    }

    /// The system behind is another one: nothing that ran before counts, and there is nothing to go back to.
    pub fn forget(&mut self) {
        self.marks.clear();
        for run in self.runs.values_mut().filter(|run| !run.state.is_active()) {
            *run = Run { last_ms: run.last_ms, ..Run::default() };
        }
    }

    fn active_run(&mut self) -> Option<&mut Run> {
        self.runs.get_mut(self.active.as_ref()?)
    }
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How it stands now.
    pub state: State,
    /// The command's exit code.
    pub exit: Option<i32>,
    /// Why it did not pass.
    pub reason: String,
}

/// What a command's end means for its step; `None` when what the step waits for decides.
pub fn verdict(exit: &Exit, expect_fail: bool, limit_s: u64) -> Result<Option<i32>, Ended> {
    let ended = |state, exit, reason: String| Err(Ended { state, exit, reason });
    match exit {
        Exit::Code(0) if expect_fail => ended(State::Failed, Some(0), "it was meant to fail, but did not".to_owned()),
        Exit::Code(0) => Ok(Some(0)),
        Exit::Code(code) if expect_fail => Ok(Some(*code)),
        Exit::Code(127) => ended(State::Failed, Some(127), "exit code 127: a command is not on the PATH".to_owned()),
        Exit::Code(code) => ended(State::Failed, Some(*code), format!("exit code {code}")),
        Exit::Signal(signal) => ended(State::Failed, None, format!("ended by signal {signal}")),
        Exit::NotStarted(why) => ended(State::Failed, None, why.clone()),
        Exit::TimedOut => ended(State::TimedOut, None, format!("the command did not end within {limit_s} s")),
        Exit::Stopped => ended(State::Stopped, None, "stopped".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed() -> Ended {
        Ended { state: State::Passed, exit: Some(0), reason: String::new() }
    }

    #[test]
    fn steps_of_a_slide_run_one_after_the_other() {
        let mut journal = Journal::default();
        let slide = ["a", "b"];
        assert_eq!(journal.next("d", slide), Some("a"));
        journal.begin("d", "a", 100);
        journal.wrote("half");
        journal.waits("deploy/x to be ready");
        let run = journal.run("d", "a").expect("it runs");
        assert_eq!(
            (run.state, run.reason.as_str(), run.output.as_str()),
            (State::Waiting, "deploy/x to be ready", "half")
        );
        journal.end(&passed(), 350);
        assert_eq!(journal.next("d", slide), Some("b"));
        let run = journal.run("d", "a").expect("it ran");
        assert_eq!((run.took_ms, run.last_ms, run.reason.as_str()), (Some(250), Some(250), ""));
        journal.begin("d", "b", 400);
        journal.end(&Ended { state: State::Failed, exit: Some(1), reason: "exit code 1".into() }, 500);
        assert_eq!(journal.next("d", slide), Some("b"), "what failed is tried again");
        journal.begin("d", "b", 600);
        journal.end(&passed(), 601);
        assert_eq!(journal.next("d", slide), Some("a"), "when all have passed it starts over");
        assert_eq!(journal.next("d", []), None);
        assert_eq!(journal.active, None);
    }

    #[test]
    fn going_back_takes_later_steps_along_and_keeps_their_durations() {
        let mut journal = Journal::default();
        for (step, at) in [("a", 0), ("b", 10), ("c", 20)] {
            journal.begin("d", step, at);
            journal.mark("d", step);
            journal.end(&passed(), at + 5);
        }
        journal.restored("d", "b");
        let states = ["a", "b", "c"].map(|step| journal.state("d", step));
        assert_eq!(states, [State::Passed, State::Ready, State::Ready]);
        assert_eq!(journal.run("d", "c").and_then(|run| run.last_ms), Some(5));
        let left: Vec<&str> = journal.marks().iter().map(|mark| mark.step.as_str()).collect();
        assert_eq!(left, ["a", "b"]);
        journal.forget();
        assert_eq!((journal.state("d", "a"), journal.marks().len()), (State::Ready, 0));
    }

    #[test]
    fn ends_are_judged() {
        let failed = |exit, reason: &str| Err(Ended { state: State::Failed, exit, reason: reason.to_owned() });
        for (exit, expect_fail, expected) in [
            (Exit::Code(0), false, Ok(Some(0))),
            (Exit::Code(1), false, failed(Some(1), "exit code 1")),
            (Exit::Code(127), false, failed(Some(127), "exit code 127: a command is not on the PATH")),
            (Exit::Code(1), true, Ok(Some(1))),
            (Exit::Code(0), true, failed(Some(0), "it was meant to fail, but did not")),
            (Exit::Signal(9), true, failed(None, "ended by signal 9")),
            (Exit::NotStarted("no shell".into()), false, failed(None, "no shell")),
            (Exit::Stopped, false, Err(Ended { state: State::Stopped, exit: None, reason: "stopped".into() })),
        ] {
            assert_eq!(verdict(&exit, expect_fail, 60), expected, "{exit:?} {expect_fail}");
        }
        let late = verdict(&Exit::TimedOut, true, 60).expect_err("late");
        assert_eq!((late.state, late.reason.as_str()), (State::TimedOut, "the command did not end within 60 s"));
    }

    #[test]
    fn only_so_many_checkpoints_are_offered() {
        let mut journal = Journal::default();
        for number in 0..60 {
            journal.mark("d", &format!("s{number}"));
        }
        journal.mark("d", "s59");
        assert_eq!(journal.marks().len(), MOST_MARKS);
        assert_eq!(journal.marks().last().map(Mark::key).as_deref(), Some("d#s59"));
    }
}
