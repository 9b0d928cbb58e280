//! A step file → a [`Step`].

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::check::{Check, Fact, SCRIPT_TIMEOUT, TIMEOUT};
use super::{Action, Fold, Part, Step, check_words, front};
use crate::deck::duration;
use crate::deck::panel::PanelOption;
use crate::deck::step::{ATTRIBUTES, LANGUAGES, OF_CODE, Role, StepText};
use crate::deck::words::{self, End, Word};
use crate::diagnostic::{Code, Diagnostic, SourceFile, Span, Warned, closest};

/// More than these levels of `<details>` are no hints.
const MAX_DEPTH: usize = 8;
/// Longer than this nothing is waited for.
const LONGEST: Duration = Duration::from_secs(3600);

/// A step that was read.
pub(super) struct Read {
    pub(super) step: Step,
}

/// Reads a step. Nothing when the file's name is not that of a step.
pub(super) fn step(source: Arc<SourceFile>) -> Warned<Option<Read>> {
    let mut diagnostics = Vec::new();
    let name = source.path().file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some((number, slug)) = number_and_slug(&name) else {
        let message = format!("`{name}.md` is not the name of a step");
        let hint = "call it `NN-slug.md`: a number, a hyphen, small letters, digits and hyphens";
        let found = Diagnostic::error(Code("workshop/file-name"), message).at(Span::new(0, 0)).hint(hint);
        return Warned { value: None, diagnostics: vec![found] };
    };
    let front = front::read(source.text(), &mut diagnostics);
    let mut reader = Reader {
        text: source.text(),
        base: front.body,
        diagnostics,
        open: vec![Open { fold: None, parts: Vec::new(), start: front.body, at: Span::default() }],
        actions: Vec::new(),
        checks: Vec::new(),
        heading: None,
    };
    reader.read();
    let Reader { mut diagnostics, mut open, actions, checks, heading, .. } = reader;
    let parts = open.pop().map(|open| open.parts).unwrap_or_default();
    let title = front.title.or(heading).unwrap_or_else(|| {
        let hint = "write `title: …` in the front matter";
        let found = Diagnostic::warning(Code("workshop/no-title"), "the step has no title").at(Span::new(0, 0));
        diagnostics.push(found.hint(hint));
        slug.replace('-', " ")
    });
    let step = Step {
        id: name,
        number,
        slug,
        title,
        duration: front.duration,
        needs: front.needs,
        panels: front.panels,
        hints: hints(&parts),
        parts,
        actions,
        checks,
        source,
    };
    lint(&step, &mut diagnostics);
    Warned { value: Some(Read { step }), diagnostics }
}

fn number_and_slug(name: &str) -> Option<(u32, String)> {
    let (number, slug) = name.split_once('-')?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good = !slug.is_empty() && slug.len() <= 100 && slug.chars().all(plain);
    let digits = (1..=4).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    (good && digits).then(|| Some((number.parse().ok()?, slug.to_owned())))?
}

fn hints(parts: &[Part]) -> Vec<Fold> {
    let folds = parts.iter().filter_map(|part| match part {
        Part::Fold(fold) if !fold.solution => Some(fold.clone()),
        _ => None,
    });
    folds.collect()
}

/// What a learner would miss.
fn lint(step: &Step, diagnostics: &mut Vec<Diagnostic>) {
    let start = Span::new(0, 0);
    if step.checks.is_empty() {
        let hint = "add a `verify` fence, so that a learner knows when the step is done";
        diagnostics
            .push(Diagnostic::warning(Code("workshop/no-verify"), "the step checks nothing").at(start).hint(hint));
    } else if step.actions(Role::Solve).next().is_none() {
        let hint = "add `sh {solve}` within `<details><summary>Solution</summary>`";
        let found = Diagnostic::warning(Code("workshop/no-solution"), "the step has no solution that can be run");
        diagnostics.push(found.at(start).hint(hint));
    }
    let mut names: Vec<&str> = Vec::new();
    for action in &step.actions {
        let name = action.spec.name.as_str();
        if names.contains(&name) {
            let message = format!("two commands of the step are called `{name}`");
            let found = Diagnostic::error(Code("workshop/duplicate-name"), message);
            diagnostics.push(found.at(action.spec.span));
        }
        names.push(name);
    }
}

/// A level of `<details>`, or the whole file.
struct Open {
    fold: Option<(bool, String)>,
    parts: Vec<Part>,
    /// Where text begins that is in no part yet.
    start: usize,
    at: Span,
}

struct Reader<'a> {
    text: &'a str,
    base: usize,
    diagnostics: Vec<Diagnostic>,
    open: Vec<Open>,
    actions: Vec<Action>,
    checks: Vec<Check>,
    heading: Option<String>,
}

impl Reader<'_> {
    fn read(&mut self) {
        let body = self.text.get(self.base..).unwrap_or("");
        let mut events =
            Parser::new_ext(body, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).into_offset_iter().peekable();
        let mut depth = 0_usize;
        while let Some((event, range)) = events.next() {
            match event {
                // Within lists and quotes a fence is part of the text.
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if depth == 0 => {
                    let mut code = String::new();
                    for (event, _) in events.by_ref() {
                        match event {
                            Event::Text(text) => code.push_str(&text),
                            Event::End(TagEnd::CodeBlock) => break,
                            _ => {}
                        }
                    }
                    self.fence(&info, &code, self.span(&range));
                }
                Event::Start(Tag::HtmlBlock) if depth == 0 => {
                    for (event, _) in events.by_ref() {
                        if event == Event::End(TagEnd::HtmlBlock) {
                            break;
                        }
                    }
                    self.html(self.span(&range));
                }
                Event::Start(Tag::Heading { .. }) if depth == 0 && self.heading.is_none() => {
                    let mut text = String::new();
                    for (event, _) in events.by_ref() {
                        match event {
                            Event::Text(part) | Event::Code(part) => text.push_str(&part),
                            Event::End(TagEnd::Heading(_)) => break,
                            _ => {}
                        }
                    }
                    self.heading = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
                }
                Event::Start(_) => depth += 1,
                Event::End(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        self.flush(self.text.len());
        while self.open.len() > 1 {
            let at = self.open.last().map(|open| open.at);
            let found = Diagnostic::error(Code("workshop/unclosed-details"), "this `<details>` is never closed");
            self.diagnostics.push(found.at(at).hint("write `</details>` on a line of its own"));
            self.close(self.text.len());
        }
    }

    fn span(&self, range: &Range<usize>) -> Span {
        Span::new(self.base + range.start, self.base + range.end)
    }

    /// Makes a part of the text up to here.
    fn flush(&mut self, end: usize) {
        let text = self.text;
        if let Some(open) = self.open.last_mut() {
            if text.get(open.start..end).is_some_and(|text| !text.trim().is_empty()) {
                open.parts.push(Part::Text(Span::new(open.start, end)));
            }
            open.start = open.start.max(end);
        }
    }

    fn part(&mut self, part: Part, span: Span) {
        self.flush(span.start);
        if let Some(open) = self.open.last_mut() {
            open.parts.push(part);
            open.start = span.end;
        }
    }

    fn close(&mut self, at: usize) {
        if self.open.len() < 2 {
            return;
        }
        let Some(Open { fold: Some((solution, summary)), parts, .. }) = self.open.pop() else { return };
        if let Some(open) = self.open.last_mut() {
            open.parts.push(Part::Fold(Fold { solution, summary, parts }));
            open.start = at;
        }
    }

    /// Takes `<details>` and `</details>` out of a block of HTML.
    fn html(&mut self, span: Span) {
        let text = self.text;
        let mut at = span.start;
        while let Some(rest) = text.get(at..span.end) {
            let Some(tag) = details(rest) else { return };
            let start = at + tag.range.start;
            at += tag.range.end;
            match tag.summary {
                None if self.open.len() > 1 => {
                    self.flush(start);
                    self.close(at);
                }
                Some(summary) if self.open.len() < MAX_DEPTH => {
                    self.flush(start);
                    let solution = summary.to_lowercase().contains("solution");
                    let open = Open {
                        fold: Some((solution, summary)),
                        parts: Vec::new(),
                        start: at,
                        at: Span::new(start, at),
                    };
                    self.open.push(open);
                }
                _ => {}
            }
        }
    }

    fn fence(&mut self, info: &str, code: &str, span: Span) {
        // Where the info string stands in the file.
        let line = self.text.get(span.start..span.end).and_then(|text| text.lines().next()).unwrap_or("");
        let info_at = span.start + line.find(info.trim()).unwrap_or(0);
        let info = info.trim();
        let language = info.split(|c: char| c.is_whitespace() || c == '{').next().unwrap_or("");
        if language == "verify" {
            return self.verify(
                &words::read(&info[language.len()..], info_at + language.len(), End::Text).0,
                code,
                span,
            );
        }
        if !LANGUAGES.contains(&language) {
            return;
        }
        if let Some(text) = StepText::read(info, info_at) {
            return self.action(&text, code, span);
        }
        let Some(open) = info.find('{').map(|open| open + 1) else { return };
        let (words, _) = words::read(&info[open..], info_at + open, End::Brace);
        match words.split_first() {
            Some((first, rest)) if first.key.is_none() && first.value == "verify" => self.verify(rest, code, span),
            // `sh {1,3}` and the like are for the slide.
            Some((first, _)) if first.key.is_none() && first.value.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                let known = Role::ALL.iter().map(|(word, _)| *word).chain(["verify"]);
                if let Some(near) = closest(&first.value, known) {
                    let message = format!("`{}` is nothing a fence can do", first.value);
                    let found = Diagnostic::warning(Code("workshop/unknown-role"), message);
                    self.diagnostics.push(found.at(first.span).hint(format!("did you mean `{near}`?")));
                }
            }
            _ => {}
        }
    }

    fn action(&mut self, text: &StepText, code: &str, span: Span) {
        if code.trim().is_empty() {
            let found = Diagnostic::error(Code("workshop/empty-fence"), "there is nothing to run in this fence");
            self.diagnostics.push(found.at(span));
        }
        for place in &text.unclosed {
            self.diagnostics.push(unclosed(*place));
        }
        self.diagnostics.extend(text.attributes.iter().filter_map(wrong_attribute));
        let mut spec = text.spec(code, span);
        if spec.name.is_empty() {
            let same = self.actions.iter().filter(|action| action.spec.role == text.role).count();
            spec.name = format!("{}-{}", text.role.word(), same + 1);
        }
        self.actions.push(Action { spec, folded: self.open.len() > 1 });
        self.part(Part::Action(self.actions.len() - 1), span);
    }

    fn verify(&mut self, words: &[Word], code: &str, span: Span) {
        let (timeouts, read): (Vec<Word>, Vec<Word>) =
            words.iter().cloned().partition(|word| word.key.as_deref() == Some("timeout"));
        let mut timeout = None;
        for word in &timeouts {
            timeout = duration::parse(&word.value).filter(|time| *time <= LONGEST);
            if timeout.is_none() {
                let message = format!("`{}` is no time to wait", word.value);
                let found = Diagnostic::error(Code("workshop/check"), message).at(word.span);
                self.diagnostics.push(found.hint("write it as `90s` or `2m`, at most an hour"));
            }
        }
        if let Some(word) = read.iter().find(|word| word.unclosed) {
            self.diagnostics.push(unclosed(word.span));
        }
        let script = read.is_empty() && !code.trim().is_empty();
        let fact = match script {
            true => Ok(Fact::Script { script: code.to_owned() }),
            false => check_words::fact(&read),
        };
        match fact {
            Ok(fact) => {
                if let Fact::Script { script } = &fact
                    && !["echo", "printf", "kubectl", "git", "fluxctl", "cat"].iter().any(|word| script.contains(word))
                {
                    let message = "this check never says why it does not pass";
                    let hint = "let the script print a line: its first line is what the learner reads";
                    let found = Diagnostic::warning(Code("workshop/silent-check"), message);
                    self.diagnostics.push(found.at(span).hint(hint));
                }
                let message = if script { String::new() } else { code.trim().to_owned() };
                let default = if script { SCRIPT_TIMEOUT } else { TIMEOUT };
                self.checks.push(Check { fact, message, timeout: timeout.unwrap_or(default), span });
                self.part(Part::Check(self.checks.len() - 1), span);
            }
            Err(wrong) => {
                let found = Diagnostic::error(Code("workshop/check"), wrong.message).at(wrong.span.unwrap_or(span));
                self.diagnostics.push(wrong.hint.into_iter().fold(found, Diagnostic::hint));
            }
        }
    }
}

fn unclosed(place: Span) -> Diagnostic {
    Diagnostic::error(Code("workshop/check"), "a quote is opened here and never closed").at(place)
}

/// What is wrong with an attribute of a command.
fn wrong_attribute(attribute: &PanelOption) -> Option<Diagnostic> {
    let key = attribute.key.as_str();
    let error = |message: String| Diagnostic::error(Code("workshop/unknown-option"), message).at(attribute.span);
    match ATTRIBUTES.iter().find(|(known, _)| *known == key) {
        None if OF_CODE.contains(&key) => None,
        None => {
            let known = ATTRIBUTES.iter().map(|(known, _)| *known);
            let hint = match closest(key, known.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
            };
            Some(error(format!("`{key}` means nothing to a command")).hint(hint))
        }
        Some((_, takes)) if !takes.accepts(&attribute.value) => {
            Some(error(format!("`{key}` takes {}, not `{}`", takes.expected(), attribute.value)))
        }
        Some(_) => None,
    }
}

/// A tag of `<details>` in a text.
struct DetailsTag {
    range: Range<usize>,
    /// The heading of one that opens; nothing for one that closes.
    summary: Option<String>,
}

fn details(html: &str) -> Option<DetailsTag> {
    let lower = html.to_ascii_lowercase();
    let (opens, closes) = (lower.find("<details"), lower.find("</details"));
    let end_of_tag = |from: usize| html[from..].find('>').map_or(html.len(), |at| from + at + 1);
    match (opens, closes) {
        (open, Some(close)) if open.is_none_or(|open| close < open) => {
            Some(DetailsTag { range: close..end_of_tag(close), summary: None })
        }
        (Some(open), _) => {
            let after = end_of_tag(open);
            let (summary, end) = summary(&html[after..], &lower[after..]);
            Some(DetailsTag { range: open..after + end, summary: Some(summary) })
        }
        _ => None,
    }
}

/// The heading behind `<details>`, and where it ends.
fn summary(html: &str, lower: &str) -> (String, usize) {
    let Some(start) = lower.find("<summary").filter(|at| lower[..*at].trim().is_empty()) else {
        return ("Hint".to_owned(), 0);
    };
    let from = html[start..].find('>').map_or(html.len(), |at| start + at + 1);
    let close = lower[from..].find("</summary").map_or(html.len(), |at| from + at);
    let end = html[close..].find('>').map_or(html.len(), |at| close + at + 1);
    let mut text = String::new();
    let mut in_tag = false;
    for c in html[from..close].chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    (text.split_whitespace().collect::<Vec<_>>().join(" "), end)
}
