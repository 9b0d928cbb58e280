//! ```` ```sh {run name=… wait="…"} ```` → a step.

use super::{Role, StepSpec, TIMEOUT, Typing};
use crate::deck::duration;
use crate::deck::panel::{PanelOption, options::Takes};
use crate::deck::words::{self, End};
use crate::diagnostic::Span;

/// Languages whose fences can be run.
pub const LANGUAGES: [&str; 4] = ["sh", "shell", "bash", "console"];

/// The attributes of a step, and what they take.
pub const ATTRIBUTES: [(&str, Takes); 7] = [
    ("name", Takes::Name),
    ("in", Takes::Name),
    ("type", Takes::OneOf(&["human", "instant"])),
    ("wait", Takes::Text),
    ("timeout", Takes::Duration),
    ("expect", Takes::OneOf(&["fail"])),
    ("checkpoint", Takes::Flag),
];

/// Attributes of every code block, which may stand in the same braces.
pub const OF_CODE: [&str; 3] = ["file", "lines", "fold"];

/// What an author wrote for a step, mistakes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepText {
    /// The language of the fence.
    pub language: String,
    /// What it is for.
    pub role: Role,
    /// Where that stands.
    pub span: Span,
    /// The attributes, in order; one without a value has the value `true`.
    pub attributes: Vec<PanelOption>,
    /// Where a quote is opened that is never closed.
    pub unclosed: Vec<Span>,
}

impl StepText {
    /// Reads an info string that stands at `at` of the source; nothing when it says nothing of running.
    pub fn read(info: &str, at: usize) -> Option<Self> {
        let language = info.split(char::is_whitespace).next().unwrap_or("");
        let mut place = language.len();
        while let Some(open) = info[place..].find('{') {
            place += open + 1;
            let (words, length) = words::read(&info[place..], at + place, End::Brace);
            let role = words.first().filter(|word| word.key.is_none());
            if let Some((first, role)) = role.and_then(|word| Some((word, named(&word.value)?))) {
                let span = first.span;
                let unclosed = words.iter().filter(|word| word.unclosed).map(|word| word.span).collect();
                let attributes = words.into_iter().skip(1).map(|word| match word.key {
                    Some(key) => PanelOption { key, value: word.value, span: word.span },
                    None => PanelOption { key: word.value, value: "true".into(), span: word.span },
                });
                return Some(Self {
                    language: language.to_owned(),
                    role,
                    span,
                    attributes: attributes.collect(),
                    unclosed,
                });
            }
            place += length;
        }
        None
    }

    /// Whether this language can be run.
    pub fn can_run(&self) -> bool {
        LANGUAGES.contains(&self.language.as_str())
    }

    /// An attribute's value, when it is one that the attribute takes.
    pub fn get(&self, key: &str) -> Option<&str> {
        let (_, takes) = ATTRIBUTES.iter().find(|(known, _)| *known == key)?;
        let value = self.attributes.iter().rev().find(|attribute| attribute.key == key)?.value.as_str();
        takes.accepts(value).then_some(value)
    }

    /// The step. Its name is empty when the author gave none.
    pub fn spec(&self, code: &str, span: Span) -> StepSpec {
        StepSpec {
            role: self.role,
            name: self.get("name").unwrap_or_default().to_owned(),
            script: if self.language == "console" { commands(code) } else { code.to_owned() },
            terminal: self.get("in").map(str::to_owned),
            typing: if self.get("type") == Some("human") { Typing::Human } else { Typing::Instant },
            wait: self.get("wait").map(str::to_owned),
            timeout: self.get("timeout").and_then(duration::parse).unwrap_or(TIMEOUT),
            expect_fail: self.get("expect") == Some("fail"),
            checkpoint: self.get("checkpoint") == Some("true"),
            span,
        }
    }
}

fn named(word: &str) -> Option<Role> {
    Role::ALL.iter().find(|(name, _)| *name == word).map(|(_, role)| *role)
}

/// The commands of a session: what stands after `$ `, with the lines after `> ` that continue it. Without any
/// prompt, everything is a command.
fn commands(session: &str) -> String {
    let mut commands = String::new();
    let mut continued = false;
    for line in session.lines() {
        let command = line.strip_prefix("$ ").or_else(|| line.strip_prefix("> ").filter(|_| continued));
        continued = command.is_some();
        if let Some(command) = command {
            commands.push_str(command);
            commands.push('\n');
        }
    }
    if commands.is_empty() { session.to_owned() } else { commands }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn spec(info: &str, code: &str) -> Option<StepSpec> {
        StepText::read(info, 0).map(|text| text.spec(code, Span::default()))
    }

    #[test]
    fn every_attribute() {
        let info = "sh {1,3} {run name=scale in=main type=human wait=\"deploy/podinfo available\" timeout=1m30s \
                    expect=fail checkpoint}";
        assert_eq!(
            spec(info, "kubectl get pods\n"),
            Some(StepSpec {
                role: Role::Run,
                name: "scale".into(),
                script: "kubectl get pods\n".into(),
                terminal: Some("main".into()),
                typing: Typing::Human,
                wait: Some("deploy/podinfo available".into()),
                timeout: Duration::from_secs(90),
                expect_fail: true,
                checkpoint: true,
                span: Span::default(),
            })
        );
    }

    #[test]
    fn roles_defaults_and_what_is_no_step() {
        for (info, role) in [
            ("bash {setup}", Some(Role::Setup)),
            ("sh {reset }", Some(Role::Reset)),
            ("shell { solve name=a }", Some(Role::Solve)),
            ("sh {run", Some(Role::Run)),
            ("sh", None),
            ("sh {1,3}", None),
            ("sh {running}", None),
            ("sh {run=1}", None),
            ("", None),
        ] {
            assert_eq!(spec(info, "").map(|step| step.role), role, "{info}");
        }
        let plain = spec("sh {run timeout=soon type=slow}", "x").unwrap();
        assert_eq!((plain.timeout, plain.typing, plain.name.as_str()), (TIMEOUT, Typing::Instant, ""));
        let nested = spec("sh {run wait=jsonpath={.status.phase}=Running}", "x").unwrap();
        assert_eq!(nested.wait.as_deref(), Some("jsonpath={.status.phase}=Running"));
    }

    #[test]
    fn of_a_session_the_commands_are_run() {
        let session = "$ cat <<E\n> a\n> E\na\n> b\n$ ls\n";
        assert_eq!(spec("console {run}", session).unwrap().script, "cat <<E\na\nE\nls\n");
        assert_eq!(spec("console {run}", "ls\n").unwrap().script, "ls\n");
        assert_eq!(spec("sh {run}", "$ ls\n").unwrap().script, "$ ls\n");
    }
}
