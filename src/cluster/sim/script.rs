//! Shell scripts in containers: what they print, when, and how they end. Nothing is executed.
//!
//! A script is read and played with a clock of its own: `sleep` moves it, everything else takes no time. How much
//! is played is bounded, and a loop that does the same again and again is not played round by round.

mod builtin;
mod expand;
mod leave;
mod parse;
mod run;
mod syntax;
mod text;
mod word;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

/// Longer than any talk: no script is followed beyond it.
pub const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// What a script finds when it begins.
#[derive(Clone, Default)]
pub struct Setting<'a> {
    /// The environment.
    pub variables: BTreeMap<String, String>,
    /// Files by their absolute path.
    pub files: BTreeMap<String, String>,
    /// The machine's name.
    pub hostname: String,
    /// The folder that it begins in; the root when empty.
    pub folder: String,
    /// When it begins.
    pub began: Timestamp,
    /// What can be read.
    pub input: String,
    /// `$0`, `$1` and so on.
    pub arguments: Vec<String>,
    /// Whether unknown commands fail. Otherwise they do nothing, or what servers do: go on for ever.
    pub strict: bool,
    /// Who answers HTTP requests; nobody does, and the tools that ask print nothing, when there is none.
    pub web: Option<&'a Web<'a>>,
}

/// Answers an HTTP request: method and URL → status, body and how long it takes; `None` when nobody is there.
pub type Web<'a> = dyn Fn(&str, &str) -> Option<(u16, String, Duration)> + 'a;

/// How far a script is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until when, counted from its start; what happens just then still happens.
    pub until: Duration,
    /// How many lines are kept, the last ones.
    pub lines: usize,
    /// How many commands are played.
    pub steps: u32,
    /// Only whether and how it ends is wanted: a loop that nothing leaves is not played at all.
    pub end_only: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { until: FOREVER, lines: 10_000, steps: 200_000, end_only: false }
    }
}

/// Standard output or standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// A printed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, counted from the start of the script.
    pub at: Duration,
    /// Where to.
    pub stream: Stream,
    /// The text without its line end.
    pub text: String,
    /// Whether a line end follows.
    pub ended: bool,
}

/// What a script has done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// What it printed, oldest first.
    pub lines: VecDeque<Line>,
    /// When it ended, and its exit code; `None` when it goes on.
    pub end: Option<(Duration, i32)>,
    /// When it goes on after the limit, if it is known.
    pub next: Option<Duration>,
    /// The files as they are then.
    pub files: BTreeMap<String, String>,
    /// The variables as they are then.
    pub variables: BTreeMap<String, String>,
    /// The folder that it is in then.
    pub folder: String,
    /// Whether `exit` ended it, or a failure that does the same.
    pub exited: bool,
}

impl Outcome {
    /// All that went to one of the streams.
    pub fn text(&self, stream: Stream) -> String {
        let mut text = String::new();
        for line in self.lines.iter().filter(|line| line.stream == stream) {
            text.push_str(&line.text);
            if line.ended {
                text.push('\n');
            }
        }
        text
    }
}

/// Plays a script.
pub fn run(text: &str, setting: &Setting<'_>, limits: Limits) -> Outcome {
    let mut machine = run::Machine::new(setting, limits);
    machine.script(text, "sh");
    machine.finish()
}

/// Plays one command given as words.
pub fn run_words(words: &[String], setting: &Setting<'_>, limits: Limits) -> Outcome {
    let mut machine = run::Machine::new(setting, limits);
    machine.words(words);
    machine.finish()
}

/// The script in `sh -c SCRIPT name arguments…`, with the name and the arguments, if words are such a call.
pub fn script_of(words: &[String]) -> Option<(&str, &[String])> {
    let (shell, rest) = words.split_first()?;
    if !matches!(shell.rsplit('/').next(), Some("sh" | "bash" | "ash" | "dash")) {
        return None;
    }
    let at = rest.iter().position(|word| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'))?;
    let (script, arguments) = rest.get(at + 1..)?.split_first()?;
    rest[..at].iter().all(|word| word.starts_with('-')).then_some((script.as_str(), arguments))
}

/// Whether the shell of `sh -ec SCRIPT` shall stop at the first failure.
fn stops_at_failure(words: &[String]) -> bool {
    words.iter().skip(1).take_while(|word| word.starts_with('-')).any(|word| word.contains('e'))
}

#[cfg(test)]
mod tests;
