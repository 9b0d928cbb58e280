//! What comes after what: lists, conditions, loops, functions, pipelines.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::super::syntax::{Command, List, Simple, Word};
use super::super::{builtin, expand, leave};
use super::{DEPTH, Flow, Input, Machine, ROUND, Route};

impl Machine<'_> {
    pub(super) fn list(&mut self, list: &[Command]) -> Flow {
        for command in list {
            let flow = self.command(command);
            if flow != Flow::Next {
                return flow;
            }
        }
        Flow::Next
    }

    fn command(&mut self, command: &Command) -> Flow {
        self.depth += 1;
        let flow = if self.depth > DEPTH {
            self.complain("nested too deeply");
            self.status = 2;
            Flow::Exit
        } else {
            self.command_inside(command)
        };
        self.depth -= 1;
        flow
    }

    fn command_inside(&mut self, command: &Command) -> Flow {
        match command {
            Command::Simple(simple) => self.simple(simple),
            Command::Pipeline { parts, negated } => self.pipeline(parts, *negated),
            Command::Chain { first, links } => self.chain(first, links),
            Command::Background(command) => self.background(command),
            Command::If { branches, otherwise } => {
                for (condition, body) in branches {
                    let flow = self.condition(condition);
                    if flow != Flow::Next {
                        return flow;
                    }
                    if self.status == 0 {
                        return self.list(body);
                    }
                }
                self.status = 0;
                self.list(otherwise)
            }
            Command::Loop { condition, wanted, body } => self.rounds(condition, *wanted, body),
            Command::For { name, words, body } => self.each(name, words.as_deref(), body),
            Command::Case { word, arms } => {
                let text = self.one(word);
                for (patterns, body) in arms {
                    for pattern in patterns {
                        let pattern = self.one(pattern);
                        if expand::fits(&pattern, &text) {
                            return self.list(body);
                        }
                    }
                }
                self.status = 0;
                Flow::Next
            }
            Command::Group { body, subshell, redirects } => self
                .redirected(redirects, |machine| if *subshell { machine.subshell(body) } else { machine.list(body) }),
            Command::Function { name, body } => {
                self.functions.insert(name.clone(), (**body).clone());
                self.status = 0;
                Flow::Next
            }
        }
    }

    fn condition(&mut self, list: &[Command]) -> Flow {
        self.tested += 1;
        let flow = self.list(list);
        self.tested -= 1;
        flow
    }

    fn chain(&mut self, first: &Command, links: &[(bool, Command)]) -> Flow {
        self.tested += 1;
        let mut flow = self.command(first);
        self.tested -= 1;
        for (number, (and, command)) in links.iter().enumerate() {
            if flow != Flow::Next {
                return flow;
            }
            if (self.status == 0) != *and {
                continue;
            }
            let last = number + 1 == links.len();
            self.tested += u32::from(!last);
            flow = self.command(command);
            self.tested -= u32::from(!last);
        }
        flow
    }

    /// Plays a command beside the others: its time does not count for them.
    fn background(&mut self, command: &Command) -> Flow {
        let (clock, status, halted) = (self.clock, self.status, self.halted);
        let flow = self.subshell(std::slice::from_ref(command));
        self.jobs = if flow == Flow::Stop { None } else { self.jobs.map(|end| end.max(self.clock)) };
        self.clock = clock;
        self.status = status;
        self.halted = halted;
        if self.steps > self.limits.steps { Flow::Stop } else { Flow::Next }
    }

    /// Plays commands whose changes of variables and functions are lost afterwards.
    fn subshell(&mut self, list: &[Command]) -> Flow {
        self.spend_memory();
        let kept = (self.variables.clone(), self.functions.clone(), self.arguments.clone(), self.folder.clone());
        let flow = self.list(list);
        (self.variables, self.functions, self.arguments, self.folder) = kept;
        if flow == Flow::Stop { flow } else { Flow::Next }
    }

    fn pipeline(&mut self, parts: &List, negated: bool) -> Flow {
        self.tested += u32::from(negated);
        let input = self.input.clone();
        let mut flow = Flow::Next;
        for (number, part) in parts.iter().enumerate() {
            if number + 1 == parts.len() {
                flow = self.command(part);
                break;
            }
            let (output, ended) = self.captured(|machine| machine.subshell(std::slice::from_ref(part)));
            if ended == Flow::Stop {
                flow = Flow::Stop;
                break;
            }
            self.input = Input::of(&output);
        }
        if parts.len() > 1 {
            self.input = input;
        }
        self.tested -= u32::from(negated);
        if negated && flow == Flow::Next {
            self.status = i32::from(self.status == 0);
        }
        flow
    }

    /// What something prints, instead of printing it.
    fn captured(&mut self, play: impl FnOnce(&mut Self) -> Flow) -> (String, Flow) {
        let route = std::mem::replace(&mut self.routes[0], Route::Capture(self.captures.len()));
        self.captures.push(String::new());
        let flow = play(self);
        self.routes[0] = route;
        (self.captures.pop().unwrap_or_default(), flow)
    }

    /// The output of a script in the middle of a word.
    pub(in super::super) fn output_of(&mut self, script: &[Command]) -> String {
        let (text, flow) = self.captured(|machine| machine.subshell(script));
        self.halted |= flow == Flow::Stop;
        text.trim_end_matches('\n').to_owned()
    }

    fn rounds(&mut self, condition: &[Command], wanted: bool, body: &[Command]) -> Flow {
        let plain = self.limits.end_only && !self.errexit && self.functions.is_empty();
        if plain && wanted && leave::always_holds(condition) && !leave::may_leave(body) {
            return Flow::Stop;
        }
        let mut status = 0;
        loop {
            let before = (self.clock, self.printed, self.fingerprint());
            let flow = self.step();
            if flow != Flow::Next {
                return flow;
            }
            let flow = self.condition(condition);
            if flow != Flow::Next {
                return flow;
            }
            if (self.status == 0) != wanted {
                self.status = status;
                return Flow::Next;
            }
            match self.list(body) {
                Flow::Next | Flow::Continue(1) => status = self.status,
                Flow::Break(1) => return Flow::Next,
                Flow::Break(levels) => return Flow::Break(levels - 1),
                Flow::Continue(levels) => return Flow::Continue(levels - 1),
                flow => return flow,
            }
            if self.clock == before.0 {
                let flow = self.pass(ROUND);
                if flow != Flow::Next {
                    return flow;
                }
            }
            if self.fingerprint() == before.2 {
                self.leap(self.clock - before.0, self.printed - before.1);
            }
        }
    }

    /// Leaves out rounds of a loop that does the same each time, but for those whose lines are kept.
    fn leap(&mut self, round: Duration, lines: usize) {
        let left = self.limits.until.saturating_sub(self.clock);
        let rounds = left.as_nanos() / round.as_nanos().max(1);
        let kept = if lines == 0 { 0 } else { self.limits.lines.div_ceil(lines) + 1 };
        let skipped = rounds.saturating_sub(kept as u128);
        let nanos = skipped.saturating_mul(round.as_nanos());
        let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
        let rest = u32::try_from(nanos % 1_000_000_000).unwrap_or(0);
        self.clock = self.clock.saturating_add(Duration::new(seconds, rest));
        self.printed += usize::try_from(skipped).unwrap_or(usize::MAX / 2).saturating_mul(lines).min(usize::MAX / 4);
    }

    /// A number that stays the same as long as the next round would do the same.
    fn fingerprint(&mut self) -> u64 {
        self.spend_memory();
        let mut hasher = DefaultHasher::new();
        (&self.variables, &self.files, &self.arguments, &self.folder).hash(&mut hasher);
        (self.input.place, self.input.text.as_ptr() as usize, self.random).hash(&mut hasher);
        (self.functions.len(), self.volatile, self.jobs.is_some(), self.captures.len()).hash(&mut hasher);
        hasher.finish()
    }

    fn each(&mut self, name: &str, words: Option<&[Word]>, body: &[Command]) -> Flow {
        let values = match words {
            Some(words) => words.iter().flat_map(|word| self.fields(word)).collect(),
            None => self.arguments.iter().skip(1).cloned().collect::<Vec<_>>(),
        };
        self.status = 0;
        for value in values {
            let flow = self.step();
            if flow != Flow::Next {
                return flow;
            }
            self.variables.insert(name.to_owned(), value);
            match self.list(body) {
                Flow::Next | Flow::Continue(1) => {}
                Flow::Break(1) => break,
                Flow::Break(levels) => return Flow::Break(levels - 1),
                Flow::Continue(levels) => return Flow::Continue(levels - 1),
                flow => return flow,
            }
        }
        Flow::Next
    }

    fn simple(&mut self, simple: &Simple) -> Flow {
        let flow = self.step();
        if flow != Flow::Next {
            return flow;
        }
        let outer = std::mem::take(&mut self.timed);
        let words: Vec<String> = simple.words.iter().flat_map(|word| self.fields(word)).collect();
        let assigned: Vec<_> = simple.assignments.iter().map(|(name, word)| (name.clone(), self.one(word))).collect();
        if self.halted {
            return Flow::Stop;
        }
        let shown = matches!(words.first().map(String::as_str), Some("echo" | "printf" | "date"));
        self.volatile += u32::from(self.timed && !shown);
        self.timed |= outer;
        if words.is_empty() {
            self.status = 0;
            self.variables.extend(assigned);
            return self.redirected(&simple.redirects, |_| Flow::Next);
        }
        let kept = (!assigned.is_empty()).then(|| self.variables.clone());
        self.variables.extend(assigned);
        let flow = self.redirected(&simple.redirects, |machine| machine.call(&words));
        if let Some(kept) = kept {
            self.variables = kept;
        }
        if flow == Flow::Next && self.status != 0 && self.errexit && self.tested == 0 { Flow::Exit } else { flow }
    }

    /// Plays a command given as words.
    pub(in super::super) fn call(&mut self, words: &[String]) -> Flow {
        let Some((name, arguments)) = words.split_first() else { return Flow::Next };
        if let Some(body) = self.functions.get(name).cloned() {
            let kept = std::mem::replace(&mut self.arguments, words.to_vec());
            let flow = self.command(&body);
            self.arguments = kept;
            return if flow == Flow::Return { Flow::Next } else { flow };
        }
        self.depth += 1;
        let flow = if self.depth > DEPTH { Flow::Stop } else { builtin::call(self, name, arguments) };
        self.depth -= 1;
        flow
    }
}
