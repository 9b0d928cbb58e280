//! A shell at work: its memory, its clock, and where its output goes.

mod flow;

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

use super::syntax::{Command, Redirect, Target};
use super::{Limits, Line, Outcome, Setting, Stream, Web, parse};
use crate::cluster::sim::tools::later;

/// How deep calls may nest.
pub(super) const DEPTH: usize = 60;
/// Longer texts are cut.
pub(super) const TEXT: usize = 64 << 10;
/// A line is broken when it gets longer; container runtimes do the same.
const LINE: usize = 16 << 10;
/// How much printed text is kept.
const PRINTED: usize = 4 << 20;
/// What a round of a loop takes that does not wait for anything.
const ROUND: Duration = Duration::from_millis(10);

/// What comes after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// The next one.
    Next,
    /// The end of so many loops.
    Break(u32),
    /// The next round of the loop so many levels out.
    Continue(u32),
    /// The end of the function.
    Return,
    /// The end of the script.
    Exit,
    /// Nothing: the limit is reached.
    Stop,
}

/// Where output goes.
#[derive(Debug, Clone)]
pub(super) enum Route {
    Print(Stream),
    Capture(usize),
    File(String),
    Nowhere,
}

/// A shell at work.
pub(super) struct Machine<'a> {
    pub(super) variables: BTreeMap<String, String>,
    pub(super) files: BTreeMap<String, String>,
    pub(super) functions: BTreeMap<String, Command>,
    pub(super) arguments: Vec<String>,
    pub(super) hostname: String,
    pub(super) folder: String,
    pub(super) began: Timestamp,
    pub(super) clock: Duration,
    pub(super) status: i32,
    pub(super) input: Input,
    pub(super) strict: bool,
    pub(super) web: Option<&'a Web<'a>>,
    /// Whether a failure ends the script.
    pub(super) errexit: bool,
    /// When the last of the background commands ends; for ever when `None` and there are some.
    pub(super) jobs: Option<Duration>,
    /// Counts what depends on time or chance and may change what is done.
    pub(super) volatile: u32,
    /// Whether the command at hand was made with the time of day.
    pub(super) timed: bool,
    /// Whether something in the middle of a word never ended.
    halted: bool,
    /// The name that it speaks of itself by.
    pub(super) name: &'static str,
    /// Draws `$RANDOM`.
    pub(super) random: u32,
    /// Inside a condition, where failures do not end the script.
    tested: u32,
    limits: Limits,
    steps: u32,
    pub(super) depth: usize,
    routes: [Route; 2],
    captures: Vec<String>,
    lines: VecDeque<Line>,
    printed: usize,
    bytes: usize,
    partial: [(Duration, String); 2],
    next: Option<Duration>,
    end: Option<(Duration, i32)>,
    exited: bool,
}

impl<'a> Machine<'a> {
    pub(super) fn new(setting: &Setting<'a>, limits: Limits) -> Self {
        Self {
            variables: setting.variables.clone(),
            files: setting.files.clone(),
            functions: BTreeMap::new(),
            arguments: setting.arguments.clone(),
            hostname: setting.hostname.clone(),
            folder: if setting.folder.is_empty() { "/".to_owned() } else { setting.folder.clone() },
            began: setting.began,
            clock: Duration::ZERO,
            status: 0,
            input: Input::of(&setting.input),
            strict: setting.strict,
            web: setting.web,
            errexit: false,
            jobs: Some(Duration::ZERO),
            volatile: 0,
            timed: false,
            halted: false,
            name: "sh",
            random: 0,
            tested: 0,
            limits,
            steps: 0,
            depth: 0,
            routes: [Route::Print(Stream::Out), Route::Print(Stream::Err)],
            captures: Vec::new(),
            lines: VecDeque::new(),
            printed: 0,
            bytes: 0,
            partial: Default::default(),
            next: None,
            end: None,
            exited: false,
        }
    }

    /// What time it is for the script.
    pub(super) fn now(&self) -> Timestamp {
        later(self.began, self.clock)
    }

    /// Plays a text to its end.
    pub(super) fn script(&mut self, text: &str, name: &'static str) {
        self.name = name;
        let flow = self.text(text);
        self.ended(flow);
    }

    /// Plays a command given as words to its end.
    pub(super) fn words(&mut self, words: &[String]) {
        let flow = self.call(words);
        self.ended(flow);
    }

    fn ended(&mut self, flow: Flow) {
        self.exited = flow == Flow::Exit;
        if flow != Flow::Stop {
            self.end = Some((self.clock, self.status));
        }
    }

    /// What came of it.
    pub(super) fn finish(mut self) -> Outcome {
        for (stream, number) in [(Stream::Out, 0), (Stream::Err, 1)] {
            let (at, text) = std::mem::take(&mut self.partial[number]);
            if !text.is_empty() {
                self.push(Line { at, stream, text, ended: false });
            }
        }
        let mut lines = self.lines;
        lines.make_contiguous().sort_by_key(|line| line.at);
        if let Some((end, _)) = self.end {
            lines.retain(|line| line.at <= end);
        }
        let next = if self.end.is_some() { None } else { self.next };
        Outcome {
            lines,
            end: self.end,
            next,
            files: self.files,
            variables: self.variables,
            folder: self.folder,
            exited: self.exited,
        }
    }

    /// Plays a text inside of the script.
    pub(super) fn text(&mut self, text: &str) -> Flow {
        match parse::script(text) {
            Ok(list) => self.list(&list),
            Err(fault) => {
                self.complain(&fault);
                self.status = 2;
                Flow::Exit
            }
        }
    }

    /// Says what is wrong.
    pub(super) fn complain(&mut self, what: &str) {
        self.print(Stream::Err, &format!("{}: {what}\n", self.name));
    }

    /// Prints to where a stream goes.
    pub(super) fn print(&mut self, stream: Stream, text: &str) {
        self.spend(text.len());
        let number = usize::from(stream == Stream::Err);
        match self.routes[number].clone() {
            Route::Print(stream) => self.write(stream, text),
            Route::Capture(number) => {
                if let Some(capture) = self.captures.get_mut(number)
                    && capture.len() < TEXT
                {
                    capture.push_str(text);
                }
            }
            Route::File(path) => {
                let file = self.files.entry(path).or_default();
                if file.len() < TEXT {
                    file.push_str(text);
                }
            }
            Route::Nowhere => {}
        }
    }

    fn write(&mut self, stream: Stream, text: &str) {
        let number = usize::from(stream == Stream::Err);
        for piece in text.split_inclusive('\n') {
            let (at, open) = &mut self.partial[number];
            if open.is_empty() {
                *at = self.clock;
            }
            open.push_str(piece.trim_end_matches('\n'));
            let at = *at;
            if piece.ends_with('\n') || open.len() > LINE {
                let text = std::mem::take(open);
                self.push(Line { at, stream, text, ended: true });
            }
        }
    }

    fn push(&mut self, line: Line) {
        self.printed += 1;
        self.bytes += line.text.len();
        self.lines.push_back(line);
        while self.lines.len() > self.limits.lines || self.bytes > PRINTED {
            let Some(line) = self.lines.pop_front() else { return };
            self.bytes -= line.text.len();
        }
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, time: Duration) -> Flow {
        let then = self.clock.saturating_add(time);
        if then > self.limits.until {
            self.next = Some(self.next.map_or(then, |next| next.min(then)));
            return Flow::Stop;
        }
        self.clock = then;
        Flow::Next
    }

    /// Goes on for ever without doing anything.
    pub(super) fn hang(&mut self) -> Flow {
        Flow::Stop
    }

    /// Counts work that is more than one step.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.steps = self.steps.saturating_add(u32::try_from(bytes / 64).unwrap_or(u32::MAX));
    }

    /// Counts the work of looking at, or copying, all that the script remembers.
    fn spend_memory(&mut self) {
        let size = |map: &BTreeMap<String, String>| map.values().map(|text| text.len() + 16).sum::<usize>();
        self.spend(size(&self.variables) + size(&self.files));
    }

    fn step(&mut self) -> Flow {
        self.steps = self.steps.saturating_add(1);
        if self.halted || self.steps > self.limits.steps { Flow::Stop } else { Flow::Next }
    }

    /// Plays something while streams go elsewhere.
    fn redirected(&mut self, redirects: &[Redirect], play: impl FnOnce(&mut Self) -> Flow) -> Flow {
        if redirects.is_empty() {
            return play(self);
        }
        let routes = self.routes.clone();
        let input = self.input.clone();
        let mut failed = false;
        for redirect in redirects {
            failed |= !self.redirect(redirect);
        }
        let flow = if failed {
            self.status = 1;
            Flow::Next
        } else {
            play(self)
        };
        self.routes = routes;
        if redirects.iter().any(|redirect| redirect.stream == 0) {
            self.input = input;
        }
        flow
    }

    fn redirect(&mut self, redirect: &Redirect) -> bool {
        let number = usize::from(redirect.stream == 2);
        match &redirect.target {
            Target::Write(word) | Target::Append(word) => {
                let path = self.one(word);
                let path = self.path(&path);
                let route = match path.as_str() {
                    "/dev/null" => Route::Nowhere,
                    "/dev/stdout" | "/proc/1/fd/1" | "/dev/fd/1" => Route::Print(Stream::Out),
                    "/dev/stderr" | "/proc/1/fd/2" | "/dev/fd/2" => Route::Print(Stream::Err),
                    _ => {
                        let file = self.files.entry(path.clone()).or_default();
                        if matches!(redirect.target, Target::Write(_)) {
                            file.clear();
                        }
                        Route::File(path)
                    }
                };
                self.routes[number] = route;
            }
            Target::Stream(stream) => self.routes[number] = self.routes[usize::from(*stream == 2)].clone(),
            Target::Read(word) => {
                let path = self.one(word);
                let path = self.path(&path);
                match self.files.get(&path) {
                    Some(file) => self.input = Input::of(file),
                    None if path == "/dev/null" => self.input = Input::default(),
                    None => {
                        self.complain(&format!("can't open {path}: no such file"));
                        return false;
                    }
                }
            }
            Target::Here(word) => {
                let text = self.one(word);
                self.input = Input::of(&text);
            }
        }
        true
    }

    /// A path from the root.
    pub(super) fn path(&self, path: &str) -> String {
        let mut steps: Vec<&str> = Vec::new();
        let start = if path.starts_with('/') { "" } else { self.folder.as_str() };
        for step in start.split('/').chain(path.split('/')) {
            match step {
                "" | "." => {}
                ".." => drop(steps.pop()),
                step => steps.push(step),
            }
        }
        format!("/{}", steps.join("/"))
    }
}

/// Text that is read line by line; many may read the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Input {
    text: Rc<str>,
    place: usize,
}

impl Input {
    pub(super) fn of(text: &str) -> Self {
        Self { text: text.into(), place: 0 }
    }

    /// The next line with its line end.
    pub(super) fn line(&mut self) -> Option<&str> {
        let line = self.text[self.place..].split_inclusive('\n').next()?;
        self.place += line.len();
        Some(line)
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> &str {
        let place = std::mem::replace(&mut self.place, self.text.len());
        &self.text[place..]
    }
}
