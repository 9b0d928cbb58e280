//! A scenario of Killercoda → step files of our own, and what could not be carried over.
//!
//! ```text
//! index.json ─ scenario ─→ steps with their files ─ text ─→ NN-slug.md
//! ```

mod scenario;
mod text;

use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};
use scenario::{Place, Scenario};

/// The file that a scenario is described in.
pub const INDEX: &str = "index.json";

/// Gives the text of a file by its path within the scenario's folder; why not, when it cannot be read.
pub type Reader<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Step files, and what was found on the way.
#[derive(Debug, Default)]
pub struct Imported {
    /// The files: their names and texts.
    pub files: Vec<(String, String)>,
    /// What could not be carried over, and where it stands.
    pub findings: Vec<(Arc<SourceFile>, Diagnostic)>,
}

/// Turns a scenario into step files.
pub fn import(index: SourceFile, read: Reader<'_>) -> Imported {
    let index = Arc::new(index);
    let mut work = Work { index: index.clone(), read, imported: Imported::default() };
    if let Some(scenario) = scenario::read(&index, &mut work.imported.findings) {
        work.steps(&scenario);
    }
    work.imported
}

struct Work<'a> {
    index: Arc<SourceFile>,
    read: Reader<'a>,
    imported: Imported,
}

impl Work<'_> {
    fn steps(&mut self, scenario: &Scenario) {
        let count = scenario.steps.len();
        let mut before: Option<String> = None;
        for (number, place) in scenario.steps.iter().enumerate() {
            let mut setups = Vec::new();
            let mut body = String::new();
            let read = place.text.as_ref().and_then(|(path, span)| self.file(path, *span));
            let (heading, text) = match &read {
                Some(source) => text::convert(source, &mut self.imported.findings),
                None => (None, String::new()),
            };
            if number == 0 {
                if let Some(description) = &scenario.description {
                    body.push_str(&format!("{}\n\n", description.trim()));
                }
                if let Some(intro) = &scenario.intro {
                    body.push_str(&self.around(intro));
                    setups.extend(self.scripts(intro));
                }
            }
            setups.extend(self.scripts(place));
            let title =
                place.title.clone().or(heading).unwrap_or_else(|| {
                    if count == 1 { scenario.title.clone().unwrap_or_default() } else { String::new() }
                });
            let title = if title.trim().is_empty() { format!("Step {}", number + 1) } else { one_line(&title) };
            body.push_str(&text);
            if let Some((path, span)) = &place.verify
                && let Some(source) = self.file(path, *span)
            {
                body.push_str(&self.verify(&source));
            }
            if number + 1 == count
                && let Some(finish) = &scenario.finish
            {
                body.push_str(&self.around(finish));
            }
            let id = format!("{:02}-{}", number + 1, slug(&title, number + 1));
            let setups: String = setups.iter().map(|script| fence("sh {setup}", script)).collect();
            let needs = before.as_deref().map(|id| format!("[{id}]")).unwrap_or_else(|| "[]".to_owned());
            let file = format!(
                "---\ntitle: {}\nduration: 5m\nneeds: {needs}\n---\n# {title}\n\n{setups}{}\n",
                quoted(&title),
                body.trim()
            );
            self.imported.files.push((format!("{id}.md"), file));
            before = Some(id);
        }
    }

    /// What stands before the first step or after the last.
    fn around(&mut self, place: &Place) -> String {
        let Some(source) = place.text.as_ref().and_then(|(path, span)| self.file(path, *span)) else {
            return String::new();
        };
        if let Some((_, span)) = &place.verify {
            let message = "a check outside of the steps is left out";
            self.told(Diagnostic::warning(Code("workshop/import"), message).at(*span));
        }
        let (heading, text) = text::convert(&source, &mut self.imported.findings);
        match heading {
            Some(heading) => format!("## {heading}\n\n{}", text.trim_start()),
            None => text,
        }
    }

    /// What runs when a step begins.
    fn scripts(&mut self, place: &Place) -> Vec<String> {
        let scripts = [&place.background, &place.foreground].into_iter().flatten().cloned().collect::<Vec<_>>();
        let found = scripts.iter().filter_map(|(path, span)| self.script(path, *span));
        found.filter(|script| !script.trim().is_empty()).collect()
    }

    fn script(&mut self, path: &str, span: Span) -> Option<String> {
        let source = self.file(path, span)?;
        self.plain(&source)
    }

    /// A script for `sh`, without its first line.
    fn plain(&mut self, source: &Arc<SourceFile>) -> Option<String> {
        let text = source.text();
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let Some(program) = first.strip_prefix("#!") else { return Some(text.to_owned()) };
        let place = Span::new(0, first.len());
        let name = program.split_whitespace().flat_map(|word| word.rsplit('/').next()).rfind(|word| *word != "env");
        match name.unwrap_or("sh") {
            "sh" | "dash" => {}
            "bash" | "ash" | "zsh" => {
                let message = "the script is written for another shell, and is run by `sh`";
                let found = Diagnostic::note(Code("workshop/import"), message).at(place);
                let found = found.hint("look whether it uses `[[`, arrays or other things that `sh` does not have");
                self.imported.findings.push((source.clone(), found));
            }
            other => {
                let message = format!("a script for `{other}` is left out");
                let found = Diagnostic::warning(Code("workshop/import"), message).at(place);
                self.imported.findings.push((source.clone(), found.hint("write it for `sh`")));
                return None;
            }
        }
        Some(rest.to_owned())
    }

    fn verify(&mut self, source: &Arc<SourceFile>) -> String {
        let Some(script) = self.plain(source).filter(|script| !script.trim().is_empty()) else {
            return String::new();
        };
        if !["echo", "printf"].iter().any(|word| script.contains(word)) {
            let message = "this check never says why it does not pass";
            let found = Diagnostic::warning(Code("workshop/silent-check"), message).at(Span::new(0, 0));
            let found = found.hint("let it print a line: its first line is what the learner reads");
            self.imported.findings.push((source.clone(), found));
        }
        fence("verify", &script)
    }

    /// A file of the scenario.
    fn file(&mut self, path: &str, span: Span) -> Option<Arc<SourceFile>> {
        if path.starts_with('/') || path.split('/').any(|part| part == "..") {
            let message = format!("`{path}` is outside of the scenario, and is not read");
            self.told(Diagnostic::error(Code("workshop/import"), message).at(span));
            return None;
        }
        match (self.read)(path) {
            Ok(text) => {
                let folder = self.index.path().parent().unwrap_or(std::path::Path::new(""));
                Some(Arc::new(SourceFile::new(folder.join(path), text)))
            }
            Err(why) => {
                let message = format!("`{path}` cannot be read: {why}");
                self.told(Diagnostic::error(Code("workshop/import"), message).at(span));
                None
            }
        }
    }

    fn told(&mut self, found: Diagnostic) {
        self.imported.findings.push((self.index.clone(), found));
    }
}

/// A fence that nothing in its text closes.
fn fence(info: &str, text: &str) -> String {
    let longest = text.lines().map(|line| line.trim_start().chars().take_while(|c| *c == '`').count()).max();
    let marks = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    format!("{marks}{info}\n{}\n{marks}\n\n", text.trim_end().trim_start_matches('\n'))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name for a file: small letters, digits and hyphens.
fn slug(title: &str, number: usize) -> String {
    let plain: String =
        title.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).take(60).collect();
    let slug = plain.split_whitespace().collect::<Vec<_>>().join("-");
    if slug.is_empty() { format!("step-{number}") } else { slug }
}

/// A text as YAML.
fn quoted(text: &str) -> String {
    let plain = text.chars().all(|c| c.is_alphanumeric() || " .,()-_/".contains(c))
        && text.starts_with(char::is_alphabetic)
        && !["true", "false", "null", "yes", "no"].contains(&text.to_lowercase().as_str());
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
}

#[cfg(test)]
mod tests;
