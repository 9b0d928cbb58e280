//! Markdown with the marks of Killercoda → Markdown with fences that run.

use std::sync::Arc;

use super::fence;
use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};

type Findings = Vec<(Arc<SourceFile>, Diagnostic)>;

/// Languages of fences that a shell runs; many authors name none, or `plain`.
const SHELLS: [&str; 6] = ["", "sh", "bash", "shell", "console", "plain"];

/// What a mark behind code asks for.
enum Mark<'a> {
    /// `{{exec}}`, with what else it says.
    Run(&'a str),
    /// `{{copy}}`
    Copy,
    /// `{{open}}`
    Open,
    /// `{{TRAFFIC_HOST1_80}}`
    Port(&'a str),
    /// `{{TRAFFIC_SELECTOR}}`
    Selector,
}

impl<'a> Mark<'a> {
    /// The mark between two pairs of braces; nothing when it is none.
    fn read(inner: &'a str) -> Option<Self> {
        let inner = inner.trim();
        let (word, rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        match word {
            "exec" | "execute" => Some(Self::Run(rest.trim())),
            "copy" => Some(Self::Copy),
            "open" => Some(Self::Open),
            "TRAFFIC_SELECTOR" => Some(Self::Selector),
            _ => {
                let (host, port) = word.strip_prefix("TRAFFIC_HOST")?.split_once('_')?;
                let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                (number(host) && number(port)).then_some(Self::Port(port))
            }
        }
    }
}

/// Converts a text. Gives its first heading apart, and the rest.
pub(super) fn convert(source: &Arc<SourceFile>, findings: &mut Findings) -> (Option<String>, String) {
    let mut writer =
        Writer { source, findings, out: String::new(), heading: None, waiting: Vec::new(), open: None, first: true };
    let mut at = 0;
    for line in source.text().split_inclusive('\n') {
        writer.line(line.trim_end_matches(['\n', '\r']), at);
        at += line.len();
    }
    writer.end();
    let text = writer.out.trim_end();
    let text = if text.is_empty() { String::new() } else { format!("{text}\n\n") };
    (writer.heading, text)
}

/// A fence that is not closed yet.
struct Open {
    marks: String,
    indent: usize,
    info: String,
    lines: Vec<String>,
}

struct Writer<'a> {
    source: &'a Arc<SourceFile>,
    findings: &'a mut Findings,
    out: String,
    heading: Option<String>,
    /// Commands within the block that is being read; they follow it.
    waiting: Vec<String>,
    open: Option<Open>,
    first: bool,
}

impl Writer<'_> {
    fn warn(&mut self, start: usize, length: usize, message: String) {
        let found = Diagnostic::warning(Code("workshop/import"), message).at(Span::new(start, start + length));
        self.findings.push((self.source.clone(), found));
    }

    fn line(&mut self, line: &str, at: usize) {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        if let Some(mut open) = self.open.take() {
            match trimmed.strip_prefix(open.marks.as_str()).map(|rest| rest.trim_start_matches(['`', '~'])) {
                Some(rest) if rest.trim().is_empty() || rest.trim_start().starts_with("{{") => {
                    self.close(open, rest.trim(), at + line.len() - rest.len());
                }
                _ => {
                    open.lines.push(line.to_owned());
                    self.open = Some(open);
                }
            }
            return;
        }
        let marks: String = trimmed.chars().take_while(|c| matches!(c, '`' | '~')).collect();
        if marks.len() >= 3 && !trimmed[marks.len()..].contains('`') {
            let info = trimmed[marks.len()..].trim().to_owned();
            self.open = Some(Open { marks, indent, info, lines: Vec::new() });
            return;
        }
        if trimmed.is_empty() {
            self.out.push('\n');
            self.flush();
            return;
        }
        let first = std::mem::take(&mut self.first);
        if let Some(heading) = line.strip_prefix("# ") {
            if first {
                self.heading = Some(heading.trim().trim_end_matches('#').trim().to_owned());
                return;
            }
            self.out.push('#');
        }
        self.images(line, at);
        let (text, commands) = self.marks(line, at);
        let alone = match commands.as_slice() {
            [command] => text.trim().trim_matches('`').trim() == command.trim(),
            _ => false,
        };
        if alone && let [command] = commands.as_slice() {
            self.out.push_str(&fence("sh {run}", command));
            return;
        }
        self.waiting.extend(commands);
        self.out.push_str(&text);
        self.out.push('\n');
    }

    /// Takes the marks out of a line; gives the commands that were marked.
    fn marks(&mut self, line: &str, at: usize) -> (String, Vec<String>) {
        let (mut text, mut commands) = (String::new(), Vec::new());
        let mut from = 0;
        while let Some(start) = line.get(from..).and_then(|rest| rest.find("{{")).map(|found| from + found) {
            let Some(end) = line[start..].find("}}").map(|found| start + found + 2) else { break };
            text.push_str(&line[from..start]);
            from = end;
            let (place, length) = (at + start, end - start);
            match Mark::read(&line[start + 2..end - 2]) {
                None => text.push_str(&line[start..end]),
                Some(Mark::Copy) => {}
                Some(Mark::Run(more)) => {
                    match code_before(&text) {
                        Some(command) => commands.push(command),
                        None => self.warn(place, length, "there is no code in front of this mark".to_owned()),
                    }
                    self.more(more, place, length);
                }
                Some(Mark::Open) => self.warn(place, length, "a file is not opened in an editor".to_owned()),
                Some(Mark::Selector) => self.warn(place, length, "there is no page to choose a port".to_owned()),
                Some(Mark::Port(port)) => {
                    text.push_str(&format!("http://localhost:{port}"));
                    let message = format!("port {port} of the machine is not reached: forward it with `kubectl`");
                    self.warn(place, length, message);
                }
            }
        }
        text.push_str(line.get(from..).unwrap_or(""));
        (text, commands)
    }

    /// What else a mark says.
    fn more(&mut self, more: &str, place: usize, length: usize) {
        if more == "interrupt" {
            self.warn(place, length, "what runs already is not interrupted".to_owned());
        } else if !more.is_empty() {
            self.warn(place, length, format!("`{more}`: there is one terminal"));
        }
    }

    fn close(&mut self, open: Open, rest: &str, at: usize) {
        let mark = rest.strip_prefix("{{").and_then(|rest| rest.split_once("}}")).map(|(inner, _)| inner);
        let code = open.lines.join("\n");
        let language = open.info.split(|c: char| c.is_whitespace() || c == '{').next().unwrap_or("").to_lowercase();
        match mark.and_then(Mark::read) {
            Some(Mark::Run(more)) => {
                self.more(more, at, rest.len());
                if SHELLS.contains(&language.as_str()) && !code.trim().is_empty() {
                    let lines = open.lines.iter().map(|line| dedented(line, open.indent)).collect::<Vec<_>>();
                    self.gap();
                    self.out.push_str(&fence("sh {run}", &lines.join("\n")));
                    return;
                }
                self.warn(at, rest.len(), format!("`{language}` is not run by a shell"));
            }
            Some(Mark::Open) => self.warn(at, rest.len(), "a file is not opened in an editor".to_owned()),
            _ => {}
        }
        let indent = " ".repeat(open.indent);
        let marks = &open.marks;
        // Words in braces would mean something here.
        let info = open.info.split('{').next().unwrap_or("").trim_end();
        let code = if code.is_empty() { code } else { code + "\n" };
        self.out.push_str(&format!("{indent}{marks}{info}\n{code}{indent}{marks}\n"));
    }

    /// An empty line before what comes next.
    fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn flush(&mut self) {
        for command in std::mem::take(&mut self.waiting) {
            self.gap();
            self.out.push_str(&fence("sh {run}", &command));
        }
    }

    fn end(&mut self) {
        if let Some(open) = self.open.take() {
            self.close(open, "", self.source.text().len());
        }
        self.gap();
        self.flush();
    }

    /// Pictures stay where they are.
    fn images(&mut self, line: &str, at: usize) {
        let Some(start) = line.find("![") else { return };
        let target = line[start..].split_once("](").map_or("", |(_, rest)| rest.split([')', ' ']).next().unwrap_or(""));
        if !target.is_empty() && !target.contains("://") {
            self.warn(at + start, line.len() - start, format!("the picture `{target}` is not copied"));
        }
    }
}

fn dedented(line: &str, indent: usize) -> String {
    let blank = line.len() - line.trim_start_matches(' ').len();
    line[blank.min(indent)..].to_owned()
}

/// The code at the end of a text, without its marks.
fn code_before(text: &str) -> Option<String> {
    let marks = text.len() - text.trim_end_matches('`').len();
    let inside = text.get(..text.len() - marks).filter(|_| marks > 0)?;
    let start = inside.rfind(&"`".repeat(marks))? + marks;
    Some(inside[start..].trim().to_owned()).filter(|code| !code.is_empty())
}
